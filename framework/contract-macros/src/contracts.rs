//! `contracts!`: what a game consists of.
//!
//! *Responsible for*: `descriptor()`, numbers for what the lock does not have yet, unique numbers.
//! *Not responsible for*: finding contracts; the game lists them, no linker magic.
//!
//! Invariants:
//! - I1: provisional kinds and component numbers follow the order of the lists.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Path, Result, Token, bracketed};

use crate::lock::{Lock, Section};
use crate::names;

/// Components of a game: a mask of 64 bits says which an entity has.
const COMPONENTS_MAX: usize = 64;

struct Input {
    game: LitStr,
    contracts: Vec<Path>,
    components: Vec<Path>,
    unlocked: bool,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut game, mut contracts, mut components, mut unlocked) = (None, None, None, false);
        let start = input.span();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "game" => game = Some(input.parse()?),
                "contracts" => contracts = Some(paths(input)?),
                "components" => components = Some(paths(input)?),
                "lock" => {
                    let word: Ident = input.parse()?;
                    if word != "none" {
                        return Err(Error::new(
                            word.span(),
                            "expected `none`: numbers of this game are never locked",
                        ));
                    }
                    unlocked = true;
                }
                _ => {
                    return Err(Error::new(
                        key.span(),
                        "expected `game`, `contracts`, `components` or `lock`",
                    ));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let missing = |what| {
            Error::new(
                start,
                format!(
                    "`{what}` is missing: contracts! {{ game = \"name\", contracts = [..], components = [..] }}"
                ),
            )
        };
        Ok(Self {
            game: game.ok_or_else(|| missing("game = \"name\""))?,
            contracts: contracts.ok_or_else(|| missing("contracts = [..]"))?,
            components: components.unwrap_or_default(),
            unlocked,
        })
    }
}

fn paths(input: ParseStream<'_>) -> Result<Vec<Path>> {
    let list;
    bracketed!(list in input);
    Ok(Punctuated::<Path, Token![,]>::parse_terminated(&list)?.into_iter().collect())
}

/// Expands `contracts!`.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let Input { game, contracts, components, unlocked } = syn::parse2(input)?;
    if components.len() > COMPONENTS_MAX {
        return Err(Error::new_spanned(
            &components[COMPONENTS_MAX],
            format!("a game has at most {COMPONENTS_MAX} replicated components"),
        ));
    }
    let lock = Lock::read()?;
    if lock.is_strict() && !lock.exists() && !unlocked {
        return Err(Error::new(
            game.span(),
            "LIGHTMOON_LOCKED=1, and there is no contracts.lock beside Cargo.toml: run `lightmoon contracts` and commit \
             it, or write `lock = none` here if no client ever outlives a build",
        ));
    }
    let markers = contracts.iter().map(marker).collect::<Result<Vec<_>>>()?;
    let contract_names = idents(&contracts)?;
    let component_names = idents(&components)?;
    let kinds = provisional(&lock, Section::Contract, &contract_names, &markers)?;
    let numbers = provisional(&lock, Section::Component, &component_names, &components)?;
    let tracking = lock.tracking();
    Ok(quote! {
        /// Everything that the contracts of this game say.
        #[must_use]
        pub fn descriptor() -> ::lightmoon_contract::Descriptor {
            let mut table = ::lightmoon_contract::descriptor::TypeTable::new();
            let contracts = ::std::vec![
                #(<#markers as ::lightmoon_contract::descriptor::DescribeContract>::describe_contract(&mut table)),*
            ];
            let components = ::std::vec![
                #(<#components as ::lightmoon_contract::descriptor::DescribeComponent>::describe_component(&mut table)),*
            ];
            ::lightmoon_contract::Descriptor {
                game: ::std::string::String::from(#game),
                contracts,
                components,
                types: table.into_types(),
            }
        }

        #(#kinds)*
        #(#numbers)*

        const _: () = {
            ::lightmoon_contract::descriptor::assert_unique(
                "two contracts have the same number",
                &[#(<#markers as ::lightmoon_contract::Contract>::KIND.0),*],
            );
            ::lightmoon_contract::descriptor::assert_unique(
                "two components have the same number",
                &[#(<#components as ::lightmoon_contract::Replicate>::SPEC.number),*],
            );
        };
        #tracking
    })
}

/// `Provisional` for those that the lock does not have.
fn provisional(lock: &Lock, section: Section, names: &[Ident], types: &[Path]) -> Result<Vec<TokenStream>> {
    let numbers = lock.provisional(section, names)?;
    let mut implementations = Vec::new();
    for (name, number) in numbers {
        let ty = names.iter().zip(types).find(|(candidate, _)| **candidate == name).map(|(_, ty)| ty);
        let number = u16::try_from(number).map_err(|_| Error::new(name.span(), "numbers end at 65535"))?;
        implementations.push(quote! {
            #[automatically_derived]
            impl ::lightmoon_contract::descriptor::Provisional for #ty {
                const NUMBER: u16 = #number;
            }
        });
    }
    Ok(implementations)
}

fn idents(paths: &[Path]) -> Result<Vec<Ident>> {
    let mut idents: Vec<Ident> = Vec::new();
    for path in paths {
        let ident = last(path)?;
        if idents.contains(ident) {
            return Err(Error::new_spanned(path, format!("`{ident}` is listed twice")));
        }
        idents.push(ident.clone());
    }
    Ok(idents)
}

fn last(path: &Path) -> Result<&Ident> {
    path.segments
        .last()
        .map(|segment| &segment.ident)
        .ok_or_else(|| Error::new_spanned(path, "expected a name"))
}

/// `path::to::SpaceContract` for `path::to::Space`.
fn marker(contract: &Path) -> Result<Path> {
    let ident = names::marker(last(contract)?);
    let mut path = contract.clone();
    if let Some(segment) = path.segments.last_mut() {
        segment.ident = ident;
    }
    Ok(path)
}
