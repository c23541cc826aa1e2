//! Values of contracts as JSON: what people type into forms, and what they read of answers.
//!
//! *Responsible for*: both ways, by a descriptor, without the types themselves. *Not responsible for*: the byte format (`contract`).
//!
//! | contract | JSON |
//! |---|---|
//! | numbers | a number, or text in decimal digits; what has more than 53 bits comes as text |
//! | text, `char`, addresses | text |
//! | lists, sets, arrays, tuples | a list; no value at all: `null` |
//! | maps | a list of pairs |
//! | option | `null` or the value |
//! | result | `{"ok": value}` or `{"error": value}` |
//! | struct | an object of its fields, all of them; of a struct with one nameless field that field |
//! | enum | the variant's name, or `{"Variant": {fields}}` |
//! | `Duration`, `SystemTime` | seconds, with a fraction |
//!
//! Invariants:
//! - I1: what was made of bytes makes the same bytes, but for fields and variants that the descriptor does not know.
//! - I2: nothing here recurses deeper than the codec or JSON allow.

mod decode;
mod encode;

pub(crate) use decode::{decode, decode_without};
pub(crate) use encode::{arguments, nameless};

#[cfg(test)]
mod tests;
