//! `cargo xtask`: what the repository does to itself: tests, checks, simulation, benches, contract numbers.
//!
//! *Responsible for*: one command for each job, with its own set-up; printing what was done, skipped and why.
//! *Not responsible for*: anything a game or an operator needs (`lightmoon`, the game's own binary).
//!
//! Runs on one thread, plus one that reads the output of the child that is running.
//!
//! Invariants:
//! - I1: what is not run is printed as skipped with its reason; with `CI=true` a skipped suite is a failure.
//! - I2: exit code 0 means that everything asked for passed, 1 that something failed, 2 that the arguments are wrong.
//! - I3: only processes started here are ever stopped.

mod check;
mod command;
mod metadata;
mod pages;
mod problem;
mod program;
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
    match command::run(command::Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen::complain(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
