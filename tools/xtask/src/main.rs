//! `cargo xtask`: what the repository does to itself: tests, checks, simulation, benches, contract numbers.
//!
//! *Responsible for*: one command for each job, with its own set-up; printing what was done, skipped and why.
//! *Not responsible for*: anything a game or an operator needs (`lightmoon`, the game's own binary).
//!
//! Runs on one thread, plus one that reads the output of the program that is running, and one that waits for signals.
//!
//! Invariants:
//! - I1: what is not run is printed as skipped with its reason; with `CI=true` a skipped suite is a failure.
//! - I2: exit code 0 means that everything asked for passed, 1 that something failed, 2 that the arguments are wrong.
//! - I3: only processes that descend from this one are ever stopped; none of them outlives it, unless it is killed itself.

mod check;
mod command;
mod metadata;
mod pages;
mod problem;
mod program;
mod room;
mod screen;
mod setup;
mod suite;
mod summary;
mod tally;
mod tree;

#[cfg(test)]
mod fixture;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = command::Cli::parse();
    match program::end_with_signals().and_then(|()| command::run(cli)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen::complain(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
