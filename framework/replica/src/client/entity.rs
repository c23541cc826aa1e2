//! One entity in a client's view.
//!
//! *Responsible for*: its components, their history, looking at them by type or by number.
//!
//! Invariants:
//! - I1: ticks of a component's history ascend; the last value is the newest.

use lightmoon_contract::codec::{self, Limits};
use lightmoon_contract::replicate::{Replicate, Travel};
use lightmoon_contract::{NetId, Tick};

use crate::interpolate;
use crate::limits::HISTORY_TICKS;
use crate::{BitReader, Component, ReplicaError, Schema};

/// The last values of one state component: a ring.
///
/// Each packet reads two rows and writes one, of entities that are all over the memory: what is needed together lies together.
///
/// Invariant: all rows are of the last 2^32 ticks, so the lower half of a tick is enough: older ones go when the ring is
/// full, and a zone refreshes what is at rest every few seconds.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    /// Rows: the lower half of a tick, then `width` fields; from `first` on their ticks ascend, around the end.
    rows: Vec<u32>,
    width: usize,
    /// How many rows there are.
    count: usize,
    /// Which row is the oldest.
    first: usize,
    /// The tick of the newest.
    newest: u64,
}

impl Track {
    const fn new(width: usize) -> Self {
        Self { rows: Vec::new(), width, count: 0, first: 0, newest: 0 }
    }

    /// Makes room for a value of `tick` behind the others, and gives its fields to fill.
    fn push(&mut self, tick: Tick) -> &mut [u32] {
        let stride = 1 + self.width;
        let at = if self.count < HISTORY_TICKS {
            self.count += 1;
            self.rows.resize(self.count * stride, 0);
            self.count - 1
        } else {
            let oldest = self.first;
            self.first = if oldest + 1 == HISTORY_TICKS { 0 } else { oldest + 1 };
            oldest
        };
        self.newest = tick.0;
        let row = &mut self.rows[at * stride..(at + 1) * stride];
        row[0] = low(tick.0);
        &mut row[1..]
    }

    /// How many values there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    /// Tick and fields of the value with this number.
    fn at(&self, nth: usize) -> (u64, &[u32]) {
        let place = self.first + nth;
        let place = if place < self.count { place } else { place - self.count };
        let stride = 1 + self.width;
        let row = &self.rows[place * stride..(place + 1) * stride];
        (self.newest - u64::from(low(self.newest).wrapping_sub(row[0])), &row[1..])
    }

    /// The tick of the value with this number; 0 is the oldest.
    pub(crate) fn tick(&self, nth: usize) -> u64 {
        self.at(nth).0
    }

    /// The value with this number; 0 is the oldest.
    pub(crate) fn row(&self, nth: usize) -> &[u32] {
        self.at(nth).1
    }

    /// Of the first `count` values the newest that is not newer than `tick`, and its number.
    fn row_at(&self, tick: u64, count: usize) -> Option<(usize, &[u32])> {
        (0..count).rev().find_map(|nth| {
            let (at, row) = self.at(nth);
            (at <= tick).then_some((nth, row))
        })
    }

    fn newest(&self) -> Option<Tick> {
        (self.count > 0).then_some(Tick(self.newest))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn low(tick: u64) -> u32 {
    tick as u32
}

/// What is kept of a component.
#[derive(Clone, Debug)]
enum Value {
    State(Track),
    Sticky(Box<[u8]>),
}

/// An entity as the view keeps it. Values stand at the client's own positions.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    id: NetId,
    index: u16,
    /// The server's mask.
    mask: u64,
    values: Vec<Option<Value>>,
}

impl Stored {
    pub(super) fn new(schema: &Schema, id: NetId, index: u16) -> Self {
        Self { id, index, mask: 0, values: vec![None; schema.components().len()] }
    }

    pub(super) const fn id(&self) -> NetId {
        self.id
    }

    pub(super) const fn index(&self) -> u16 {
        self.index
    }

    pub(super) const fn mask(&self) -> u64 {
        self.mask
    }

    pub(super) const fn set_mask(&mut self, mask: u64) {
        self.mask = mask;
    }

    /// Reads the client's fields of a state component, if `tick` is newer than what is there; passes over them if not.
    pub(super) fn take_state(
        &mut self,
        own: u8,
        component: &Component,
        tick: Tick,
        bits: &mut BitReader<'_>,
    ) -> Result<bool, ReplicaError> {
        let width = component.spec.fields.len();
        let value = self.values[usize::from(own)].get_or_insert_with(|| Value::State(Track::new(width)));
        let Value::State(track) = value else { return Err(ReplicaError::Layout(component.spec.number)) };
        if track.newest().is_some_and(|newest| newest >= tick) {
            bits.skip(component.width_bits)?;
            return Ok(false);
        }
        for (field, out) in component.spec.fields.iter().zip(track.push(tick)) {
            *out = bits.take(u32::from(field.bits))?;
        }
        Ok(true)
    }

    /// The values of a state component that a record names, the newest that are not newer than the ticks; `None`: it is
    /// not there. The second is the first if no tick is given for it.
    pub(super) fn rows_at(&self, own: u8, base: u64, older: Option<u64>) -> Option<(&[u32], &[u32])> {
        let Some(Value::State(track)) = &self.values[usize::from(own)] else { return None };
        let (nth, row) = track.row_at(base, track.len())?;
        let older = older.map_or(Some(row), |tick| Some(track.row_at(tick, nth + 1)?.1))?;
        Some((row, older))
    }

    /// Takes a value of a state component if `tick` is newer than what is there. Whether it was.
    pub(super) fn put_state(&mut self, own: u8, tick: Tick, fields: &[u32]) -> bool {
        let width = fields.len();
        let value = self.values[usize::from(own)].get_or_insert_with(|| Value::State(Track::new(width)));
        let Value::State(track) = value else { return false };
        if track.newest().is_some_and(|newest| newest >= tick) {
            return false;
        }
        track.push(tick).copy_from_slice(fields);
        true
    }

    pub(super) fn set_sticky(&mut self, own: u8, value: &[u8]) {
        self.values[usize::from(own)] = Some(Value::Sticky(value.into()));
    }

    pub(super) fn forget(&mut self, own: u8) {
        self.values[usize::from(own)] = None;
    }

    /// Bytes of all sticky values.
    pub(super) fn sticky_bytes(&self) -> usize {
        let sticky = self.values.iter().flatten().map(|value| match value {
            Value::Sticky(bytes) => bytes.len(),
            Value::State(_) => 0,
        });
        sticky.sum()
    }
}

/// An entity in view, to look at.
#[derive(Clone, Copy, Debug)]
pub struct Entity<'a> {
    schema: &'a Schema,
    stored: &'a Stored,
}

impl<'a> Entity<'a> {
    pub(super) const fn new(schema: &'a Schema, stored: &'a Stored) -> Self {
        Self { schema, stored }
    }

    /// Its identity.
    #[must_use]
    pub const fn id(&self) -> NetId {
        self.stored.id
    }

    /// The newest value of a component; `None` if the entity does not have it (or its bytes are no `C`).
    ///
    /// A state component is restored from its quantised fields, a sticky one is decoded at each call.
    #[must_use]
    pub fn get<C: Replicate>(&self) -> Option<C> {
        match C::SPEC.travel {
            Travel::State => C::restore(self.fields(C::SPEC.number)?),
            Travel::Sticky => codec::decode(self.sticky(C::SPEC.number)?, Limits::NODE).ok(),
        }
    }

    /// Whether it has the component of this number.
    #[must_use]
    pub fn has(&self, number: u16) -> bool {
        self.value(number).is_some()
    }

    /// The newest quantised fields of a state component.
    #[must_use]
    pub fn fields(&self, number: u16) -> Option<&'a [u32]> {
        let track = self.track(number)?;
        track.len().checked_sub(1).map(|last| track.row(last))
    }

    /// The tick that the newest value of a state component is of.
    #[must_use]
    pub fn tick_of(&self, number: u16) -> Option<Tick> {
        self.track(number)?.newest()
    }

    /// The bytes of a sticky component.
    #[must_use]
    pub fn sticky(&self, number: u16) -> Option<&'a [u8]> {
        match self.value(number)? {
            Value::Sticky(bytes) => Some(bytes),
            Value::State(_) => None,
        }
    }

    /// The value of a state component at `tick`, which may lie between two ticks, in steps of its quantisation.
    ///
    /// Ranges go linearly, angles the short way round, other fields take the nearer value; beyond the newest tick it
    /// goes on for at most two more and then stands. Ticks come from [`crate::Playback::render_tick`].
    #[must_use]
    pub fn sample<C: Replicate>(&self, tick: f64) -> Option<C> {
        let mut real = [0.0; SAMPLE_FIELDS_MAX];
        let mut quantised = [0; SAMPLE_FIELDS_MAX];
        let fields = C::SPEC.fields;
        let real = real.get_mut(..fields.len())?;
        self.sample_fields(C::SPEC.number, tick, real)?;
        for ((field, real), out) in fields.iter().zip(real).zip(&mut quantised) {
            *out = field.quantise(*real);
        }
        C::restore(&quantised[..fields.len()])
    }

    /// As [`Entity::sample`], in real numbers of full precision, one per field.
    #[must_use]
    pub fn sample_fields(&self, number: u16, tick: f64, out: &mut [f64]) -> Option<()> {
        let track = self.track(number)?;
        let component = &self.schema.components()[usize::from(self.schema.position(number)?)];
        interpolate::sample(track, component.spec.fields, tick, out)
    }

    fn value(&self, number: u16) -> Option<&'a Value> {
        self.stored.values[usize::from(self.schema.position(number)?)].as_ref()
    }

    fn track(&self, number: u16) -> Option<&'a Track> {
        match self.value(number)? {
            Value::State(track) => Some(track),
            Value::Sticky(_) => None,
        }
    }
}

/// Fields of one component that [`Entity::sample`] takes: more are refused with `None`; real components have under 16.
const SAMPLE_FIELDS_MAX: usize = 64;
