//! The lightmoon command: code generation for clients.
//!
//! *Responsible for*: arguments, files, exit codes. *Not responsible for*: the code that is written ([`lightmoon_cli`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use lightmoon_cli::descriptor::Descriptor;
use lightmoon_cli::typescript;

/// Tools for games built on Lightmoon.
///
/// Exit codes: 0 done, 1 it failed (one sentence on standard error), 2 wrong arguments.
#[derive(Debug, Parser)]
#[command(name = "lightmoon", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Writes client code for a game's contracts.
    Codegen {
        /// The language to write.
        language: Language,
        /// The descriptor as JSON, as the example `contracts` of a game's contracts crate prints it.
        #[arg(long, value_name = "FILE")]
        descriptor: PathBuf,
        /// Where to write; written whole, by rename, and only if it changes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// What the code imports the SDK from.
        #[arg(long, value_name = "PATH", default_value = "/lightmoon/index.js")]
        sdk: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// An ES module with JSDoc types, for browsers.
    Ts,
}

fn main() -> ExitCode {
    let Arguments { verb } = Arguments::parse();
    match run(verb) {
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

fn run(verb: Verb) -> Result<()> {
    let Verb::Codegen { language, descriptor, out, sdk } = verb;
    let text =
        fs::read_to_string(&descriptor).with_context(|| format!("cannot read {}", descriptor.display()))?;
    let descriptor =
        Descriptor::from_json(&text).with_context(|| format!("cannot use {}", descriptor.display()))?;
    let code = match language {
        Language::Ts => typescript::generate(&descriptor, &typescript::Options { sdk })?,
    };
    write_whole(&out, &code).with_context(|| format!("cannot write {}", out.display()))
}

/// Replaces a file by one rename, so that nobody reads half of it; leaves an equal one alone.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let beside = path.with_extension("new");
    fs::write(&beside, text)?;
    fs::rename(&beside, path)?;
    Ok(())
}
