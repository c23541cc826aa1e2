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
    /// Only this area: codec, store, mail, replication, actor, lanes or load; all without it
    area: Option<String>,
    /// Also write the figures to this file, one JSON object a line; those of load to one whose name ends in `.load`, if there are others
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// First build and run the peers of replication, a workspace of its own: minutes, and another hundred crates
    #[arg(long)]
    peers: bool,
    #[command(flatten)]
    load: load::Options,
}

/// What the peers replicate: entities, clients, entities that each client sees, ticks that are measured.
const PEER_WORKLOADS: [[&str; 4]; 2] = [["1000", "50", "1000", "200"], ["1000", "50", "100", "500"]];

/// The area with programs of its own.
const LOAD: &str = "load";

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let stage = Stage { metadata: Metadata::ask()?, is_quick: false };
    if arguments.peers && !run_peers(&stage)? {
        return Ok(false);
    }
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
    let mut command = stage.building(&["run", "--release", "--package", "lightmoon-benches", "--"]);
    command.args(&arguments.area);
    if let Some(file) = &arguments.json {
        // The benches run at the root of the repository; the path is meant from here.
        command.arg("--json").arg(std::path::absolute(file)?);
    }
    Ok(program::run(&mut command, LIMIT, Show::All)?.succeeded)
}

/// The peers say a line of JSON for each workload: microseconds of a tick, and bytes for one client in it.
fn run_peers(stage: &Stage) -> Result<bool> {
    for workload in PEER_WORKLOADS {
        // A peer names a newer compiler than it needs.
        let mut command = stage.building(&["run", "--release", "--ignore-rust-version"]);
        command.args(["--manifest-path", "benches/peers/Cargo.toml", "--target-dir", "target", "--"]);
        command.args(workload);
        if !program::run(&mut command, LIMIT, Show::All)?.succeeded {
            return Ok(false);
        }
    }
    Ok(true)
}
