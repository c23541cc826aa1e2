//! The areas that are measured.
//!
//! *Responsible for*: the table. *Not responsible for*: printing; each area has a file of its own.

mod actor;
mod codec;
mod lanes;
mod mail;
mod replication;
mod snapshot;
mod store;

use crate::figure::Figure;
use crate::measure::Effort;

/// Figures that belong together.
#[derive(Debug)]
pub(crate) struct Area {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it measures.
    pub(crate) docs: &'static str,
    /// Measures it.
    pub(crate) run: fn(Effort) -> Vec<Figure>,
}

/// All areas.
pub(crate) const AREAS: &[Area] = &[
    Area {
        name: "codec",
        docs: "encode and decode once, beside bincode 2.0.1 (same format) and beside copying the bytes",
        run: codec::run,
    },
    Area {
        name: "store",
        docs: "commits and reads of the embedded store, beside fjall alone and beside pwrite + fdatasync; the pause of a \
               zone for the copy of its world, beside copying the same bytes",
        run: |effort| [store::run(effort), snapshot::run(effort)].into_iter().flatten().collect(),
    },
    Area {
        name: "mail",
        docs: "messages that take effect exactly once, through a node on the embedded store, beside a sync request",
        run: mail::run,
    },
    Area {
        name: "replication",
        docs: "whom clients see and what each is told at a tick, beside a plain grid, packing without memory, copying, and a raw \
               bevy_ecs schedule",
        run: replication::run,
    },
    Area {
        name: "actor",
        docs: "tells, requests and bytes of actors on one thread and tells and requests between two, beside tokio tasks, actix 0.13.5, ractor 0.16.5 and \
               kameo 0.22.2, and beside a call through a queue",
        run: actor::run,
    },
    Area {
        name: "lanes",
        docs: "an urgent message beside bulk, and messages of a lane beside raw quinn, over loopback",
        run: lanes::run,
    },
];
