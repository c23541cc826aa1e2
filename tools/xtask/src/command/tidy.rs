//! `cargo xtask tidy`: layout, edges, sizes, documents, format, lints.
//!
//! *Responsible for*: running the tables of `check`, printing what they find, `--bless`.
//! *Not responsible for*: the checks.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::check::{self, TEXT, TOOLS};
use crate::metadata::Metadata;
use crate::program::{self, Show};
use crate::screen;
use crate::suite::{Stage, step};
use crate::summary::{Step, Summary, Verdict};
use crate::tally::Tally;
use crate::tree::Tree;

/// Clippy and rustdoc check the whole workspace: minutes when nothing is built yet.
const TOOL_LIMIT: Duration = Duration::from_secs(20 * 60);

/// `cargo deny` works on the lock file alone: seconds.
const DENY_LIMIT: Duration = Duration::from_secs(2 * 60);

/// Every check, each printed with what to do about what it found.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// First write down what is so now: tables and hashes in documents, sizes that shrank
    #[arg(long)]
    bless: bool,
    /// Only the checks that read texts: under a second, no compiler
    #[arg(long)]
    text: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let stage = Stage { metadata: Metadata::ask()?, is_quick: arguments.text };
    if arguments.bless {
        let tree = Tree::open(&stage.metadata.workspace_root)?;
        check::edges::bless(&tree)?;
        check::limit_table::bless(&tree)?;
        check::metric_table::bless(&tree)?;
        check::sizes::bless(&tree)?;
        check::wire_document::bless(&tree)?;
    }
    let mut summary = Summary::new(false);
    let found = if arguments.text { text_steps(&stage)? } else { steps(&stage)? };
    found.into_iter().for_each(|step| summary.add(step));
    screen::line(&format!("\n{}", summary.text()));
    Ok(summary.passed())
}

/// All checks.
pub(crate) fn steps(stage: &Stage) -> Result<Vec<Step>> {
    let mut steps = text_steps(stage)?;
    for tool in TOOLS {
        screen::line(&format!("checking {}", tool.name));
        let mut command = stage.cargo(tool.arguments);
        command.envs(tool.variable);
        let run = program::run(&mut command, TOOL_LIMIT, Show::All)?;
        if !run.succeeded {
            screen::line(&format!("{}: {}", tool.name, tool.remedy));
        }
        steps.push(step(&format!("tidy: {}", tool.name), run.succeeded, Tally::of(run.succeeded), run.took));
    }
    steps.extend(deny(stage)?);
    Ok(steps)
}

fn text_steps(stage: &Stage) -> Result<Vec<Step>> {
    let tree = Tree::open(&stage.metadata.workspace_root)?;
    let mut steps = Vec::new();
    for check in TEXT {
        let started = Instant::now();
        let problems = (check.run)(&tree, &stage.metadata)?;
        problems.iter().for_each(|problem| screen::line(&problem.to_string()));
        let passed = problems.is_empty();
        steps.push(step(&format!("tidy: {}", check.name), passed, Tally::of(passed), started.elapsed()));
    }
    Ok(steps)
}

/// Licences, sources and bans of third-party crates; advisories where their database is.
fn deny(stage: &Stage) -> Result<Vec<Step>> {
    let name = "tidy: crates of others";
    let advisories = "tidy: advisories";
    if program::version("cargo-deny").is_none() {
        let reason = "cargo-deny is missing: run `cargo install cargo-deny --locked --no-default-features`";
        return Ok(vec![skipped(name, Verdict::Skipped(reason.to_owned()))]);
    }
    let check = |what: &[&str]| {
        let arguments =
            [&["deny", "--offline", "--log-level", "error", "--all-features", "check"], what].concat();
        program::run(&mut stage.cargo(&arguments), DENY_LIMIT, Show::All)
    };
    let run = check(&["bans", "licenses", "sources"])?;
    let mut steps = vec![step(name, run.succeeded, Tally::of(run.succeeded), run.took)];
    if has_advisories() {
        let run = check(&["advisories"])?;
        steps.push(step(advisories, run.succeeded, Tally::of(run.succeeded), run.took));
    } else {
        let reason = "no advisory database on this machine: `cargo deny fetch db` needs github.com";
        steps.push(skipped(advisories, Verdict::Excused(reason.to_owned())));
    }
    Ok(steps)
}

/// Whether `cargo deny fetch` has put a database where cargo keeps such things.
fn has_advisories() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let folders = home.iter().flat_map(|home| [home.join("advisory-dbs"), home.join("advisory-db")]);
    folders.filter_map(|folder| folder.read_dir().ok()).any(|mut entries| entries.next().is_some())
}

fn skipped(name: &str, verdict: Verdict) -> Step {
    if let Verdict::Skipped(reason) | Verdict::Excused(reason) = &verdict {
        screen::line(&format!("skipped {name}: {reason}"));
    }
    Step { name: name.to_owned(), verdict, tally: Tally::default(), took: Duration::ZERO }
}
