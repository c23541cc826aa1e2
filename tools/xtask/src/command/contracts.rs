//! `cargo xtask contracts`: the numbers of the sample game's contracts.
//!
//! *Responsible for*: writing `contracts.lock` from what the contracts crate's example prints, or checking that it is
//! up to date. *Not responsible for*: computing it (`lightmoon_contract::descriptor`).

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::metadata::Metadata;
use crate::program::{self, Show};
use crate::screen;
use crate::suite::{self, Stage};
use crate::summary::Step;
use crate::tally::Tally;

const LOCK: &str = "game-sample/contracts/contracts.lock";
const PACKAGE: &str = "game-sample-contracts";
const EXAMPLE: &str = "contracts";

/// The example only prints; a build of one small crate may come first.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Writes contracts.lock. Refuses, with a sentence, what clients in the field would not survive.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; exit 1 if the file is not up to date
    #[arg(long)]
    check: bool,
}

/// What the example prints.
#[derive(Deserialize)]
struct Printed {
    lock: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let stage = Stage { metadata: Metadata::ask()?, is_quick: true };
    let wanted = wanted(stage.building(&["run", "--package", PACKAGE, "--example", EXAMPLE]))?;
    let path = path(&stage);
    if read(&path)? == wanted {
        screen::line(&format!("{LOCK} is up to date"));
        return Ok(true);
    }
    if arguments.check {
        screen::line(&outdated());
        return Ok(false);
    }
    std::fs::write(&path, wanted).with_context(|| format!("cannot write {LOCK}"))?;
    screen::line(&format!("wrote {LOCK}; commit it"));
    Ok(true)
}

/// The check, with the example that the workspace build made.
fn is_current(stage: &Stage) -> Result<bool> {
    let example = stage.built("examples").join(EXAMPLE);
    let is_current = read(&path(stage))? == wanted(Command::new(example))?;
    screen::line(&if is_current { format!("{LOCK} is up to date") } else { outdated() });
    Ok(is_current)
}

/// The suite of `cargo xtask test`.
pub(crate) fn step(stage: &Stage) -> Result<Vec<Step>> {
    let passed = is_current(stage)?;
    Ok(vec![suite::step("contracts", passed, Tally::of(passed), Duration::ZERO)])
}

fn outdated() -> String {
    format!("{LOCK} is not up to date; run `cargo xtask contracts` and commit it")
}

fn path(stage: &Stage) -> PathBuf {
    stage.metadata.workspace_root.join(LOCK)
}

fn read(path: &PathBuf) -> Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The lock that the code as it is needs.
fn wanted(mut command: Command) -> Result<String> {
    let run = program::run(&mut command, LIMIT, Show::Nothing)?;
    if !run.succeeded {
        bail!("the contracts have no valid lock (the reason stands above)");
    }
    let printed: Printed =
        serde_json::from_str(&run.lines.join("\n")).context("the example printed no JSON")?;
    Ok(printed.lock)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::wanted;

    #[test]
    fn the_lock_is_taken_from_what_the_example_prints() {
        let mut command = Command::new("echo");
        command.arg("{\"lock\":\"contract 1 Pilot\\n\",\"descriptor\":{}}");
        assert_eq!(wanted(command).unwrap(), "contract 1 Pilot\n");
    }

    #[test]
    fn a_refusal_is_an_error() {
        assert!(wanted(Command::new("false")).is_err());
    }
}
