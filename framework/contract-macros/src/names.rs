//! Names: their length, their case, the markers made from them.
//!
//! *Responsible for*: one spelling for each made name. *Not responsible for*: whether a name is taken; rustc says that.

use syn::ext::IdentExt as _;
use syn::{Error, Ident, Result};

/// Characters of a name; the same number as `lightmoon_contract::limits::NAME_CHARS_MAX`.
const NAME_CHARS_MAX: usize = 64;

/// The name as text, without `r#`.
pub(crate) fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The name as text, refused if it is too long for descriptors.
pub(crate) fn checked(ident: &Ident) -> Result<String> {
    let name = text(ident);
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(Error::new(
            ident.span(),
            format!("names in contracts have at most {NAME_CHARS_MAX} characters"),
        ));
    }
    Ok(name)
}

/// `fire_laser` as `FireLaser`.
pub(crate) fn camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters)
        })
        .collect()
}

/// `SpaceStation` as `space_station`.
pub(crate) fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// The marker type of a contract's trait.
pub(crate) fn marker(contract: &Ident) -> Ident {
    quote::format_ident!("{}Contract", contract, span = contract.span())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_names_follow_rusts_cases() {
        assert_eq!(camel("fire_laser"), "FireLaser");
        assert_eq!(camel("steer"), "Steer");
        assert_eq!(snake("SpaceStation"), "space_station");
        assert_eq!(snake("Sector"), "sector");
    }
}
