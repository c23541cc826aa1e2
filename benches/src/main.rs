//! Our cost beside the peers' and the limits', in one run.
//!
//! *Responsible for*: the table of areas, printing figures, the exit code. *Not responsible for*: the bodies (`area`).
//!
//! A figure is a time and its ratio to something measured in the same rounds. Goals for ratios mean the same on every
//! machine and decide; goals for times say how far this machine is from the design's. `cargo xtask bench` builds this
//! optimised and runs it; each body is also a test with a small input.
//!
//! Exit codes: 0 all goals for ratios met, 1 one is missed or something failed, 2 wrong arguments.

mod area;
// `load` prints its figures by the same file.
mod figure;
mod measure;
mod memory;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use area::AREAS;
use figure::Figure;
use measure::Effort;

/// Our figures beside peers' and limits': name, value, unit, ratio to what, goal, met or missed.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only this area; all without it
    area: Option<String>,
    /// Also write the figures to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            figure::complain(&format!("benches: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs the areas; whether all goals for ratios were met.
fn run(arguments: &Arguments) -> Result<bool> {
    let chosen: Vec<_> =
        AREAS.iter().filter(|area| arguments.area.as_ref().is_none_or(|name| name == area.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = AREAS.iter().map(|area| area.name).collect();
        bail!("there is no such area; there are: {}", names.join(", "));
    }
    if cfg!(debug_assertions) {
        figure::complain(
            "built without optimisation: run `cargo xtask bench` for figures that mean something",
        );
    }
    let mut figures: Vec<Figure> = Vec::new();
    for area in chosen {
        figure::line(&format!("# {}: {}", area.name, area.docs));
        for figure in (area.run)(Effort::FULL) {
            figure::line(&figure.to_string());
            figures.push(figure);
        }
    }
    if let Some(path) = &arguments.json {
        let lines: String = figures.iter().map(|figure| format!("{}\n", figure.to_json())).collect();
        fs::write(path, lines).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let missed = figures.iter().filter(|figure| figure.is_missed()).count();
    figure::line(&format!("{} figures, {missed} goals missed", figures.len()));
    Ok(!figures.iter().any(Figure::is_failure))
}

#[cfg(test)]
mod tests {
    use super::AREAS;
    use crate::measure::Effort;

    #[test]
    fn every_body_runs_with_a_small_input() {
        for area in AREAS {
            assert!(!(area.run)(Effort::SMALL).is_empty(), "{}", area.name);
        }
    }
}
