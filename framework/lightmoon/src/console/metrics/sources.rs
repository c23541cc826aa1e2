//! Where numbers come from.
//!
//! *Responsible for*: one place for each report that threads leave on the board, kinds by name. *Not responsible for*: names of metrics.
//!
//! The names of the fields are what the reference page shows as a number's source.

use super::super::ConsoleCounts;
use crate::board::{Seen, Snapshot};
use lightmoon_actor::Counters as ActorCounters;
use lightmoon_contract::Kind;
use lightmoon_durable::Counters as KeeperCounters;
use lightmoon_net::Counters as NetCounters;
use lightmoon_node::report::{Counters as GatewayCounters, LaneReport, StoreReport};
use lightmoon_node::{NodeReport, WorkerReport};
use lightmoon_store_files::Report as FilesReport;
use lightmoon_wire::Counters as LinkCounters;
use lightmoon_zone::ZoneReport;
use std::collections::BTreeSet;

use super::metric::nameless;

/// All that a scrape reads.
#[derive(Debug)]
pub(super) struct Sources<'a> {
    /// The process and its console.
    pub(super) server: &'a Seen,
    /// The node's thread.
    pub(super) turns: &'a Snapshot,
    pub(super) node: &'a NodeReport,
    /// What sessions and their calls counted.
    pub(super) gateway: &'a GatewayCounters,
    /// What all workers counted together.
    pub(super) actors: &'a ActorCounters,
    pub(super) store: &'a StoreReport,
    /// What commits and letters counted.
    pub(super) keeper: &'a KeeperCounters,
    /// The store of files; nothing but zeros without one.
    pub(super) files: FilesReport,
    /// The protocol, over all links.
    pub(super) links: &'a LinkCounters,
    /// The endpoint below it.
    pub(super) net: &'a NetCounters,
    /// The console's pages and commands.
    pub(super) console: &'a ConsoleCounts,
}

impl<'a> Sources<'a> {
    pub(super) fn of(seen: &'a Seen) -> Self {
        let turns: &Snapshot = &seen.snapshot;
        let node = &turns.node;
        Self {
            server: seen,
            turns,
            node,
            gateway: &node.counters,
            actors: &node.worker,
            store: &node.store,
            keeper: &node.store.counters,
            files: turns.files.clone().unwrap_or_default(),
            links: &node.links,
            net: &seen.net,
            console: &seen.console,
        }
    }

    /// Each worker with its name.
    pub(super) fn workers(&self, mut each: impl FnMut(&str, &WorkerReport)) {
        (0_usize..).zip(&self.node.workers).for_each(|(number, worker)| each(&number.to_string(), worker));
    }

    /// Each lane with its name.
    pub(super) fn lanes(&self, mut each: impl FnMut(&str, &LaneReport)) {
        self.node.lanes.iter().for_each(|lane| each(&lane.lane.to_string(), lane));
    }

    /// Kinds of which zones run, or ran.
    pub(super) fn zone_kinds(&self) -> BTreeSet<Kind> {
        let running = self.node.zones.iter().map(|(zone, _)| zone.kind);
        running.chain(self.turns.ended_zones.kinds()).collect()
    }

    /// The zones of a kind: those that run, and all that ended as one that has nothing but counts.
    pub(super) fn zones_of(&self, kind: Kind) -> impl Iterator<Item = &ZoneReport> {
        let running = self.node.zones.iter().filter(move |(zone, _)| zone.kind == kind);
        running.map(|(_, report)| report).chain(self.turns.ended_zones.of(kind))
    }

    /// How many zones of a kind run.
    pub(super) fn running(&self, kind: Kind) -> usize {
        self.node.zones.iter().filter(|(zone, _)| zone.kind == kind).count()
    }

    /// Kinds of actors.
    pub(super) fn kinds(&self) -> BTreeSet<Kind> {
        self.node.workers.iter().flat_map(|worker| &worker.kinds).map(|report| report.kind).collect()
    }

    /// What a kind is called.
    pub(super) fn name_of(&self, kind: Kind) -> String {
        let mut reports = self.node.workers.iter().flat_map(|worker| &worker.kinds);
        let known = reports.find(|report| report.kind == kind);
        known.map_or_else(|| nameless(kind), |report| report.name.to_owned())
    }
}
