//! The descriptor as JSON, for generators of client code and for consoles.
//!
//! *Responsible for*: the text. *Not responsible for*: reading JSON; nothing of ours reads it back.
//!
//! Invariants:
//! - I1: the same descriptor always gives the same text; keys stand in the order of the code below.

use std::fmt::Write as _;

use super::{
    ComponentEntry, ContractEntry, Descriptor, FieldEntry, LockProblem, OperationEntry, QuantisedEntry,
    Scalar, Shape, TypeEntry, TypeRef, VariantEntry,
};
use crate::operation::{Aim, CallForm, Durability};
use crate::replicate::{Quantise, Travel};

impl Descriptor {
    /// The descriptor as JSON, with documentation and provisional marks.
    ///
    /// `bytes` is [`Self::to_bytes`] in hexadecimal, for clients to send when a server asks for their descriptor.
    ///
    /// Types are texts (`"u8"`, `"string"`) or objects with one key: `list`, `set`, `option` hold a type; `map`,
    /// `result` hold two; `array` holds a type and a count; `tuple` holds types; `named` and `ref` hold a name;
    /// `nonZero` holds the name of a number.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = object([
            ("format", "1".to_owned()),
            ("game", string(&self.game)),
            ("fingerprint", string(&self.fingerprint().to_string())),
            ("bytes", string(&hex(&self.to_bytes()))),
            ("contracts", list(&self.contracts, |contract| self.contract_json(contract))),
            ("components", list(&self.components, |component| self.component_json(component))),
            ("types", list(&self.types, |entry| self.type_entry_json(entry))),
        ]);
        text.push('\n');
        text
    }

    /// What the example `contracts` of a contracts crate prints for tools: an object of the next text of `contracts.lock`
    /// (`lock`, given the `old` one, empty if there is none) and the descriptor (`descriptor`, as [`Self::to_json`]).
    ///
    /// # Errors
    /// As [`Self::lock_text`].
    pub fn for_tools(&self, old: &str) -> Result<String, LockProblem> {
        let mut text = object([
            ("lock", string(&self.lock_text(old)?)),
            ("descriptor", self.to_json().trim_end().to_owned()),
        ]);
        text.push('\n');
        Ok(text)
    }

    fn contract_json(&self, contract: &ContractEntry) -> String {
        object([
            ("name", string(&contract.name)),
            ("docs", string(&contract.docs)),
            ("kind", contract.kind.to_string()),
            ("provisional", contract.provisional.to_string()),
            ("ticking", contract.ticking.to_string()),
            ("operations", list(&contract.operations, |operation| self.operation_json(operation))),
        ])
    }

    fn operation_json(&self, operation: &OperationEntry) -> String {
        let form = match operation.form {
            CallForm::OneWay => "one-way",
            CallForm::Request => "request",
            CallForm::Push => "push",
        };
        let aim = operation.aim.map(|aim| match aim {
            Aim::Own => "own",
            Aim::Zone => "zone",
            Aim::Any => "any",
        });
        let max_loss = match operation.durability {
            Durability::Behind => operation.max_loss_ms.to_string(),
            Durability::None | Durability::Sync => "null".to_owned(),
        };
        let rate = object([
            ("perSecond", operation.rate.per_second.to_string()),
            ("burst", operation.rate.burst.to_string()),
        ]);
        object([
            ("name", string(&operation.name)),
            ("docs", string(&operation.docs)),
            ("number", operation.number.to_string()),
            ("provisional", operation.provisional.to_string()),
            ("form", string(form)),
            ("priority", string(operation.lane.priority.name())),
            ("reliability", string(operation.lane.reliability.name())),
            ("lane", operation.lane.number().to_string()),
            ("aim", aim.map_or_else(|| "null".to_owned(), string)),
            ("rate", rate),
            ("timeoutMs", operation.timeout_ms.to_string()),
            ("everyMs", operation.every_ms.map_or_else(|| "null".to_owned(), |every| every.to_string())),
            ("arguments", list(&operation.arguments, |field| self.field_json(field))),
            ("reply", self.type_json(&operation.reply)),
            ("durability", string(operation.durability.name())),
            ("maxLossMs", max_loss),
            ("logged", operation.logged.to_string()),
        ])
    }

    fn component_json(&self, component: &ComponentEntry) -> String {
        let travel = match component.travel {
            Travel::State => "state",
            Travel::Sticky => "sticky",
        };
        object([
            ("name", string(&component.name)),
            ("number", component.number.to_string()),
            ("provisional", component.provisional.to_string()),
            ("travel", string(travel)),
            ("fields", list(&component.fields, quantised_json)),
            ("type", self.type_json(&component.value)),
        ])
    }

    fn type_entry_json(&self, entry: &TypeEntry) -> String {
        let (sort, shape) = match &entry.shape {
            Shape::Struct { grows, fields } => {
                let fields = list(fields, |field| self.field_json(field));
                ("struct", object([("grows", grows.to_string()), ("fields", fields)]))
            }
            Shape::Enum { grows, variants } => {
                let variants = list(variants, |variant| self.variant_json(variant));
                ("enum", object([("grows", grows.to_string()), ("variants", variants)]))
            }
        };
        object([("name", string(&entry.name)), ("docs", string(&entry.docs)), (sort, shape)])
    }

    fn variant_json(&self, variant: &VariantEntry) -> String {
        object([
            ("name", string(&variant.name)),
            ("docs", string(&variant.docs)),
            ("number", variant.number.to_string()),
            ("provisional", variant.provisional.to_string()),
            ("other", variant.other.to_string()),
            ("fields", list(&variant.fields, |field| self.field_json(field))),
        ])
    }

    fn field_json(&self, field: &FieldEntry) -> String {
        object([
            ("name", string(&field.name)),
            ("docs", string(&field.docs)),
            ("type", self.type_json(&field.value)),
            ("required", field.required.to_string()),
        ])
    }

    /// A type as JSON, in the form of [`Self::to_json`].
    #[must_use]
    pub fn type_json(&self, value: &TypeRef) -> String {
        let one = |key, inside: &TypeRef| object([(key, self.type_json(inside))]);
        let two = |key, first: &TypeRef, second: &TypeRef| {
            object([(key, format!("[{}, {}]", self.type_json(first), self.type_json(second)))])
        };
        match value {
            TypeRef::Scalar(scalar) => string(scalar.name()),
            TypeRef::Text => string("string"),
            TypeRef::NonZero(scalar) => object([("nonZero", string(scalar.name()))]),
            TypeRef::List(item) => one("list", item),
            TypeRef::Set(item) => one("set", item),
            TypeRef::Option(inside) => one("option", inside),
            TypeRef::Map(key, value) => two("map", key, value),
            TypeRef::Result(value, error) => two("result", value, error),
            TypeRef::Array(item, count) => {
                object([("array", format!("[{}, {count}]", self.type_json(item)))])
            }
            TypeRef::Tuple(items) => object([("tuple", list(items, |item| self.type_json(item)))]),
            TypeRef::Named(index) => {
                object([("named", string(self.named(*index).map_or("?", |entry| entry.name.as_str())))])
            }
            TypeRef::Ref(contract) => object([("ref", string(contract))]),
        }
    }
}

impl Scalar {
    /// The name of the type, as in JSON and in `client-sdk/vectors`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::U64 => "u64",
            Self::U128 => "u128",
            Self::I8 => "i8",
            Self::I16 => "i16",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::I128 => "i128",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Char => "char",
            Self::Duration => "duration",
            Self::SystemTime => "systemTime",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Ip => "ip",
            Self::Socket => "socket",
        }
    }
}

fn quantised_json(field: &QuantisedEntry) -> String {
    let quantise = match field.quantise {
        Quantise::Range { min, step } => {
            object([("range", object([("min", format!("{min:?}")), ("step", format!("{step:?}"))]))])
        }
        Quantise::Angle => string("angle"),
        Quantise::Unsigned => string("unsigned"),
        Quantise::Bool => string("bool"),
    };
    object([("name", string(&field.name)), ("bits", field.bits.to_string()), ("quantise", quantise)])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

/// An object of values that are JSON already.
fn object<const N: usize>(fields: [(&str, String); N]) -> String {
    let fields: Vec<_> = fields.into_iter().map(|(key, value)| format!("{}: {value}", string(key))).collect();
    format!("{{{}}}", fields.join(", "))
}

fn list<T>(items: &[T], json: impl Fn(&T) -> String) -> String {
    let items: Vec<_> = items.iter().map(json).collect();
    format!("[{}]", items.join(", "))
}

fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => {
                write!(out, "\\u{:04x}", u32::from(control)).expect("writing to a String cannot fail");
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
