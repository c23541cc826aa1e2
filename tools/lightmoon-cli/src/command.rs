//! What `lightmoon` can be asked for, one verb a file.
//!
//! *Responsible for*: the list of verbs, writing files. *Not responsible for*: the text of what is written ([`lightmoon_cli`]).

mod bots;
mod codegen;
mod contracts;
mod new;

use std::fs;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Subcommand;

/// A verb with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Makes a folder with a small game in it that runs as it is
    New(new::Arguments),
    /// Brings contracts.lock and the page's contracts.js up to date; run it in the game's folder after each change of a contract
    Contracts(contracts::Arguments),
    /// Plays with the game's bots on a server that runs, and reports what they measured; run it in the game's folder
    #[command(disable_help_flag = true)]
    Bots(bots::Arguments),
    /// Writes client code for a game's contracts
    Codegen(codegen::Arguments),
}

/// Does what was asked for.
pub(crate) fn run(verb: Verb) -> Result<()> {
    match verb {
        Verb::New(arguments) => new::run(&arguments),
        Verb::Contracts(arguments) => contracts::run(&arguments),
        Verb::Bots(arguments) => bots::run(&arguments),
        Verb::Codegen(arguments) => codegen::run(&arguments),
    }
}

/// cargo in the game's folder, which builds the game and runs it with the arguments that are added. At a terminal it shows how
/// far it is: minutes of silence look like something that hangs.
fn run_game() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.arg("run");
    if !std::io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    command.arg("--");
    command
}

/// Replaces a file by one rename, so that nobody reads half of it; leaves an equal one alone. Whether it changed.
fn write_whole(path: &Path, text: &str) -> Result<bool> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(false);
    }
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("new");
        fs::write(&beside, text)?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

/// A line of output.
#[expect(clippy::print_stdout, reason = "a command speaks on its standard output")]
fn say(text: &str) {
    println!("{text}");
}
