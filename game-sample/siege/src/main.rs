//! A siege of the sample game's server: each attack in turn, while honest bots play.
//!
//! *Responsible for*: the command line, the order of a run, the exit code. *Not responsible for*: the attacks ([`attack`]), the
//! process (`game_sample_rig`), what a run is held to ([`run`], [`limits`]).
//!
//! ```text
//! start server, start honest bots
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
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use game_sample_bots::Location;
use game_sample_rig::{Cores, Place, Server, process};

use crate::attack::{ATTACKS, Ground};
use crate::calm::Calm;
use crate::honest::Honest;
use crate::limits::{GROWTH_DEBUG_MAX, GROWTH_MAX, MANY, SOME};
use crate::run::{Field, Plan};
use crate::verdict::{TABLE, Verdict};

/// What is tried after all attacks.
const WAVES: &str = "two crowds that come and go";
/// Lines of what was broken that are printed in the end, and of one attack when it is over.
const BROKEN_SAID_MAX: usize = 100;
const FEW_SAID: usize = 5;

/// A server of one process that keeps nothing.
const SERVE: [&str; 6] = ["--pin", "off", "--supervise", "off", "--store", "memory:"];

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
    /// Fewer attackers, one window, and times are only printed: for machines that do other things meanwhile
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
    let place = Place::new(arguments.binary.as_deref(), folder.clone())?;
    let cores = if arguments.short { None } else { Some(Cores::choose()?) };
    let mut server = Server::start(place.clone(), &SERVE, cores.map(|cores| cores.server))?;
    if let Some(cores) = cores {
        process::keep_to(cores.clients)?;
    }
    let location = Location::from_ready_json(&place.ready_json())?;
    let many = if arguments.short { SOME } else { MANY };
    let plan = Plan {
        ground: Ground::new(&location, many, arguments.short),
        growth_max: if cfg!(debug_assertions) { GROWTH_DEBUG_MAX } else { GROWTH_MAX },
        window: Duration::from_secs(arguments.seconds),
        is_timed: !arguments.short,
        count: arguments.count,
    };
    let honest = Honest::start(&location, arguments.count, arguments.seed)?;
    say(&format!("{} honest bots play", arguments.count));
    let console = server.console()?;
    let mut field = Field { plan: &plan, server: &mut server, console, location: &location, honest: &honest };
    let mut trials = Vec::new();
    for (number, attack) in (1..).zip(attacks) {
        let trial = field.fight(number, attack)?;
        say(&trial.progress());
        trials.push(trial);
    }
    let waves = if is_chosen(WAVES) { Some(field.waves()?) } else { None };
    let quiet = trials.iter_mut().flat_map(|trial| std::mem::take(&mut trial.quiet)).collect();
    let calm = Calm::new(quiet, plan.windows());
    let verdicts: Vec<Verdict> = trials.iter().map(|trial| trial.judge(&plan, &calm)).chain(waves).collect();
    verdicts.iter().for_each(tell);
    honest.stop()?;
    let status = server.stop()?;
    ensure!(status.success(), "the server ended with {status}; see server.log");
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

fn tell(verdict: &Verdict) {
    verdict.lines.iter().for_each(|line| say(line));
    verdict.broken.iter().take(FEW_SAID).for_each(|what| say(&format!("  broken    {what}")));
}

/// A line of what was found.
fn say(line: &str) {
    // A reader that left early wants no more.
    let _closed = writeln!(std::io::stdout(), "{line}");
}
