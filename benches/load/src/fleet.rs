//! The bots: one process of the sample's verb `bots`.
//!
//! *Responsible for*: starting it on a core, ending it, its report. *Not responsible for*: what bots do.

use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::FLEET_STOP_WITHIN;
use crate::process;
use crate::server::{Place, await_end};

/// Longer than any run: bots are stopped.
const SECONDS: &str = "604800";

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

/// Bots that play.
#[derive(Debug)]
pub(crate) struct Fleet {
    bots: Child,
    report: PathBuf,
}

impl Fleet {
    pub(crate) fn start(place: &Place, core: usize, crew: &Crew) -> Result<Self> {
        let report = place.file(&format!("bots-{}.json", crew.script));
        let bots = process::on_core(core, || {
            let mut command = place.command("bots.log")?;
            command.args(["bots", "--script", crew.script, "--seconds", SECONDS]);
            command.args(["--count", &crew.count.to_string(), "--seed", &crew.seed.to_string()]);
            command.args(["--warm-up", &crew.warm_up.as_secs().to_string()]);
            command.arg("--ready-json").arg(place.file("ready.json")).arg("--report").arg(&report);
            if crew.has_ledger {
                command.arg("--ledger").arg(place.file("ledger.jsonl"));
            }
            command.spawn().context("cannot start the bots")
        })?;
        Ok(Self { bots, report })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.bots.id()
    }

    /// Ends them in order; their report.
    pub(crate) fn stop(mut self) -> Result<Value> {
        kill_process(Pid::from_child(&self.bots), Signal::TERM).context("the bots ended by themselves")?;
        let status = await_end(&mut self.bots, FLEET_STOP_WITHIN).context("the bots")?;
        ensure!(status.success(), "the bots ended with {status}; see bots.log");
        let text = std::fs::read(&self.report).context("the bots wrote no report")?;
        serde_json::from_slice(&text).context("the report of the bots")
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        // Those that ended cannot be killed, which is what we want.
        let _ended = self.bots.kill();
        let _ended = self.bots.wait();
    }
}
