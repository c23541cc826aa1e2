//! A game's descriptor as its JSON says it.
//!
//! *Responsible for*: the part of the JSON that generators need. *Not responsible for*: checking compatibility (crate
//! `contract`); writing the JSON.
//!
//! Invariants:
//! - I1: unknown keys are ignored, so that older tools read newer descriptors; an unknown kind of type is an error.

use serde::Deserialize;
use serde_json::Value;

/// Why a text is no descriptor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not JSON of a descriptor. Make it with the contracts crate's example `contracts`.
    #[error("the text is no descriptor")]
    NotADescriptor(#[from] serde_json::Error),
    /// The format is newer than this tool. Use the tool of the framework's version that wrote it.
    #[error("the descriptor has format {0}, this tool reads 1")]
    Format(u32),
    /// A type is of a kind that this tool does not know, or names a type that is not there. As above.
    #[error("the type {0} is not known")]
    Type(String),
}

/// Everything that the contracts of a game say.
#[derive(Debug, Deserialize)]
pub struct Descriptor {
    /// Version of this JSON.
    pub format: u32,
    /// Name of the game.
    pub game: String,
    /// 128 bits as 32 hexadecimal digits.
    pub fingerprint: String,
    /// What travels in a handshake, hexadecimal.
    pub bytes: String,
    /// Its contracts.
    pub contracts: Vec<Contract>,
    /// Its replicated components.
    pub components: Vec<Component>,
    /// Structs and enums that the above refer to.
    pub types: Vec<Type>,
}

/// A contract.
#[derive(Debug, Deserialize)]
pub struct Contract {
    /// Name of the trait.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Number of its kind of actor.
    pub kind: u16,
    /// Its operations.
    pub operations: Vec<Operation>,
}

/// An operation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Name in the trait.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Number within the contract.
    pub number: u16,
    /// One-way, request or push.
    pub form: CallForm,
    /// The lane's number.
    pub lane: u8,
    /// From where clients may call it; `None`: not at all.
    pub aim: Option<String>,
    /// Milliseconds until a request is given up.
    pub timeout_ms: u32,
    /// Its arguments.
    pub arguments: Vec<Field>,
    /// What it answers.
    pub reply: TypeRef,
}

/// How an operation is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallForm {
    /// No answer.
    OneWay,
    /// An answer, or an error.
    Request,
    /// From an actor to a client.
    Push,
}

/// A replicated component.
#[derive(Debug, Deserialize)]
pub struct Component {
    /// Name of the type.
    pub name: String,
    /// Number among the game's components.
    pub number: u16,
    /// `state` or `sticky`.
    pub travel: String,
    /// Quantised fields.
    pub fields: Vec<QuantisedField>,
    /// The type of the whole value.
    #[serde(rename = "type")]
    pub value: TypeRef,
}

/// A quantised field.
#[derive(Debug, Deserialize)]
pub struct QuantisedField {
    /// Its name.
    pub name: String,
    /// Its width.
    pub bits: u8,
    /// How it is quantised.
    pub quantise: Quantise,
}

/// How a field is quantised.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quantise {
    /// A number from `min` in steps of `step`.
    Range {
        /// Least value.
        min: f64,
        /// Distance of two values.
        step: f64,
    },
    /// An angle in radians.
    Angle,
    /// An unsigned integer.
    Unsigned,
    /// One bit.
    Bool,
}

/// A struct or enum.
#[derive(Debug, Deserialize)]
pub struct Type {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// What it is made of.
    #[serde(flatten)]
    pub shape: Shape,
}

/// What a struct or enum is made of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    /// Fields.
    Struct {
        /// Whether a length stands in front.
        grows: bool,
        /// Fields, in order.
        fields: Vec<Field>,
    },
    /// One of several variants.
    Enum {
        /// Whether a length stands behind the number.
        grows: bool,
        /// Variants, in order of declaration.
        variants: Vec<Variant>,
    },
}

/// A field or argument.
#[derive(Debug, Deserialize)]
pub struct Field {
    /// Its name; its index in tuple structs.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its type.
    #[serde(rename = "type")]
    pub value: TypeRef,
    /// Whether it has to be there.
    pub required: bool,
}

/// A variant.
#[derive(Debug, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: String,
    /// Its number in the bytes.
    pub number: u32,
    /// Whether unknown variants become this one.
    pub other: bool,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A type, by its parts.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Value")]
pub enum TypeRef {
    /// A value without parts, by its name.
    Scalar(String),
    /// A number that is never 0.
    NonZero(String),
    /// Text.
    Text,
    /// Any number of one type.
    List(Box<Self>),
    /// A list without repetition.
    Set(Box<Self>),
    /// Keys with values.
    Map(Box<Self>, Box<Self>),
    /// Nothing, or a value.
    Option(Box<Self>),
    /// A value, or an error.
    Result(Box<Self>, Box<Self>),
    /// This many of one type.
    Array(Box<Self>, u64),
    /// Values of different types.
    Tuple(Vec<Self>),
    /// A struct or enum.
    Named(String),
    /// The key of an actor.
    Ref,
}

impl TryFrom<Value> for TypeRef {
    type Error = Error;

    fn try_from(json: Value) -> Result<Self, Error> {
        if let Some(name) = json.as_str() {
            return Ok(if name == "string" { Self::Text } else { Self::Scalar(name.to_owned()) });
        }
        let unknown = || Error::Type(json.to_string());
        let (key, inside) = json.as_object().and_then(|map| map.iter().next()).ok_or_else(unknown)?;
        let one = || Self::try_from(inside.clone()).map(Box::new);
        let nth = |index: usize| inside.get(index).cloned().ok_or_else(unknown);
        let part = |index| Self::try_from(nth(index)?).map(Box::new);
        let text = || inside.as_str().map(str::to_owned).ok_or_else(unknown);
        Ok(match key.as_str() {
            "nonZero" => Self::NonZero(text()?),
            "list" => Self::List(one()?),
            "set" => Self::Set(one()?),
            "option" => Self::Option(one()?),
            "map" => Self::Map(part(0)?, part(1)?),
            "result" => Self::Result(part(0)?, part(1)?),
            "array" => Self::Array(part(0)?, nth(1)?.as_u64().ok_or_else(unknown)?),
            "tuple" => {
                let items = inside.as_array().ok_or_else(unknown)?;
                Self::Tuple(items.iter().cloned().map(Self::try_from).collect::<Result<_, _>>()?)
            }
            "named" => Self::Named(text()?),
            "ref" => Self::Ref,
            _ => return Err(unknown()),
        })
    }
}

impl Descriptor {
    /// The descriptor that a JSON text says: the descriptor itself, or an object that holds it under `descriptor`.
    ///
    /// # Errors
    /// The text is no descriptor, or one of a newer format.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let mut json: Value = serde_json::from_str(text)?;
        let descriptor: Self = serde_json::from_value(match json.get_mut("descriptor") {
            Some(inside) => inside.take(),
            None => json,
        })?;
        if descriptor.format != 1 {
            return Err(Error::Format(descriptor.format));
        }
        Ok(descriptor)
    }

    /// The type of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(&self, name: &str) -> Result<&Type, Error> {
        self.types.iter().find(|entry| entry.name == name).ok_or_else(|| Error::Type(name.to_owned()))
    }
}
