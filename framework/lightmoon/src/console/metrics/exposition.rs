//! The text that Prometheus reads, format 0.0.4.
//!
//! *Responsible for*: headers, labels with what has to be escaped, histograms as cumulative buckets. *Not responsible for*: which
//! metrics there are.
//!
//! Invariants:
//! - I1: all series of a metric stand together, below its one header.
//! - I2: each series has as many label values as its metric has labels.

use lightmoon_contract::Times;
use std::fmt::Write as _;

use super::metric::{Metric, Type, of};

/// The series of one metric while they are written.
#[derive(Debug)]
pub(super) struct Series<'a> {
    text: &'a mut String,
    metric: &'a Metric,
}

impl<'a> Series<'a> {
    /// Writes the header.
    pub(super) fn begin(text: &'a mut String, metric: &'a Metric) -> Self {
        let kind = match metric.kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram => "histogram",
        };
        let (name, help) = (metric.name, metric.help.replace('\\', "\\\\").replace('\n', "\\n"));
        line(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
        Self { text, metric }
    }

    /// One number, with the values of the metric's labels in their order.
    pub(super) fn number(&mut self, labels: &[&str], value: f64) {
        self.sample("", labels, None, value);
    }

    /// One histogram.
    pub(super) fn times(&mut self, labels: &[&str], times: &Times) {
        for (bound, below) in times.buckets() {
            self.sample("_bucket", labels, Some(&of(bound).to_string()), of(below));
        }
        let count = of(times.count());
        self.sample("_bucket", labels, Some("+Inf"), count);
        self.sample("_sum", labels, None, of(times.total()));
        self.sample("_count", labels, None, count);
    }

    fn sample(&mut self, suffix: &str, values: &[&str], bound: Option<&str>, number: f64) {
        let names = self.metric.labels;
        debug_assert_eq!(values.len(), names.len(), "labels of {}", self.metric.name);
        let labels =
            names.iter().copied().zip(values.iter().copied()).chain(bound.map(|bound| ("le", bound)));
        let labels: Vec<String> =
            labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let name = self.metric.name;
        if labels.is_empty() {
            line(self.text, format_args!("{name}{suffix} {number}"));
        } else {
            line(self.text, format_args!("{name}{suffix}{{{}}} {number}", labels.join(",")));
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to a string cannot fail");
}
