//! How the server's components meet the client's.
//!
//! *Responsible for*: reading a Layout event and what it means for every position.
//!
//! Invariants:
//! - I1: with a layout, the length of every record and value is known, whether the client knows the component or not.
//! - I2: with the widths of fields, so is the end of every delta.

use lightmoon_contract::Reader;
use lightmoon_contract::replicate::Travel;

use crate::limits;
use crate::state_writer::all_ones;
use crate::view_writer::positions;
use crate::{ReplicaError, Schema};

/// One of the server's components.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its number.
    pub(super) number: u16,
    /// Bits on the wire; 0 = sticky.
    pub(super) width_bits: u32,
    /// The client's own position for it; `None`: the client does not know it.
    pub(super) own: Option<u8>,
}

impl Place {
    pub(super) const fn is_sticky(&self) -> bool {
        self.width_bits == 0
    }
}

/// The server's components by position.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    places: Vec<Place>,
    /// Positions of state components, ascending.
    state: Vec<u8>,
    /// Widths of all fields of state components, in their order; empty: not told.
    fields: Vec<u8>,
    /// Where in `fields` those of each state component end.
    field_ends: Vec<usize>,
}

impl Layout {
    pub(super) fn read(schema: &Schema, from: &mut Reader<'_>) -> Result<Self, ReplicaError> {
        let count = from.count(2)?;
        if count > limits::COMPONENTS_MAX {
            return Err(ReplicaError::MalformedLayout);
        }
        let mut layout = Self { places: Vec::with_capacity(count), ..Self::default() };
        let mut bits = 0;
        for position in (0u8..).take(count) {
            let place = Self::read_place(schema, from)?;
            bits += place.width_bits;
            let is_ascending = layout.places.last().is_none_or(|last| last.number < place.number);
            if !is_ascending || bits > limits::STATE_BITS_MAX {
                return Err(ReplicaError::MalformedLayout);
            }
            if !place.is_sticky() {
                layout.state.push(position);
            }
            layout.places.push(place);
        }
        Ok(layout)
    }

    fn read_place(schema: &Schema, from: &mut Reader<'_>) -> Result<Place, ReplicaError> {
        let number = u16::try_from(from.varint()?).map_err(|_| ReplicaError::MalformedLayout)?;
        let width_bits = u32::try_from(from.varint()?).map_err(|_| ReplicaError::MalformedLayout)?;
        if width_bits > limits::STATE_BITS_MAX {
            return Err(ReplicaError::MalformedLayout);
        }
        let own = schema.position(number);
        if let Some(own) = own {
            let component = &schema.components()[usize::from(own)];
            let is_state = component.spec.travel == Travel::State;
            if is_state != (width_bits > 0) || width_bits < component.width_bits {
                return Err(ReplicaError::Layout(number));
            }
        }
        Ok(Place { number, width_bits, own })
    }

    /// Reads the widths of fields.
    pub(super) fn read_fields(&mut self, schema: &Schema, from: &mut Reader<'_>) -> Result<(), ReplicaError> {
        if self.has_fields() {
            return Err(ReplicaError::Fields);
        }
        for position in &self.state {
            let place = &self.places[usize::from(*position)];
            let count = from.count(1)?;
            let widths = from.raw(count)?;
            let is_sound = widths.iter().all(|width| (1..=32).contains(width))
                && widths.iter().map(|width| u32::from(*width)).sum::<u32>() == place.width_bits;
            if !is_sound {
                return Err(ReplicaError::MalformedLayout);
            }
            if let Some(own) = place.own {
                let fields = schema.components()[usize::from(own)].spec.fields;
                let fits =
                    fields.len() <= count && fields.iter().zip(widths).all(|(own, got)| own.bits == *got);
                if !fits {
                    return Err(ReplicaError::Layout(place.number));
                }
            }
            self.fields.extend_from_slice(widths);
            self.field_ends.push(self.fields.len());
        }
        Ok(())
    }

    /// Whether the widths of fields were told.
    pub(super) const fn has_fields(&self) -> bool {
        self.field_ends.len() == self.state.len() && !self.state.is_empty()
    }

    /// The state components in a state mask, ascending, with the widths of their fields.
    pub(super) fn fields_in(&self, state_mask: u64) -> impl Iterator<Item = (u8, &Place, &[u8])> {
        positions(state_mask).filter_map(|nth| {
            let nth = usize::from(nth);
            let position = *self.state.get(nth)?;
            let end = *self.field_ends.get(nth)?;
            let start = nth.checked_sub(1).map_or(0, |before| self.field_ends[before]);
            Some((position, &self.places[usize::from(position)], &self.fields[start..end]))
        })
    }

    pub(super) fn place(&self, position: u8) -> Option<&Place> {
        self.places.get(usize::from(position))
    }

    /// Checks that a mask names known positions only.
    pub(super) fn check(&self, mask: u64) -> Result<u64, ReplicaError> {
        let count = u32::try_from(self.places.len()).expect("at most 64 components");
        if mask & !all_ones(count) == 0 { Ok(mask) } else { Err(ReplicaError::Mask) }
    }

    /// Width of a state mask.
    pub(super) fn state_count(&self) -> u32 {
        u32::try_from(self.state.len()).expect("at most 64 components")
    }

    /// The mask of a state mask.
    pub(super) fn mask_of_state(&self, state_mask: u64) -> u64 {
        positions(state_mask)
            .map(|place| 1 << self.state[usize::from(place)])
            .fold(0, |all: u64, bit: u64| all | bit)
    }

    /// The places in a mask, ascending.
    pub(super) fn places_in(&self, mask: u64) -> impl Iterator<Item = (u8, &Place)> {
        positions(mask).filter_map(|position| Some((position, self.place(position)?)))
    }

    /// The state components in a mask that the client knows, by its own positions.
    pub(super) fn own_state(&self, mask: u64) -> u64 {
        let known =
            self.places_in(mask).filter(|(_, place)| !place.is_sticky()).filter_map(|(_, place)| place.own);
        known.fold(0, |all, own| all | (1 << own))
    }

    /// Bits of the state components in a mask.
    pub(super) fn width_of(&self, mask: u64) -> u32 {
        self.places_in(mask).map(|(_, place)| place.width_bits).sum()
    }
}
