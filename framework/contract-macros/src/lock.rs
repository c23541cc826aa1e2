//! Reads `contracts.lock` of the crate that is being compiled.
//!
//! *Responsible for*: looking numbers up, and provisional numbers where there are none.
//! *Not responsible for*: writing the file; `lightmoon_contract::descriptor` computes its text, a tool writes it.
//!
//! Invariants:
//! - I1: a crate is built again when its lock or `LIGHTMOON_LOCKED` changes ([`Lock::tracking`]).
//! - I2: a provisional number is the next free one in order of declaration: above all that the lock knows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, Ident, Result};

use crate::names;

/// What to run when a number is missing.
const TOOL: &str =
    "run `lightmoon contracts` (in Lightmoon's own tree `cargo xtask contracts`) and commit contracts.lock";

/// What a number is given to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Section {
    Contract,
    Operation,
    Component,
    Variant,
}

impl Section {
    /// The word in the file.
    const fn word(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Operation => "operation",
            Self::Component => "component",
            Self::Variant => "variant",
        }
    }

    /// The number that the first one gets. Kinds and components start at 1, so that 0 can mean none; variants at 0,
    /// as in a fixed enum.
    const fn first(self) -> u32 {
        match self {
            Self::Contract | Self::Operation | Self::Component => 1,
            Self::Variant => 0,
        }
    }

    /// The greatest number.
    const fn last(self) -> u32 {
        match self {
            // The numbers above belong to the framework: `Kind::FIRST_RESERVED`, `OperationNumber::FIRST_RESERVED`.
            Self::Contract | Self::Operation => 0xFEFF,
            Self::Component => 0xFFFF,
            Self::Variant => u32::MAX,
        }
    }
}

/// A number and whether the lock has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    pub(crate) value: u32,
    pub(crate) provisional: bool,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    number: u32,
    retired: bool,
}

/// The lock of the crate that is being compiled.
pub(crate) struct Lock {
    entries: BTreeMap<(Section, String), Entry>,
    exists: bool,
    strict: bool,
}

impl Lock {
    /// Reads the lock; a crate without one has an empty one.
    pub(crate) fn read() -> Result<Self> {
        let strict = std::env::var("LIGHTMOON_LOCKED").is_ok_and(|value| value == "1");
        let Some(folder) = std::env::var_os("CARGO_MANIFEST_DIR") else {
            return Ok(Self { entries: BTreeMap::new(), exists: false, strict: false });
        };
        let path = PathBuf::from(folder).join("contracts.lock");
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let entries = parse(&text).map_err(|problem| {
                    Error::new(Span::call_site(), format!("{}: {problem}", path.display()))
                })?;
                Ok(Self { entries, exists: true, strict })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { entries: BTreeMap::new(), exists: false, strict })
            }
            Err(error) => Err(Error::new(Span::call_site(), format!("{}: {error}", path.display()))),
        }
    }

    /// Whether the crate has a lock.
    pub(crate) const fn exists(&self) -> bool {
        self.exists
    }

    /// Whether `LIGHTMOON_LOCKED=1` was set.
    pub(crate) const fn is_strict(&self) -> bool {
        self.strict
    }

    /// Code that makes the compiler read the lock again when it changes.
    pub(crate) fn tracking(&self) -> TokenStream {
        let file = self.exists.then(|| {
            quote!(
                const _: &str = ::core::include_str!(::core::concat!(
                    ::core::env!("CARGO_MANIFEST_DIR"),
                    "/contracts.lock"
                ));
            )
        });
        quote! {
            #file
            const _: ::core::option::Option<&str> = ::core::option_env!("LIGHTMOON_LOCKED");
        }
    }

    /// The number of `key`; `None` if the lock does not have it.
    pub(crate) fn find(&self, section: Section, key: &str, at: &Ident) -> Result<Option<u32>> {
        match self.entries.get(&(section, key.to_owned())) {
            Some(entry) if entry.retired => Err(Error::new(
                at.span(),
                format!(
                    "`{key}` is retired in contracts.lock: clients in the field may know another meaning of its \
                     number; choose another name"
                ),
            )),
            Some(entry) => Ok(Some(entry.number)),
            None if self.strict && self.exists => {
                Err(Error::new(at.span(), format!("`{key}` has no number in contracts.lock yet; {TOOL}")))
            }
            None => Ok(None),
        }
    }

    /// Numbers for the members of `owner`, in order of declaration; those given by an attribute win.
    pub(crate) fn members(
        &self,
        section: Section,
        owner: &str,
        members: &[(Ident, Option<u32>)],
    ) -> Result<Vec<Number>> {
        let mut found = Vec::with_capacity(members.len());
        for (ident, given) in members {
            let key = format!("{owner}.{}", names::text(ident));
            found.push(match given {
                Some(number) => Some(*number),
                None => self.find(section, &key, ident)?,
            });
        }
        let prefix = format!("{owner}.");
        let known = self.entries.iter().filter(|((of, key), _)| *of == section && key.starts_with(&prefix));
        let greatest = known.map(|(_, entry)| entry.number).chain(found.iter().flatten().copied()).max();
        let mut next = greatest.map_or_else(|| section.first(), |number| number.saturating_add(1));
        let mut numbers = Vec::with_capacity(members.len());
        for ((ident, _), found) in members.iter().zip(found) {
            let number = Number { value: found.unwrap_or(next), provisional: found.is_none() };
            if found.is_none() {
                next = next.saturating_add(1);
            }
            if number.value > section.last() {
                return Err(Error::new(ident.span(), format!("numbers end at {}", section.last())));
            }
            numbers.push(number);
        }
        unique(members, &numbers)?;
        Ok(numbers)
    }

    /// Provisional numbers for those of `names` that the lock does not have, in order.
    pub(crate) fn provisional(&self, section: Section, names: &[Ident]) -> Result<Vec<(Ident, u32)>> {
        let known = self.entries.iter().filter(|((of, _), _)| *of == section);
        let mut next = known.map(|(_, entry)| entry.number + 1).max().unwrap_or_else(|| section.first());
        let mut numbers = Vec::new();
        for ident in names {
            if self.find(section, &names::text(ident), ident)?.is_none() {
                numbers.push((ident.clone(), next));
                next += 1;
            }
        }
        Ok(numbers)
    }
}

fn unique(members: &[(Ident, Option<u32>)], numbers: &[Number]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for ((ident, _), number) in members.iter().zip(numbers) {
        if let Some(first) = seen.insert(number.value, ident) {
            return Err(Error::new(ident.span(), format!("number {} is `{first}`'s already", number.value)));
        }
    }
    Ok(())
}

/// One entry for each line: `[retired] <section> <number> <key>`; `#` starts a comment.
fn parse(text: &str) -> std::result::Result<BTreeMap<(Section, String), Entry>, String> {
    let mut entries = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace().peekable();
        let retired = words.next_if(|word| *word == "retired").is_some();
        let Some(word) = words.next() else { continue };
        let sections = [Section::Contract, Section::Operation, Section::Component, Section::Variant];
        let section = sections.into_iter().find(|section| section.word() == word);
        let number = words.next().and_then(|number| number.parse::<u32>().ok());
        let (Some(section), Some(number), Some(key), None) = (section, number, words.next(), words.next())
        else {
            return Err(format!("line {line_number} is not `<section> <number> <name>`: {line}"));
        };
        if entries.insert((section, key.to_owned()), Entry { number, retired }).is_some() {
            return Err(format!("line {line_number} names `{key}` for the second time"));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(text: &str) -> Lock {
        Lock { entries: parse(text).unwrap(), exists: true, strict: false }
    }

    fn ident(name: &str) -> Ident {
        Ident::new(name, Span::call_site())
    }

    fn members(lock: &Lock, names: &[(&str, Option<u32>)]) -> Result<Vec<(u32, bool)>> {
        let members: Vec<_> = names.iter().map(|(name, given)| (ident(name), *given)).collect();
        let numbers = lock.members(Section::Operation, "Space", &members)?;
        Ok(numbers.iter().map(|number| (number.value, number.provisional)).collect())
    }

    #[test]
    fn new_members_get_the_next_numbers_in_order_of_declaration() {
        let lock = lock("operation 4 Space.go\nretired operation 7 Space.old\noperation 90 Other.go\n");
        let numbers = members(&lock, &[("new", None), ("go", None), ("newer", None)]).unwrap();
        assert_eq!(numbers, [(8, true), (4, false), (9, true)]);
    }

    #[test]
    fn without_a_lock_numbers_start_at_the_first() {
        assert_eq!(members(&lock(""), &[("a", None), ("b", None)]).unwrap(), [(1, true), (2, true)]);
        assert_eq!(members(&lock(""), &[("a", Some(6)), ("b", None)]).unwrap(), [(6, false), (7, true)]);
    }

    #[test]
    fn a_strict_build_refuses_what_has_no_number_and_names_the_tool() {
        let strict = Lock { strict: true, ..lock("operation 4 Space.go") };
        assert_eq!(members(&strict, &[("go", None)]).unwrap(), [(4, false)]);
        let error = members(&strict, &[("go", None), ("new", None)]).unwrap_err().to_string();
        assert!(
            error.starts_with("`Space.new` has no number in contracts.lock yet; run `lightmoon contracts`"),
            "{error}"
        );
        let without = Lock { exists: false, ..strict };
        assert!(members(&without, &[("new", None)]).is_ok(), "only a crate with a lock is held to it");
    }

    #[test]
    fn a_retired_name_does_not_come_back() {
        let error = members(&lock("retired operation 4 Space.go"), &[("go", None)]).unwrap_err().to_string();
        assert!(error.starts_with("`Space.go` is retired in contracts.lock"), "{error}");
    }

    #[test]
    fn provisional_kinds_follow_the_order_of_the_list() {
        let lock = lock("contract 3 Space");
        let numbers = lock.provisional(Section::Contract, &[ident("B"), ident("Space"), ident("A")]).unwrap();
        let numbers: Vec<_> =
            numbers.into_iter().map(|(ident, number)| (ident.to_string(), number)).collect();
        assert_eq!(numbers, [("B".to_owned(), 4), ("A".to_owned(), 5)]);
    }

    #[test]
    fn a_damaged_lock_is_refused_by_its_line() {
        for text in ["\noperation x Space.go", "\nthing 1 a", "\noperation 1", "\noperation 1 a b"] {
            assert!(parse(text).unwrap_err().starts_with("line 2 is not"), "{text}");
        }
        assert!(parse("contract 1 A\ncontract 2 A").unwrap_err().contains("second time"));
    }
}
