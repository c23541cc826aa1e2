//! The programs of load: `cargo xtask bench load` and `cargo xtask soak load`.
//!
//! *Responsible for*: building what they need, where their reports lie. *Not responsible for*: measuring (`benches/load`).

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::program::{self, Show};
use crate::screen;
use crate::suite::Stage;

/// A clean optimised build.
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Two crowds, twice each, and an idle one: minutes; as long as somebody asks for.
const BENCH_LIMIT: Duration = Duration::from_secs(4 * 60 * 60);
/// Beyond the hours that were asked for: finding out how many bots there may be, the end, the audit.
const SOAK_SLACK: Duration = Duration::from_secs(30 * 60);
/// Hours of a long run if nobody says how many.
const SOAK_HOURS: f64 = 0.5;

/// What of a bench of load can be chosen.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// Of load: write a report with plots under docs/reports
    #[arg(long)]
    report: bool,
    /// Of load: counts of bots; 500,1000 without it
    #[arg(long, value_name = "N,N")]
    counts: Option<String>,
    /// Of load: seconds measured for each count; 20 without it
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// Of load: seconds before that; 20 without it
    #[arg(long, value_name = "S")]
    warm_up: Option<u64>,
    /// Of load: sessions that do nothing; 1000 without it, 0: not measured
    #[arg(long, value_name = "N")]
    idle: Option<u32>,
}

/// Figures of load; whether all goals that decide were met.
pub(crate) fn bench(stage: &Stage, options: &Options, json: Option<&PathBuf>) -> Result<bool> {
    let mut command = built(stage)?;
    command.arg("bench");
    if let Some(json) = json {
        command.arg("--json").arg(std::path::absolute(json)?);
    }
    if options.report {
        command.args(["--commit", &commit(stage), "--report"]).arg(report(stage, "load")?);
    }
    if let Some(counts) = &options.counts {
        command.args(["--counts", counts]);
    }
    for (name, value) in [("--seconds", options.seconds), ("--warm-up", options.warm_up)] {
        if let Some(value) = value {
            command.args([name, &value.to_string()]);
        }
    }
    if let Some(idle) = options.idle {
        command.args(["--idle", &idle.to_string()]);
    }
    Ok(program::run(&mut command, BENCH_LIMIT, Show::All)?.succeeded)
}

/// The long run; whether nothing was violated.
pub(crate) fn soak(stage: &Stage, hours: Option<f64>, count: Option<u32>) -> Result<bool> {
    screen::header("load: bots come and go, the node is killed now and then; memory, audits");
    let hours = hours.unwrap_or(SOAK_HOURS);
    let mut command = built(stage)?;
    command.args(["soak", "--minutes", &(hours * 60.0).to_string(), "--commit", &commit(stage), "--report"]);
    command.arg(report(stage, "soak-load")?);
    if let Some(count) = count {
        command.args(["--count", &count.to_string()]);
    }
    let limit = Duration::from_secs_f64(hours * 3_600.0) + SOAK_SLACK;
    Ok(program::run(&mut command, limit, Show::All)?.succeeded)
}

/// The program, and beside it the sample's.
fn built(stage: &Stage) -> Result<Command> {
    let build = ["build", "--release", "--package", "game-sample", "--package", "lightmoon-load"];
    if !program::run(&mut stage.building(&build), BUILD_LIMIT, Show::All)?.succeeded {
        bail!("the programs of load could not be built");
    }
    let mut command = Command::new(stage.metadata.target_directory.join("release/lightmoon-load"));
    command.current_dir(&stage.metadata.workspace_root);
    Ok(command)
}

/// Where a report of today lies.
fn report(stage: &Stage, name: &str) -> Result<PathBuf> {
    let folder = stage.metadata.workspace_root.join("docs/reports");
    fs::create_dir_all(&folder).context("cannot make docs/reports")?;
    let day = super::soak::first_line("date", &["-u", "+%Y-%m-%d"], stage);
    Ok(folder.join(format!("{day}-{name}.md")))
}

fn commit(stage: &Stage) -> String {
    super::soak::first_line("git", &["rev-parse", "--short=12", "HEAD"], stage)
}
