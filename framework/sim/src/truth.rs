//! What is really there, tick by tick, and what a client holds of it.
//!
//! *Responsible for*: keeping the last ticks of each zone, telling when an entity was removed, reading a client's view.
//! *Not responsible for*: judging clients by it ([`crate::checker`]).
//!
//! Invariants:
//! - I1: ticks of a zone are noted in rising order; a tick not above the last one begins its history anew.
//! - I2: at most [`TICKS_KEPT`] ticks and [`REMOVALS_KEPT`] removals are kept for each zone.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use lightmoon_client::Client;
use lightmoon_contract::replicate::{ComponentSpec, Travel};
use lightmoon_contract::{ActorId, Mono, NetId, SessionId, Tick};
use lightmoon_zone::{EntityLook, ZoneLook};

use crate::limits::{REMOVALS_KEPT, TICKS_KEPT};

/// All replicated entities of one zone after a tick.
pub type Entities = BTreeMap<NetId, Rc<EntityLook>>;

/// One entity as a client holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldEntity {
    /// Quantised fields of each state component with the tick they are of, by its number.
    pub state: BTreeMap<u16, (Tick, Vec<u32>)>,
    /// Encoded value of each sticky component, by its number.
    pub sticky: BTreeMap<u16, Vec<u8>>,
}

/// What one client holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldView {
    /// Its session.
    pub session: SessionId,
    /// The zone it is attached to.
    pub zone: ActorId,
    /// Its entity there.
    pub avatar: NetId,
    /// Which attachment this is.
    pub generation: u32,
    /// Newest tick of the zone that it heard of.
    pub tick: Tick,
    /// Tick of the newest state packet that it took; as `tick` if it takes no deltas.
    pub heard: Tick,
    /// All entities it holds.
    pub entities: BTreeMap<NetId, HeldEntity>,
}

impl HeldView {
    /// What `client` holds of `components`; `None` while it is attached to nothing.
    #[must_use]
    pub fn of(client: &Client, components: &[ComponentSpec]) -> Option<Self> {
        let attached = client.attached()?;
        let view = client.view();
        let entities = view.entities().map(|entity| {
            let mut held = HeldEntity::default();
            for spec in components {
                match spec.travel {
                    Travel::State => {
                        let value = entity.tick_of(spec.number).zip(entity.fields(spec.number));
                        held.state.extend(value.map(|(tick, fields)| (spec.number, (tick, fields.to_vec()))));
                    }
                    Travel::Sticky => {
                        held.sticky
                            .extend(entity.sticky(spec.number).map(|bytes| (spec.number, bytes.to_vec())));
                    }
                }
            }
            (entity.id(), held)
        });
        Some(Self {
            session: client.session()?.session,
            zone: attached.zone,
            avatar: attached.avatar,
            generation: attached.generation,
            tick: view.newest_tick(),
            heard: view.receipt().map_or_else(|| view.newest_tick(), |receipt| receipt.tick),
            entities: entities.collect(),
        })
    }
}

/// The last ticks of every zone.
#[derive(Debug, Default)]
pub struct History {
    zones: BTreeMap<ActorId, ZoneHistory>,
}

#[derive(Debug, Default)]
struct ZoneHistory {
    ticks: VecDeque<(Tick, Mono, Entities)>,
    /// When anything was other than a tick before.
    changed: Mono,
    removed: BTreeMap<NetId, Mono>,
    removals: VecDeque<NetId>,
}

impl History {
    /// Notes a zone after a tick.
    pub fn note(&mut self, now: Mono, zone: ActorId, look: ZoneLook) {
        let history = self.zones.entry(zone).or_default();
        if history.ticks.back().is_some_and(|(last, ..)| *last >= look.tick) {
            *history = ZoneHistory::default();
        }
        let last = history.ticks.back().map(|(_, _, entities)| entities);
        let entities: Entities =
            look.entities.into_iter().map(|(net, look)| (net, shared(last, net, look))).collect();
        let is_same = last.is_some_and(|last| is_same(last, &entities));
        for net in last.into_iter().flat_map(Entities::keys).filter(|net| !entities.contains_key(net)) {
            history.removed.insert(*net, now);
            history.removals.push_back(*net);
        }
        if !is_same {
            history.changed = now;
        }
        history.ticks.push_back((look.tick, now, entities));
        if history.ticks.len() > TICKS_KEPT {
            history.ticks.pop_front();
        }
        while history.removals.len() > REMOVALS_KEPT {
            if let Some(net) = history.removals.pop_front() {
                history.removed.remove(&net);
            }
        }
    }

    /// Forgets everything: another node begins, and its zones count anew.
    pub fn clear(&mut self) {
        self.zones.clear();
    }

    /// The newest tick of a zone and what was there.
    #[must_use]
    pub fn newest(&self, zone: ActorId) -> Option<(Tick, &Entities)> {
        self.zones.get(&zone)?.ticks.back().map(|(tick, _, entities)| (*tick, entities))
    }

    /// A zone at a tick; `None` if that was not noted, or is older than what is kept.
    #[must_use]
    pub fn at(&self, zone: ActorId, tick: Tick) -> Option<&Entities> {
        let ticks = &self.zones.get(&zone)?.ticks;
        let index = ticks.binary_search_by_key(&tick, |(tick, ..)| *tick).ok()?;
        ticks.get(index).map(|(_, _, entities)| entities)
    }

    /// When a zone was noted at a tick, or at the first kept one after it; `None` if there is none.
    #[must_use]
    pub fn noted_at(&self, zone: ActorId, tick: Tick) -> Option<Mono> {
        let ticks = &self.zones.get(&zone)?.ticks;
        let index = ticks.partition_point(|(noted, ..)| *noted < tick);
        ticks.get(index).map(|(_, at, _)| *at)
    }

    /// When anything in a zone was last other than a tick before; `None` if it was never noted.
    #[must_use]
    pub fn changed_at(&self, zone: ActorId) -> Option<Mono> {
        self.zones.get(&zone).map(|history| history.changed)
    }

    /// The kept ticks of a zone, newest first, noted at `since` or later, and the one before them.
    pub fn back_to(&self, zone: ActorId, since: Mono) -> impl Iterator<Item = &Entities> {
        let ticks = self.zones.get(&zone).map(|history| &history.ticks);
        let mut over = false;
        ticks.into_iter().flatten().rev().map_while(move |(_, at, entities)| {
            let was_over = std::mem::replace(&mut over, *at < since);
            (!was_over).then_some(entities)
        })
    }

    /// When an entity was removed from a zone; `None` if it is there, never was, or that was long ago.
    #[must_use]
    pub fn removed_at(&self, zone: ActorId, net: NetId) -> Option<Mono> {
        self.zones.get(&zone)?.removed.get(&net).copied()
    }

    /// All zones with what was there at their newest tick, in order of their ids.
    pub fn zones(&self) -> impl Iterator<Item = (ActorId, Tick, &Entities)> {
        self.zones.iter().filter_map(|(zone, history)| {
            history.ticks.back().map(|(tick, _, entities)| (*zone, *tick, entities))
        })
    }
}

/// The look, or the one of the last tick if it is equal: most entities rest, and six hundred ticks are kept.
fn shared(last: Option<&Entities>, net: NetId, look: EntityLook) -> Rc<EntityLook> {
    let before = last.and_then(|entities| entities.get(&net));
    before.filter(|before| ***before == look).map_or_else(|| Rc::new(look), Rc::clone)
}

/// Whether two ticks show the same. Looks that are alike are shared.
fn is_same(last: &Entities, entities: &Entities) -> bool {
    last.len() == entities.len()
        && last
            .iter()
            .zip(entities)
            .all(|((net, before), (other, look))| net == other && Rc::ptr_eq(before, look))
}
