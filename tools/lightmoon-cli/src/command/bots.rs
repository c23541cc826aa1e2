//! `lightmoon bots`: a game's bots, on a server that runs.
//!
//! *Responsible for*: building the game and handing the arguments on. *Not responsible for*: what bots do and can be told (the verb
//! `bots` of the game's own binary).

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::run_game;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// For the verb `bots` of the game: --count N --seconds S --script NAME and so on; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    rest: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        Path::new("Cargo.toml").is_file(),
        "there is no Cargo.toml here; run `lightmoon bots` in the folder of the game"
    );
    let status = run_game().arg("bots").args(&arguments.rest).status().context("cannot run cargo")?;
    if status.success() {
        return Ok(());
    }
    bail!("the bots did not play (the reason stands above)")
}
