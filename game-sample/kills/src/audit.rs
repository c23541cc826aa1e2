//! The sample's verb `audit`, on the folder of a server that has stopped.
//!
//! *Responsible for*: running it, reading what it prints. *Not responsible for*: its rules.

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use game_sample_rig::Place;

/// What an audit said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Audit {
    /// Its counts, by name.
    pub(crate) counts: BTreeMap<String, u64>,
    /// What is wrong.
    pub(crate) wrong: Vec<String>,
}

impl Audit {
    /// Audits what is stored against the ledger; with the machine's boot time until which all bots played, in milliseconds, no
    /// offer may have been open then for longer than its time.
    pub(crate) fn run(place: &Place, played_until: Option<u64>) -> Result<Self> {
        let mut command = place.command("audit.log")?;
        let mut store = std::ffi::OsString::from("files:");
        store.push(place.data());
        command.arg("audit").arg("--store").arg(store);
        command.arg("--ledger").arg(place.folder.join("ledger.jsonl")).stdout(Stdio::piped());
        if let Some(until) = played_until {
            command.arg("--played-until").arg(until.to_string());
        }
        let output = command.output().context("cannot start the audit")?;
        let mut audit = Self::read(&String::from_utf8_lossy(&output.stdout));
        if !output.status.success() && audit.wrong.is_empty() {
            audit.wrong.push(format!("the audit ended with {}; see audit.log", output.status));
        }
        Ok(audit)
    }

    /// A count; 0 if it was not printed.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    fn read(text: &str) -> Self {
        let mut audit = Self::default();
        for line in text.lines() {
            if let Some(wrong) = line.strip_prefix("wrong: ") {
                audit.wrong.push(wrong.to_owned());
            } else if let Some((name, count)) = line.trim_end().rsplit_once(' ')
                && let Ok(count) = count.parse()
            {
                audit.counts.insert(name.trim().to_owned(), count);
            }
        }
        audit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_what_is_wrong_are_told_apart() {
        let audit = Audit::read("wrong: lost: 7\npilots stored                         50\nproblems   1\n");
        assert_eq!(audit.wrong, ["lost: 7"]);
        assert_eq!((audit.count("pilots stored"), audit.count("problems"), audit.count("x")), (50, 1, 0));
    }
}
