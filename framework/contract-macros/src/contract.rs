//! `#[contract]`: a trait as the contract of a kind of actor.
//!
//! *Responsible for*: the order of the three steps: read the trait, check what it asks for, emit code.
//! *Not responsible for*: the steps themselves.

mod check;
mod emit;
mod operation;
mod read;

use proc_macro2::TokenStream;
use syn::{Ident, Result, Visibility};

use crate::lock::Lock;
use operation::Operation;

/// A contract as the macro sees it.
pub(crate) struct Contract {
    visibility: Visibility,
    ident: Ident,
    name: String,
    docs: String,
    ticking: bool,
    /// `None` if it is still provisional.
    kind: Option<u16>,
    operations: Vec<Operation>,
    tracking: TokenStream,
}

/// Expands `#[contract]`.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let contract = read::read(arguments, item, &Lock::read()?)?;
    Ok(emit::emit(&contract))
}
