//! `cargo xtask bench`: our figures beside peers' and limits'.
//!
//! *Responsible for*: building the benches optimised and passing arguments on. *Not responsible for*: measuring
//! (`benches`).

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::program::{self, Show};
use crate::suite::Stage;

/// An optimised build of the peers, then seconds for each figure.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// One line for each figure: name, value, unit, ratio to what, goal, met or missed. Exit code 1 when a goal is missed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this area; all without it
    area: Option<String>,
    /// Also write the figures to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let stage = Stage { metadata: Metadata::ask()?, is_quick: false };
    let mut command = stage.cargo(&["run", "--quiet", "--release", "--package", "lightmoon-benches", "--"]);
    command.args(&arguments.area);
    if let Some(file) = &arguments.json {
        // The benches run at the root of the repository; the path is meant from here.
        command.arg("--json").arg(std::path::absolute(file)?);
    }
    Ok(program::run(&mut command, LIMIT, Show::All)?.succeeded)
}
