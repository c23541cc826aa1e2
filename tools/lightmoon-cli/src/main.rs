//! The lightmoon command.
//!
//! *Responsible for*: arguments, exit codes. *Not responsible for*: what verbs do (`command`).

mod command;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Verb;

/// Tools for games built on Lightmoon.
///
/// Exit codes: 0 done, 1 it failed (one sentence on standard error), 2 wrong arguments.
#[derive(Debug, Parser)]
#[command(name = "lightmoon", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

fn main() -> ExitCode {
    let Arguments { verb } = Arguments::parse();
    match command::run(verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "errors of a command go to standard error")]
            {
                eprintln!("lightmoon: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}
