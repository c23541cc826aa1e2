//! `lightmoon codegen`: client code for a descriptor that was written before.
//!
//! *Responsible for*: its arguments. *Not responsible for*: the code ([`lightmoon_cli::typescript`]).

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use lightmoon_cli::descriptor::Descriptor;
use lightmoon_cli::typescript;

use super::write_whole;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The language to write
    language: Language,
    /// The descriptor as JSON, as a game's verb `contracts` writes it
    #[arg(long, value_name = "FILE")]
    descriptor: PathBuf,
    /// Where to write; written whole, by rename, and only if it changes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What the code imports the SDK from
    #[arg(long, value_name = "PATH", default_value = typescript::SDK)]
    sdk: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Language {
    /// An ES module with JSDoc types, for browsers
    Ts,
}

pub(crate) fn run(Arguments { language, descriptor, out, sdk }: &Arguments) -> Result<()> {
    let name = descriptor.display();
    let text = fs::read_to_string(descriptor).with_context(|| format!("cannot read {name}"))?;
    let descriptor = Descriptor::from_json(&text).with_context(|| format!("cannot use {name}"))?;
    let code = match language {
        Language::Ts => typescript::generate(&descriptor, &typescript::Options { sdk: sdk.clone() })?,
    };
    write_whole(out, &code).map(drop)
}
