//! Client code for browsers: an ES module with JSDoc types.
//!
//! *Responsible for*: the module as a whole and its order. *Not responsible for*: types (`types`), calls (`calls`),
//! names and comments (`text`).
//!
//! What comes out: a typedef with read and write functions for each type that clients meet, a class of calls and an
//! object for each contract, an object for each component, and `contracts` for `connect`.
//!
//! Invariants:
//! - I1: only what clients can reach is written: no types of calls between actors.

mod calls;
mod reach;
mod text;
mod types;

use std::fmt::Write as _;

use crate::descriptor::{Component, Descriptor, Error, Quantise};
use reach::Reach;
use text::{camel, literal};

/// Where a game's page finds the SDK: Lightmoon's web server has it there.
pub const SDK: &str = "/lightmoon/index.js";

/// Options of the generated module.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the module imports the SDK from; default [`SDK`].
    pub sdk: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { sdk: SDK.to_owned() }
    }
}

/// The module for `descriptor`.
///
/// # Errors
/// The descriptor names a type that it does not hold, or one that this tool does not know.
pub fn generate(descriptor: &Descriptor, options: &Options) -> Result<String, Error> {
    let reach = Reach::of(descriptor)?;
    let mut body = String::new();
    for entry in &descriptor.types {
        types::write(&mut body, entry, descriptor, &reach)?;
    }
    for contract in &descriptor.contracts {
        calls::write(&mut body, contract, descriptor)?;
    }
    for (index, component) in descriptor.components.iter().enumerate() {
        write_component(&mut body, index, component, descriptor)?;
    }
    write_contracts(&mut body, descriptor);
    Ok(head(descriptor, options, body.contains("unknownVariant(")) + &body)
}

fn head(descriptor: &Descriptor, options: &Options, has_closed_enums: bool) -> String {
    let Options { sdk } = options;
    let game = &descriptor.game;
    let imports = if has_closed_enums { "unhex, unknownVariant" } else { "unhex" };
    format!(
        "// @ts-check\n\
             /**\n \
             * Contracts of \"{game}\" for browsers, written by `lightmoon codegen ts`. Do not edit: change the contracts.\n \
             *\n \
             * Responsible for: types, calls, pushes and components. Not responsible for: behaviour, which is in the SDK.\n \
             */\n\n\
             import {{ {imports} }} from \"{sdk}\";\n\n\
             /** @typedef {{import(\"{sdk}\").Reader}} Reader */\n\
             /** @typedef {{import(\"{sdk}\").Writer}} Writer */\n\
             /** @typedef {{import(\"{sdk}\").Caller}} Caller */\n\
             /** @typedef {{import(\"{sdk}\").Target}} Target */\n\
             /**\n * @template T\n * @typedef {{import(\"{sdk}\").Component<T>}} Component\n */\n"
    )
}

fn write_component(
    out: &mut String,
    index: usize,
    component: &Component,
    all: &Descriptor,
) -> Result<(), Error> {
    let Component { name, number, travel, fields, value } = component;
    let shown = types::shown(value, all)?;
    let read = types::read(value, all)?;
    put(
        out,
        &format!(
            "\n/** @type {{Component<{shown}>}} */\nexport const {name} = {{\n  name: {},\n",
            literal(name)
        ),
    );
    put(out, &format!("  number: {number},\n  index: {index},\n  travel: {},\n  fields: [", literal(travel)));
    for field in fields {
        let quantise = match &field.quantise {
            Quantise::Range { min, step } => format!("{{ is: \"range\", min: {min:?}, step: {step:?} }}"),
            Quantise::Angle => "{ is: \"angle\" }".to_owned(),
            Quantise::Unsigned => "{ is: \"unsigned\" }".to_owned(),
            Quantise::Bool => "{ is: \"bool\" }".to_owned(),
        };
        let name = literal(&camel(&field.name));
        put(out, &format!("\n    {{ name: {name}, bits: {}, quantise: {quantise} }},", field.bits));
    }
    let end = if fields.is_empty() { "" } else { "\n  " };
    put(out, &format!("{end}],\n  read: (from) => {read},\n}};\n"));
    Ok(())
}

fn write_contracts(out: &mut String, descriptor: &Descriptor) {
    let components: Vec<_> = descriptor.components.iter().map(|component| component.name.as_str()).collect();
    put(
        out,
        &format!(
            "\n/** All of them, for `connect`. */\n\
             export const contracts = {{\n  game: {},\n  fingerprint: 0x{}n,\n  descriptor: unhex(\n",
            literal(&descriptor.game),
            descriptor.fingerprint
        ),
    );
    let digits = descriptor.bytes.as_bytes();
    let lines: Vec<_> =
        digits.chunks(100).map(|line| format!("    \"{}\"", String::from_utf8_lossy(line))).collect();
    put(out, &lines.join(" +\n"));
    put(out, &format!(",\n  ),\n  components: [{}],\n}};\n", components.join(", ")));
}

/// Appends text.
fn put(out: &mut String, text: &str) {
    out.write_str(text).expect("writing to a String cannot fail");
}
