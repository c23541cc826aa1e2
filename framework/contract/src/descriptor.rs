//! What a game's contracts are, as a value: types, operations, components.
//!
//! *Responsible for*: the descriptor with its bytes, fingerprint, JSON and comparison; the text of `contracts.lock`.
//! *Not responsible for*: when it is asked for (`wire`), generated client code (the command line tool reads the JSON).
//!
//! Invariants:
//! - I1: documentation, provisional marks and durability are not part of the bytes or the fingerprint: neither a comment nor
//!   what a server keeps concerns a client.
//! - I2: a descriptor from outside is data, never trusted: indices are checked where they are used.

mod compatible;
mod entry;
mod json;
mod lock;
mod table;

use crate::codec::{self, DecodeError, Limits};
use crate::operation::{Contract, Durability, Operation};
use crate::replicate::Replicate;
use crate::{Data as _, Kind, OperationNumber, limits};

pub use compatible::{Incompatible, check_compatible};
pub use entry::{
    ComponentEntry, ContractEntry, Descriptor, FieldEntry, OperationEntry, QuantisedEntry, Scalar, Shape,
    TypeEntry, TypeRef, VariantEntry,
};
pub use lock::LockProblem;
pub use table::{Secrets, TypeTable};

use lightmoon_contract_macros::data;

/// 128 bits that two descriptors share only if they say the same.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fingerprint(pub u128);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A contract that can say what it is. Implemented by `#[contract]`.
pub trait DescribeContract: Contract {
    /// The entry of this contract; types it refers to go into `table`.
    fn describe_contract(table: &mut TypeTable) -> ContractEntry;
}

/// A component that can say what it is. Implemented by `#[replicate]`.
pub trait DescribeComponent: Replicate {
    /// Whether its number is not in `contracts.lock` yet.
    const PROVISIONAL: bool;

    /// The entry of this component; types it refers to go into `table`.
    fn describe_component(table: &mut TypeTable) -> ComponentEntry {
        let fields = Self::SPEC.fields.iter().map(|field| QuantisedEntry {
            name: field.name.to_owned(),
            bits: field.bits,
            quantise: field.quantise,
        });
        ComponentEntry {
            name: Self::SPEC.name.to_owned(),
            number: Self::SPEC.number,
            provisional: Self::PROVISIONAL,
            travel: Self::SPEC.travel,
            fields: fields.collect(),
            value: Self::describe(table),
        }
    }
}

/// The number of a contract or component that `contracts.lock` does not have yet. Implemented by `contracts!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no number yet",
    label = "neither in contracts.lock nor in `contracts!`",
    note = "list it in `contracts! {{ … }}` of this crate, then run `lightmoon contracts`",
    note = "or give it a number here: `#[contract(number = 1)]`, `#[replicate(state, number = 1)]`"
)]
pub trait Provisional {
    /// The next free number, in the order of `contracts!`.
    const NUMBER: u16;
}

impl Descriptor {
    /// The bytes that travel in a handshake: without documentation, marks and durability. The same descriptor always gives the same.
    ///
    /// They should not exceed [`limits::DESCRIPTOR_BYTES_MAX`], which readers refuse; `lightmoon contracts` checks it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&self.bare())
    }

    /// The descriptor of these bytes.
    ///
    /// # Errors
    /// The bytes are none, or more than [`limits::DESCRIPTOR_BYTES_MAX`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, Limits::DESCRIPTOR)
    }

    /// What stands for this descriptor in a handshake: xxh3-128 of its bytes.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(xxhash_rust::xxh3::xxh3_128(&self.to_bytes()))
    }

    /// The contract of a kind.
    #[must_use]
    pub fn contract(&self, kind: Kind) -> Option<&ContractEntry> {
        self.contracts.iter().find(|contract| contract.kind == kind)
    }

    /// The contract of this name.
    #[must_use]
    pub fn contract_named(&self, name: &str) -> Option<&ContractEntry> {
        self.contracts.iter().find(|contract| contract.name == name)
    }

    /// The component of a number.
    #[must_use]
    pub fn component(&self, number: u16) -> Option<&ComponentEntry> {
        self.components.iter().find(|component| component.number == number)
    }

    /// A struct or enum by its index; `None` if a descriptor from outside refers to one it does not have.
    #[must_use]
    pub fn named(&self, index: u32) -> Option<&TypeEntry> {
        usize::try_from(index).ok().and_then(|index| self.types.get(index))
    }

    /// Whether it fits into a handshake.
    #[must_use]
    pub fn fits_handshake(&self) -> bool {
        self.to_bytes().len() <= limits::DESCRIPTOR_BYTES_MAX
    }

    /// The same without documentation, provisional marks and what only the server cares for.
    #[must_use]
    fn bare(&self) -> Self {
        let mut bare = self.clone();
        for contract in &mut bare.contracts {
            contract.docs.clear();
            contract.provisional = false;
            for operation in &mut contract.operations {
                operation.docs.clear();
                operation.provisional = false;
                operation.durability = Durability::default();
                operation.max_loss_ms = 0;
                operation.logged = false;
                clear_docs(&mut operation.arguments);
            }
        }
        for component in &mut bare.components {
            component.provisional = false;
        }
        for entry in &mut bare.types {
            entry.docs.clear();
            match &mut entry.shape {
                Shape::Struct { fields, .. } => clear_docs(fields),
                Shape::Enum { variants, .. } => {
                    for variant in variants {
                        variant.docs.clear();
                        variant.provisional = false;
                        clear_docs(&mut variant.fields);
                    }
                }
            }
        }
        bare
    }
}

fn clear_docs(fields: &mut [FieldEntry]) {
    for field in fields {
        field.docs.clear();
    }
}

/// Refuses two equal numbers, at compile time.
///
/// # Panics
/// Two are equal; the message is `problem`.
#[doc(hidden)]
pub const fn assert_unique(problem: &str, numbers: &[u16]) {
    let mut first = 0;
    while first < numbers.len() {
        let mut second = first + 1;
        while second < numbers.len() {
            assert!(numbers[first] != numbers[second], "{}", problem);
            second += 1;
        }
        first += 1;
    }
}

impl OperationEntry {
    /// The entry of operation `O`; `arguments` describes its fields.
    #[must_use]
    pub fn of<O: Operation>(
        docs: &str,
        provisional: bool,
        arguments: impl FnOnce(&mut TypeTable) -> Vec<FieldEntry>,
        table: &mut TypeTable,
    ) -> Self {
        let spec = O::SPEC;
        Self {
            name: spec.name.to_owned(),
            docs: docs.to_owned(),
            number: spec.number,
            provisional,
            form: spec.form,
            lane: spec.lane,
            aim: spec.aim,
            rate: spec.rate,
            timeout_ms: spec.timeout_ms,
            every_ms: spec.every_ms,
            arguments: arguments(table),
            reply: O::Reply::describe(table),
            durability: spec.durability,
            max_loss_ms: spec.max_loss_ms,
            logged: spec.logged,
        }
    }
}

impl ContractEntry {
    /// The operation of a number.
    #[must_use]
    pub fn operation(&self, number: OperationNumber) -> Option<&OperationEntry> {
        self.operations.iter().find(|operation| operation.number == number)
    }

    /// The operation of this name.
    #[must_use]
    pub fn operation_named(&self, name: &str) -> Option<&OperationEntry> {
        self.operations.iter().find(|operation| operation.name == name)
    }
}
