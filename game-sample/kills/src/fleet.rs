//! The bots: one process of the sample's verb `bots`, for the whole run.
//!
//! *Responsible for*: starting and ending it, its report. *Not responsible for*: what bots do.

use std::path::{Path, PathBuf};
use std::process::Child;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::BOTS_STOP_WITHIN;
use crate::server::{Place, await_end};

/// Longer than any run.
const SECONDS: &str = "604800";

/// Bots that play.
#[derive(Debug)]
pub(crate) struct Fleet {
    bots: Child,
    report: PathBuf,
}

impl Fleet {
    /// Starts `count` bots that do what `script` says, with the server that the file `ready` names.
    pub(crate) fn start(place: &Place, ready: &Path, script: &str, count: usize, seed: u64) -> Result<Self> {
        let report = place.folder.join("bots.json");
        let mut command = place.command("bots.log")?;
        command.args(["bots", "--script", script, "--seconds", SECONDS]);
        command.args(["--count", &count.to_string(), "--seed", &seed.to_string()]);
        command.arg("--ready-json").arg(ready);
        command.arg("--ledger").arg(place.folder.join("ledger.jsonl"));
        command.arg("--trail").arg(place.folder.join("trail.jsonl")).arg("--report").arg(&report);
        let bots = command.spawn().context("cannot start the bots")?;
        Ok(Self { bots, report })
    }

    /// Whether they play; they only end when they are asked to.
    pub(crate) fn plays(&mut self) -> bool {
        matches!(self.bots.try_wait(), Ok(None))
    }

    /// Ends them in order; their report.
    pub(crate) fn stop(mut self) -> Result<Value> {
        kill_process(Pid::from_child(&self.bots), Signal::TERM).context("the bots ended by themselves")?;
        let status = await_end(&mut self.bots, BOTS_STOP_WITHIN).context("the bots")?;
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
