//! Applying View payloads: `docs/wire-state.md` section 3.

use lightmoon_contract::codec::Limits;
use lightmoon_contract::{NetId, Reader, Tick};

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
            let layout = self.layout.as_mut().filter(|_| nth == 1 && self.entities.len() == 0);
            return layout.ok_or(ReplicaError::Fields)?.read_fields(self.entities.schema(), from);
        }
        if kind == LAYOUT {
            if nth != 0 {
                return Err(ReplicaError::LateLayout);
            }
            let layout = Layout::read(self.entities.schema(), from)?;
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
        if self.entities.slot_of_index(index).is_some() {
            return Err(ReplicaError::IndexTaken(index));
        }
        if self.entities.slot_of(id).is_some() {
            return Err(ReplicaError::EntityTaken(id));
        }
        if self.entities.len() >= limits::ENTITIES_MAX {
            return Err(ReplicaError::TooMany);
        }
        let slot = self.entities.insert(index, id, tick, mask, layout.own_state(mask));
        if let Err(error) = self.read_values(layout, from, tick, slot, mask) {
            self.entities.remove(index);
            return Err(error);
        }
        self.say(ViewEvent::Entered(id));
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
        let slot = self.entities.slot_of_index(index).ok_or(ReplicaError::UnknownIndex(index))?;
        let place = layout.place(position).ok_or(ReplicaError::NotSticky(position))?;
        if !place.is_sticky() || (self.entities.mask(slot) >> position) & 1 == 0 {
            return Err(ReplicaError::NotSticky(position));
        }
        if let Some(own) = place.own {
            self.entities.set_sticky(slot, own, value);
            self.check_sticky_bytes(slot)?;
            self.say(ViewEvent::StickyChanged(self.entities.id(slot), place.number));
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
        let slot = self.entities.slot_of_index(index).ok_or(ReplicaError::UnknownIndex(index))?;
        let (id, old) = (self.entities.id(slot), self.entities.mask(slot));
        self.entities.remask(slot, new, layout.own_state(new));
        for (_, place) in layout.places_in(old & !new) {
            if let Some(own) = place.own {
                self.entities.forget_sticky(slot, own);
                self.say(ViewEvent::ComponentRemoved(id, place.number));
            }
        }
        if let Err(error) = self.read_values(layout, from, tick, slot, new & !old) {
            // What has no value is not there, also for who looks at a view whose connection is about to be closed.
            self.entities.remask(slot, new & old, layout.own_state(new & old));
            return Err(error);
        }
        for (_, place) in layout.places_in(new & !old) {
            if place.own.is_some() {
                self.say(ViewEvent::ComponentAdded(id, place.number));
            }
        }
        Ok(())
    }

    /// Reads the values of the components in `mask`: a bit run of state fields, then sticky values.
    fn read_values(
        &mut self,
        layout: &Layout,
        from: &mut Reader<'_>,
        tick: Tick,
        slot: u16,
        mask: u64,
    ) -> Result<(), ReplicaError> {
        let run = from.raw(layout.width_of(mask).div_ceil(8) as usize)?;
        let mut bits = BitReader::new(run);
        for (_, place) in layout.places_in(mask).filter(|(_, place)| !place.is_sticky()) {
            match place.own {
                None => bits.skip(place.width_bits)?,
                Some(own) => {
                    self.entities.take_state(slot, own, tick, &mut bits)?;
                    bits.skip(place.width_bits - self.width_bits(own))?;
                }
            }
        }
        bits.finish()?;
        for position in positions(mask) {
            let Some(place) = layout.place(position).filter(|place| place.is_sticky()) else { continue };
            let value = read_value(from)?;
            if let Some(own) = place.own {
                self.entities.set_sticky(slot, own, value);
            }
        }
        self.check_sticky_bytes(slot)
    }

    /// Bits of the client's fields of a component.
    fn width_bits(&self, own: u8) -> u32 {
        self.entities.schema().components()[usize::from(own)].width_bits
    }

    fn check_sticky_bytes(&self, slot: u16) -> Result<(), ReplicaError> {
        let bytes = self.entities.sticky_bytes(slot);
        if bytes > limits::ENTITY_STICKY_BYTES_MAX {
            Err(ReplicaError::StickyTooLarge(bytes))
        } else {
            Ok(())
        }
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
