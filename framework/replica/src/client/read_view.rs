//! Applying View payloads: `docs/wire-state.md` section 3.

use lightmoon_contract::codec::Limits;
use lightmoon_contract::{NetId, Reader, Tick};

use super::entity::Stored;
use super::layout::Layout;
use super::read_delta::Received;
use super::{Applied, ClientView, LeaveReason, ViewEvent};
use crate::limits;
use crate::view_writer::{ENTER, FIELDS, LAYOUT, LEAVE, MASK, STICKY, positions};
use crate::{BitReader, ReplicaError};

impl ClientView {
    pub(super) fn read_view(&mut self, payload: &[u8]) -> Result<Applied, ReplicaError> {
        if payload.len() > limits::VIEW_BYTES_MAX {
            return Err(ReplicaError::TooLarge(payload.len()));
        }
        let mut from = Reader::new(payload, Limits::NODE)?;
        let tick = Tick(from.varint()?);
        let (got, expected) = (from.varint()?, self.sequence_next);
        if got < expected {
            return Ok(Applied::Ignored);
        }
        if got > expected {
            return Err(ReplicaError::Gap { expected, got });
        }
        if tick < self.view_tick {
            return Err(ReplicaError::TickBackwards);
        }
        self.sequence_next += 1;
        self.view_tick = tick;
        self.newest_tick = self.newest_tick.max(tick);
        let mut nth = 0usize;
        while from.remaining() > 0 {
            self.read_event(&mut from, tick, nth)?;
            nth += 1;
        }
        Ok(Applied::Taken)
    }

    fn read_event(&mut self, from: &mut Reader<'_>, tick: Tick, nth: usize) -> Result<(), ReplicaError> {
        let kind = from.raw(1)?[0];
        if kind == FIELDS {
            // Only behind the first event, and that is not just anything: without entities there is none but a layout.
            let layout = self.layout.as_mut().filter(|_| nth == 1 && self.by_id.is_empty());
            return layout.ok_or(ReplicaError::Fields)?.read_fields(&self.schema, from);
        }
        if kind == LAYOUT {
            if nth != 0 {
                return Err(ReplicaError::LateLayout);
            }
            let layout = Layout::read(&self.schema, from)?;
            self.drop_all(LeaveReason::Gone);
            self.layout = Some(layout);
            self.received = Received::default();
            return Ok(());
        }
        if !matches!(kind, ENTER | LEAVE | STICKY | MASK) {
            return Err(ReplicaError::UnknownEvent(kind));
        }
        // Taken out for the time of one event, so that the rest of the view can be changed beside it.
        let layout = self.layout.take().ok_or(ReplicaError::NoLayout)?;
        let index = read_index(from)?;
        let read = match kind {
            ENTER => self.read_enter(&layout, from, tick, index),
            LEAVE => from.raw(1).map_err(Into::into).and_then(|reason| {
                let reason = LeaveReason::from_number(reason[0])?;
                self.remove(index, reason)
            }),
            STICKY => self.read_sticky(&layout, from, index),
            _ => self.read_mask(&layout, from, tick, index),
        };
        self.layout = Some(layout);
        read
    }

    fn read_enter(
        &mut self,
        layout: &Layout,
        from: &mut Reader<'_>,
        tick: Tick,
        index: u16,
    ) -> Result<(), ReplicaError> {
        let id = NetId(u64::from_le_bytes(*from.raw(8)?.first_chunk().expect("eight bytes were read")));
        let mask = layout.check(from.varint()?)?;
        if id == NetId::NONE {
            return Err(ReplicaError::NoId);
        }
        if self.indexes.get(index).is_some() {
            return Err(ReplicaError::IndexTaken(index));
        }
        if self.by_id.contains_key(&id) {
            return Err(ReplicaError::EntityTaken(id));
        }
        if self.by_id.len() >= limits::ENTITIES_MAX {
            return Err(ReplicaError::TooMany);
        }
        let mut stored = Stored::new(&self.schema, id, index);
        stored.set_mask(mask);
        self.read_values(layout, from, tick, &mut stored, mask)?;
        self.insert(stored);
        Ok(())
    }

    fn read_sticky(
        &mut self,
        layout: &Layout,
        from: &mut Reader<'_>,
        index: u16,
    ) -> Result<(), ReplicaError> {
        let position = from.raw(1)?[0];
        let value = read_value(from)?;
        let slot = self.indexes.get(index).ok_or(ReplicaError::UnknownIndex(index))?;
        let stored = self.slots[usize::from(slot)].as_mut().ok_or(ReplicaError::UnknownIndex(index))?;
        let place = layout.place(position).ok_or(ReplicaError::NotSticky(position))?;
        if !place.is_sticky() || (stored.mask() >> position) & 1 == 0 {
            return Err(ReplicaError::NotSticky(position));
        }
        if let Some(own) = place.own {
            stored.set_sticky(own, value);
            check_sticky_bytes(stored)?;
            let event = ViewEvent::StickyChanged(stored.id(), place.number);
            self.say(event);
        }
        Ok(())
    }

    fn read_mask(
        &mut self,
        layout: &Layout,
        from: &mut Reader<'_>,
        tick: Tick,
        index: u16,
    ) -> Result<(), ReplicaError> {
        let new = layout.check(from.varint()?)?;
        let slot = self.indexes.get(index).ok_or(ReplicaError::UnknownIndex(index))?;
        let mut stored = self.slots[usize::from(slot)].take().ok_or(ReplicaError::UnknownIndex(index))?;
        let old = stored.mask();
        stored.set_mask(new);
        for (_, place) in layout.places_in(old & !new) {
            if let Some(own) = place.own {
                stored.forget(own);
                self.say(ViewEvent::ComponentRemoved(stored.id(), place.number));
            }
        }
        let read = self.read_values(layout, from, tick, &mut stored, new & !old);
        let id = stored.id();
        self.slots[usize::from(slot)] = Some(stored);
        read?;
        for (_, place) in layout.places_in(new & !old) {
            if place.own.is_some() {
                self.say(ViewEvent::ComponentAdded(id, place.number));
            }
        }
        Ok(())
    }

    /// Reads the values of the components in `mask`: a bit run of state fields, then sticky values.
    fn read_values(
        &self,
        layout: &Layout,
        from: &mut Reader<'_>,
        tick: Tick,
        stored: &mut Stored,
        mask: u64,
    ) -> Result<(), ReplicaError> {
        let run = from.raw(layout.width_of(mask).div_ceil(8) as usize)?;
        let mut bits = BitReader::new(run);
        for (_, place) in layout.places_in(mask).filter(|(_, place)| !place.is_sticky()) {
            match place.own {
                None => bits.skip(place.width_bits)?,
                Some(own) => {
                    let component = &self.schema.components()[usize::from(own)];
                    stored.take_state(own, component, tick, &mut bits)?;
                    bits.skip(place.width_bits - component.width_bits)?;
                }
            }
        }
        bits.finish()?;
        for position in positions(mask) {
            let Some(place) = layout.place(position).filter(|place| place.is_sticky()) else { continue };
            let value = read_value(from)?;
            if let Some(own) = place.own {
                stored.set_sticky(own, value);
            }
        }
        check_sticky_bytes(stored)
    }
}

fn read_index(from: &mut Reader<'_>) -> Result<u16, ReplicaError> {
    let bytes = from.raw(2)?;
    Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn read_value<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], ReplicaError> {
    let value = from.bytes()?;
    if value.len() > limits::STICKY_BYTES_MAX {
        return Err(ReplicaError::StickyTooLarge(value.len()));
    }
    Ok(value)
}

fn check_sticky_bytes(stored: &Stored) -> Result<(), ReplicaError> {
    let bytes = stored.sticky_bytes();
    if bytes > limits::ENTITY_STICKY_BYTES_MAX { Err(ReplicaError::StickyTooLarge(bytes)) } else { Ok(()) }
}
