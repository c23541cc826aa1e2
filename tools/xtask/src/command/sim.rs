//! `cargo xtask sim`: the sample game in the deterministic simulator.
//!
//! *Responsible for*: starting the trials, and running seeds twice to see that one seed is one world.
//! *Not responsible for*: scenarios and checkers (`game-sample-trials`, `lightmoon-sim`).
//!
//! Invariants:
//! - I1: two runs of the same seeds must print the same lines that begin with `seed `; their state hash is among them.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::program::{self, Run, Show};
use crate::screen;
use crate::suite::{self, Stage};
use crate::summary::Step;
use crate::tally::Tally;

const PACKAGE: &str = "game-sample-trials";

/// Seeds by hand.
const SEEDS: u64 = 2;

/// Seconds of a run of seeds in `cargo xtask test`, and with `--quick`; then the same seeds run again.
const BUDGET_SECS: u64 = 15;
const BUDGET_SECS_QUICK: u64 = 10;

/// A few times what the budget allows, for a machine that is busy.
const TEST_LIMIT: Duration = Duration::from_secs(10 * 60);
/// By hand somebody may want thousands.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A failing seed prints the line that repeats it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Count of seeds
    #[arg(long, value_name = "N", default_value_t = SEEDS)]
    seeds: u64,
    /// As many seeds as fit into this time, at least one; instead of a count
    #[arg(long, value_name = "SECONDS", conflicts_with = "seeds")]
    budget: Option<u64>,
    /// The first seed; without it the trials choose
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Only this scenario
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Build optimised: slower to start, faster for many seeds
    #[arg(long)]
    release: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let stage = Stage { metadata: Metadata::ask()?, is_quick: false };
    let mut command = stage.building(&["run", "--package", PACKAGE]);
    if arguments.release {
        command.arg("--release");
    }
    command.arg("--");
    match arguments.budget {
        Some(seconds) => command.args(["--budget", &seconds.to_string()]),
        None => command.args(["--seeds", &arguments.seeds.to_string()]),
    };
    if let Some(seed) = arguments.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if let Some(name) = &arguments.scenario {
        command.args(["--scenario", name]);
    }
    Ok(program::run(&mut command, LIMIT, Show::All)?.succeeded)
}

/// The suite of `cargo xtask test`: seeds that failed once, then seeds from the commit on for as long as the budget is; and all of
/// them again, in another process.
pub(crate) fn step(stage: &Stage) -> Result<Vec<Step>> {
    let budget = if stage.is_quick { BUDGET_SECS_QUICK } else { BUDGET_SECS };
    let first_seed = suite::commit_number(stage).to_string();
    let once = |how_many: [&str; 2], show| {
        let mut command = Command::new(stage.built(PACKAGE));
        command.args(["--once", "--corpus", "--seed", &first_seed]).args(how_many);
        command.current_dir(&stage.metadata.workspace_root);
        program::run(&mut command, TEST_LIMIT, show)
    };
    let first = once(["--budget", &budget.to_string()], Show::All)?;
    let second = once(["--seeds", &seeds_done(&first).to_string()], Show::Nothing)?;
    let tally = compare(&first, &second);
    let passed = tally.failed == 0;
    Ok(vec![suite::step("simulation", passed, tally, first.took + second.took)])
}

/// How many seeds a run says it did: the number that its last line begins with.
fn seeds_done(run: &Run) -> u64 {
    let last = run.lines.iter().rev().find_map(|line| line.split_once(" seeds, "));
    last.and_then(|(count, _)| count.parse().ok()).unwrap_or(1)
}

/// Counts seeds that ran twice alike; prints those that did not.
fn compare(first: &Run, second: &Run) -> Tally {
    let (one, two) = (seeds(first), seeds(second));
    let mut tally = Tally::default();
    for index in 0..one.len().max(two.len()) {
        let (one, two) = (one.get(index), two.get(index));
        tally.add(Tally::of(one == two));
        if one != two {
            let none = &"nothing";
            screen::line(&format!(
                "one seed gave two worlds: something observable hangs on time, hash order or an address\n  first:  {}\n  second: {}",
                one.unwrap_or(none),
                two.unwrap_or(none)
            ));
        }
    }
    if one.is_empty() {
        screen::line("the trials printed no line that begins with `seed `");
    }
    if one.is_empty() || !first.succeeded || !second.succeeded {
        tally.add(Tally::of(false));
    }
    tally
}

fn seeds(run: &Run) -> Vec<&str> {
    run.lines.iter().map(String::as_str).filter(|line| line.starts_with("seed ")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{compare, seeds_done};
    use crate::program::Run;
    use crate::tally::Tally;

    fn ran(succeeded: bool, lines: &[&str]) -> Run {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        Run { succeeded, tally: Tally::default(), lines, took: Duration::ZERO }
    }

    #[test]
    fn seeds_that_ran_twice_alike_pass() {
        let tally = compare(&ran(true, &["seed 1 ab", "2 s"]), &ran(true, &["seed 1 ab", "3 s"]));
        assert_eq!(tally, Tally { passed: 1, failed: 0 });
    }

    #[test]
    fn a_seed_with_two_worlds_fails() {
        let tally = compare(&ran(true, &["seed 1 ab", "seed 2 cd"]), &ran(true, &["seed 1 ab", "seed 2 ce"]));
        assert_eq!(tally, Tally { passed: 1, failed: 1 });
    }

    #[test]
    fn the_second_run_does_as_many_seeds_as_the_first_said() {
        assert_eq!(seeds_done(&ran(true, &["seed 7 ab", "12 seeds, 7 scenarios each: 0 failed"])), 12);
        assert_eq!(seeds_done(&ran(false, &["seed 7 ab"])), 1);
    }

    #[test]
    fn a_failed_run_and_a_silent_one_fail() {
        assert_eq!(compare(&ran(false, &["seed 1 ab"]), &ran(false, &["seed 1 ab"])).failed, 1);
        assert_eq!(compare(&ran(true, &[]), &ran(true, &[])).failed, 1);
    }
}
