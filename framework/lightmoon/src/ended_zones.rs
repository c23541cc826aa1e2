//! What zones counted that have ended.
//!
//! *Responsible for*: keeping their counts by kind, so that sums over zones never fall. *Not responsible for*: zones that run, names
//! of metrics (`console`).
//!
//! The node's thread tells of each pair of reports that follow one another. What a zone counted between its last report and its
//! end, a quarter of a second at most, is lost.
//!
//! Invariants:
//! - I1: for each kind, what is kept here and what running zones say is never less than before.

use lightmoon_contract::{ActorId, Kind};
use lightmoon_zone::ZoneReport;
use std::collections::BTreeMap;

/// Sums by kind; as many as the game has kinds.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndedZones(BTreeMap<Kind, ZoneReport>);

impl EndedZones {
    /// Takes over what zones counted that are in the report `before`, but not in `now`, or began anew between them. Both are in
    /// the order of ids.
    pub(crate) fn pass(&mut self, before: &[(ActorId, ZoneReport)], now: &[(ActorId, ZoneReport)]) {
        let mut now = now.iter().peekable();
        for (zone, report) in before {
            while now.next_if(|(other, _)| other < zone).is_some() {}
            let same = now.next_if(|(other, _)| other == zone);
            if same.is_none_or(|(_, later)| began_anew(report, later)) {
                let sum = self.0.entry(zone.kind).or_default();
                sum.counters += report.counters;
                sum.times += report.times;
            }
        }
    }

    /// Of which kinds zones ended.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.0.keys().copied()
    }

    /// What they counted: a report of which all else is empty.
    pub(crate) fn of(&self, kind: Kind) -> Option<&ZoneReport> {
        self.0.get(&kind)
    }
}

/// Whether a later report is of another activation: counts of one only grow.
fn began_anew(before: &ZoneReport, now: &ZoneReport) -> bool {
    let (old, new) = (&before.counters, &now.counters);
    new.ticks < old.ticks
        || new.operations < old.operations
        || new.states < old.states
        || new.state_bytes < old.state_bytes
        || new.enters < old.enters
}
