//! Metrics as Prometheus reads them.
//!
//! *Responsible for*: the names of all metrics, in tables by area, and their text. *Not responsible for*: counting.
//!
//! A scrape reads the last reports that threads left on the [`Board`]; nothing is counted here, and no thread waits for it. Why so:
//! `docs/adr/0009-metrics-from-reports.md`. `docs/book/src/metrics.md` is made from the tables.
//!
//! Invariants:
//! - I1: a name is in one of [`AREAS`] or is not exported; counters end in `_total`, units are base units and in the name.
//! - I2: labels are bounded: kinds, workers, lanes, phases, reasons; none names a player, a session or an actor's key.
//! - I3: counters never fall while the process lives, also when a zone ends.

mod exposition;
mod link;
mod metric;
mod operator;
mod request;
mod server;
mod session;
mod sources;
mod store;
mod worker;
mod zone;

use crate::board::Board;
use metric::Metric;
use sources::Sources;

/// Every metric of a server, by area. Documentation, dashboards and alert rules are checked against it.
const AREAS: &[&[Metric]] = &[
    server::TABLE,
    worker::TABLE,
    zone::TABLE,
    session::TABLE,
    request::TABLE,
    link::TABLE,
    store::TABLE,
    operator::TABLE,
];

/// All metrics as text, format 0.0.4.
pub(crate) fn text(board: &Board) -> String {
    let seen = board.seen();
    let sources = Sources::of(&seen);
    let mut text = String::new();
    AREAS.iter().copied().flatten().for_each(|metric| metric.write(&sources, &mut text));
    text
}

#[cfg(test)]
mod tests;
