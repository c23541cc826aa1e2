//! View payloads: what enters, leaves and changes reliably.
//!
//! *Responsible for*: the payload's bytes (`docs/wire-state.md` section 3). *Not responsible for*: deciding who sees
//! what, nor for checking that events fit together; the caller keeps each client's view.
//!
//! Invariants:
//! - I1: a payload is never longer than [`limits::VIEW_BYTES_MAX`]: an event that would make it so is not written.

use lightmoon_contract::codec::Writer;
use lightmoon_contract::{NetId, Tick};

use crate::client::LeaveReason;
use crate::limits;
use crate::{BitWriter, Schema};

pub(crate) const LAYOUT: u8 = 0;
pub(crate) const ENTER: u8 = 1;
pub(crate) const LEAVE: u8 = 2;
pub(crate) const STICKY: u8 = 3;
pub(crate) const MASK: u8 = 4;
pub(crate) const FIELDS: u8 = 5;

/// Where a writer finds the values of one entity.
pub trait EntityValues {
    /// The quantised fields of all state components, in the schema's order; those it does not have are anything.
    fn row(&self) -> &[u32];

    /// The bytes of the sticky component at `position`; asked only for those in the mask.
    fn sticky(&self, position: u8) -> &[u8];
}

/// Writes one View payload.
#[derive(Debug)]
pub struct ViewWriter {
    out: Writer,
    /// Bytes of the header: a payload as long as this holds no event.
    header_bytes: usize,
}

impl ViewWriter {
    /// Starts a payload in the buffer `onto` (its contents are dropped).
    #[must_use]
    pub fn new(tick: Tick, sequence: u64, mut onto: Vec<u8>) -> Self {
        onto.clear();
        let mut out = Writer::onto(onto);
        out.varint(tick.0);
        out.varint(sequence);
        let header_bytes = out.len();
        Self { out, header_bytes }
    }

    /// Whether it holds no event yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.out.len() == self.header_bytes
    }

    /// Whether it is time to start the next payload.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.out.len() >= limits::VIEW_BYTES_FULL
    }

    /// Bytes so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// The server's components. First in the first payload; first in a later one: the view starts over.
    pub fn layout(&mut self, schema: &Schema) {
        debug_assert!(self.is_empty(), "a layout is the first event of its payload");
        self.out.raw(&[LAYOUT]);
        self.out.count(schema.components().len());
        for component in schema.components() {
            self.out.varint(component.spec.number.into());
            self.out.varint(component.width_bits.into());
        }
    }

    /// The widths of the fields of each state component, right behind the layout: what delta packets want.
    pub fn fields(&mut self, schema: &Schema) {
        self.out.raw(&[FIELDS]);
        for component in schema.state_in(u64::MAX) {
            self.out.count(component.spec.fields.len());
            for field in component.spec.fields {
                self.out.raw(&[field.bits]);
            }
        }
    }

    /// An entity comes into view. `false`: the payload has no room for it, start the next one.
    #[must_use]
    pub fn enter(
        &mut self,
        schema: &Schema,
        index: u16,
        id: NetId,
        mask: u64,
        values: &impl EntityValues,
    ) -> bool {
        if !self.has_room(schema, mask, values, 1 + 2 + 8 + 9) {
            return false;
        }
        self.head(ENTER, index);
        self.out.raw(&id.0.to_le_bytes());
        self.out.varint(mask);
        self.values(schema, mask, values);
        true
    }

    /// An entity leaves the view. `false`: no room.
    #[must_use]
    pub fn leave(&mut self, index: u16, reason: LeaveReason) -> bool {
        if self.out.len() + 4 > limits::VIEW_BYTES_MAX {
            return false;
        }
        self.head(LEAVE, index);
        self.out.raw(&[reason.number()]);
        true
    }

    /// A sticky component has a new value. `false`: no room.
    #[must_use]
    pub fn sticky(&mut self, index: u16, position: u8, value: &[u8]) -> bool {
        if self.out.len() + 4 + 9 + value.len() > limits::VIEW_BYTES_MAX {
            return false;
        }
        self.head(STICKY, index);
        self.out.raw(&[position]);
        self.out.bytes(value);
        true
    }

    /// Components were added or removed. `false`: no room.
    #[must_use]
    pub fn mask(
        &mut self,
        schema: &Schema,
        index: u16,
        old: u64,
        new: u64,
        values: &impl EntityValues,
    ) -> bool {
        let added = new & !old;
        if !self.has_room(schema, added, values, 1 + 2 + 9) {
            return false;
        }
        self.head(MASK, index);
        self.out.varint(new);
        self.values(schema, added, values);
        true
    }

    /// The payload.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.out.into_bytes()
    }

    fn head(&mut self, kind: u8, index: u16) {
        self.out.raw(&[kind]);
        self.out.raw(&index.to_le_bytes());
    }

    fn has_room(&self, schema: &Schema, mask: u64, values: &impl EntityValues, head_bytes: usize) -> bool {
        let sticky: usize =
            positions(schema.sticky_part(mask)).map(|position| 9 + values.sticky(position).len()).sum();
        let state = schema.width_of(mask).div_ceil(8) as usize;
        self.out.len() + head_bytes + state + sticky <= limits::VIEW_BYTES_MAX
    }

    fn values(&mut self, schema: &Schema, mask: u64, values: &impl EntityValues) {
        let mut bits = BitWriter::onto(std::mem::take(&mut self.out).into_bytes());
        schema.put_fields(&mut bits, mask, values.row());
        self.out = Writer::onto(bits.into_bytes());
        for position in positions(schema.sticky_part(mask)) {
            self.out.bytes(values.sticky(position));
        }
    }
}

/// The positions in a mask, ascending.
pub(crate) fn positions(mask: u64) -> impl Iterator<Item = u8> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let position = u8::try_from(rest.trailing_zeros()).ok().filter(|position| *position < 64)?;
        rest &= rest - 1;
        Some(position)
    })
}
