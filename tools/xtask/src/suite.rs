//! Which suite runs where: one table.
//!
//! *Responsible for*: the suites of `cargo xtask test` in their order, what they need, how long they may take.
//! *Not responsible for*: printing and summing up (`command::test`).
//!
//! Everything is built once, by `cargo build --workspace --all-targets`: one set of features, one target folder. Suites
//! start the programs that this made instead of calling `cargo run -p`, which would build some crates again.

mod new_game;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command::{contracts, sim, tidy};
use crate::metadata::{self, Metadata};
use crate::pages;
use crate::program::{self, Run, Show};
use crate::screen;
use crate::setup::{Need, find_chromium, find_mdbook, find_prometheus};
use crate::summary::{Step, Verdict};
use crate::tally::Tally;

/// What a suite runs in.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The workspace.
    pub(crate) metadata: Metadata,
    /// Whether only the quick suites run, with fewer seeds.
    pub(crate) is_quick: bool,
}

impl Stage {
    /// A program that the workspace build made.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.metadata.target_directory.join("debug").join(name)
    }

    /// cargo, at the root.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(metadata::cargo());
        command.args(arguments).current_dir(&self.metadata.workspace_root);
        command
    }

    /// cargo, at the root, for what may have to be built first. Minutes of silence look like something that hangs: at a
    /// terminal cargo shows how far it is, elsewhere one line says that it builds.
    pub(crate) fn building(&self, arguments: &[&str]) -> Command {
        if std::io::stderr().is_terminal() {
            return self.cargo(arguments);
        }
        screen::line("building, which takes some minutes the first time");
        self.cargo(&[&["--quiet"], arguments].concat())
    }

    /// npm, in a folder of the repository.
    fn npm(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("npm");
        command.args(arguments).current_dir(self.metadata.workspace_root.join(folder));
        command
    }
}

/// One suite.
#[derive(Debug)]
pub(crate) struct Suite {
    /// Its name in the output.
    pub(crate) name: &'static str,
    /// Whether `--quick` runs it too.
    pub(crate) in_quick: bool,
    /// What must be there first.
    pub(crate) needs: &'static [Need],
    /// Runs it. Usually one step; the caller measures its time if it says zero.
    pub(crate) run: fn(&Stage) -> Result<Vec<Step>>,
}

const TYPESCRIPT: &str = "client-sdk/typescript";
const BROWSER: &str = "tests/browser";

/// All suites, in order.
pub(crate) const SUITES: &[Suite] = &[
    Suite { name: "everyday build", in_quick: true, needs: &[], run: everyday_build },
    Suite { name: "build of tests", in_quick: true, needs: &[], run: build_of_tests },
    Suite { name: "tidy", in_quick: true, needs: &[], run: tidy::steps },
    Suite { name: "tests", in_quick: true, needs: &[], run: tests },
    Suite { name: "contracts", in_quick: true, needs: &[], run: contracts::step },
    Suite { name: "simulation", in_quick: true, needs: &[], run: sim::step },
    Suite { name: "flaws", in_quick: false, needs: &[], run: flaws },
    Suite { name: "kills", in_quick: false, needs: &[], run: kills },
    Suite { name: "siege", in_quick: false, needs: &[], run: siege },
    Suite { name: "metrics", in_quick: false, needs: &[Need::Prometheus], run: metrics },
    Suite {
        name: "typescript types",
        in_quick: false,
        needs: &[Need::Node, Need::NpmPackages(TYPESCRIPT)],
        run: typescript_types,
    },
    Suite {
        name: "typescript tests",
        in_quick: false,
        needs: &[Need::Node, Need::NpmPackages(TYPESCRIPT)],
        run: typescript_tests,
    },
    Suite {
        name: "types of browser tests",
        in_quick: false,
        needs: &[Need::Node, Need::NpmPackages(TYPESCRIPT), Need::NpmPackages(BROWSER)],
        run: browser_types,
    },
    Suite { name: "book", in_quick: false, needs: &[Need::MdBook], run: book },
    Suite { name: "new game", in_quick: false, needs: &[], run: new_game::run },
    Suite {
        name: "browser",
        in_quick: false,
        needs: &[
            Need::Node,
            Need::NpmPackages(BROWSER),
            Need::Folder("tests/browser/suites"),
            Need::Chromium,
        ],
        run: browser,
    },
];

/// A clean build of everything takes minutes on two cores; this is the bound for a slow machine.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The slowest crate's tests take seconds once built.
const TESTS_LIMIT: Duration = Duration::from_secs(20 * 60);
/// Building takes a minute or two; each flaw is found within a few seeds, or fails after sixty of about a second each.
const FLAWS_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Node's suites take seconds, the browser's a few minutes.
const NODE_LIMIT: Duration = Duration::from_secs(10 * 60);

/// The longest of the trials takes a minute and a quarter.
const KILLS_LIMIT: Duration = Duration::from_secs(4 * 60);

/// About ten seconds; what returns nothing is waited for half a minute.
const METRICS_LIMIT: Duration = Duration::from_secs(2 * 60);

/// Sixteen attacks of two seconds or a little more; some wait for what the server closes after five or ten.
const SIEGE_LIMIT: Duration = Duration::from_secs(8 * 60);

/// A share of what `cargo xtask soak siege` does: close codes, counts and memory are held to what is promised, times are not.
fn siege(stage: &Stage) -> Result<Vec<Step>> {
    let mut command = Command::new(stage.built("game-sample-siege"));
    command.args(["--short", "--count", "20", "--seconds", "2"]);
    command.args(["--seed", &commit_number(stage).to_string()]);
    command.current_dir(&stage.metadata.workspace_root);
    counted_once("siege", command, SIEGE_LIMIT)
}

/// Exposition, alert rules and dashboards before a real Prometheus, which reads the sample while bots play.
fn metrics(stage: &Stage) -> Result<Vec<Step>> {
    let mut command = Command::new(stage.built("lightmoon-dashboards"));
    let programs =
        find_prometheus(&stage.metadata.workspace_root).context("prometheus was there a moment ago")?;
    command.arg("--programs").arg(programs).current_dir(&stage.metadata.workspace_root);
    counted_once("metrics", command, METRICS_LIMIT)
}

/// The book as pages; a warning of its builder is a failure, and so is a link that leads nowhere.
fn book(stage: &Stage) -> Result<Vec<Step>> {
    let root = &stage.metadata.workspace_root;
    let folder = stage.metadata.target_directory.join("book");
    let mut command = Command::new(find_mdbook(root).context("mdbook was there a moment ago")?);
    command.arg("build").arg(root.join("docs/book")).arg("--dest-dir").arg(&folder);
    let run = program::run(&mut command, NODE_LIMIT, Show::All)?;
    let complains = |line: &String| ["WARN", "ERROR"].iter().any(|word| line.contains(word));
    let dead = if run.succeeded { pages::dead_links(&folder)? } else { Vec::new() };
    dead.iter().for_each(|link| screen::line(&format!("a link that leads nowhere: {link}")));
    let passed = run.succeeded && !run.lines.iter().any(complains) && dead.is_empty();
    Ok(vec![step("book", passed, Tally::of(passed), run.took)])
}

/// What developers build all day has only its own features: it may lack one that something else turns on for everybody below. A full run
/// is content with checking it, since the next suite builds the same code with the features of all.
fn everyday_build(stage: &Stage) -> Result<Vec<Step>> {
    let how = if stage.is_quick { "build" } else { "check" };
    counted_once("everyday build", stage.building(&[how]), BUILD_LIMIT)
}

fn build_of_tests(stage: &Stage) -> Result<Vec<Step>> {
    counted_once("build of tests", stage.building(&["build", "--workspace", "--all-targets"]), BUILD_LIMIT)
}

fn tests(stage: &Stage) -> Result<Vec<Step>> {
    counted_inside("tests", stage.cargo(&["test", "--quiet", "--workspace", "--no-fail-fast"]), TESTS_LIMIT)
}

/// Wrong variants of the product, which the simulator's checkers must find. They stand behind a feature that nothing else
/// turns on, so a few crates are built once more, into a folder of their own: the rest of the build stays as it is.
fn flaws(stage: &Stage) -> Result<Vec<Step>> {
    let mut command = stage.building(&["test", "--package", "lightmoon-sim", "--features", "flaws"]);
    command.args(["--test", "it", "--", "kept::flaws", "fair::flaws", "herd::flaws"]);
    command.env("CARGO_TARGET_DIR", stage.metadata.target_directory.join("flaws"));
    counted_inside("flaws", command, FLAWS_LIMIT)
}

/// Three kill trials beside each other, each with a server of its own, since they mostly wait for players to come back: a share of what
/// `cargo xtask soak kill` does, from a seed that the commit decides; a smaller share of `soak trade`, kills while bots trade over a
/// bad network, then so much play that every offer ends; and the proof that kill trials see losses: with a store in memory everything
/// is lost, which they must find.
fn kills(stage: &Stage) -> Result<Vec<Step>> {
    let seed = commit_number(stage).to_string();
    let forgotten = stage.metadata.target_directory.join("kills-of-a-server-that-forgets");
    let trial = |arguments: &[&str]| {
        let mut command = Command::new(stage.built("game-sample-kills"));
        command.args(arguments).current_dir(&stage.metadata.workspace_root);
        command
    };
    let mut mine = trial(&["--kills", "12", "--seconds", "46", "--seed", &seed]);
    let mut trade =
        trial(&["--script", "trade", "--count", "30", "--kills", "4", "--every", "7", "--rest", "38"]);
    trade.args(["--lost", "5", "--doubled", "5", "--swapped", "2", "--seed", &seed]);
    let mut memory = trial(&["--kills", "1", "--every", "4", "--store", "memory:", "--folder"]);
    memory.arg(&forgotten);
    let shown = [(&mut mine, Show::All), (&mut trade, Show::All), (&mut memory, Show::Nothing)];
    let runs = program::run_beside(shown, KILLS_LIMIT)?;
    let [mine, trade, memory] = runs.as_slice() else { unreachable!("a run for each command") };
    let found = !memory.succeeded && memory.lines.iter().any(|line| line.contains("audit: lost: "));
    if forgotten.exists() {
        std::fs::remove_dir_all(&forgotten).context("cannot remove the folder of the trial")?;
    }
    let once = |name: &str, passed: bool, run: &Run| step(name, passed, Tally::of(passed), run.took);
    Ok(vec![
        once("kills", mine.succeeded, mine),
        once("kills of trades", trade.succeeded, trade),
        once("kills of a server that forgets", found, memory),
    ])
}

/// A number made of the commit's name; 1 where there is none.
pub(crate) fn commit_number(stage: &Stage) -> u64 {
    let mut command = Command::new("git");
    command.args(["rev-parse", "--short=8", "HEAD"]).current_dir(&stage.metadata.workspace_root);
    program::first_line(&mut command).and_then(|name| u64::from_str_radix(&name, 16).ok()).unwrap_or(1)
}

fn typescript_types(stage: &Stage) -> Result<Vec<Step>> {
    counted_once("typescript types", stage.npm(TYPESCRIPT, &["run", "--silent", "check"]), NODE_LIMIT)
}

fn typescript_tests(stage: &Stage) -> Result<Vec<Step>> {
    counted_inside("typescript tests", stage.npm(TYPESCRIPT, &["test", "--silent"]), NODE_LIMIT)
}

fn browser_types(stage: &Stage) -> Result<Vec<Step>> {
    counted_once("types of browser tests", stage.npm(BROWSER, &["run", "--silent", "check"]), NODE_LIMIT)
}

fn browser(stage: &Stage) -> Result<Vec<Step>> {
    let mut command = stage.npm(BROWSER, &["test", "--silent"]);
    command.env("GAME_SAMPLE", stage.built("game-sample"));
    let game = new_game::binary(stage);
    if game.exists() {
        command.env("NEW_GAME", game);
    }
    if let Some(chromium) = find_chromium() {
        command.env("CHROMIUM", chromium);
    }
    counted_inside("browser", command, NODE_LIMIT)
}

/// Runs a program whose success is one passed check.
pub(crate) fn counted_once(name: &str, mut command: Command, limit: Duration) -> Result<Vec<Step>> {
    let run = program::run(&mut command, limit, Show::All)?;
    Ok(vec![step(name, run.succeeded, Tally::of(run.succeeded), run.took)])
}

/// Runs a program that says itself how many tests passed. None at all is a failure: then nothing was tested.
fn counted_inside(name: &str, mut command: Command, limit: Duration) -> Result<Vec<Step>> {
    let run = program::run(&mut command, limit, Show::All)?;
    let passed = run.succeeded && run.tally.failed == 0 && run.tally.passed > 0;
    Ok(vec![step(name, passed, run.tally, run.took)])
}

/// A step that passed or failed.
pub(crate) fn step(name: &str, passed: bool, tally: Tally, took: Duration) -> Step {
    let verdict = if passed { Verdict::Passed } else { Verdict::Failed };
    Step { name: name.to_owned(), verdict, tally, took }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{SUITES, counted_inside};
    use crate::summary::Verdict;

    #[test]
    fn a_suite_that_tests_nothing_fails() {
        let limit = Duration::from_secs(60);
        let steps = counted_inside("none", Command::new("true"), limit).unwrap();
        assert_eq!(steps[0].verdict, Verdict::Failed);
        let mut command = Command::new("echo");
        command.arg("# pass 2");
        assert_eq!(counted_inside("two", command, limit).unwrap()[0].verdict, Verdict::Passed);
    }

    #[test]
    fn names_are_different_and_quick_needs_nothing_from_outside() {
        for (index, suite) in SUITES.iter().enumerate() {
            assert!(SUITES[..index].iter().all(|other| other.name != suite.name), "{}", suite.name);
            assert!(!suite.in_quick || suite.needs.is_empty(), "{}", suite.name);
        }
    }
}
