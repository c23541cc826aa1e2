//! The audit trail: who commanded what, when, and what came of it.
//!
//! *Responsible for*: a file in the data folder that is only appended to, and the newest entries in memory. *Not responsible for*:
//! carrying commands out.
//!
//! Each command has two lines in `audit.jsonl`: one before it is carried out, one with its outcome. A name that an operator gives
//! is a claim, since all have one token; the address is what the server saw.
//!
//! Invariants:
//! - I1: a command whose first line cannot be written is not carried out.
//! - I2: the file is at most [`limits::AUDIT_FILE_BYTES_MAX`] long, and there is one older one beside it.

use crate::{Failure, clock, limits};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

const FILE: &str = "audit.jsonl";
const OLDER: &str = "audit.1.jsonl";

/// Who gives a command.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Who {
    /// As they call themselves.
    pub(crate) name: String,
    /// Where they are.
    pub(crate) address: String,
}

/// One command.
#[derive(Clone, Debug)]
struct Entry {
    number: u64,
    at: u64,
    who: Who,
    what: String,
    outcome: Option<(bool, String)>,
}

/// The trail of one server.
#[derive(Debug)]
pub(crate) struct Audit {
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    folder: PathBuf,
    file: File,
    bytes: u64,
    last: u64,
    /// Changes of any kind, so that who looks knows whether there are some.
    changes: u64,
    entries: VecDeque<Entry>,
}

impl Audit {
    /// The trail in this folder, which goes on.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let cannot = |e: io::Error| {
            Failure::new(
                format!("cannot open the audit trail {}: {e}", folder.join(FILE).display()),
                "let this user write to the data folder",
            )
        };
        let file = open(&folder.join(FILE)).map_err(cannot)?;
        let bytes = file.metadata().map_err(cannot)?.len();
        let entries = VecDeque::new();
        let inside = Inside { folder: folder.to_owned(), file, bytes, last: 0, changes: 0, entries };
        Ok(Self { inside: Mutex::new(inside) })
    }

    /// A command is to be carried out; gives its number.
    ///
    /// # Errors
    /// It cannot be written down, so it must not be carried out.
    pub(crate) fn begin(&self, who: &Who, what: &str) -> io::Result<u64> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, at) = (inside.last + 1, clock::unix_seconds());
        inside.write(&json!({
            "at": at, "number": number, "who": who.name, "address": who.address, "what": what,
        }))?;
        inside.last = number;
        inside.changes += 1;
        if inside.entries.len() >= limits::AUDIT_KEPT_MAX {
            inside.entries.pop_front();
        }
        inside.entries.push_back(Entry {
            number,
            at,
            who: who.clone(),
            what: what.to_owned(),
            outcome: None,
        });
        Ok(number)
    }

    /// What came of it.
    pub(crate) fn end(&self, number: u64, is_done: bool, outcome: &str) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let at = clock::unix_seconds();
        let line = json!({ "at": at, "number": number, "done": is_done, "outcome": outcome });
        if let Err(error) = inside.write(&line) {
            tracing::error!(target: "lightmoon::console", %error, number, outcome, "cannot write an outcome to the audit trail");
        }
        inside.changes += 1;
        if let Some(entry) = inside.entries.iter_mut().find(|entry| entry.number == number) {
            entry.outcome = Some((is_done, outcome.to_owned()));
        }
    }

    /// Grows with each change.
    pub(crate) fn changes(&self) -> u64 {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).changes
    }

    /// The newest entries, the newest first.
    pub(crate) fn json(&self) -> Value {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = inside.entries.iter().rev().map(|entry| {
            json!({
                "number": entry.number,
                "at": entry.at,
                "who": entry.who.name,
                "address": entry.who.address,
                "what": entry.what,
                "done": entry.outcome.as_ref().map(|(is_done, _)| is_done),
                "outcome": entry.outcome.as_ref().map(|(_, outcome)| outcome),
            })
        });
        entries.collect()
    }
}

impl Inside {
    fn write(&mut self, line: &Value) -> io::Result<()> {
        let line = format!("{line}\n");
        if self.bytes + line.len() as u64 > limits::AUDIT_FILE_BYTES_MAX {
            std::fs::rename(self.folder.join(FILE), self.folder.join(OLDER))?;
            self.file = open(&self.folder.join(FILE))?;
            self.bytes = 0;
        }
        // One write for a line: a crash leaves a whole one or none, or a part at the very end.
        self.file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

/// For its owner only: arguments of calls stand in it.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    fn who() -> Who {
        Who { name: "ada".to_owned(), address: "127.0.0.1".to_owned() }
    }

    #[test]
    fn a_command_stands_in_the_file_before_it_is_carried_out_and_its_outcome_behind_it() {
        let scratch = Scratch::new();
        let audit = Audit::open(scratch.path()).unwrap();
        let number = audit.begin(&who(), "kick 1").unwrap();
        let text = || std::fs::read_to_string(scratch.path().join(FILE)).unwrap();
        assert!(text().contains("\"what\":\"kick 1\"") && text().contains("ada"), "{}", text());
        audit.end(number, true, "done");
        assert!(text().lines().nth(1).unwrap().contains("\"outcome\":\"done\""));
        assert_eq!(audit.json()[0]["done"], true);
    }

    #[test]
    fn a_trail_goes_on_after_a_restart() {
        let scratch = Scratch::new();
        Audit::open(scratch.path()).unwrap().begin(&who(), "one").unwrap();
        Audit::open(scratch.path()).unwrap().begin(&who(), "two").unwrap();
        let text = std::fs::read_to_string(scratch.path().join(FILE)).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
    }

    #[test]
    fn a_full_trail_moves_aside_and_memory_keeps_the_newest() {
        let scratch = Scratch::new();
        let audit = Audit::open(scratch.path()).unwrap();
        audit.inside.lock().unwrap().bytes = limits::AUDIT_FILE_BYTES_MAX;
        for _ in 0..limits::AUDIT_KEPT_MAX + 1 {
            audit.begin(&who(), "x").unwrap();
        }
        assert!(scratch.path().join(OLDER).exists());
        assert_eq!(audit.json().as_array().unwrap().len(), limits::AUDIT_KEPT_MAX);
    }
}
