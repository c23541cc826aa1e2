//! The commands.
//!
//! *Responsible for*: the command line; each command has a file of its own. *Not responsible for*: what they do.

mod bench;
pub(crate) mod contracts;
mod load;
pub(crate) mod sim;
mod soak;
mod test;
pub(crate) mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// What the repository does to itself. Exit codes: 0 everything passed, 1 something failed, 2 wrong arguments.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything that must pass, with its own set-up.
    Test(test::Arguments),
    /// A suite with its full counts, for hours; writes a report.
    Soak(soak::Arguments),
    /// The sample game in the deterministic simulator.
    Sim(sim::Arguments),
    /// Our figures beside peers' and limits', one line for each.
    Bench(bench::Arguments),
    /// Layout, edges, sizes, documents, format, lints.
    Tidy(tidy::Arguments),
    /// Writes or checks contracts.lock of the sample game.
    Contracts(contracts::Arguments),
}

/// Runs the command; whether everything passed.
pub(crate) fn run(cli: Cli) -> Result<bool> {
    match cli.command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Tidy(arguments) => tidy::run(&arguments),
        Command::Contracts(arguments) => contracts::run(&arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
