//! `persist = "name"` of `#[data]` and `#[replicate]`: a type that is kept, in its first version.
//!
//! *Responsible for*: reading the name, refusing what no store takes, `impl Persist`. *Not responsible for*: later versions; they
//! need code, so a game writes that `impl` itself.
//!
//! Invariants:
//! - I1: the name is the game's word, never made of the type's: types are renamed, what is stored is not.

use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{Error, Ident, LitStr, Result};

/// `lightmoon_contract::limits::PERSIST_NAME_BYTES_MAX`; tests of that crate hold them together.
const NAME_BYTES_MAX: usize = 64;
/// How names of the framework's own begin.
const OWN_PREFIX: &str = "lightmoon.";

/// Reads `= "name"`.
pub(crate) fn read(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let name: LitStr = match meta.value().and_then(|value| value.parse()) {
        Ok(name) => name,
        Err(_) => {
            return Err(meta.error(
                "say under which name the type is kept: `persist = \"name\"`; types may be renamed, this name never",
            ));
        }
    };
    let text = name.value();
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(Error::new(
            name.span(),
            format!("the name of a kept type has 1 to {NAME_BYTES_MAX} bytes"),
        ));
    }
    if text.starts_with(OWN_PREFIX) {
        return Err(Error::new(
            name.span(),
            format!("names that begin with `{OWN_PREFIX}` are the framework's; choose another one"),
        ));
    }
    Ok(name)
}

/// `impl Persist`.
pub(crate) fn implement(ident: &Ident, name: &LitStr) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::lightmoon_contract::Persist for #ident {
            const NAME: &'static str = #name;
        }
    }
}
