//! What is really there: the replicated entities of each zone, quantised, tick by tick; and what a client holds of it.
//!
//! *Responsible for*: keeping the last ticks of each zone and telling when an entity was removed.
//! *Not responsible for*: judging clients by it ([`crate::checker`]).
//!
//! Invariants:
//! - I1: ticks of a zone are noted in rising order; a restart of a zone begins its history anew.
//! - I2: at most [`TICKS_KEPT`] ticks and [`REMOVALS_KEPT`] removals are kept for each zone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use lightmoon_contract::{ActorId, Mono, NetId, SessionId, Tick};

use crate::limits::{REMOVALS_KEPT, TICKS_KEPT};

/// The replicated components of one entity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EntityState {
    /// Quantised fields of each state component, by its number.
    pub state: BTreeMap<u16, Vec<u32>>,
    /// Encoded value of each sticky component, by its number.
    pub sticky: BTreeMap<u16, Vec<u8>>,
}

/// One zone at one tick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneTruth {
    /// All its replicated entities.
    pub entities: BTreeMap<NetId, Rc<EntityState>>,
    /// What each subscribed session may see.
    pub visible: BTreeMap<SessionId, BTreeSet<NetId>>,
}

/// One entity as a client holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldEntity {
    /// The tick that its state is of.
    pub tick: Tick,
    /// Its components.
    pub state: EntityState,
}

/// What one client holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldView {
    /// Its session.
    pub session: SessionId,
    /// The zone it is attached to.
    pub zone: ActorId,
    /// Which attachment this is.
    pub generation: u32,
    /// Newest tick of the zone that it heard of.
    pub tick: Tick,
    /// All entities it holds.
    pub entities: BTreeMap<NetId, HeldEntity>,
}

/// The last ticks of every zone.
#[derive(Debug, Default)]
pub struct History {
    zones: BTreeMap<ActorId, ZoneHistory>,
}

#[derive(Debug, Default)]
struct ZoneHistory {
    ticks: VecDeque<(Tick, Mono, ZoneTruth)>,
    removed: BTreeMap<NetId, Mono>,
    removals: VecDeque<NetId>,
}

impl History {
    /// Notes a zone's entities after a tick. A tick not newer than the last one means that the zone was restarted.
    pub fn note(&mut self, now: Mono, zone: ActorId, tick: Tick, mut truth: ZoneTruth) {
        let history = self.zones.entry(zone).or_default();
        if history.ticks.back().is_some_and(|(last, ..)| *last >= tick) {
            history.ticks.clear();
        }
        if let Some((_, _, last)) = history.ticks.back() {
            for (net, before) in &last.entities {
                match truth.entities.get_mut(net) {
                    // Most entities rest; sharing their state keeps two hundred ticks small.
                    Some(state) if state == before => *state = Rc::clone(before),
                    Some(_) => {}
                    None => {
                        history.removed.insert(*net, now);
                        history.removals.push_back(*net);
                    }
                }
            }
        }
        history.ticks.push_back((tick, now, truth));
        if history.ticks.len() > TICKS_KEPT {
            history.ticks.pop_front();
        }
        while history.removals.len() > REMOVALS_KEPT {
            let oldest = history.removals.pop_front();
            oldest.map(|net| history.removed.remove(&net));
        }
    }

    /// The newest tick of a zone, when it was noted, and what was there.
    #[must_use]
    pub fn newest(&self, zone: ActorId) -> Option<(Tick, Mono, &ZoneTruth)> {
        self.zones.get(&zone)?.ticks.back().map(|(tick, at, truth)| (*tick, *at, truth))
    }

    /// A zone at a tick; `None` if it never was, or is older than what is kept.
    #[must_use]
    pub fn at(&self, zone: ActorId, tick: Tick) -> Option<&ZoneTruth> {
        let ticks = &self.zones.get(&zone)?.ticks;
        let index = ticks.binary_search_by_key(&tick, |(tick, ..)| *tick).ok()?;
        ticks.get(index).map(|(_, _, truth)| truth)
    }

    /// The oldest tick of a zone that is kept.
    #[must_use]
    pub fn oldest(&self, zone: ActorId) -> Option<Tick> {
        self.zones.get(&zone)?.ticks.front().map(|(tick, ..)| *tick)
    }

    /// The kept ticks of a zone, newest first, noted at `since` or later, and the one before them.
    pub fn back_to(&self, zone: ActorId, since: Mono) -> impl Iterator<Item = &ZoneTruth> {
        let ticks = self.zones.get(&zone).map(|history| &history.ticks);
        let mut over = false;
        ticks.into_iter().flatten().rev().map_while(move |(_, at, truth)| {
            let was_over = std::mem::replace(&mut over, *at < since);
            (!was_over).then_some(truth)
        })
    }

    /// When an entity was removed from a zone; `None` if it is there, never was, or that was long ago.
    #[must_use]
    pub fn removed_at(&self, zone: ActorId, net: NetId) -> Option<Mono> {
        self.zones.get(&zone)?.removed.get(&net).copied()
    }

    /// All zones with their newest truth, in order of their ids.
    pub fn zones(&self) -> impl Iterator<Item = (ActorId, &ZoneTruth)> {
        self.zones.iter().filter_map(|(zone, history)| history.ticks.back().map(|(_, _, truth)| (*zone, truth)))
    }
}
