//! One measured figure.
//!
//! *Responsible for*: value, ratio, goal and their line. *Not responsible for*: measuring.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "benches speak on their standard output")]

use std::fmt;

/// A line of output.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A line about what went wrong.
pub(crate) fn complain(text: &str) {
    eprintln!("{text}");
}

/// When a figure is good enough.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Goal {
    /// The ratio is at most this. It means the same on every machine, so missing it fails the run.
    Ratio(f64),
    /// The ratio is at most this, in the end. It is said whether it is reached; missing it fails no run yet.
    Aim(f64),
    /// The value is at most this, in the figure's unit. It depends on the machine, so it only informs.
    Value(f64),
    /// The value is at most this, in the figure's unit. It is counted and not timed, so missing it fails the run.
    Count(f64),
}

/// A figure beside what it is compared with.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Figure {
    /// Area, subject and variant, with dots.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Value divided by that of `beside`, measured in the same run.
    pub(crate) ratio: f64,
    /// What the ratio is to.
    pub(crate) beside: &'static str,
    /// When it is good enough; `None` where we only look.
    pub(crate) goal: Option<Goal>,
}

impl Figure {
    /// Whether it has a goal and does not reach it.
    pub(crate) fn is_missed(&self) -> bool {
        // What is no number is missed too.
        match self.goal {
            None => false,
            Some(Goal::Ratio(goal) | Goal::Aim(goal)) => !self.ratio.le(&goal),
            Some(Goal::Value(goal) | Goal::Count(goal)) => !self.value.le(&goal),
        }
    }

    /// Whether the run fails because of it.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self.goal, Some(Goal::Ratio(_) | Goal::Count(_))) && self.is_missed()
    }

    /// The figure as a JSON object on one line.
    pub(crate) fn to_json(&self) -> String {
        let (goal, goal_of) = match self.goal {
            None => (None, None),
            Some(Goal::Ratio(goal)) => (Some(goal), Some("ratio")),
            Some(Goal::Aim(goal)) => (Some(goal), Some("aim")),
            Some(Goal::Value(goal)) => (Some(goal), Some("value")),
            Some(Goal::Count(goal)) => (Some(goal), Some("count")),
        };
        serde_json::json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "ratio": self.ratio,
            "beside": self.beside,
            "goal": goal,
            "goal_of": goal_of,
            "met": self.goal.map(|_| !self.is_missed()),
        })
        .to_string()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, unit, ratio, beside, goal } = self;
        write!(f, "{name:<34} {value:>12.2} {unit:<4} {ratio:>8.2} x {beside:<16} ")?;
        let verdict = if self.is_missed() { "missed" } else { "met" };
        match goal {
            None => write!(f, "no goal          -"),
            Some(Goal::Ratio(goal)) => write!(f, "goal <= {goal:.2} x   {verdict}"),
            Some(Goal::Aim(goal)) => write!(f, "aim  <= {goal:.2} x   {verdict}"),
            Some(Goal::Value(goal) | Goal::Count(goal)) => write!(f, "goal <= {goal:.2} {unit} {verdict}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Goal};

    fn figure(ratio: f64, goal: Option<Goal>) -> Figure {
        Figure { name: "codec.x".to_owned(), value: 20.0, unit: "ns", ratio, beside: "bincode 2.0.1", goal }
    }

    #[test]
    fn a_ratio_above_its_goal_is_missed() {
        let goal = Some(Goal::Ratio(1.0));
        assert!(!figure(0.5, goal).is_missed());
        assert!(figure(1.5, goal).is_failure());
        assert!(figure(f64::NAN, goal).is_failure());
        assert!(!figure(9.0, None).is_missed());
    }

    #[test]
    fn a_value_above_its_goal_is_missed_but_fails_no_run() {
        assert!(!figure(9.0, Some(Goal::Value(20.0))).is_missed());
        let missed = figure(0.5, Some(Goal::Value(19.0)));
        assert!(missed.is_missed() && !missed.is_failure());
        assert!(missed.to_string().ends_with("goal <= 19.00 ns missed"));
    }

    #[test]
    fn a_count_above_its_goal_fails_the_run() {
        assert!(figure(0.5, Some(Goal::Count(19.0))).is_failure());
        assert!(!figure(9.0, Some(Goal::Count(20.0))).is_missed());
    }

    #[test]
    fn an_aim_is_missed_as_a_ratio_is_but_fails_no_run() {
        assert!(!figure(0.5, Some(Goal::Aim(1.0))).is_missed());
        let missed = figure(1.5, Some(Goal::Aim(1.0)));
        assert!(missed.is_missed() && !missed.is_failure());
        assert!(missed.to_string().ends_with("aim  <= 1.00 x   missed"));
    }

    #[test]
    fn line_and_json_carry_name_value_unit_ratio_goal_and_verdict() {
        let met = figure(0.5, Some(Goal::Ratio(1.0)));
        let line = met.to_string();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            ["codec.x", "20.00", "ns", "0.50", "x", "bincode", "2.0.1", "goal", "<=", "1.00", "x", "met"]
        );
        assert!(figure(2.0, Some(Goal::Ratio(1.0))).to_string().ends_with("missed"));
        let json: serde_json::Value = serde_json::from_str(&met.to_json()).unwrap();
        assert_eq!(json["met"], true);
        assert_eq!(json["beside"], "bincode 2.0.1");
        assert_eq!(json["goal_of"], "ratio");
    }
}
