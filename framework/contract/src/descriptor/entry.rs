//! The parts of a descriptor, as values.
//!
//! *Responsible for*: their fields and byte forms. *Not responsible for*: comparing or printing them.
//!
//! Invariants:
//! - I1: entries grow (fields may be added at the end); references to types and shapes are fixed for good.

use lightmoon_contract_macros::data;

use crate::lane::Lane;
use crate::operation::{Aim, CallForm, Durability, Rate};
use crate::replicate::{Quantise, Travel};
use crate::{Kind, OperationNumber};

/// Everything that the contracts of a game say.
#[data]
#[derive(Clone, PartialEq, Debug)]
pub struct Descriptor {
    /// Name of the game.
    pub game: String,
    /// Contracts, in the order of `contracts!`.
    pub contracts: Vec<ContractEntry>,
    /// Replicated components, in the order of `contracts!`.
    pub components: Vec<ComponentEntry>,
    /// Structs and enums that the above refer to.
    pub types: Vec<TypeEntry>,
}

/// A contract.
#[data]
#[derive(Clone, PartialEq, Debug)]
pub struct ContractEntry {
    /// Name of the trait.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Number of its kind of actor.
    #[required]
    pub kind: Kind,
    /// Whether the number is not in `contracts.lock` yet.
    pub provisional: bool,
    /// Whether its actors hold a world that ticks.
    pub ticking: bool,
    /// Its operations, in order of declaration.
    pub operations: Vec<OperationEntry>,
}

/// An operation.
#[data]
#[derive(Clone, PartialEq, Debug)]
pub struct OperationEntry {
    /// Name in the trait.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Number within the contract.
    #[required]
    pub number: OperationNumber,
    /// Whether the number is not in `contracts.lock` yet.
    pub provisional: bool,
    /// One-way, request or push.
    #[required]
    pub form: CallForm,
    /// Priority and reliability.
    #[required]
    pub lane: Lane,
    /// From where clients may call it.
    pub aim: Option<Aim>,
    /// How often.
    #[required]
    pub rate: Rate,
    /// Milliseconds until a request is given up.
    pub timeout_ms: u32,
    /// Milliseconds between two calls that the actor makes to itself.
    pub every_ms: Option<u32>,
    /// Its arguments: fields of a growing struct.
    pub arguments: Vec<FieldEntry>,
    /// What it answers.
    #[required]
    pub reply: TypeRef,
    /// What is kept of its changes; the server's business, so neither in the bytes nor in the fingerprint.
    pub durability: Durability,
    /// Milliseconds of its changes that a crash may take; as above.
    pub max_loss_ms: u32,
    /// Whether its calls go to the actor's operation log; as above.
    pub logged: bool,
}

/// A replicated component.
#[data]
#[derive(Clone, PartialEq, Debug)]
pub struct ComponentEntry {
    /// Name of the type.
    pub name: String,
    /// Number among the game's components.
    pub number: u16,
    /// Whether the number is not in `contracts.lock` yet.
    pub provisional: bool,
    /// State or sticky.
    #[required]
    pub travel: Travel,
    /// Quantised fields, in order; empty for sticky components.
    pub fields: Vec<QuantisedEntry>,
    /// The type of the whole value.
    #[required]
    pub value: TypeRef,
}

/// A field of a state component, as bits.
#[data]
#[derive(Clone, PartialEq, Debug)]
pub struct QuantisedEntry {
    /// Its name.
    pub name: String,
    /// Its width in bits, 1 to 32.
    pub bits: u8,
    /// How it is quantised.
    #[required]
    pub quantise: Quantise,
}

/// A struct or enum.
#[data]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TypeEntry {
    /// Its name, unique in the descriptor.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// What it is made of.
    #[required]
    pub shape: Shape,
}

/// What a struct or enum is made of.
#[data(fixed)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Fields behind a length, or one after the other.
    Struct {
        /// Whether a length stands in front, so that fields may be added.
        grows: bool,
        /// Fields, in order.
        fields: Vec<FieldEntry>,
    },
    /// One of several variants.
    Enum {
        /// Whether each variant's fields stand behind a length and unknown variants become the "other" one.
        grows: bool,
        /// Variants, in order of declaration.
        variants: Vec<VariantEntry>,
    },
}

impl Shape {
    /// A struct that never changes.
    #[must_use]
    pub const fn fixed(fields: Vec<FieldEntry>) -> Self {
        Self::Struct { grows: false, fields }
    }
}

/// A field or argument.
#[data]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldEntry {
    /// Its name; its index in tuple structs.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its type.
    #[required]
    pub value: TypeRef,
    /// Whether reading fails when an older peer did not send it.
    pub required: bool,
}

impl FieldEntry {
    /// A field without documentation.
    #[must_use]
    pub fn new(name: &str, value: TypeRef) -> Self {
        Self { name: name.to_owned(), docs: String::new(), value, required: false }
    }
}

/// A variant.
#[data]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VariantEntry {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its number in the bytes.
    pub number: u32,
    /// Whether the number is not in `contracts.lock` yet.
    pub provisional: bool,
    /// Whether unknown variants become this one.
    pub other: bool,
    /// Its fields, in order.
    pub fields: Vec<FieldEntry>,
}

/// A type, by its parts.
#[data(fixed)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TypeRef {
    /// A value without parts.
    Scalar(Scalar),
    /// A number that is never 0, of this kind.
    NonZero(Scalar),
    /// UTF-8 text.
    Text,
    /// Any number of one type.
    List(Box<TypeRef>),
    /// A list without repetition, ascending.
    Set(Box<TypeRef>),
    /// Keys, ascending, with values.
    Map(Box<TypeRef>, Box<TypeRef>),
    /// Nothing, or a value.
    Option(Box<TypeRef>),
    /// A value, or an error.
    Result(Box<TypeRef>, Box<TypeRef>),
    /// This many of one type.
    Array(Box<TypeRef>, u64),
    /// Values of different types; empty: nothing at all.
    Tuple(Vec<TypeRef>),
    /// A struct or enum: its index in the descriptor's types.
    Named(u32),
    /// The key of an actor of this contract.
    Ref(String),
}

/// A type without parts.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is the type of its name")]
pub enum Scalar {
    Bool,
    U8,
    U16,
    U32,
    U64,
    U128,
    I8,
    I16,
    I32,
    I64,
    I128,
    F32,
    F64,
    Char,
    Duration,
    SystemTime,
    Ipv4,
    Ipv6,
    Ip,
    Socket,
}
