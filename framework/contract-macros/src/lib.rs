//! The macros behind Lightmoon contracts: contract, data, replicate.
//!
//! *Responsible for*: reading what a game writes, refusing what cannot work at the place where it stands, and the code
//! that ties it to `lightmoon-contract`.
//! *Not responsible for*: what that code calls; bytes, specs and descriptors are of `lightmoon-contract`, which
//! re-exports these macros and documents them with examples.
//!
//! Invariants:
//! - I1: emitted code has no `unsafe` and names nothing but `::lightmoon_contract` and `::core`/`::std`.
//! - I2: numbers come from an attribute, from `contracts.lock`, or are provisional and marked so; with
//!   `LIGHTMOON_LOCKED=1` provisional ones are errors.
//! - I3: the macros write no file.

mod attributes;
mod contract;
mod contracts;
mod data;
mod lock;
mod names;
mod persist;
mod replicate;

use proc_macro::TokenStream;

/// Makes a struct or enum a value that can travel.
#[proc_macro_attribute]
pub fn data(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(data::expand(arguments.into(), item.into()))
}

/// Makes a struct a component that clients see.
#[proc_macro_attribute]
pub fn replicate(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(replicate::expand(arguments.into(), item.into()))
}

/// Makes a trait the contract of a kind of actor.
#[proc_macro_attribute]
pub fn contract(arguments: TokenStream, item: TokenStream) -> TokenStream {
    finish(contract::expand(arguments.into(), item.into()))
}

/// Lists the contracts and components of a game and makes its `descriptor()`.
#[proc_macro]
pub fn contracts(input: TokenStream) -> TokenStream {
    finish(contracts::expand(input.into()))
}

fn finish(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(|error| error.into_compile_error()).into()
}
