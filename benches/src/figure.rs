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
    /// The greatest ratio that is good enough; `None` where we only look.
    pub(crate) goal: Option<f64>,
}

impl Figure {
    /// Whether it has a goal and does not reach it.
    pub(crate) fn is_missed(&self) -> bool {
        // A ratio that is no number is missed too.
        self.goal.is_some_and(|goal| !self.ratio.le(&goal))
    }

    /// The figure as a JSON object on one line.
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!({
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "ratio": self.ratio,
            "beside": self.beside,
            "goal": self.goal,
            "met": self.goal.map(|_| !self.is_missed()),
        })
        .to_string()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, unit, ratio, beside, goal } = self;
        write!(f, "{name:<34} {value:>12.2} {unit:<4} {ratio:>8.2} x {beside:<16} ")?;
        match goal {
            None => write!(f, "no goal       -"),
            Some(goal) => {
                write!(f, "goal <= {goal:<5.2} {}", if self.is_missed() { "missed" } else { "met" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Figure;

    fn figure(ratio: f64, goal: Option<f64>) -> Figure {
        Figure { name: "codec.x".to_owned(), value: 20.0, unit: "ns", ratio, beside: "bincode 2.0.1", goal }
    }

    #[test]
    fn a_ratio_above_its_goal_is_missed() {
        assert!(!figure(0.5, Some(1.0)).is_missed());
        assert!(figure(1.5, Some(1.0)).is_missed());
        assert!(figure(f64::NAN, Some(1.0)).is_missed());
        assert!(!figure(9.0, None).is_missed());
    }

    #[test]
    fn line_and_json_carry_name_value_unit_ratio_goal_and_verdict() {
        let met = figure(0.5, Some(1.0));
        let line = met.to_string();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            ["codec.x", "20.00", "ns", "0.50", "x", "bincode", "2.0.1", "goal", "<=", "1.00", "met"]
        );
        assert!(figure(2.0, Some(1.0)).to_string().ends_with("missed"));
        let json: serde_json::Value = serde_json::from_str(&met.to_json()).unwrap();
        assert_eq!(json["met"], true);
        assert_eq!(json["beside"], "bincode 2.0.1");
    }
}
