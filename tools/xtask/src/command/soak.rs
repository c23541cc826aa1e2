//! `cargo xtask soak`: suites with their full counts, for hours.
//!
//! *Responsible for*: the table of soak suites, running one until its time is over, a report under `docs/reports`.
//! *Not responsible for*: what the suites test.
//!
//! Invariants:
//! - I1: a report names command, commit, machine, what was run and every failure with the line that repeats it.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::metadata::Metadata;
use crate::program::{self, Run, Show};
use crate::screen;
use crate::suite::Stage;

/// One soak suite.
struct Suite {
    name: &'static str,
    /// What one round does.
    docs: &'static str,
    /// Runs once, before the rounds.
    prepare: &'static [&'static str],
    /// One round; rounds are repeated until the time is over.
    round: fn(&Stage, u64) -> Command,
}

/// Seeds in one round of the simulation.
const SEEDS_PER_ROUND: u64 = 100;

const SUITES: &[Suite] = &[
    Suite {
        name: "sim",
        docs: "simulation of the sample game, 100 new seeds a round, optimised",
        prepare: &["build", "--quiet", "--release", "--package", "game-sample-trials"],
        round: simulate,
    },
    Suite {
        name: "tests",
        docs: "all tests of the workspace again and again: finds flaky ones",
        prepare: &["test", "--quiet", "--workspace", "--no-run"],
        round: |stage, _| stage.cargo(&["test", "--quiet", "--workspace", "--no-fail-fast"]),
    },
];

/// A round that takes longer hangs.
const ROUND_LIMIT: Duration = Duration::from_secs(60 * 60);
/// A clean optimised build.
const PREPARE_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Hours at most: a week.
const HOURS_MAX: f64 = 168.0;
/// Failing lines kept for a report.
const FAILURES_MAX: usize = 1_000;

/// Rounds until the time is over. The report lies under docs/reports. Exit code 1 when a round failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// sim or tests; all, one after the other, without it
    suite: Option<String>,
    /// Hours for each suite
    #[arg(long, value_name = "H", default_value_t = 1.0)]
    hours: f64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    if !(0.0..=HOURS_MAX).contains(&arguments.hours) {
        bail!("--hours must lie between 0 and {HOURS_MAX}");
    }
    let chosen: Vec<&Suite> = match &arguments.suite {
        Some(name) => SUITES.iter().filter(|suite| suite.name == name).collect(),
        None => SUITES.iter().collect(),
    };
    if chosen.is_empty() {
        let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("there is no such suite; there are: {}", names.join(", "));
    }
    let stage = Stage { metadata: Metadata::ask()?, is_quick: false };
    let mut passed = true;
    for suite in chosen {
        let outcome = soak(suite, &stage, Duration::from_secs_f64(arguments.hours * 3600.0))?;
        passed &= outcome.failures.is_empty();
        write_report(suite, &stage, &outcome, arguments.hours)?;
    }
    Ok(passed)
}

#[derive(Debug, Default)]
struct Outcome {
    rounds: u64,
    failures: Vec<String>,
    took: Duration,
}

/// At least one round, whatever the time.
fn soak(suite: &Suite, stage: &Stage, time: Duration) -> Result<Outcome> {
    screen::header(&format!("{}: {}", suite.name, suite.docs));
    if !program::run(&mut stage.cargo(suite.prepare), PREPARE_LIMIT, Show::All)?.succeeded {
        bail!("{} could not be built", suite.name);
    }
    let started = Instant::now();
    let mut outcome = Outcome::default();
    loop {
        let run = program::run(&mut (suite.round)(stage, outcome.rounds), ROUND_LIMIT, Show::Nothing)?;
        outcome.rounds += 1;
        if !run.succeeded {
            let mut found = failures(&run, outcome.rounds);
            found.truncate(FAILURES_MAX.saturating_sub(outcome.failures.len()));
            found.iter().for_each(|line| screen::line(line));
            outcome.failures.append(&mut found);
        }
        outcome.took = started.elapsed();
        let minutes = outcome.took.as_secs_f64() / 60.0;
        screen::line(&format!(
            "round {}: {} failures in {minutes:.1} min",
            outcome.rounds,
            outcome.failures.len()
        ));
        if outcome.took >= time {
            return Ok(outcome);
        }
    }
}

fn simulate(stage: &Stage, round: u64) -> Command {
    let mut command = Command::new(stage.metadata.target_directory.join("release/game-sample-trials"));
    let first = round * SEEDS_PER_ROUND;
    command.args(["--seeds", &SEEDS_PER_ROUND.to_string(), "--seed", &first.to_string()]);
    command.current_dir(&stage.metadata.workspace_root);
    command
}

/// The lines of a round that name what failed.
fn failures(run: &Run, round: u64) -> Vec<String> {
    let tells = |line: &&String| {
        line.contains("FAILED") || line.contains("failed:") || line.contains("cargo xtask sim")
    };
    let mut lines: Vec<String> =
        run.lines.iter().filter(tells).map(|line| format!("round {round}: {line}")).collect();
    if lines.is_empty() {
        lines.push(format!("round {round}: failed without a line that says why"));
    }
    lines
}

fn write_report(suite: &Suite, stage: &Stage, outcome: &Outcome, hours: f64) -> Result<()> {
    let commit = first_line("git", &["rev-parse", "--short=12", "HEAD"], stage);
    let day = first_line("date", &["-u", "+%Y-%m-%d"], stage);
    let path = format!("docs/reports/{day}-soak-{}.md", suite.name);
    let text = report(suite, outcome, hours, &commit, &first_line("uname", &["-srm"], stage))?;
    let full = stage.metadata.workspace_root.join(&path);
    fs::create_dir_all(stage.metadata.workspace_root.join("docs/reports"))
        .context("cannot make docs/reports")?;
    fs::write(full, text).with_context(|| format!("cannot write {path}"))?;
    screen::line(&format!("wrote {path}"));
    Ok(())
}

fn report(suite: &Suite, outcome: &Outcome, hours: f64, commit: &str, machine: &str) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut text = String::new();
    writeln!(text, "# Soak: {}\n", suite.name)?;
    writeln!(text, "- what: {}", suite.docs)?;
    writeln!(text, "- command: `cargo xtask soak {} --hours {hours}`", suite.name)?;
    writeln!(text, "- commit: {commit}")?;
    writeln!(text, "- machine: {machine}, {cores} cores")?;
    writeln!(text, "- rounds: {}, in {:.1} minutes", outcome.rounds, outcome.took.as_secs_f64() / 60.0)?;
    writeln!(text, "- failures: {}", outcome.failures.len())?;
    for failure in &outcome.failures {
        writeln!(text, "  - {failure}")?;
    }
    Ok(text)
}

fn first_line(program: &str, arguments: &[&str], stage: &Stage) -> String {
    let output = Command::new(program).args(arguments).current_dir(&stage.metadata.workspace_root).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Outcome, Suite, report, soak};
    use crate::metadata::Metadata;
    use crate::suite::Stage;

    fn stage() -> Stage {
        let metadata = Metadata { workspace_root: std::env::temp_dir(), ..Metadata::default() };
        Stage { metadata, is_quick: false }
    }

    #[test]
    fn a_failing_round_is_kept_with_its_line() {
        let round = |_: &Stage, round: u64| {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("echo 'repeat it: cargo xtask sim --seed {round}'; exit 1")]);
            command
        };
        let suite = Suite { name: "sim", docs: "", prepare: &["--version"], round };
        let outcome = soak(&suite, &stage(), Duration::ZERO).unwrap();
        assert_eq!(outcome.rounds, 1);
        assert_eq!(outcome.failures, ["round 1: repeat it: cargo xtask sim --seed 0"]);
    }

    #[test]
    fn a_report_names_commit_machine_and_failures() {
        let suite = Suite { name: "sim", docs: "seeds", prepare: &[], round: |_, _| Command::new("true") };
        let outcome = Outcome {
            rounds: 3,
            failures: vec!["round 2: seed 7".to_owned()],
            took: Duration::from_secs(60),
        };
        let text = report(&suite, &outcome, 1.0, "abcdef", "Linux").unwrap();
        for part in ["commit: abcdef", "machine: Linux", "rounds: 3", "failures: 1", "round 2: seed 7"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
