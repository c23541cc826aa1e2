//! A siege of the sample game's server: each attack in turn, while honest bots play.
//!
//! *Responsible for*: the command line, the order of a run, the exit code. *Not responsible for*: the attacks ([`attack`]), a server
//! and what is tried on it ([`front`]), the process (`game_sample_rig`), what a run is held to ([`run`], [`limits`]).
//!
//! ```text
//! start server, start honest bots; in a short run four times, each with a share of what follows
//! each attack:  quiet ── memory, metrics ── attack, and somebody who comes meanwhile ── metrics, rest
//! two crowds:   memory ── one comes and goes ── rest ── another one ── rest ── held to what the second one added
//! end:          stop bots ── stop server in order ── each attack is held to its promise, times to all quiet windows ── a table ── 1 if anything was broken
//! ```
//!
//! Invariants:
//! - I1: everything happens on loopback: attackers come from addresses of this machine that honest bots do not have.
//! - I2: where times count, the server has a core of its own, and all others share another one.

mod attack;
mod calm;
mod front;
mod honest;
mod kernel;
mod limits;
mod memory;
mod peer;
mod relay;
mod run;
mod verdict;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use game_sample_rig::Place;

use crate::attack::ATTACKS;
use crate::calm::Calm;
use crate::front::{Fate, Front};
use crate::run::windows;
use crate::verdict::{TABLE, Verdict};

/// What is tried after all attacks.
const WAVES: &str = "two crowds that come and go";
/// Lines of what was broken that are printed in the end, and of one attack when it is over.
const BROKEN_SAID_MAX: usize = 100;
const FEW_SAID: usize = 5;

/// Attacks the sample game's server in every way it promises to stand, while honest bots play: wrong bytes, floods, slow readers,
/// crowds. Exit code 1: a promise was broken, each in a line.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Count of honest bots
    #[arg(long, value_name = "N", default_value_t = 250)]
    count: usize,
    /// Seconds of a window at least; five of them without an attack come before five with it
    #[arg(long, value_name = "S", default_value_t = 2)]
    seconds: u64,
    /// Fewer attackers, one window, several servers at once, and times are only printed: for machines that do other things meanwhile
    #[arg(long)]
    short: bool,
    /// Decides what honest bots do
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Only attacks whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// The sample's program; without it the one beside this program
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Folder for the log of the server; without it one of its own, removed when nothing was broken
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    match siege(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If stderr is closed nobody can be told; the exit code still tells.
            let _closed = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every promise was held.
fn siege(arguments: &Arguments) -> Result<bool> {
    let is_chosen = |name: &str| name.contains(&arguments.only);
    let attacks: Vec<_> = ATTACKS.iter().filter(|attack| is_chosen(attack.name)).collect();
    if attacks.is_empty() && !is_chosen(WAVES) {
        let names: Vec<&str> = ATTACKS.iter().map(|attack| attack.name).chain([WAVES]).collect();
        bail!("no attack is called so; there are: {}", names.join(", "));
    }
    let is_own = arguments.folder.is_none();
    let folder = arguments.folder.clone().unwrap_or_else(|| Place::own_folder("game-sample-siege"));
    let fronts = front::deal(arguments.short, &folder, attacks, is_chosen(WAVES));
    let mut fates = hold(&fronts, arguments)?;
    let trials = fates.iter_mut().flat_map(|fate| &mut fate.trials);
    let quiet = trials.flat_map(|trial| std::mem::take(&mut trial.quiet)).collect();
    let calm = Calm::new(quiet, windows(arguments.short));
    let of_fate = |fate: Fate| {
        let trials = fate.trials.iter().map(|trial| trial.judge(&fate.plan, &calm));
        trials.chain(fate.waves).collect::<Vec<Verdict>>()
    };
    let mut verdicts: Vec<Verdict> = fates.into_iter().flat_map(of_fate).collect();
    verdicts.sort_by_key(|verdict| {
        ATTACKS.iter().position(|attack| attack.name == verdict.name).unwrap_or(ATTACKS.len())
    });
    verdicts.iter().for_each(tell);
    TABLE.iter().for_each(|line| say(line));
    verdicts.iter().for_each(|verdict| say(&verdict.row));
    let broken: Vec<String> = verdicts
        .iter()
        .flat_map(|verdict| verdict.broken.iter().map(|what| format!("failed: {}: {what}", verdict.name)))
        .collect();
    broken.iter().take(BROKEN_SAID_MAX).for_each(|line| say(line));
    match (broken.is_empty(), is_own) {
        (true, true) => std::fs::remove_dir_all(&folder).context("cannot remove the folder of the run")?,
        (false, _) => say(&format!("log of the server: {}", folder.display())),
        (true, false) => {}
    }
    say(&format!("siege: {} promises broken", broken.len()));
    Ok(broken.is_empty())
}

/// All fronts at the same time.
fn hold(fronts: &[Front], arguments: &Arguments) -> Result<Vec<Fate>> {
    std::thread::scope(|threads| {
        let held: Vec<_> = fronts.iter().map(|front| threads.spawn(|| front.hold(arguments))).collect();
        let end = |thread: std::thread::ScopedJoinHandle<'_, Result<Fate>>| {
            thread.join().map_err(|_| anyhow::anyhow!("a front panicked"))?
        };
        held.into_iter().map(end).collect()
    })
}

fn tell(verdict: &Verdict) {
    verdict.lines.iter().for_each(|line| say(line));
    verdict.broken.iter().take(FEW_SAID).for_each(|what| say(&format!("  broken    {what}")));
}

/// A line of what was found.
fn say(line: &str) {
    // A reader that left early wants no more.
    let _closed = writeln!(std::io::stdout(), "{line}");
}
