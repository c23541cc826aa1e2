//! What a metric is, and the words that the tables are written in.
//!
//! *Responsible for*: name, type, labels, help and how values are read. *Not responsible for*: the text's format (`exposition`).
//!
//! `cargo xtask tidy` reads the tables as text (`tools/xtask/src/check/metric_rows.rs`): each row begins with one of the words below.

use lightmoon_contract::{Kind, Times};
use lightmoon_node::WorkerReport;
use lightmoon_zone::ZoneReport;
use std::time::Duration;

use super::exposition::Series;
use super::sources::Sources;

/// How a metric behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Counter,
    Gauge,
    Histogram,
}

/// One metric, with one series or several.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    pub(super) help: &'static str,
    pub(super) labels: &'static [&'static str],
    values: Values,
}

/// A label's value, and where that series' number comes from.
type Labelled = (&'static str, fn(&Sources<'_>) -> f64);

/// Where its numbers come from.
#[derive(Debug)]
enum Values {
    One(fn(&Sources<'_>) -> f64),
    By(&'static [Labelled]),
    Each(fn(&Sources<'_>, &mut Series<'_>)),
    Workers(fn(&WorkerReport) -> f64),
    /// By kind: how two of a kind are put together, and what is read of each.
    Zones(fn(f64, f64) -> f64, fn(&ZoneReport) -> f64),
    ZoneTimes(fn(&ZoneReport) -> Times),
}

/// One number that only grows.
pub(super) const fn counter(
    name: &'static str,
    help: &'static str,
    value: fn(&Sources<'_>) -> f64,
) -> Metric {
    Metric { name, kind: Type::Counter, help, labels: &[], values: Values::One(value) }
}

/// One number that comes and goes.
pub(super) const fn gauge(name: &'static str, help: &'static str, value: fn(&Sources<'_>) -> f64) -> Metric {
    Metric { name, kind: Type::Gauge, help, labels: &[], values: Values::One(value) }
}

/// A number that only grows for each value of a label.
pub(super) const fn counter_by(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    values: &'static [Labelled],
) -> Metric {
    Metric { name, kind: Type::Counter, help, labels, values: Values::By(values) }
}

/// Numbers that only grow, for labels whose values are known when they are read.
pub(super) const fn counter_each(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    values: fn(&Sources<'_>, &mut Series<'_>),
) -> Metric {
    Metric { name, kind: Type::Counter, help, labels, values: Values::Each(values) }
}

/// As [`counter_each`], of numbers that come and go.
pub(super) const fn gauge_each(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    values: fn(&Sources<'_>, &mut Series<'_>),
) -> Metric {
    Metric { name, kind: Type::Gauge, help, labels, values: Values::Each(values) }
}

/// How long something took, by labels.
pub(super) const fn histogram_each(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
    values: fn(&Sources<'_>, &mut Series<'_>),
) -> Metric {
    Metric { name, kind: Type::Histogram, help, labels, values: Values::Each(values) }
}

const WORKER: &[&str] = &["worker"];

/// A number of each worker that only grows.
pub(super) const fn worker_counter(
    name: &'static str,
    help: &'static str,
    value: fn(&WorkerReport) -> f64,
) -> Metric {
    Metric { name, kind: Type::Counter, help, labels: WORKER, values: Values::Workers(value) }
}

/// A number of each worker that comes and goes.
pub(super) const fn worker_gauge(
    name: &'static str,
    help: &'static str,
    value: fn(&WorkerReport) -> f64,
) -> Metric {
    Metric { name, kind: Type::Gauge, help, labels: WORKER, values: Values::Workers(value) }
}

const ZONE: &[&str] = &["kind"];

/// A number that only grows, of all zones of each kind together.
pub(super) const fn zone_counter(
    name: &'static str,
    help: &'static str,
    value: fn(&ZoneReport) -> f64,
) -> Metric {
    Metric { name, kind: Type::Counter, help, labels: ZONE, values: Values::Zones(plus, value) }
}

/// A number that comes and goes, of all zones of each kind together.
pub(super) const fn zone_gauge(
    name: &'static str,
    help: &'static str,
    value: fn(&ZoneReport) -> f64,
) -> Metric {
    Metric { name, kind: Type::Gauge, help, labels: ZONE, values: Values::Zones(plus, value) }
}

/// The largest number of any zone of each kind.
pub(super) const fn zone_largest(
    name: &'static str,
    help: &'static str,
    value: fn(&ZoneReport) -> f64,
) -> Metric {
    Metric { name, kind: Type::Gauge, help, labels: ZONE, values: Values::Zones(f64::max, value) }
}

/// How long something took in all zones of each kind.
pub(super) const fn zone_histogram(
    name: &'static str,
    help: &'static str,
    times: fn(&ZoneReport) -> Times,
) -> Metric {
    Metric { name, kind: Type::Histogram, help, labels: ZONE, values: Values::ZoneTimes(times) }
}

fn plus(one: f64, other: f64) -> f64 {
    one + other
}

impl Metric {
    /// Appends its lines.
    pub(super) fn write(&self, sources: &Sources<'_>, text: &mut String) {
        let mut series = Series::begin(text, self);
        match self.values {
            Values::One(value) => series.number(&[], value(sources)),
            Values::By(values) => {
                values.iter().for_each(|(label, value)| series.number(&[label], value(sources)));
            }
            Values::Each(values) => values(sources, &mut series),
            Values::Workers(value) => {
                sources.workers(|name, worker| series.number(&[name], value(worker)));
            }
            Values::Zones(join, value) => {
                for kind in sources.zone_kinds() {
                    let number = sources.zones_of(kind).map(value).fold(0.0, join);
                    series.number(&[&sources.name_of(kind)], number);
                }
            }
            Values::ZoneTimes(times) => {
                for kind in sources.zone_kinds() {
                    series.times(&[&sources.name_of(kind)], &sum(sources.zones_of(kind).map(times)));
                }
            }
        }
    }
}

/// All of them together.
pub(super) fn sum(times: impl Iterator<Item = Times>) -> Times {
    times.fold(Times::default(), |mut sum, times| {
        sum += times;
        sum
    })
}

/// Writes a histogram for each kind of actor that runs, over all workers.
pub(super) fn each_kind(
    sources: &Sources<'_>,
    mut write: impl FnMut(&str, &mut dyn Iterator<Item = &lightmoon_actor::KindReport>),
) {
    for kind in sources.kinds() {
        let reports = sources.node.workers.iter().flat_map(|worker| &worker.kinds);
        write(&sources.name_of(kind), &mut reports.filter(|report| report.kind == kind));
    }
}

/// What can be a metric's number.
pub(super) trait Number {
    fn number(self) -> f64;
}

/// A number as the text has it; durations in seconds.
pub(super) fn of(value: impl Number) -> f64 {
    value.number()
}

impl Number for u64 {
    /// Exact up to 2^53, which no counter here reaches in a process's life.
    fn number(self) -> f64 {
        let (high, low) =
            (u32::try_from(self >> 32).unwrap_or(u32::MAX), u32::try_from(self & 0xFFFF_FFFF).unwrap_or(0));
        f64::from(high) * 4_294_967_296.0 + f64::from(low)
    }
}

impl Number for usize {
    fn number(self) -> f64 {
        of(u64::try_from(self).unwrap_or(u64::MAX))
    }
}

impl Number for u8 {
    fn number(self) -> f64 {
        f64::from(self)
    }
}

impl Number for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

impl Number for Duration {
    fn number(self) -> f64 {
        self.as_secs_f64()
    }
}

/// A kind that no worker knows, by its number.
pub(super) fn nameless(kind: Kind) -> String {
    kind.0.to_string()
}
