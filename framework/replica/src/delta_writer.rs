//! Delta packets: many entities' state in one datagram, against what the client has, under a budget of bits.
//!
//! *Responsible for*: the packet's bytes (`docs/wire-state.md` section 5). *Not responsible for*: what the client has and
//! who goes first (`zone`), bodies ([`crate::DeltaTable`]).
//!
//! Invariants:
//! - I1: a packet is never longer than its budget; a record that does not fit is not begun.

use lightmoon_contract::Tick;

use crate::bits::LONG_BITS_MAX;
use crate::state_writer::all_ones;
use crate::{Baseline, BitWriter, Packed, Schema, limits};

/// What a delta packet says before its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeltaHead {
    /// The tick that all records are of.
    pub tick: Tick,
    /// Ticks per second, 1 to 60.
    pub rate_hz: u8,
    /// Milliseconds that the newest input of this client had waited for this tick, at most [`limits::WAITED_MS_MAX`]; `None`: none came
    /// since the client's last packet, or it waited longer.
    pub waited_ms: Option<u8>,
    /// What most records are written against; [`Baseline::WHOLE`]: all of them are whole.
    pub baseline: Baseline,
}

/// Bytes before the records' run: tick, rate, wait.
const HEAD_BYTES: usize = 4;

/// Bits of the records' run that stand before the first: age, gap, count, whether motion bends.
const HEAD_BITS: u32 = limits::BASELINE_AGE_BITS + limits::BASELINE_GAP_BITS + COUNT_BITS + 1;
/// Bits of the count of records.
pub(crate) const COUNT_BITS: u32 = 12;
/// Records of one packet.
const RECORDS_MAX: u32 = (1 << COUNT_BITS) - 1;

/// Writes one delta packet.
#[derive(Debug)]
pub struct DeltaWriter {
    bits: BitWriter,
    head: Baseline,
    count: u32,
    budget_bits: usize,
    state_count: u32,
    index_before: u16,
    /// The last two state masks, the newest first.
    masks: [u64; 2],
}

impl DeltaWriter {
    /// Starts a packet of at most `budget_bytes`, in the buffer `onto` (its contents are dropped).
    ///
    /// The budget is raised to what the schema's largest record needs, and lowered to [`limits::STATE_BYTES_MAX`].
    #[must_use]
    pub fn new(schema: &Schema, head: &DeltaHead, budget_bytes: usize, mut onto: Vec<u8>) -> Self {
        onto.clear();
        let [low, high, ..] = head.tick.0.to_le_bytes();
        let waited = head.waited_ms.unwrap_or(u8::MAX);
        onto.extend_from_slice(&[low, high, head.rate_hz, waited]);
        let mut bits = BitWriter::onto(onto);
        bits.put(head.baseline.age.into(), limits::BASELINE_AGE_BITS);
        bits.put(head.baseline.gap.into(), limits::BASELINE_GAP_BITS);
        bits.put(0, COUNT_BITS);
        if head.baseline.gap > 0 {
            bits.put(head.baseline.bends.into(), 1);
        }
        let state_count = schema.state_count();
        let budget_bytes = budget_bytes.clamp(Self::budget_bytes_min(schema), limits::STATE_BYTES_MAX);
        Self {
            bits,
            head: head.baseline,
            count: 0,
            budget_bits: budget_bytes * 8,
            state_count,
            index_before: u16::MAX,
            masks: [all_ones(state_count); 2],
        }
    }

    /// The least budget with which every entity fits a packet.
    #[must_use]
    pub fn budget_bytes_min(schema: &Schema) -> usize {
        HEAD_BYTES + (HEAD_BITS + Self::record_bits_max(schema)).div_ceil(8) as usize
    }

    /// Bits of the longest record. Bodies that are longer than whole ones are not sent.
    pub(crate) fn record_bits_max(schema: &Schema) -> u32 {
        18 + 2 + schema.state_count() + 3 + limits::BASELINE_AGE_BITS + schema.width_of(u64::MAX)
    }

    /// Appends an entity whose body is against `baseline`. `false`: it does not fit any more, nothing was written.
    #[must_use]
    #[inline]
    pub fn push(&mut self, index: u16, baseline: Baseline, state: &Packed<'_>) -> bool {
        let gap = index.wrapping_sub(self.index_before).wrapping_sub(1);
        let (index_code, index_bits) = match gap {
            0 => (0, 1),
            1..=16 => (0b01 | (u32::from(gap - 1) << 2), 6),
            _ => (0b11 | (u32::from(index) << 2), 18),
        };
        let (mask_code, mask_bits, spelled) = if state.state_mask == self.masks[0] {
            (1, 1, 0)
        } else if state.state_mask == self.masks[1] {
            (0b10, 2, 0)
        } else {
            (0b00, 2, self.state_count)
        };
        let (base_code, base_bits) = self.base_code(baseline);
        let needed = (index_bits + mask_bits + spelled + base_bits + state.bits) as usize;
        if self.bits.len_bits() + needed > self.budget_bits || self.count == RECORDS_MAX {
            return false;
        }
        let (head, head_bits) = (index_code | (mask_code << index_bits), index_bits + mask_bits);
        if spelled == 0 && needed <= LONG_BITS_MAX as usize && state.bits <= 32 {
            // Nearly all records of a walk are so short that they go in one piece.
            let body = state.words.first().map_or(0, |word| u64::from(*word));
            let rest = u64::from(base_code) | (body << base_bits);
            self.bits.put_long(u64::from(head) | (rest << head_bits), head_bits + base_bits + state.bits);
        } else {
            self.bits.put(head, head_bits);
            if spelled > 0 {
                self.bits.put_mask(state.state_mask, self.state_count);
            }
            self.bits.put(base_code, base_bits);
            self.bits.put_words(state.words, state.bits);
        }
        #[cfg(test)]
        crate::tests::tally(self.head, baseline, base_bits, state.bits);
        self.index_before = index;
        if state.state_mask != self.masks[0] {
            self.masks = [state.state_mask, self.masks[0]];
        }
        self.count += 1;
        true
    }

    /// Appends an entity as nearly all are: with the components of the one before, against the head's baseline, of at most 32 bits, which
    /// the budget has for sure. `false`: it is not like that, nothing was written.
    #[must_use]
    #[inline]
    pub(crate) fn push_usual(&mut self, index: u16, state_mask: u64, body: u32, bits: u32) -> bool {
        let gap = index.wrapping_sub(self.index_before).wrapping_sub(1);
        if state_mask != self.masks[0] || gap > 16 || bits > 32 || self.head.age == 0 {
            return false;
        }
        let (index_code, index_bits) = match gap {
            0 => (0, 1),
            _ => (0b01 | (u64::from(gap - 1) << 2), 6),
        };
        // The components as before: `1`; against the head's baseline: `0`.
        let head = index_code | (1 << index_bits);
        let head_bits = index_bits + 2;
        self.bits.put_long(head | (u64::from(body) << head_bits), head_bits + bits);
        #[cfg(test)]
        crate::tests::tally(self.head, self.head, 1, bits);
        self.index_before = index;
        self.count += 1;
        true
    }

    /// How a record says what it is against.
    #[inline]
    fn base_code(&self, baseline: Baseline) -> (u32, u32) {
        let Baseline { age, gap, bends } = self.head;
        if age == 0 {
            debug_assert_eq!(baseline, Baseline::WHOLE, "the head names no baseline");
            return (0, 0);
        }
        if baseline == self.head {
            return (0, 1);
        }
        if bends && baseline == self.head.straight() {
            return (0b001, 3);
        }
        debug_assert_eq!(baseline.gap, 0, "only the head's baseline has a gap");
        // Behind the first 1 when the head predicts: 0 = the head's age without prediction.
        let (before, before_bits) = if gap == 0 { (1, 1) } else { (0b11, 2) };
        match baseline.age {
            0 => (before | (1 << before_bits), before_bits + 1),
            same if same == age && bends => (0b101, 3),
            same if same == age && gap != 0 => (0b01, 2),
            other => (
                before | (u32::from(other) << (before_bits + 1)),
                before_bits + 1 + limits::BASELINE_AGE_BITS,
            ),
        }
    }

    /// Records in the packet.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Bits that are left of the budget.
    #[must_use]
    pub const fn bits_left(&self) -> usize {
        self.budget_bits.saturating_sub(self.bits.len_bits())
    }

    /// The packet.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.bits.into_bytes();
        // The count is bits 8 to 19 of the run: the whole second byte and half of the third.
        let [low, high, ..] = self.count.to_le_bytes();
        bytes[HEAD_BYTES + 1] = low;
        bytes[HEAD_BYTES + 2] |= high;
        bytes
    }
}
