//! Kill trials of the sample game: a real server, real bots, kill -9 at random moments.
//!
//! *Responsible for*: the command line, the order of a run, the exit code. *Not responsible for*: the processes and the bad network
//! (`game_sample_rig`), where ships may be after a kill ([`trail`]), what is stored (the sample's verb `audit`), the figures ([`report`]).
//!
//! ```text
//! start server, start bots
//! again and again:  wait ── kill the node, its parent, or both ── wait until it is ready
//! now and then:     bots all in play? ── stop in order ── audit ── start
//! end:              stop bots ── stop server ── audit ── report
//! ```
//!
//! Invariants:
//! - I1: only processes that this one started are killed.
//! - I2: waits and kinds of kills depend on the seed alone; what happens in between does not.

mod audit;
mod limits;
mod plan;
mod report;
mod run;
mod trail;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use game_sample_rig::{Place, Weather};

use crate::run::Run;

/// Kills the sample game's server again and again while bots mine, and holds what it remembers against what they were told.
/// Exit code 1: something was violated, each in a line.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Count of kills
    #[arg(long, value_name = "N", default_value_t = 20)]
    kills: usize,
    /// Decides when and what is killed
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Count of bots
    #[arg(long, value_name = "N", default_value_t = 50)]
    count: usize,
    /// The server's --store; `files:` is a fresh data folder
    #[arg(long, value_name = "URL", default_value = "files:")]
    store: String,
    /// The sample's program; without it the one beside this program
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Count of kills between two audits
    #[arg(long, value_name = "N", default_value_t = 25)]
    audit_every: usize,
    /// No kill begins after this many seconds
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// What bots do: mine, or trade
    #[arg(long, value_name = "NAME", default_value = "mine")]
    script: String,
    /// Seconds between two kills; without it waits of a twentieth of a second to 15 s are drawn
    #[arg(long, value_name = "S")]
    every: Option<u64>,
    /// Seconds of play after the last kill, before the end is audited
    #[arg(long, value_name = "S", default_value_t = 0)]
    rest: u64,
    /// Percent of packets between bots and server that are lost
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    lost: f64,
    /// Percent of packets that come twice
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    doubled: f64,
    /// Percent of packets that come after the one behind them
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    swapped: f64,
    /// Folder for data, ledger, trail and logs; without it one of its own, removed when nothing was violated
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Arguments {
    /// The line that repeats a run.
    fn again(&self) -> String {
        let Self { kills, seed, count, store, script, rest, lost, doubled, swapped, .. } = self;
        let every = self.every.map(|every| format!(" --every {every}")).unwrap_or_default();
        format!(
            "game-sample-kills --kills {kills} --seed {seed} --count {count} --store {store} --script {script}{every} --rest {rest} --lost {lost} --doubled {doubled} --swapped {swapped}"
        )
    }

    const fn weather(&self) -> Weather {
        Weather { lost: self.lost, doubled: self.doubled, swapped: self.swapped }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match trials(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If stderr is closed nobody can be told; the exit code still tells.
            let _closed = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was violated.
fn trials(arguments: &Arguments) -> Result<bool> {
    let is_own = arguments.folder.is_none();
    let folder = arguments.folder.clone().unwrap_or_else(|| Place::own_folder("game-sample-kills"));
    let mut place = Place::new(arguments.binary.as_deref(), folder.clone())?;
    place.folder = folder.canonicalize().context("the folder of the run")?;
    let report = Run::new(arguments, place).finish()?;
    say(&report.to_string());
    let passed = report.violations.is_empty();
    match (passed, is_own) {
        (true, true) => std::fs::remove_dir_all(&folder).context("cannot remove the folder of the run")?,
        (false, _) => say(&format!(
            "data folder, ledger, trail and logs of the run: {}\n  again: {}",
            folder.display(),
            arguments.again()
        )),
        (true, false) => {}
    }
    Ok(passed)
}

/// A line of progress.
fn say(line: &str) {
    // A reader that left early wants no more.
    let _closed = writeln!(std::io::stdout(), "{line}");
}
