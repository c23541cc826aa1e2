//! What a view keeps of the entities in it.
//!
//! *Responsible for*: slots, who has which, their components' values. *Not responsible for*: the history of one component
//! ([`Column`]), payloads, events.
//!
//! A slot is an entity's place in every list: its index, as far as indexes are low, so that a packet, whose records ascend by
//! index, goes over memory in order. What each record needs is in short lists of its own ([`Head`]).
//!
//! Invariants:
//! - I1: a slot that is taken is found by its entity's id and by its index; one that is free, by neither.
//! - I2: a state component is replaced only by a value of a later tick.

use std::collections::BTreeMap;

use lightmoon_contract::{NetId, Tick};

use super::column::{Column, Life, Track};
use super::indexes::Indexes;
use crate::view_writer::positions;
use crate::{BitReader, ReplicaError, Schema};

/// Slots beyond twice the entities in view that indexes may name: servers give the lowest index that is free, and what is on its
/// way out keeps some.
const SPARE_SLOTS: usize = 64;

/// Sticky values by the client's own positions, ascending.
type Sticky = Box<[(u8, Box<[u8]>)]>;

/// What each record needs.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    /// The server's mask.
    mask: u64,
    life: Life,
}

/// What is rarely needed.
#[derive(Clone, Debug, Default)]
struct Body {
    id: NetId,
    /// The state components that the client knows, by its own positions.
    state: u64,
    sticky: Sticky,
}

/// The entities of a view.
#[derive(Debug)]
pub(super) struct Entities {
    schema: Schema,
    indexes: Indexes,
    heads: Vec<Head>,
    bodies: Vec<Body>,
    /// By the client's own positions; those of sticky components stay empty.
    columns: Vec<Column>,
    /// Bit `i`: slot `i` has an owner.
    taken: Vec<u64>,
    by_id: BTreeMap<NetId, u16>,
}

impl Entities {
    pub(super) fn new(schema: Schema) -> Self {
        let columns = schema.components().iter().map(|component| Column::new(component.spec.fields.len()));
        Self {
            columns: columns.collect(),
            schema,
            indexes: Indexes::default(),
            heads: Vec::new(),
            bodies: Vec::new(),
            taken: Vec::new(),
            by_id: BTreeMap::new(),
        }
    }

    pub(super) const fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Slots in order of their entities' ids.
    pub(super) fn slots(&self) -> impl Iterator<Item = u16> {
        self.by_id.values().copied()
    }

    #[inline]
    pub(super) fn slot_of_index(&self, index: u16) -> Option<u16> {
        self.indexes.get(index)
    }

    pub(super) fn slot_of(&self, id: NetId) -> Option<u16> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn id(&self, slot: u16) -> NetId {
        self.bodies[usize::from(slot)].id
    }

    /// The server's mask.
    #[inline]
    pub(super) fn mask(&self, slot: u16) -> u64 {
        self.heads[usize::from(slot)].mask
    }

    /// Whether it has a component, by the client's own position.
    pub(super) fn has(&self, slot: u16, own: u8) -> bool {
        let body = &self.bodies[usize::from(slot)];
        (body.state >> own) & 1 == 1 || self.sticky(slot, own).is_some()
    }

    /// Puts an entity in that has no values yet; its index and id are free. Gives its slot. Masks are as for [`Self::remask`].
    pub(super) fn insert(&mut self, index: u16, id: NetId, tick: Tick, mask: u64, state: u64) -> u16 {
        let slot = self.take_slot(index);
        let head = &mut self.heads[usize::from(slot)];
        let is_soiled = head.life.newest >= tick;
        *head = Head { mask, life: Life { born: tick, newest: Tick(tick.0.saturating_sub(1)) } };
        for own in positions(state) {
            let column = &mut self.columns[usize::from(own)];
            column.reserve(self.heads.len());
            if is_soiled {
                column.clear(slot.into());
            }
        }
        self.bodies[usize::from(slot)] = Body { id, state, sticky: Sticky::default() };
        self.indexes.set(index, slot);
        self.by_id.insert(id, slot);
        slot
    }

    /// Gives the slot of the index itself, or the lowest that is free.
    fn take_slot(&mut self, index: u16) -> u16 {
        let words = self.taken.iter().position(|word| *word != u64::MAX);
        let lowest =
            words.map_or(self.taken.len() * 64, |at| at * 64 + self.taken[at].trailing_ones() as usize);
        let own = usize::from(index);
        let is_free = self.taken.get(own / 64).is_none_or(|word| (word >> (own % 64)) & 1 == 0);
        let slot = if is_free && own < 2 * self.len() + SPARE_SLOTS { own } else { lowest };
        if slot >= self.heads.len() {
            self.heads.resize(slot + 1, Head::default());
            self.bodies.resize(slot + 1, Body::default());
            self.taken.resize(slot / 64 + 1, 0);
        }
        self.taken[slot / 64] |= 1 << (slot % 64);
        u16::try_from(slot).expect("slots are at most about twice the 4,096 entities of a view")
    }

    /// Takes an entity out. Gives its id; `None`: no entity has this index.
    pub(super) fn remove(&mut self, index: u16) -> Option<NetId> {
        let slot = self.indexes.get(index)?;
        self.indexes.unset(index);
        let Body { id, .. } = std::mem::take(&mut self.bodies[usize::from(slot)]);
        self.by_id.remove(&id);
        self.taken[usize::from(slot / 64)] &= !(1 << (slot % 64));
        Some(id)
    }

    /// Takes all out, and gives their ids in order.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = NetId> + use<> {
        let ids = std::mem::take(&mut self.by_id).into_keys();
        *self = Self::new(std::mem::take(&mut self.schema));
        ids
    }

    /// Gives an entity another mask, of the server's positions. `state`: the state components in it, by the client's own.
    pub(super) fn remask(&mut self, slot: u16, mask: u64, state: u64) {
        let body = &mut self.bodies[usize::from(slot)];
        let added = state & !body.state;
        (self.heads[usize::from(slot)].mask, body.state) = (mask, state);
        for own in positions(added) {
            let column = &mut self.columns[usize::from(own)];
            column.reserve(self.heads.len());
            // The entity may have had the component before.
            column.clear(slot.into());
        }
    }

    /// The values of a state component; `None`: it has no such component.
    pub(super) fn track(&self, slot: u16, own: u8) -> Option<Track<'_>> {
        let has = (self.bodies[usize::from(slot)].state >> own) & 1 == 1;
        has.then(|| self.columns[usize::from(own)].track(slot.into(), self.heads[usize::from(slot)].life))?
    }

    /// Room for the fields of a component's value of `tick`; `None`: it has a newer one. It has the component.
    #[inline]
    fn newer(&mut self, slot: u16, own: u8, tick: Tick) -> Option<&mut [u32]> {
        let column = &mut self.columns[usize::from(own)];
        let life = &mut self.heads[usize::from(slot)].life;
        if tick <= life.newest {
            // Some component has a value as new as this. If it is another one, this value is still news.
            let track = column.track(slot.into(), *life)?;
            let newest = if tick == life.newest { track.exactly(tick.0) } else { track.newest() };
            if tick < life.born || newest.is_some_and(|(newest, _)| newest >= tick.0) {
                return None;
            }
        }
        life.newest = life.newest.max(tick);
        Some(column.push(slot.into(), life.born, tick))
    }

    /// Reads the client's fields of a state component that the entity has, if `tick` is newer than what is there; passes over
    /// them if not.
    pub(super) fn take_state(
        &mut self,
        slot: u16,
        own: u8,
        tick: Tick,
        bits: &mut BitReader<'_>,
    ) -> Result<bool, ReplicaError> {
        let component = self.schema.components()[usize::from(own)];
        let Some(fields) = self.newer(slot, own, tick) else {
            bits.skip(component.width_bits)?;
            return Ok(false);
        };
        for (field, out) in component.spec.fields.iter().zip(fields) {
            *out = bits.take(u32::from(field.bits))?;
        }
        Ok(true)
    }

    /// The values of a state component that a record names, the newest that are not newer than the ticks; `None`: it is
    /// not there. The second and third are the first if no tick is given for them. The entity has the component.
    #[inline]
    pub(super) fn rows_at(
        &self,
        slot: u16,
        own: u8,
        base: u64,
        older: Option<u64>,
        oldest: Option<u64>,
    ) -> Option<[&[u32]; 3]> {
        let track = self.columns[usize::from(own)].track(slot.into(), self.heads[usize::from(slot)].life)?;
        let (_, base) = track.at_or_before(base)?;
        let at = |tick: Option<u64>| match tick {
            None => Some(base),
            Some(tick) => track.at_or_before(tick).map(|(_, row)| row),
        };
        Some([base, at(older)?, at(oldest)?])
    }

    /// Takes a value of a state component that the entity has, if `tick` is newer than what is there. Whether it was.
    #[inline]
    pub(super) fn put_state(&mut self, slot: u16, own: u8, tick: Tick, fields: &[u32]) -> bool {
        let Some(out) = self.newer(slot, own, tick) else { return false };
        out.copy_from_slice(fields);
        true
    }

    pub(super) fn set_sticky(&mut self, slot: u16, own: u8, value: &[u8]) {
        let sticky = &mut self.bodies[usize::from(slot)].sticky;
        match sticky.binary_search_by_key(&own, |(own, _)| *own) {
            Ok(at) => sticky[at].1 = value.into(),
            Err(at) => {
                let mut all = std::mem::take(sticky).into_vec();
                all.insert(at, (own, value.into()));
                *sticky = all.into_boxed_slice();
            }
        }
    }

    pub(super) fn forget_sticky(&mut self, slot: u16, own: u8) {
        let sticky = &mut self.bodies[usize::from(slot)].sticky;
        let mut all = std::mem::take(sticky).into_vec();
        all.retain(|(at, _)| *at != own);
        *sticky = all.into_boxed_slice();
    }

    pub(super) fn sticky(&self, slot: u16, own: u8) -> Option<&[u8]> {
        let sticky = &self.bodies[usize::from(slot)].sticky;
        let at = sticky.binary_search_by_key(&own, |(own, _)| *own).ok()?;
        Some(&sticky[at].1)
    }

    /// Bytes of all sticky values of an entity.
    pub(super) fn sticky_bytes(&self, slot: u16) -> usize {
        self.bodies[usize::from(slot)].sticky.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::POSE;

    fn put(entities: &mut Entities, index: u16, tick: u64) -> u16 {
        let slot = entities.insert(index, NetId(u64::from(index) + 1), Tick(tick), 1, 1);
        assert!(entities.put_state(slot, 0, Tick(tick), &[7; 3]));
        slot
    }

    fn newest(entities: &Entities, slot: u16) -> Option<u64> {
        entities.track(slot, 0)?.newest().map(|(tick, _)| tick)
    }

    #[test]
    fn slots_follow_low_indexes_and_stay_few_where_indexes_go_round() {
        let mut entities = Entities::new(Schema::new(&[POSE]).unwrap());
        let low: Vec<u16> = [3, 0, 50].map(|index| put(&mut entities, index, 1)).to_vec();
        assert_eq!(low, [3, 0, 50]);
        for index in 1_000..60_000 {
            put(&mut entities, index, 1);
            entities.remove(index - 1);
        }
        assert!(entities.heads.len() < 128, "{} slots", entities.heads.len());
        assert_eq!(entities.slot_of_index(59_999).map(|slot| entities.id(slot)), Some(NetId(60_000)));
    }

    #[test]
    fn the_next_owner_of_a_slot_has_none_of_the_values_of_the_last() {
        let mut entities = Entities::new(Schema::new(&[POSE]).unwrap());
        let slot = put(&mut entities, 5, 10);
        // Deltas of ticks beyond the one that its Leave is of came before it.
        assert!(entities.put_state(slot, 0, Tick(13), &[13; 3]));
        entities.remove(5);
        assert_eq!(entities.insert(5, NetId(9), Tick(12), 1, 1), slot);
        assert_eq!(newest(&entities, slot), None);
        assert!(entities.put_state(slot, 0, Tick(12), &[12; 3]));
        assert_eq!(newest(&entities, slot), Some(12));
        assert_eq!(entities.rows_at(slot, 0, 13, None, None).unwrap()[0], [12; 3]);
    }

    #[test]
    fn a_component_that_comes_back_has_none_of_its_former_values() {
        let mut entities = Entities::new(Schema::new(&[POSE]).unwrap());
        let slot = put(&mut entities, 0, 10);
        entities.remask(slot, 0, 0);
        assert!(entities.track(slot, 0).is_none());
        entities.remask(slot, 1, 1);
        assert_eq!(newest(&entities, slot), None);
    }
}
