//! Applying state packets: `docs/wire-state.md` section 4.

use lightmoon_contract::codec::Limits;
use lightmoon_contract::{Reader, Tick};

use super::ClientView;
use super::entities::Entities;
use super::layout::Layout;
use crate::limits;
use crate::state_writer::all_ones;
use crate::{BitReader, ReplicaError, StateHead};

/// Ticks per second that a zone can have.
const RATES_HZ: std::ops::RangeInclusive<u8> = 1..=60;

/// What a state packet said, and what came of its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateHeader {
    /// The packet's own words.
    pub head: StateHead,
    /// Entities that took at least one value.
    pub applied: u16,
    /// Records of entities that are not in view, or had nothing newer to say.
    pub skipped: u16,
}

impl ClientView {
    pub(super) fn read_state(&mut self, packet: &[u8]) -> Result<Option<StateHeader>, ReplicaError> {
        if packet.len() > limits::STATE_BYTES_MAX {
            return Err(ReplicaError::TooLarge(packet.len()));
        }
        let Some(layout) = &self.layout else { return Ok(None) };
        let mut from = Reader::new(packet, Limits::NODE)?;
        let tick = Tick(from.varint()?);
        let rate_hz = from.raw(1)?[0];
        let head = StateHead { tick, rate_hz, input: from.varint()?, view_sequence: from.varint()? };
        if !RATES_HZ.contains(&rate_hz) {
            return Err(ReplicaError::Rate(rate_hz));
        }
        let count = from.raw(2)?;
        let count = u16::from_le_bytes([count[0], count[1]]);
        let mut records = Records::new(layout, from.remainder());
        let mut applied = 0;
        for _ in 0..count {
            let (index, mask) = records.next()?;
            applied += u16::from(records.values(&mut self.entities, index, mask, tick)?);
        }
        records.bits.finish()?;
        self.newest_tick = self.newest_tick.max(tick);
        Ok(Some(StateHeader { head, applied, skipped: count - applied }))
    }
}

/// Reads the records of a packet one after another.
struct Records<'a> {
    layout: &'a Layout,
    bits: BitReader<'a>,
    index: u16,
    state_mask: u64,
}

impl<'a> Records<'a> {
    fn new(layout: &'a Layout, run: &'a [u8]) -> Self {
        let state_mask = all_ones(layout.state_count());
        Self { layout, bits: BitReader::new(run), index: u16::MAX, state_mask }
    }

    /// Index and mask of the next record.
    fn next(&mut self) -> Result<(u16, u64), ReplicaError> {
        let bits = &mut self.bits;
        self.index = match (bits.take(1)?, self.index) {
            (0, before) => before.wrapping_add(1),
            (_, before) if bits.take(1)? == 0 => before.wrapping_add(2).wrapping_add(take_u16(bits, 4)?),
            (_, _) => take_u16(bits, 16)?,
        };
        if bits.take(1)? == 0 {
            let count = self.layout.state_count();
            let low = bits.take(count.min(32))?;
            let high = bits.take(count - count.min(32))?;
            self.state_mask = u64::from(low) | (u64::from(high) << 32);
        }
        Ok((self.index, self.layout.mask_of_state(self.state_mask)))
    }

    /// The values of the record: into the view where they are newer, past them otherwise. Whether any was taken.
    fn values(
        &mut self,
        entities: &mut Entities,
        index: u16,
        mask: u64,
        tick: Tick,
    ) -> Result<bool, ReplicaError> {
        let Some(slot) = entities.slot_of_index(index) else {
            self.bits.skip(self.layout.width_of(mask))?;
            return Ok(false);
        };
        let mut is_taken = false;
        for (position, place) in self.layout.places_in(mask) {
            let has = (entities.mask(slot) >> position) & 1 == 1;
            match place.own.filter(|_| has) {
                None => self.bits.skip(place.width_bits)?,
                Some(own) => {
                    is_taken |= entities.take_state(slot, own, tick, &mut self.bits)?;
                    let width_bits = entities.schema().components()[usize::from(own)].width_bits;
                    self.bits.skip(place.width_bits - width_bits)?;
                }
            }
        }
        Ok(is_taken)
    }
}

fn take_u16(bits: &mut BitReader<'_>, width: u32) -> Result<u16, ReplicaError> {
    debug_assert!(width <= 16, "callers read at most 16 bits");
    Ok(u16::try_from(bits.take(width)?).expect("at most 16 bits were read"))
}
