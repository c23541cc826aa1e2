//! `cargo xtask bench`: our figures beside peers' and limits'.
//!
//! *Responsible for*: building the benches optimised and passing arguments on. *Not responsible for*: measuring
//! (`benches`, `benches/load`).

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::load;
use crate::metadata::Metadata;
use crate::program::{self, Show};
use crate::suite::Stage;

/// An optimised build of the peers, then seconds for each figure.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// One line for each figure: name, value, unit, ratio to what, goal, met or missed. Exit code 1 when a goal is missed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only this area: codec, store, mail or load; all without it
    area: Option<String>,
    /// Also write the figures to this file, one JSON object a line; those of load to one whose name ends in `.load`, if there are others
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    load: load::Options,
}

/// The area with programs of its own.
const LOAD: &str = "load";

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let stage = Stage { metadata: Metadata::ask()?, is_quick: false };
    match arguments.area.as_deref() {
        Some(LOAD) => load::bench(&stage, &arguments.load, arguments.json.as_ref()),
        Some(_) => quick(&stage, arguments),
        None => {
            let quick = quick(&stage, arguments)?;
            let beside = arguments.json.as_ref().map(|json| {
                let mut name = json.clone().into_os_string();
                name.push(".load");
                PathBuf::from(name)
            });
            Ok(load::bench(&stage, &arguments.load, beside.as_ref())? && quick)
        }
    }
}

/// The areas that take seconds, in one program.
fn quick(stage: &Stage, arguments: &Arguments) -> Result<bool> {
    let mut command = stage.cargo(&["run", "--quiet", "--release", "--package", "lightmoon-benches", "--"]);
    command.args(&arguments.area);
    if let Some(file) = &arguments.json {
        // The benches run at the root of the repository; the path is meant from here.
        command.arg("--json").arg(std::path::absolute(file)?);
    }
    Ok(program::run(&mut command, LIMIT, Show::All)?.succeeded)
}
