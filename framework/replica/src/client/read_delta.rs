//! Applying delta packets: `docs/wire-state.md` section 5.
//!
//! Invariants:
//! - I1: what [`ClientView::receipt`] says was received, was applied: packets that came out of order are neither.
//! - I2: a record whose baseline is not there is passed over, never guessed.

use lightmoon_contract::Tick;

use super::ClientView;
use super::entities::Entities;
use super::layout::{Layout, Place};
use crate::delta_writer::COUNT_BITS;
use crate::field_code::{predict, take};
use crate::state_writer::all_ones;
use crate::{Baseline, BitReader, DeltaHead, ReplicaError, limits};

/// Ticks per second that a zone can have.
const RATES_HZ: std::ops::RangeInclusive<u8> = 1..=60;

/// What a delta packet said, and what came of its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeltaHeader {
    /// The packet's own words.
    pub head: DeltaHead,
    /// Entities that took at least one value.
    pub applied: u16,
    /// Records of entities that are not in view, or had nothing newer to say.
    pub skipped: u16,
}

/// What a client tells the server of what arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The attachment that it is about.
    pub generation: u32,
    /// Tick of the newest delta packet that was applied; 0: none.
    pub tick: Tick,
    /// Bit `k`: that of `k` ticks before was applied too; bit 0: there is a newest one.
    pub received: u32,
    /// View payloads that were applied.
    pub views: u64,
}

/// Which delta packets were applied.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    newest: Option<Tick>,
    /// Bit `k`: the packet of `k` ticks before the newest.
    bits: u32,
}

impl Received {
    const fn note(&mut self, tick: Tick) {
        let passed = match self.newest {
            Some(newest) => tick.0 - newest.0,
            None => 32,
        };
        self.bits = if passed >= 32 { 1 } else { (self.bits << passed) | 1 };
        self.newest = Some(tick);
    }

    pub(super) fn receipt(&self, generation: u32, views: u64) -> Receipt {
        Receipt { generation, tick: self.newest.unwrap_or(Tick(0)), received: self.bits, views }
    }
}

impl ClientView {
    pub(super) fn read_delta(&mut self, packet: &[u8]) -> Result<Option<DeltaHeader>, ReplicaError> {
        if packet.len() > limits::STATE_BYTES_MAX {
            return Err(ReplicaError::TooLarge(packet.len()));
        }
        let Some(layout) = &self.layout else { return Ok(None) };
        if !layout.has_fields() {
            return Err(ReplicaError::Fields);
        }
        let Some(([low, high, rate_hz, waited_ms], run)) = packet.split_first_chunk() else {
            return Err(ReplicaError::End);
        };
        if !RATES_HZ.contains(rate_hz) {
            return Err(ReplicaError::Rate(*rate_hz));
        }
        let tick = nearest(self.newest_tick, u16::from_le_bytes([*low, *high]));
        let mut bits = BitReader::new(run);
        let age = bits.take(limits::BASELINE_AGE_BITS)?;
        let gap = bits.take(limits::BASELINE_GAP_BITS)?;
        if age + gap > u32::from(limits::BASELINE_AGE_MAX) || (age == 0 && gap > 0) {
            return Err(ReplicaError::Baseline(age + gap));
        }
        if self.received.newest.is_some_and(|newest| tick <= newest) {
            return Ok(None);
        }
        let baseline = Baseline { age: narrow(age), gap: narrow(gap) };
        let waited_ms = Some(*waited_ms).filter(|waited| *waited <= limits::WAITED_MS_MAX);
        let head = DeltaHead { tick, rate_hz: *rate_hz, waited_ms, baseline };
        let count = bits.take(COUNT_BITS)?;
        let mut records = Records::new(layout, bits, tick, baseline, &mut self.scratch);
        let mut applied = 0;
        for _ in 0..count {
            let record = records.next()?;
            applied += u16::from(records.values(&mut self.entities, &record)?);
        }
        records.bits.finish()?;
        self.newest_tick = self.newest_tick.max(tick);
        self.received.note(tick);
        let skipped = u16::try_from(count).expect("12 bits") - applied;
        Ok(Some(DeltaHeader { head, applied, skipped }))
    }
}

/// The tick closest to `newest` that ends with these 16 bits.
fn nearest(newest: Tick, low: u16) -> Tick {
    let [a, b, ..] = newest.0.to_le_bytes();
    let ahead = low.wrapping_sub(u16::from_le_bytes([a, b])).cast_signed();
    Tick(newest.0.saturating_add_signed(ahead.into()))
}

fn narrow(bits: u32) -> u8 {
    u8::try_from(bits).expect("at most 5 bits were read")
}

/// A record's first part.
struct Record {
    index: u16,
    state_mask: u64,
    baseline: Baseline,
}

/// Reads the records of a packet one after another.
struct Records<'a> {
    layout: &'a Layout,
    bits: BitReader<'a>,
    tick: Tick,
    head: Baseline,
    index: u16,
    masks: [u64; 2],
    scratch: &'a mut Vec<u32>,
}

impl<'a> Records<'a> {
    fn new(
        layout: &'a Layout,
        bits: BitReader<'a>,
        tick: Tick,
        head: Baseline,
        scratch: &'a mut Vec<u32>,
    ) -> Self {
        let masks = [all_ones(layout.state_count()); 2];
        Self { layout, bits, tick, head, index: u16::MAX, masks, scratch }
    }

    fn next(&mut self) -> Result<Record, ReplicaError> {
        let bits = &mut self.bits;
        self.index = match (bits.take(1)?, self.index) {
            (0, before) => before.wrapping_add(1),
            (_, before) if bits.take(1)? == 0 => before.wrapping_add(2).wrapping_add(take_u16(bits, 4)?),
            (_, _) => take_u16(bits, 16)?,
        };
        if bits.take(1)? == 0 {
            let mask = if bits.take(1)? == 1 { self.masks[1] } else { self.spelled_mask()? };
            self.masks = [mask, self.masks[0]];
        }
        let baseline = self.baseline()?;
        Ok(Record { index: self.index, state_mask: self.masks[0], baseline })
    }

    fn spelled_mask(&mut self) -> Result<u64, ReplicaError> {
        let count = self.layout.state_count();
        let low = self.bits.take(count.min(32))?;
        let high = self.bits.take(count - count.min(32))?;
        Ok(u64::from(low) | (u64::from(high) << 32))
    }

    fn baseline(&mut self) -> Result<Baseline, ReplicaError> {
        let Baseline { age, gap } = self.head;
        if age == 0 || self.bits.take(1)? == 0 {
            return Ok(self.head);
        }
        if gap > 0 && self.bits.take(1)? == 0 {
            return Ok(Baseline::of_age(age));
        }
        if self.bits.take(1)? == 1 {
            return Ok(Baseline::WHOLE);
        }
        match self.bits.take(limits::BASELINE_AGE_BITS)? {
            0 => Err(ReplicaError::Baseline(0)),
            age => Ok(Baseline::of_age(narrow(age))),
        }
    }

    /// The values of the record: into the view where they are newer, past them otherwise. Whether any was taken.
    fn values(&mut self, entities: &mut Entities, record: &Record) -> Result<bool, ReplicaError> {
        let mut is_taken = false;
        let Baseline { age, gap } = record.baseline;
        let base_tick = self.tick.0.checked_sub(age.into());
        let older_tick = base_tick.and_then(|tick| tick.checked_sub(gap.into()));
        let slot = entities.slot_of_index(record.index);
        let mask = slot.map_or(0, |slot| entities.mask(slot));
        let layout = self.layout;
        for (position, place, widths) in layout.fields_in(record.state_mask) {
            let known = slot.filter(|_| (mask >> position) & 1 == 1).zip(place.own);
            let rows = match (known, base_tick, older_tick) {
                (Some((slot, own)), Some(base), Some(older)) if age > 0 => {
                    entities.rows_at(slot, own, base, (gap > 0).then_some(older))
                }
                _ => None,
            };
            let is_known = self.component(place, widths, record.baseline, rows)?;
            if let Some((slot, own)) = known
                && is_known
            {
                let own_fields = entities.schema().components()[usize::from(own)].spec.fields.len();
                is_taken |= entities.put_state(slot, own, self.tick, &self.scratch[..own_fields]);
            }
        }
        Ok(is_taken)
    }

    /// Reads a component's fields into `scratch`, against `rows`. Whether they are the component's: a record that is not
    /// whole, of something that has no such rows, is only passed over.
    fn component(
        &mut self,
        place: &Place,
        widths: &[u8],
        baseline: Baseline,
        rows: Option<(&[u32], &[u32])>,
    ) -> Result<bool, ReplicaError> {
        self.scratch.clear();
        let Baseline { age, gap } = baseline;
        if age == 0 {
            for width in widths {
                let value = self.bits.take((*width).into())?;
                self.scratch.push(value);
            }
            return Ok(place.own.is_some());
        }
        let is_told = self.bits.take(1)? == 1;
        let is_motion = gap > 0 && (!is_told || self.bits.take(1)? == 0);
        for (nth, width) in widths.iter().enumerate() {
            let width = u32::from(*width);
            // Fields that this client does not know are read against anything: only their length counts.
            let row = rows.and_then(|(base, older)| base.get(nth).copied().zip(older.get(nth).copied()));
            let (base, older) = row.unwrap_or((0, 0));
            let expected = if is_motion { predict(width, base, older, age.into(), gap.into()) } else { base };
            let value = if is_told { take(&mut self.bits, width, expected)? } else { expected };
            self.scratch.push(value);
        }
        Ok(rows.is_some())
    }
}

fn take_u16(bits: &mut BitReader<'_>, width: u32) -> Result<u16, ReplicaError> {
    debug_assert!(width <= 16, "callers read at most 16 bits");
    Ok(u16::try_from(bits.take(width)?).expect("at most 16 bits were read"))
}
