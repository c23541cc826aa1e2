//! The text of `contracts.lock`.
//!
//! *Responsible for*: the next text from the last one and a descriptor; refusing what would give a number a second
//! meaning. *Not responsible for*: the file (tools write it), looking numbers up (the macros do, while compiling).
//!
//! The file has one entry for each line, sorted: `<section> <number> <name>`, with `retired` in front of those that the
//! code no longer has. `#` starts a comment.
//!
//! Invariants:
//! - I1: a number that was in a lock keeps its meaning in every later one, retired ones too.
//! - I2: the same descriptor and old text always give the same text; giving it that text again changes nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Descriptor, Shape};

const HEADER: &str = "\
# The numbers of this crate's contracts on the wire. Written by `lightmoon contracts` (`cargo xtask contracts` in
# Lightmoon's own tree); commit it. Clients in the field know these numbers: none is ever changed or given twice.
# What you remove from the code stays here with `retired` in front of it.
";

const SECTIONS: [&str; 4] = ["contract", "operation", "component", "variant"];

/// Why a new lock cannot be made. Change the code or the lock as it says; a retry alone does not help.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockProblem {
    /// Something is in the lock but not in the code. Put it back, or retire it.
    #[error(
        "{section} `{name}` (number {number}) is in contracts.lock but no longer in the code: clients in the field may \
         still use it. Put it back; or, if no such client is left, write `retired` in front of its line in contracts.lock"
    )]
    Removed {
        /// Which sort of thing.
        section: &'static str,
        /// Its name.
        name: String,
        /// Its number.
        number: u32,
    },
    /// Something carries a number that the lock gives otherwise. Take the number attribute away.
    #[error(
        "{section} `{name}` has number {found} in the code and {locked} in contracts.lock: numbers never change"
    )]
    Changed {
        /// Which sort of thing.
        section: &'static str,
        /// Its name.
        name: String,
        /// The number in the lock.
        locked: u32,
        /// The number in the code.
        found: u32,
    },
    /// Two things have one number. Give one of them another.
    #[error("{section} `{name}` would have number {number}, which is `{first}`'s")]
    Doubled {
        /// Which sort of thing.
        section: &'static str,
        /// The later one.
        name: String,
        /// The earlier one.
        first: String,
        /// The number.
        number: u32,
    },
    /// Two things have one name. Rename one of them.
    #[error("there are two of {section} `{name}`: rename one")]
    DoubledName {
        /// Which sort of thing.
        section: &'static str,
        /// The name.
        name: String,
    },
    /// A line cannot be read. Restore the file from version control.
    #[error("line {line} of contracts.lock is not `<section> <number> <name>`: {text}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// The descriptor is too large for a handshake. Shorten names or remove types.
    #[error("the descriptor takes {bytes} bytes, and a handshake carries {max}", max = crate::limits::DESCRIPTOR_BYTES_MAX)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    number: u32,
    retired: bool,
}

/// Index of the section in [`SECTIONS`], then the name.
type Entries = BTreeMap<(usize, String), Entry>;

impl Descriptor {
    /// The lock of this descriptor, given the text of the one before (empty if there was none).
    ///
    /// # Errors
    /// Something the old lock knows is gone or has another number, two things share a number or name, the old text is
    /// damaged, or the descriptor is too large.
    pub fn lock_text(&self, old: &str) -> Result<String, LockProblem> {
        let bytes = self.to_bytes().len();
        if bytes > crate::limits::DESCRIPTOR_BYTES_MAX {
            return Err(LockProblem::TooLarge { bytes });
        }
        let mut entries = parse(old)?;
        let found = self.numbered()?;
        for ((section, name), entry) in &entries {
            if !entry.retired && !found.contains_key(&(*section, name.clone())) {
                let (section, name, number) = (SECTIONS[*section], name.clone(), entry.number);
                return Err(LockProblem::Removed { section, name, number });
            }
        }
        for ((section, name), number) in found {
            match entries.get(&(section, name.clone())) {
                Some(entry) if entry.number != number => {
                    let (section, locked) = (SECTIONS[section], entry.number);
                    return Err(LockProblem::Changed { section, name, locked, found: number });
                }
                Some(_) | None => {
                    entries.insert((section, name), Entry { number, retired: false });
                }
            }
        }
        check_unique(&entries)?;
        Ok(print(&entries))
    }

    /// Everything that has a number, under its name.
    fn numbered(&self) -> Result<BTreeMap<(usize, String), u32>, LockProblem> {
        let mut all = Vec::new();
        for contract in &self.contracts {
            all.push((0, contract.name.clone(), u32::from(contract.kind.0)));
            for operation in &contract.operations {
                all.push((1, format!("{}.{}", contract.name, operation.name), u32::from(operation.number.0)));
            }
        }
        for component in &self.components {
            all.push((2, component.name.clone(), u32::from(component.number)));
        }
        for entry in &self.types {
            if let Shape::Enum { grows: true, variants } = &entry.shape {
                for variant in variants {
                    all.push((3, format!("{}.{}", entry.name, variant.name), variant.number));
                }
            }
        }
        let mut found = BTreeMap::new();
        for (section, name, number) in all {
            if found.insert((section, name.clone()), number).is_some() {
                return Err(LockProblem::DoubledName { section: SECTIONS[section], name });
            }
        }
        Ok(found)
    }
}

fn parse(text: &str) -> Result<Entries, LockProblem> {
    let mut entries = Entries::new();
    for (index, text) in text.lines().enumerate() {
        let mut words = text.split('#').next().unwrap_or_default().split_whitespace().peekable();
        let retired = words.next_if(|word| *word == "retired").is_some();
        let Some(section) = words.next() else { continue };
        let section = SECTIONS.iter().position(|known| *known == section);
        let number = words.next().and_then(|number| number.parse().ok());
        let (Some(section), Some(number), Some(name), None) = (section, number, words.next(), words.next())
        else {
            return Err(LockProblem::Line { line: index + 1, text: text.to_owned() });
        };
        if entries.insert((section, name.to_owned()), Entry { number, retired }).is_some() {
            return Err(LockProblem::DoubledName { section: SECTIONS[section], name: name.to_owned() });
        }
    }
    Ok(entries)
}

/// Numbers are unique among contracts, among components, within a contract and within an enum.
fn check_unique(entries: &Entries) -> Result<(), LockProblem> {
    let mut seen = BTreeMap::new();
    for ((section, name), entry) in entries {
        let owner = name.split_once('.').map_or("", |(owner, _)| owner);
        if let Some(first) = seen.insert((*section, owner, entry.number), name) {
            let (section, name, first, number) =
                (SECTIONS[*section], name.clone(), first.clone(), entry.number);
            return Err(LockProblem::Doubled { section, name, first, number });
        }
    }
    Ok(())
}

fn print(entries: &Entries) -> String {
    let mut sorted: Vec<_> = entries.iter().collect();
    // By section, owner and number: a new entry stands behind its older siblings.
    sorted.sort_by_key(|((section, name), entry)| {
        (*section, name.split_once('.').map_or("", |(owner, _)| owner), entry.number)
    });
    let mut text = HEADER.to_owned();
    for ((section, name), Entry { number, retired }) in sorted {
        let retired = if *retired { "retired " } else { "" };
        writeln!(text, "{retired}{} {number} {name}", SECTIONS[*section])
            .expect("writing to a String cannot fail");
    }
    text
}
