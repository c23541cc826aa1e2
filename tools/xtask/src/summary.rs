//! What a run did, as a table at its end.
//!
//! *Responsible for*: verdicts of steps, the table, the last line `N passed, N failed`. *Not responsible for*: the steps.
//!
//! Invariants:
//! - I1: a step that failed counts at least one failure, so that the last line never hides one.

use std::fmt::Write as _;
use std::time::Duration;

use crate::tally::Tally;

/// How a step ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// As it must.
    Passed,
    /// Otherwise; its output says how.
    Failed,
    /// It did not run, and it should have: a failure where `CI=true`.
    Skipped(String),
    /// It did not run, and what it needs is not part of the repository.
    Excused(String),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its name.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// What it counted.
    pub(crate) tally: Tally,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Step {
    /// One that failed before it began.
    pub(crate) fn failed(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            verdict: Verdict::Failed,
            tally: Tally::of(false),
            took: Duration::ZERO,
        }
    }
}

/// All steps of a run.
#[derive(Debug)]
pub(crate) struct Summary {
    steps: Vec<Step>,
    is_ci: bool,
}

impl Summary {
    /// An empty one. `is_ci`: whether a skipped step is a failure.
    pub(crate) fn new(is_ci: bool) -> Self {
        Self { steps: Vec::new(), is_ci }
    }

    /// Adds a step.
    pub(crate) fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Whether nothing failed.
    pub(crate) fn passed(&self) -> bool {
        self.total().failed == 0
    }

    /// What all steps counted.
    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for step in &self.steps {
            total.add(self.counted(step));
        }
        total
    }

    /// The table, and the last line.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let counted = self.counted(step);
            let (word, reason) = match &step.verdict {
                Verdict::Passed => ("passed", ""),
                Verdict::Failed => ("FAILED", ""),
                Verdict::Skipped(reason) if self.is_ci => ("FAILED", reason.as_str()),
                Verdict::Skipped(reason) | Verdict::Excused(reason) => ("skipped", reason.as_str()),
            };
            let (name, seconds) = (&step.name, step.took.as_secs_f64());
            let counts = format!("{} passed, {} failed", counted.passed, counted.failed);
            let line = format!("{word:<8} {name:<32} {seconds:>7.1} s   {counts:<24} {reason}");
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let total = self.total();
        let _ = write!(text, "\n{} passed, {} failed", total.passed, total.failed);
        text
    }

    fn counted(&self, step: &Step) -> Tally {
        let fails = match &step.verdict {
            Verdict::Failed => true,
            Verdict::Skipped(_) => self.is_ci,
            Verdict::Passed | Verdict::Excused(_) => false,
        };
        Tally { failed: step.tally.failed.max(u64::from(fails)), ..step.tally }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Step, Summary, Verdict};
    use crate::tally::Tally;

    fn step(verdict: Verdict, passed: u64) -> Step {
        Step { name: "a".to_owned(), verdict, tally: Tally { passed, failed: 0 }, took: Duration::ZERO }
    }

    #[test]
    fn a_step_that_failed_without_counting_is_a_failure() {
        let mut summary = Summary::new(false);
        summary.add(step(Verdict::Passed, 3));
        assert!(summary.passed());
        summary.add(step(Verdict::Failed, 2));
        assert!(!summary.passed());
        assert!(summary.text().ends_with("\n5 passed, 1 failed"), "{}", summary.text());
    }

    #[test]
    fn what_is_skipped_is_printed_and_fails_in_ci() {
        for (is_ci, passed) in [(false, true), (true, false)] {
            let mut summary = Summary::new(is_ci);
            summary.add(step(Verdict::Skipped("no browser".to_owned()), 0));
            assert_eq!(summary.passed(), passed);
            assert!(summary.text().contains("no browser"));
        }
    }

    #[test]
    fn what_lies_outside_is_excused_everywhere() {
        let mut summary = Summary::new(true);
        summary.add(step(Verdict::Excused("no network".to_owned()), 0));
        assert!(summary.passed());
        assert!(summary.text().contains("skipped"));
    }
}
