//! Attributes of fields, variants and operations: documentation, numbers, marks.
//!
//! *Responsible for*: taking our attributes out of an item, so that rustc and derives do not meet them.
//! *Not responsible for*: what they mean.

use syn::{Attribute, Error, Expr, ExprLit, Lit, LitInt, Meta, Result};

/// The text of `///` comments, lines joined, without the space after the slashes.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        if !pair.path.is_ident("doc") {
            continue;
        }
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value {
            let line = text.value();
            lines.push(line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// Takes the attribute `name` out of `attributes`.
pub(crate) fn take(attributes: &mut Vec<Attribute>, name: &str) -> Result<Option<Attribute>> {
    let mut found = None;
    let mut second = None;
    attributes.retain(|attribute| {
        if !attribute.path().is_ident(name) {
            return true;
        }
        if found.is_none() {
            found = Some(attribute.clone());
        } else {
            second = Some(attribute.clone());
        }
        false
    });
    match second {
        Some(second) => Err(Error::new_spanned(second, format!("`#[{name}]` stands here twice"))),
        None => Ok(found),
    }
}

/// Takes the mark `#[name]`, which has no arguments; says whether it was there.
pub(crate) fn take_mark(attributes: &mut Vec<Attribute>, name: &str) -> Result<bool> {
    let Some(attribute) = take(attributes, name)? else { return Ok(false) };
    attribute.meta.require_path_only()?;
    Ok(true)
}

/// Takes `#[number(N)]`.
pub(crate) fn take_number(attributes: &mut Vec<Attribute>) -> Result<Option<u32>> {
    let Some(attribute) = take(attributes, "number")? else { return Ok(None) };
    attribute.parse_args::<LitInt>()?.base10_parse().map(Some)
}
