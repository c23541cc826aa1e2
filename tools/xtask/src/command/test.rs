//! `cargo xtask test`: everything that must pass.
//!
//! *Responsible for*: seeing first that there is room, running the table of suites to its end, whatever fails on the way,
//! and the summary.
//! *Not responsible for*: the suites (`suite`).

use std::time::Instant;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::room::{self, Plan};
use crate::screen;
use crate::suite::{SUITES, Stage, Suite};
use crate::summary::{Step, Summary, Verdict};
use crate::tally::Tally;

/// Runs all suites, also after a failure, and prints a table at the end. With CI=true a skipped suite is a failure.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only what needs nothing from outside: builds, tidy, tests, ten seconds of the simulation
    #[arg(long)]
    quick: bool,
    /// Only suites whose name contains this; earlier ones must have built what they need
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

impl Arguments {
    fn plan(&self) -> Plan {
        match (&self.only, self.quick) {
            (Some(_), _) => Plan::Some,
            (None, true) => Plan::Quick,
            (None, false) => Plan::All,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true" || value == "1");
    let stage = Stage { metadata: Metadata::ask()?, is_quick: arguments.quick };
    let mut summary = Summary::new(is_ci);
    let wanted = |suite: &&Suite| match &arguments.only {
        Some(text) => suite.name.contains(text.as_str()),
        None => suite.in_quick || !arguments.quick,
    };
    let started = Instant::now();
    let room = room::check(&stage.metadata.target_directory, arguments.plan());
    if let Err(sentence) = &room {
        screen::complain(sentence);
        summary.add(Step::failed("room on the disk"));
    }
    let suites = if room.is_ok() { SUITES } else { &[] };
    for suite in suites.iter().filter(wanted) {
        screen::header(suite.name);
        for step in run_suite(suite, &stage) {
            summary.add(step);
        }
    }
    screen::header(&format!("summary after {:.0} s", started.elapsed().as_secs_f64()));
    screen::line(&summary.text());
    Ok(summary.passed())
}

fn run_suite(suite: &Suite, stage: &Stage) -> Vec<Step> {
    let started = Instant::now();
    let mut steps = match provide(suite, stage) {
        Err(reason) => vec![verdict(suite, Verdict::Skipped(reason))],
        Ok(()) => (suite.run)(stage).unwrap_or_else(|error| {
            screen::complain(&format!("{}: {error:#}", suite.name));
            vec![verdict(suite, Verdict::Failed)]
        }),
    };
    if let [step] = steps.as_mut_slice() {
        step.took = started.elapsed();
    }
    for step in &steps {
        if let Verdict::Skipped(reason) | Verdict::Excused(reason) = &step.verdict {
            screen::line(&format!("skipped {}: {reason}", step.name));
        }
    }
    screen::line(&format!("--- {}: {:.1} s", suite.name, started.elapsed().as_secs_f64()));
    steps
}

fn provide(suite: &Suite, stage: &Stage) -> Result<(), String> {
    suite.needs.iter().try_for_each(|need| need.provide(&stage.metadata.workspace_root))
}

fn verdict(suite: &Suite, verdict: Verdict) -> Step {
    Step { name: suite.name.to_owned(), verdict, tally: Tally::default(), took: std::time::Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::run_suite;
    use crate::metadata::Metadata;
    use crate::setup::Need;
    use crate::suite::{Stage, Suite};
    use crate::summary::Verdict;

    fn stage() -> Stage {
        Stage { metadata: Metadata::default(), is_quick: true }
    }

    #[test]
    fn a_suite_that_cannot_start_fails_and_the_run_goes_on() {
        let suite = Suite { name: "broken", in_quick: true, needs: &[], run: |_| bail!("no such program") };
        assert_eq!(run_suite(&suite, &stage())[0].verdict, Verdict::Failed);
    }

    #[test]
    fn a_suite_whose_needs_are_missing_is_skipped_with_the_reason() {
        let needs = &[Need::Folder("no/such/folder")];
        let suite = Suite { name: "far", in_quick: false, needs, run: |_| bail!("must not run") };
        let steps = run_suite(&suite, &stage());
        let Verdict::Skipped(reason) = &steps[0].verdict else { panic!("{steps:?}") };
        assert!(reason.contains("no/such/folder"));
    }
}
