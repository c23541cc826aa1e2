//! What an operator looks at, and what workers show of it.
//!
//! *Responsible for*: [`Wanted`], which says what somebody looks at right now, and [`Survey`], a worker's answer. *Not responsible
//! for*: who looks (`lightmoon`), what actors and zones show (`actor`, `zone`).
//!
//! Invariants:
//! - I1: without somebody who looks, workers do nothing for it.

use lightmoon_actor::{ActorList, Inspect, Inspected, Sought, Traced, Worker};
use lightmoon_contract::ActorId;
use lightmoon_zone::ZoneChart;

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Charts of all zones, each with at most so many places.
    pub charts: Option<usize>,
    /// A list of actors.
    pub actors: Option<Sought>,
    /// What this actor does.
    pub trace: Option<ActorId>,
    /// What this actor's state is.
    pub inspect: Option<Inspect>,
}

/// What a worker shows of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Survey {
    /// Of its zones, in their order.
    pub charts: Vec<(ActorId, ZoneChart)>,
    /// Of its actors.
    pub actors: Option<ActorList>,
    /// What the actor did last that is traced, if it is one of its own.
    pub traced: Vec<Traced>,
    /// The state of the actor that is inspected, if it has an activation here.
    pub inspected: Option<(ActorId, Inspected)>,
}

impl Survey {
    /// Looks at a worker between two turns; `None`: nobody looks.
    #[must_use]
    pub fn of(worker: &mut Worker, wanted: &Wanted) -> Option<Self> {
        worker.trace(wanted.trace);
        if *wanted == Wanted::default() {
            return None;
        }
        let charts = wanted.charts.map(|places_max| worker.charts(places_max)).unwrap_or_default();
        let charts = charts
            .into_iter()
            .filter_map(|(zone, chart)| chart.downcast::<ZoneChart>().ok().map(|chart| (zone, *chart)));
        Some(Self {
            charts: charts.collect(),
            actors: wanted.actors.map(|sought| worker.seek(sought)),
            traced: worker.traced(),
            inspected: wanted
                .inspect
                .and_then(|wanted| worker.inspect(wanted).map(|inspected| (wanted.actor, inspected))),
        })
    }
}
