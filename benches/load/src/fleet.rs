//! The bots: which ones, on which core.
//!
//! *Responsible for*: their arguments. *Not responsible for*: their process (`game_sample_rig`), what they do.

use std::time::Duration;

use anyhow::Result;
use game_sample_rig::{Bots, Place};

/// Which bots.
#[derive(Clone, Debug)]
pub(crate) struct Crew {
    pub(crate) script: &'static str,
    pub(crate) count: u32,
    pub(crate) seed: u64,
    /// What their report leaves out at the beginning.
    pub(crate) warm_up: Duration,
    /// Whether they write a ledger.
    pub(crate) has_ledger: bool,
}

impl Crew {
    /// Starts them on a core.
    pub(crate) fn start(&self, place: &Place, core: usize) -> Result<Bots> {
        let mut arguments = vec![
            "--script".to_owned(),
            self.script.to_owned(),
            "--count".to_owned(),
            self.count.to_string(),
            "--seed".to_owned(),
            self.seed.to_string(),
            "--warm-up".to_owned(),
            self.warm_up.as_secs().to_string(),
        ];
        if self.has_ledger {
            arguments.extend(["--ledger".to_owned(), place.file("ledger.jsonl").display().to_string()]);
        }
        let report = format!("bots-{}.json", self.script);
        Bots::start(place, &place.ready_json(), &report, &arguments, Some(core))
    }
}
