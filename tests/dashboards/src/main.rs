//! A real Prometheus reads the sample, its bots play, and every expression of the dashboards has to return a series.
//!
//! *Responsible for*: the command line, the order of a run, the exit code. *Not responsible for*: names and labels in expressions (this
//! crate's tests need no Prometheus), installing one (`cargo xtask`).
//!
//! ```text
//! promtool: rules, tests of rules, expressions as rules
//! start server, bots, prometheus ── promtool: exposition ── until all is there: promtool: each expression
//! stop prometheus, bots, server
//! ```
//!
//! Invariants:
//! - I1: only processes that this one started are stopped, and all of them are.

mod live;
mod promtool;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use game_sample_rig::Place;

use crate::promtool::Promtool;

/// Lets a real Prometheus read the sample's server, and asks it what dashboards and alert rules ask. Exit code 1: something is
/// wrong, each in a line.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// The folder with the programs prometheus and promtool
    #[arg(long, value_name = "DIR")]
    programs: PathBuf,
    /// The sample's program; without it the one beside this program
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Count of bots
    #[arg(long, value_name = "N", default_value_t = 20)]
    count: usize,
    /// Folder for data and logs; without it one of its own, removed when nothing was wrong
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            problems.iter().for_each(|problem| say(&format!("wrong: {problem}")));
            ExitCode::FAILURE
        }
        Err(error) => {
            // If stderr is closed nobody can be told; the exit code still tells.
            let _closed = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is wrong.
fn run(arguments: &Arguments) -> Result<Vec<String>> {
    let is_own = arguments.folder.is_none();
    let folder = arguments.folder.clone().unwrap_or_else(|| Place::own_folder("lightmoon-dashboards"));
    let mut place = Place::new(arguments.binary.as_deref(), folder.clone())?;
    place.folder = folder.canonicalize().context("the folder of the run")?;
    let promtool = Promtool::new(&arguments.programs, &place.folder)?;
    let mut problems = promtool.check_files()?;
    if problems.is_empty() {
        problems = live::run(&place, arguments, &promtool)?;
    }
    if is_own && problems.is_empty() {
        std::fs::remove_dir_all(&folder).context("cannot remove the folder of the run")?;
    }
    Ok(problems)
}

fn say(line: &str) {
    // A reader that left early wants no more.
    let _closed = writeln!(std::io::stdout(), "{line}");
}
