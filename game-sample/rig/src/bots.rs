//! The bots: one process of the sample's verb `bots`, until they are stopped.
//!
//! *Responsible for*: starting and ending it, its report. *Not responsible for*: what bots do.

use std::path::{Path, PathBuf};
use std::process::Child;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::BOTS_STOP_WITHIN;
use crate::place::await_end;
use crate::{Place, process};

/// Longer than any run.
const SECONDS: &str = "604800";

/// Bots that play.
#[derive(Debug)]
pub struct Bots {
    child: Child,
    report: PathBuf,
}

impl Bots {
    /// Starts bots with the server that the file `ready` names, with these further arguments, on one core if one is named. Their
    /// report goes into the file `report` of the place.
    ///
    /// # Errors
    /// They do not start.
    pub fn start(
        place: &Place,
        ready: &Path,
        report: &str,
        arguments: &[String],
        core: Option<usize>,
    ) -> Result<Self> {
        let report = place.file(report);
        let child = process::on_core(core, || {
            let mut command = place.command("bots.log")?;
            command
                .args(["bots", "--seconds", SECONDS])
                .args(arguments)
                .env(process::LARGE_PAGES.0, process::LARGE_PAGES.1);
            command.arg("--ready-json").arg(ready).arg("--report").arg(&report);
            command.spawn().context("cannot start the bots")
        })?;
        Ok(Self { child, report })
    }

    /// Their process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether they play; they only end when they are asked to.
    pub fn play(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends them in order; their report.
    ///
    /// # Errors
    /// They ended before, or badly, or wrote no report.
    pub fn stop(mut self) -> Result<Value> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("the bots ended by themselves")?;
        let status = await_end(&mut self.child, BOTS_STOP_WITHIN).context("the bots")?;
        ensure!(status.success(), "the bots ended with {status}; see bots.log");
        let text = std::fs::read(&self.report).context("the bots wrote no report")?;
        serde_json::from_slice(&text).context("the report of the bots")
    }
}

impl Drop for Bots {
    fn drop(&mut self) {
        // Those that ended cannot be killed, which is what we want.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
