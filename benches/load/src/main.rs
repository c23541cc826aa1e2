//! The sample's server under load: bots on one core, the server on another, and raw QUIC under the same packets beside it.
//!
//! *Responsible for*: the command line, the order of a run, the exit code. *Not responsible for*: the processes, what the
//! system and the console say of them (`game_sample_rig`), raw QUIC ([`raw`]), figures ([`figures`]), reports ([`report`], [`plot`]).
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
mod raw;
mod report;
mod sample;
mod soak;
mod watching;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use game_sample_rig::Place;

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

/// A folder of this run alone, with the sample's program: the one that was named, or the one beside this program.
fn place(named: Option<&PathBuf>, purpose: &str) -> Result<Place> {
    Place::new(named.map(PathBuf::as_path), Place::own_folder(&format!("lightmoon-load-{purpose}")))
}
