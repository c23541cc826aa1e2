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

use super::load;
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
    /// Whether one round is the full count, so that no more is done unless `--hours` asks for it.
    is_once: bool,
    /// Which of the lines that a round prints belong into the report.
    is_figure: fn(&str) -> bool,
}

/// Seeds in one round of the simulation.
const SEEDS_PER_ROUND: u64 = 100;

const SUITES: &[Suite] = &[
    Suite {
        name: "sim",
        docs: "simulation of the sample game, 100 new seeds a round, optimised",
        prepare: &["build", "--release", "--package", "game-sample-trials"],
        round: simulate,
        is_once: false,
        is_figure: |_| false,
    },
    Suite {
        name: "tests",
        docs: "all tests of the workspace again and again: finds flaky ones",
        prepare: &["test", "--workspace", "--no-run"],
        round: |stage, _| stage.cargo(&["test", "--quiet", "--workspace", "--no-fail-fast"]),
        is_once: false,
        is_figure: |_| false,
    },
    Suite {
        name: "trade",
        docs: "200 bots trade for 10 minutes with the sample's server, optimised, killed each minute, over a network that loses, \
               doubles and swaps packets; then every coin, unit of ore and parcel is looked for",
        prepare: KILLS_BUILD,
        round: trade,
        is_once: true,
        is_figure: is_figure_of_kills,
    },
    Suite {
        name: "kill",
        docs: "the sample's server, optimised, killed 200 times a round while 50 bots mine; audits every 25 kills",
        prepare: KILLS_BUILD,
        round: kill,
        is_once: true,
        is_figure: is_figure_of_kills,
    },
    Suite {
        name: "siege",
        docs: "the sample's server, optimised, on a core of its own, attacked in sixteen ways from another core, on which 250 honest bots play; \
               percentiles are of five windows of 2,000 answers and more, beside all quiet windows, of which five lie before each attack, and what chance makes of five of those; \
               then two equal crowds that come and go",
        prepare: &["build", "--release", "--package", "game-sample", "--package", "game-sample-siege"],
        round: siege,
        is_once: true,
        is_figure: |_| true,
    },
    Suite {
        name: "power",
        docs: "200 cuts of power a round under the store in files, each with another choice of what the disk forgets",
        prepare: &["test", "--release", "--package", "lightmoon-store-files", "--no-run"],
        round: cut_power,
        is_once: true,
        is_figure: |line| line.contains("cuts of power") || line.contains("without syncs"),
    },
];

/// The suite with a program, and a report, of its own.
const LOAD: &str = "load";

const KILLS_BUILD: &[&str] =
    &["build", "--release", "--package", "game-sample", "--package", "game-sample-kills"];

fn is_figure_of_kills(line: &str) -> bool {
    !["kill ", "audit ", "again:"].iter().any(|start| line.trim_start().starts_with(start))
}

/// A round that takes longer hangs.
const ROUND_LIMIT: Duration = Duration::from_secs(60 * 60);
/// A clean optimised build.
const PREPARE_LIMIT: Duration = Duration::from_secs(60 * 60);
/// Hours at most: a week.
const HOURS_MAX: f64 = 168.0;
/// Hours for suites that have no full count.
const HOURS: f64 = 1.0;
/// Kills in one round, and cuts of power.
const KILLS_PER_ROUND: &str = "200";
/// Lines of figures kept for a report.
const FIGURES_MAX: usize = 1_000;
/// Failing lines kept for a report.
const FAILURES_MAX: usize = 1_000;

/// Rounds until the time is over. The report lies under docs/reports. Exit code 1 when a round failed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// sim, tests, trade, kill, siege, power or load; all, one after the other, without it
    suite: Option<String>,
    /// Hours for each suite; without it one round where that is a full count, half an hour for load, 1 otherwise
    #[arg(long, value_name = "H")]
    hours: Option<f64>,
    /// Of load: bots; as many as leave a fifth of the machine idle without it
    #[arg(long, value_name = "N")]
    count: Option<u32>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    if !(0.0..=HOURS_MAX).contains(&arguments.hours.unwrap_or(HOURS)) {
        bail!("--hours must lie between 0 and {HOURS_MAX}");
    }
    let is_load = arguments.suite.as_deref() == Some(LOAD);
    let chosen: Vec<&Suite> = match &arguments.suite {
        Some(name) => SUITES.iter().filter(|suite| suite.name == name).collect(),
        None => SUITES.iter().collect(),
    };
    if chosen.is_empty() && !is_load {
        let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).chain([LOAD]).collect();
        bail!("there is no such suite; there are: {}", names.join(", "));
    }
    let stage = Stage { metadata: Metadata::ask()?, is_quick: false };
    let mut passed = true;
    for suite in chosen {
        let hours = arguments.hours.unwrap_or(if suite.is_once { 0.0 } else { HOURS });
        // What is built and run is this one, whatever is committed meanwhile.
        let commit = first_line("git", &["rev-parse", "--short=12", "HEAD"], &stage);
        let outcome = soak(suite, &stage, Duration::from_secs_f64(hours * 3600.0))?;
        passed &= outcome.failures.is_empty();
        write_report(suite, &stage, &outcome, arguments.hours, &commit)?;
    }
    if is_load || arguments.suite.is_none() {
        passed &= load::soak(&stage, arguments.hours, arguments.count)?;
    }
    Ok(passed)
}

#[derive(Debug, Default)]
struct Outcome {
    rounds: u64,
    failures: Vec<String>,
    /// What the rounds said of themselves.
    figures: Vec<String>,
    took: Duration,
}

/// At least one round, whatever the time.
fn soak(suite: &Suite, stage: &Stage, time: Duration) -> Result<Outcome> {
    screen::header(&format!("{}: {}", suite.name, suite.docs));
    if !program::run(&mut stage.building(suite.prepare), PREPARE_LIMIT, Show::All)?.succeeded {
        bail!("{} could not be built", suite.name);
    }
    let started = Instant::now();
    let mut outcome = Outcome::default();
    loop {
        let show = if suite.is_once { Show::All } else { Show::Nothing };
        let run = program::run(&mut (suite.round)(stage, outcome.rounds), ROUND_LIMIT, show)?;
        outcome.rounds += 1;
        // Test runners print a dot for each test before the line.
        let lines = run.lines.iter().map(|line| line.trim_start_matches('.').to_owned());
        let figures = lines.filter(|line| (suite.is_figure)(line));
        outcome.figures.extend(figures.take(FIGURES_MAX.saturating_sub(outcome.figures.len())));
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

fn kill(stage: &Stage, round: u64) -> Command {
    let mut command = Command::new(stage.metadata.target_directory.join("release/game-sample-kills"));
    command.args(["--kills", KILLS_PER_ROUND, "--seed", &(round + 1).to_string()]);
    command.current_dir(&stage.metadata.workspace_root);
    command
}

fn trade(stage: &Stage, round: u64) -> Command {
    let mut command = Command::new(stage.metadata.target_directory.join("release/game-sample-kills"));
    command.args(["--script", "trade", "--count", "200", "--kills", "10", "--every", "60", "--rest", "45"]);
    command.args(["--lost", "5", "--doubled", "5", "--swapped", "2", "--audit-every", "1000"]);
    command.args(["--seed", &(round + 1).to_string()]);
    command.current_dir(&stage.metadata.workspace_root);
    command
}

fn siege(stage: &Stage, round: u64) -> Command {
    let mut command = Command::new(stage.metadata.target_directory.join("release/game-sample-siege"));
    command.args(["--count", "250", "--seed", &(round + 1).to_string()]);
    command.current_dir(&stage.metadata.workspace_root);
    command
}

fn cut_power(stage: &Stage, round: u64) -> Command {
    let package =
        ["test", "--quiet", "--release", "--package", "lightmoon-store-files", "--test", "it", "power"];
    let mut command = stage.cargo(&package);
    command.args(["--", "--nocapture"]);
    command.env("LIGHTMOON_POWER_TRIALS", KILLS_PER_ROUND).env("LIGHTMOON_SEED", (round + 1).to_string());
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

fn write_report(
    suite: &Suite,
    stage: &Stage,
    outcome: &Outcome,
    hours: Option<f64>,
    commit: &str,
) -> Result<()> {
    let day = first_line("date", &["-u", "+%Y-%m-%d"], stage);
    let path = format!("docs/reports/{day}-soak-{}.md", suite.name);
    let text = report(suite, outcome, hours, commit, &first_line("uname", &["-srm"], stage))?;
    let full = stage.metadata.workspace_root.join(&path);
    fs::create_dir_all(stage.metadata.workspace_root.join("docs/reports"))
        .context("cannot make docs/reports")?;
    fs::write(full, text).with_context(|| format!("cannot write {path}"))?;
    screen::line(&format!("wrote {path}"));
    Ok(())
}

fn report(
    suite: &Suite,
    outcome: &Outcome,
    hours: Option<f64>,
    commit: &str,
    machine: &str,
) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut text = String::new();
    writeln!(text, "# Soak: {}\n", suite.name)?;
    writeln!(text, "- what: {}", suite.docs)?;
    let hours = hours.map(|hours| format!(" --hours {hours}")).unwrap_or_default();
    writeln!(text, "- command: `cargo xtask soak {}{hours}`", suite.name)?;
    writeln!(text, "- commit: {commit}")?;
    writeln!(text, "- machine: {machine}, {cores} cores")?;
    writeln!(text, "- rounds: {}, in {:.1} minutes", outcome.rounds, outcome.took.as_secs_f64() / 60.0)?;
    writeln!(text, "- failures: {}", outcome.failures.len())?;
    for failure in &outcome.failures {
        writeln!(text, "  - {failure}")?;
    }
    // What is a table already stays one.
    let (table, lines): (Vec<&str>, Vec<&str>) = outcome
        .figures
        .iter()
        .map(String::as_str)
        .partition(|line| line.starts_with("| ") || line.starts_with("|-"));
    if !table.is_empty() {
        writeln!(text, "\n{}", table.join("\n"))?;
    }
    if !lines.is_empty() {
        writeln!(text, "\n```text\n{}\n```", lines.join("\n"))?;
    }
    Ok(text)
}

pub(super) fn first_line(program: &str, arguments: &[&str], stage: &Stage) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&stage.metadata.workspace_root);
    program::first_line(&mut command).unwrap_or_else(|| "unknown".to_owned())
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
        let prepare = &["--version"];
        let suite = Suite { name: "sim", docs: "", prepare, round, is_once: false, is_figure: |_| false };
        let outcome = soak(&suite, &stage(), Duration::ZERO).unwrap();
        assert_eq!(outcome.rounds, 1);
        assert_eq!(outcome.failures, ["round 1: repeat it: cargo xtask sim --seed 0"]);
    }

    #[test]
    fn a_report_names_commit_machine_and_failures() {
        let round = |_: &Stage, _| Command::new("true");
        let suite =
            Suite { name: "sim", docs: "seeds", prepare: &[], round, is_once: true, is_figure: |_| true };
        let outcome = Outcome {
            rounds: 3,
            failures: vec!["round 2: seed 7".to_owned()],
            figures: ["| a |", "|---|", "places compared: 9", "| 7 |"].map(str::to_owned).into(),
            took: Duration::from_secs(60),
        };
        let text = report(&suite, &outcome, Some(1.0), "abcdef", "Linux").unwrap();
        for part in ["commit: abcdef", "machine: Linux", "rounds: 3", "failures: 1", "round 2: seed 7"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.ends_with("\n| a |\n|---|\n| 7 |\n\n```text\nplaces compared: 9\n```\n"), "{text}");
    }
}
