//! Trials of the sample game: its own `game()` and its own bots in the deterministic simulator.
//!
//! *Responsible for*: the command line, running each seed twice, one line for each seed, one line that repeats a failure.
//! *Not responsible for*: the world and its checkers (`lightmoon-sim`), what happens in a scenario ([`scenario`]).
//!
//! Invariants:
//! - I1: a seed passes only if no checker found anything and both of its runs had the same trace and state.
//! - I2: output depends on the arguments only.

mod fleet;
#[cfg(test)]
mod kept;
mod market;
mod mines;
mod ore;
mod pilot;
mod scenario;
mod trial;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use crate::scenario::{SCENARIOS, Scenario};
use crate::trial::{Failure, Outcome, Trial};

/// Once-failing seeds, kept for ever.
const CORPUS: &str = include_str!("../corpus.txt");

/// Runs the sample game from seeds and judges it. Exit code 1: something was found, and a line says how to see it again.
#[derive(Debug, Parser)]
struct Arguments {
    /// Count of seeds; each runs every scenario, twice
    #[arg(long, value_name = "N", default_value_t = 5)]
    seeds: u64,
    /// The first seed; without it 1, and seeds that failed once run before
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only this scenario
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { seeds, seed, scenario } = Arguments::parse();
    let chosen: Vec<&Scenario> =
        SCENARIOS.iter().filter(|known| scenario.as_deref().is_none_or(|name| name == known.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = SCENARIOS.iter().map(|known| known.name).collect();
        let wrong = scenario.unwrap_or_default();
        // If stderr is closed nobody can be told; the exit code still tells.
        let _closed = writeln!(
            std::io::stderr(),
            "error: there is no scenario `{wrong}`; there are: {}",
            names.join(", ")
        );
        return ExitCode::from(2);
    }
    let mut failed = 0;
    if seed.is_none() {
        for (scenario, seed) in corpus(&chosen) {
            failed += u32::from(!try_seed(seed, scenario));
        }
    }
    for seed in (0..seeds).map(|number| seed.unwrap_or(1).wrapping_add(number)) {
        for scenario in &chosen {
            failed += u32::from(!try_seed(seed, scenario));
        }
    }
    say(&format!("{seeds} seeds, {} scenarios each: {failed} failed", chosen.len()));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Seeds of the chosen scenarios that failed once.
fn corpus<'a>(chosen: &[&'a Scenario]) -> Vec<(&'a Scenario, u64)> {
    let entry = |line: &str| {
        let (name, seed) = line.split_once(' ')?;
        let scenario = chosen.iter().find(|scenario| scenario.name == name)?;
        Some((*scenario, seed.trim().parse().ok()?))
    };
    CORPUS.lines().filter_map(entry).collect()
}

/// Runs one seed of one scenario twice; true if all is well.
fn try_seed(seed: u64, scenario: &Scenario) -> bool {
    let name = scenario.name;
    match run_twice(seed, scenario) {
        Ok(Outcome { trace, state, compared, answered }) => {
            say(&format!(
                "seed {seed} {name}: trace {trace:016x} state {state:016x}, {compared} values, {answered} answers"
            ));
            true
        }
        Err(failure) => {
            say(&format!("seed {seed} {name}: FAILED, {failure}"));
            say(&format!("  again: cargo xtask sim --seeds 1 --seed {seed} --scenario {name}"));
            false
        }
    }
}

fn run_twice(seed: u64, scenario: &Scenario) -> Result<Outcome, Failure> {
    let run = || {
        let mut trial = Trial::new(seed);
        (scenario.run)(&mut trial)?;
        trial.outcome()
    };
    let (first, second) = (run()?, run()?);
    if first == second {
        Ok(first)
    } else {
        Err(Failure::new(format!("one seed gave two worlds: {first:?} and {second:?}")))
    }
}

fn say(line: &str) {
    // A reader that left early wants no more.
    let _closed = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_passes_its_first_seed_twice_alike() {
        for scenario in &SCENARIOS {
            let outcome =
                run_twice(1, scenario).unwrap_or_else(|failure| panic!("{}: {failure}", scenario.name));
            assert!(outcome.compared > 1_000, "{}: {outcome:?}", scenario.name);
        }
    }

    #[test]
    fn every_line_of_the_corpus_is_a_scenario_and_a_seed() {
        let all: Vec<&Scenario> = SCENARIOS.iter().collect();
        let lines = CORPUS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(corpus(&all).len(), lines);
    }

    #[test]
    fn two_seeds_are_two_worlds() {
        let [first, ..] = &SCENARIOS;
        assert_ne!(run_twice(1, first).unwrap(), run_twice(2, first).unwrap());
    }
}
