//! Trials of the sample game: its own `game()` and its own bots in the deterministic simulator.
//!
//! *Responsible for*: the command line, running each seed twice, one line for each seed, one line that repeats a failure.
//! *Not responsible for*: the world and its checkers (`lightmoon-sim`), what happens in a scenario ([`scenario`]).
//!
//! Invariants:
//! - I1: a seed passes only if no checker found anything and both of its runs had the same trace and state. With `--once` whoever
//!   started it runs it again and compares.
//! - I2: output depends on the arguments only; with `--budget` the number of seeds depends on the machine, what each says does not.

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
use std::time::{Duration, Instant};

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
    /// As many seeds as fit into this time, at least one; instead of a count
    #[arg(long, value_name = "SECONDS", conflicts_with = "seeds")]
    budget: Option<u64>,
    /// The first seed; without it 1, and seeds that failed once run before
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Seeds that failed once run before also if there is a first seed
    #[arg(long)]
    corpus: bool,
    /// Only this scenario
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Run each seed once: for who compares the lines of two runs
    #[arg(long)]
    once: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = arguments.scenario.as_deref();
    let chosen: Vec<&Scenario> =
        SCENARIOS.iter().filter(|known| wanted.is_none_or(|name| name == known.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = SCENARIOS.iter().map(|known| known.name).collect();
        // If stderr is closed nobody can be told; the exit code still tells.
        let _closed = writeln!(
            std::io::stderr(),
            "error: there is no scenario `{}`; there are: {}",
            wanted.unwrap_or_default(),
            names.join(", ")
        );
        return ExitCode::from(2);
    }
    let failed = run_all(&arguments, &chosen);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs what was asked for; gives how many seeds of scenarios failed.
fn run_all(arguments: &Arguments, chosen: &[&Scenario]) -> u32 {
    let Arguments { seeds, budget, seed, corpus: with_corpus, once, .. } = *arguments;
    let began = Instant::now();
    let mut failed = 0;
    let mut run = |seed, scenario| failed += u32::from(!try_seed(seed, scenario, once));
    if seed.is_none() || with_corpus {
        corpus(chosen).into_iter().for_each(|(scenario, seed)| run(seed, scenario));
    }
    let mut done = 0;
    let mut longest = Duration::ZERO;
    loop {
        let goes_on = match budget {
            Some(seconds) => done == 0 || began.elapsed() + longest <= Duration::from_secs(seconds),
            None => done < seeds,
        };
        if !goes_on {
            break;
        }
        let at = Instant::now();
        chosen.iter().for_each(|scenario| run(seed.unwrap_or(1).wrapping_add(done), scenario));
        longest = longest.max(at.elapsed());
        done += 1;
    }
    say(&format!("{done} seeds, {} scenarios each: {failed} failed", chosen.len()));
    failed
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

/// Runs one seed of one scenario, twice if not `once`; true if all is well.
fn try_seed(seed: u64, scenario: &Scenario, once: bool) -> bool {
    let name = scenario.name;
    let outcome = if once { run_once(seed, scenario) } else { run_twice(seed, scenario) };
    match outcome {
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

fn run_once(seed: u64, scenario: &Scenario) -> Result<Outcome, Failure> {
    let mut trial = Trial::new(seed);
    (scenario.run)(&mut trial)?;
    trial.outcome()
}

fn run_twice(seed: u64, scenario: &Scenario) -> Result<Outcome, Failure> {
    let (first, second) = (run_once(seed, scenario)?, run_once(seed, scenario)?);
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
        let passes = |scenario: &Scenario| {
            let outcome =
                run_twice(1, scenario).unwrap_or_else(|failure| panic!("{}: {failure}", scenario.name));
            assert!(outcome.compared > 1_000, "{}: {outcome:?}", scenario.name);
        };
        // A panic of one is one of the scope.
        std::thread::scope(|threads| {
            for scenario in &SCENARIOS {
                threads.spawn(move || passes(scenario));
            }
        });
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
