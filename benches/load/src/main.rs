//! The sample's server under load: bots on one core, the server on another, and raw QUIC under the same packets beside it.
//!
//! *Responsible for*: the command line, the order of a run, the exit code. *Not responsible for*: the processes ([`server`],
//! [`fleet`], [`raw`]), what the system says of them ([`process`]), figures ([`figures`]), reports ([`report`], [`plot`]).
//!
//! ```text
//! bench   for each count:  server ◄── bots       CPU by thread, ticks, bytes
//!                          raw    ◄── swarm      CPU, under as many packets of the same sizes
//!         idle sessions:   server ◄── idle bots  memory
//! soak    server ◄── bots that come and go; the node killed now and then; memory, audits
//! ```
//!
//! `cargo xtask bench load` and `cargo xtask soak load` build what this needs and run it.
//!
//! Exit codes: 0 all goals that decide are met, 1 one is missed or something failed, 2 wrong arguments.

mod bench;
#[path = "../../src/figure.rs"]
mod figure;
mod figures;
mod fleet;
mod limits;
mod phase;
mod plot;
mod process;
mod raw;
mod report;
mod sample;
mod server;
mod soak;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

/// Measures the sample's server under load.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Figures of a thousand bots on a core, beside raw QUIC
    Bench(bench::Arguments),
    /// Bots that come and go, kills, memory
    Soak(soak::Arguments),
    /// Raw QUIC: the server of `bench`
    #[command(hide = true)]
    RawServer(raw::server::Arguments),
    /// Raw QUIC: the clients of `bench`
    #[command(hide = true)]
    RawSwarm(raw::swarm::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Bench(arguments) => bench::run(&arguments),
        What::Soak(arguments) => soak::run(&arguments),
        What::RawServer(arguments) => raw::server::run(&arguments).map(|()| true),
        What::RawSwarm(arguments) => raw::swarm::run(&arguments).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            figure::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The sample's program: the one that was named, or the one beside this program.
fn binary(named: Option<&PathBuf>) -> Result<PathBuf> {
    match named {
        Some(path) => path.canonicalize().with_context(|| format!("no program {}", path.display())),
        None => Ok(std::env::current_exe()?.with_file_name("game-sample")),
    }
}

/// A folder of this run alone.
fn own_folder(purpose: &str) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("lightmoon-load-{purpose}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}
