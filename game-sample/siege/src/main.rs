//! A siege of the sample game's server: each attack in turn, while honest bots play.
//!
//! *Responsible for*: the command line, the order of a run, the exit code. *Not responsible for*: the attacks ([`attack`]), the
//! process ([`server`]), what a run is held to ([`run`], [`limits`]).
//!
//! ```text
//! start server, start honest bots, measure them while it is quiet
//! each attack:  memory, metrics ── attack, and somebody who comes meanwhile ── metrics ── held to its promises
//! end:          stop bots ── stop server in order ── 1 if anything was broken
//! ```
//!
//! Invariants:
//! - I1: everything happens on loopback: attackers come from addresses of this machine that honest bots do not have.

mod attack;
mod honest;
mod limits;
mod peer;
mod relay;
mod run;
mod server;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use crate::attack::{ATTACKS, Ground};
use crate::honest::Honest;
use crate::limits::{GROWTH_DEBUG_MAX, GROWTH_MAX, MANY, SOME};
use crate::run::Plan;
use crate::server::Server;

/// Attacks the sample game's server in every way it promises to stand, while honest bots play: wrong bytes, floods, slow readers,
/// crowds. Exit code 1: a promise was broken, each in a line.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Count of honest bots
    #[arg(long, value_name = "N", default_value_t = 50)]
    count: usize,
    /// Seconds that each attack goes on
    #[arg(long, value_name = "S", default_value_t = 10)]
    seconds: u64,
    /// Seconds without an attack, to which the others are compared
    #[arg(long, value_name = "S", default_value_t = 20)]
    quiet: u64,
    /// Fewer attackers, and times are only printed: for machines that do other things meanwhile
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
    let attacks: Vec<_> = ATTACKS.iter().filter(|attack| attack.name.contains(&arguments.only)).collect();
    if attacks.is_empty() {
        let names: Vec<&str> = ATTACKS.iter().map(|attack| attack.name).collect();
        bail!("no attack is called so; there are: {}", names.join(", "));
    }
    let binary = match &arguments.binary {
        Some(path) => path.canonicalize().with_context(|| format!("no program {}", path.display()))?,
        None => std::env::current_exe()?.with_file_name("game-sample"),
    };
    let (folder, is_own) = match &arguments.folder {
        Some(folder) => (folder.clone(), false),
        None => (own_folder(), true),
    };
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut server = Server::start(&binary, &folder)?;
    let plan = Plan {
        ground: Ground {
            server: server.location.game,
            from: attack::camp_of(0),
            time: Duration::from_secs(arguments.seconds),
            many: if arguments.short { SOME } else { MANY },
            is_short: arguments.short,
        },
        growth_max: if cfg!(debug_assertions) { GROWTH_DEBUG_MAX } else { GROWTH_MAX },
        is_timed: !arguments.short,
    };
    let honest = Honest::start(&server.location, arguments.count, arguments.seed)?;
    let quiet = run::quiet(&honest, Duration::from_secs(arguments.quiet));
    say(&format!(
        "quiet: {} honest bots, p99 {} µs of {} answers",
        arguments.count,
        quiet.p99_us(),
        quiet.answers_us.len()
    ));
    let mut broken = Vec::new();
    for (number, attack) in (1..).zip(attacks) {
        let verdict = run::fight((number, attack), &plan, &mut server, &honest, &quiet)?;
        verdict.lines.iter().for_each(|line| say(line));
        broken.extend(verdict.broken.into_iter().map(|what| format!("failed: {}: {what}", attack.name)));
    }
    honest.stop()?;
    server.stop()?;
    broken.iter().for_each(|line| say(line));
    match (broken.is_empty(), is_own) {
        (true, true) => std::fs::remove_dir_all(&folder).context("cannot remove the folder of the run")?,
        (false, _) => say(&format!("log of the server: {}", folder.display())),
        (true, false) => {}
    }
    say(&format!("siege: {} promises broken", broken.len()));
    Ok(broken.is_empty())
}

fn own_folder() -> PathBuf {
    std::env::temp_dir().join(format!("game-sample-siege-{}", std::process::id()))
}

/// A line of what was found.
fn say(line: &str) {
    // A reader that left early wants no more.
    let _closed = writeln!(std::io::stdout(), "{line}");
}
