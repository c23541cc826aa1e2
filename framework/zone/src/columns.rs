//! The columns: everything replicated of all entities, read from the world once per tick.
//!
//! *Responsible for*: per slot the mask of components, quantised fields, sticky bytes, place; what changed since the
//! last tick; the state of each entity packed once. *Not responsible for*: viewers (`replication`).
//!
//! Only values that changed since the last tick are quantised and encoded again.
//!
//! Invariants:
//! - I1: after [`Columns::collect`] a slot is live exactly if its entity exists, is not disabled, and has a place or is
//!   [`AlwaysVisible`].
//! - I2: the columns are a function of the world and the columns before, not of archetypes or the order of entities.

use bevy_ecs::prelude::*;
use lightmoon_contract::replicate::{Replicate, Travel};
use lightmoon_contract::{NetId, codec};
use lightmoon_replica::{EntityValues, Schema, StateTable, limits};

use crate::identity::{AlwaysVisible, NetIdentity, NetIds};
use crate::interest::square_distance;
use crate::limits::ARRIVALS_MAX;

/// Reads one kind of component into the columns.
pub(crate) type Collector = Box<dyn FnMut(&World, &mut Columns)>;

/// What is true of a slot.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    id: NetIdOrNone,
    /// Components this tick.
    mask: u64,
    /// Components at the last tick; 0 if it was not live.
    mask_before: u64,
    /// Sticky components whose value changed, though it was there at the last tick.
    sticky_changed: u64,
    place: Option<[f32; 2]>,
    /// At the last tick.
    place_before: Option<[f32; 2]>,
    is_live: bool,
    is_always: bool,
    /// Its entity is gone from the world, not only out of sight.
    is_gone: bool,
    sticky_bytes: usize,
}

/// An id that starts as none.
#[derive(Clone, Copy, Debug)]
struct NetIdOrNone(NetId);

impl Default for NetIdOrNone {
    fn default() -> Self {
        Self(NetId::NONE)
    }
}

/// The columns of one zone.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) schema: Schema,
    slots: Vec<Slot>,
    /// Rows of all state fields.
    rows: Vec<u32>,
    /// Per slot one place for each component; only sticky ones are used.
    sticky: Vec<Vec<u8>>,
    /// Every live slot, packed, by slot; for clients that take no deltas.
    pub(crate) packed: StateTable,
    /// Live slots with a place, ascending.
    pub(crate) places: Vec<(u32, [f32; 2])>,
    /// Bit `slot`: viewers that see it must be told of more than its state.
    news: Vec<u64>,
    has_news: bool,
    /// Live slots that everybody sees, ascending.
    pub(crate) always: Vec<u32>,
    /// Where something came to be this tick, or was put from far: whoever is near has to look at once.
    arrivals: Vec<[f32; 2]>,
    /// Sticky values that were too large this tick.
    pub(crate) oversized: u64,
}

impl Columns {
    pub(crate) fn new(schema: Schema) -> Self {
        Self { schema, ..Self::default() }
    }

    /// Forgets what was read: the next [`Columns::collect`] reads everything anew. For ticks in which nobody looks.
    pub(crate) fn forget(&mut self) {
        self.slots.clear();
        self.sticky.iter_mut().for_each(Vec::clear);
    }

    /// Reads the world. `packs`: whether somebody wants [`Columns::packed`]; `stride`: what moves farther in a tick arrives.
    pub(crate) fn collect(
        &mut self,
        world: &World,
        presence: &mut Collector,
        components: &mut [Collector],
        packs: bool,
        stride: f32,
    ) {
        self.begin(world.resource::<NetIds>());
        presence(world, self);
        for collector in components {
            collector(world, self);
        }
        self.finish(packs, stride);
    }

    fn begin(&mut self, ids: &NetIds) {
        let count = ids.slot_count();
        self.slots.resize(count, Slot::default());
        self.rows.resize(count * self.schema.field_count(), 0);
        self.sticky.resize(count * self.schema.components().len(), Vec::new());
        self.oversized = 0;
        for slot in &mut self.slots {
            // A slot that was not live has an empty mask.
            *slot = Slot {
                id: slot.id,
                mask_before: slot.mask,
                place_before: slot.place,
                sticky_bytes: slot.sticky_bytes,
                ..Slot::default()
            };
        }
        for slot in ids.released() {
            self.slots[*slot as usize].is_gone = true;
        }
    }

    fn finish(&mut self, packs: bool, stride: f32) {
        self.packed.clear();
        self.arrivals.clear();
        self.places.clear();
        self.always.clear();
        let width = self.schema.field_count();
        self.news.clear();
        self.news.resize(self.slots.len().div_ceil(64), 0);
        self.has_news = false;
        for (number, slot) in (0u32..).zip(&self.slots) {
            if !slot.is_live || slot.mask != slot.mask_before || slot.sticky_changed != 0 {
                self.news[number as usize / 64] |= 1 << (number % 64);
                self.has_news = true;
            }
            if packs {
                let row = &self.rows[number as usize * width..][..width];
                self.packed.push(&self.schema, if slot.is_live { slot.mask } else { 0 }, row);
            }
            if !slot.is_live {
                continue;
            }
            if let Some(place) = slot.place {
                self.places.push((number, place));
                if slot.place_before.is_none_or(|before| square_distance(before, place) > stride * stride) {
                    // One more than are compared means: too many.
                    self.arrivals.extend((self.arrivals.len() <= ARRIVALS_MAX).then_some(place));
                }
            }
            if slot.is_always {
                self.always.push(number);
            }
        }
    }

    /// Whether something may have come to be, or was put, within a distance of a place, whose square is given.
    pub(crate) fn has_arrival(&self, centre: [f32; 2], square: f32) -> bool {
        self.arrivals.len() > ARRIVALS_MAX
            || self.arrivals.iter().any(|place| square_distance(centre, *place) <= square)
    }

    /// How many slots there are.
    pub(crate) const fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn id(&self, slot: u32) -> NetId {
        self.slots[slot as usize].id.0
    }

    pub(crate) fn mask(&self, slot: u32) -> u64 {
        self.slots[slot as usize].mask
    }

    /// The mask at the last tick.
    pub(crate) fn mask_before(&self, slot: u32) -> u64 {
        self.slots[slot as usize].mask_before
    }

    pub(crate) fn sticky_changed(&self, slot: u32) -> u64 {
        self.slots[slot as usize].sticky_changed
    }

    /// Whether viewers that see the slot must be told of more than its state.
    #[inline]
    pub(crate) fn has_news(&self, slot: u32) -> bool {
        (self.news[slot as usize / 64] >> (slot % 64)) & 1 != 0
    }

    /// Whether viewers that see one of the slots must be told of more than their state: mostly not, and quickly found.
    pub(crate) fn have_news(&self, slots: impl IntoIterator<Item = u32>) -> bool {
        self.has_news && slots.into_iter().any(|slot| self.has_news(slot))
    }

    pub(crate) fn is_live(&self, slot: u32) -> bool {
        self.slots[slot as usize].is_live
    }

    pub(crate) fn is_gone(&self, slot: u32) -> bool {
        self.slots[slot as usize].is_gone
    }

    pub(crate) fn place(&self, slot: u32) -> Option<[f32; 2]> {
        self.slots[slot as usize].place
    }

    /// The rows of all state fields, by slot.
    pub(crate) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The components of each slot; of those that are not live none.
    pub(crate) fn masks(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().map(|slot| if slot.is_live { slot.mask } else { 0 })
    }

    pub(crate) fn values(&self, slot: u32) -> Values<'_> {
        Values { columns: self, slot: slot as usize }
    }

    /// Notes that the entity exists; gives nothing for slots out of range, which cannot be.
    fn meet(&mut self, identity: &NetIdentity, place: Option<[f32; 2]>, is_always: bool) {
        let slot = &mut self.slots[identity.slot()];
        if slot.id.0 != identity.id() {
            // A new owner: nothing of the old one counts.
            *slot = Slot { id: NetIdOrNone(identity.id()), ..Slot::default() };
            let width = self.schema.components().len();
            self.sticky[identity.slot() * width..][..width].iter_mut().for_each(Vec::clear);
        }
        let place = place.filter(|place| place.iter().all(|at| at.is_finite()));
        slot.place = slot.place.or(place);
        slot.is_always |= is_always;
        slot.is_live |= is_always || slot.place.is_some();
    }

    fn state<C: Replicate>(
        &mut self,
        position: u8,
        first_field: usize,
        identity: &NetIdentity,
        value: &Ref<'_, C>,
    ) {
        let width = self.schema.field_count();
        let slot = &mut self.slots[identity.slot()];
        let bit = 1 << position;
        slot.mask |= bit;
        if slot.mask_before & bit == 0 || value.is_changed() {
            let at = identity.slot() * width + first_field;
            value.quantise(&mut self.rows[at..at + C::SPEC.fields.len()]);
        }
    }

    fn sticky<C: Replicate>(&mut self, position: u8, identity: &NetIdentity, value: &Ref<'_, C>) {
        let slot = &mut self.slots[identity.slot()];
        let bit = 1 << position;
        let was_there = slot.mask_before & bit != 0;
        if was_there && !value.is_changed() {
            slot.mask |= bit;
            return;
        }
        let kept = &mut self.sticky[identity.slot() * self.schema.components().len() + usize::from(position)];
        let bytes = codec::encode::<C>(value);
        slot.sticky_bytes -= kept.len();
        let is_too_large = bytes.len() > limits::STICKY_BYTES_MAX
            || slot.sticky_bytes + bytes.len() > limits::ENTITY_STICKY_BYTES_MAX;
        if is_too_large {
            kept.clear();
            self.oversized += 1;
            return;
        }
        slot.mask |= bit;
        slot.sticky_bytes += bytes.len();
        if was_there && *kept != bytes {
            slot.sticky_changed |= bit;
        }
        *kept = bytes;
    }
}

/// The values of one slot, for writing them to a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    columns: &'a Columns,
    slot: usize,
}

impl EntityValues for Values<'_> {
    fn row(&self) -> &[u32] {
        let width = self.columns.schema.field_count();
        &self.columns.rows[self.slot * width..][..width]
    }

    fn sticky(&self, position: u8) -> &[u8] {
        &self.columns.sticky[self.slot * self.columns.schema.components().len() + usize::from(position)]
    }
}

/// Notes every entity with a `P`, at its place, and every one that is always visible.
pub(crate) fn presence<P: Component>(world: &mut World, place_of: fn(&P) -> [f32; 2]) -> Collector {
    let mut placed = world.query::<(&NetIdentity, &P)>();
    let mut everywhere = always(world);
    Box::new(move |world, columns| {
        for (identity, place) in placed.iter(world) {
            columns.meet(identity, Some(place_of(place)), false);
        }
        everywhere(world, columns);
    })
}

/// Notes every entity that is always visible.
pub(crate) fn always(world: &mut World) -> Collector {
    let mut everywhere = world.query_filtered::<&NetIdentity, With<AlwaysVisible>>();
    Box::new(move |world, columns| {
        for identity in everywhere.iter(world) {
            columns.meet(identity, None, true);
        }
    })
}

/// Reads every `C`.
pub(crate) fn component<C: Replicate + Component>(world: &mut World, schema: &Schema) -> Collector {
    let mut query = world.query::<(&NetIdentity, Ref<'_, C>)>();
    let position = schema.position(C::SPEC.number).expect("the schema is made of the registered components");
    let first_field = schema.components()[usize::from(position)].first_field;
    Box::new(move |world, columns| {
        for (identity, value) in query.iter(world) {
            if !columns.slots[identity.slot()].is_live {
                continue;
            }
            match C::SPEC.travel {
                Travel::State => columns.state(position, first_field, identity, &value),
                Travel::Sticky => columns.sticky(position, identity, &value),
            }
        }
    })
}
