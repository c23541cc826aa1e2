//! State packets: many entities' state in one datagram, under a byte budget.
//!
//! *Responsible for*: the packet's bytes (`docs/wire-state.md` section 4). *Not responsible for*: who goes first; the
//! caller starts each packet where the last one was full, so that nobody starves.
//!
//! Invariants:
//! - I1: a packet is never longer than its budget; a record that does not fit is not begun.

use lightmoon_contract::Tick;
use lightmoon_contract::codec::Writer;

use crate::limits;
use crate::{BitWriter, Packed, Schema};

/// What a state packet says before its records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateHead {
    /// The tick that all records are of.
    pub tick: Tick,
    /// Ticks per second, 1 to 60.
    pub rate_hz: u8,
    /// Sequence of the client's last input that this tick has seen; 0 = none.
    pub input: u64,
    /// View payloads sent before this packet.
    pub view_sequence: u64,
}

/// Writes one state packet.
#[derive(Debug)]
pub struct StateWriter {
    bits: BitWriter,
    /// Where the count of records stands.
    count_at: usize,
    count: u16,
    budget_bits: usize,
    state_count: u32,
    index_before: u16,
    mask_before: u64,
}

impl StateWriter {
    /// Starts a packet of at most `budget_bytes`, in the buffer `onto` (its contents are dropped).
    ///
    /// The budget is raised to what the schema's largest record needs, and lowered to [`limits::STATE_BYTES_MAX`].
    #[must_use]
    pub fn new(schema: &Schema, head: &StateHead, budget_bytes: usize, mut onto: Vec<u8>) -> Self {
        onto.clear();
        let mut header = Writer::onto(onto);
        header.varint(head.tick.0);
        header.raw(&[head.rate_hz]);
        header.varint(head.input);
        header.varint(head.view_sequence);
        let mut bytes = header.into_bytes();
        let count_at = bytes.len();
        bytes.extend_from_slice(&[0, 0]);
        let state_count = schema.state_count();
        let budget_bytes = budget_bytes.clamp(Self::budget_bytes_min(schema), limits::STATE_BYTES_MAX);
        Self {
            bits: BitWriter::onto(bytes),
            count_at,
            count: 0,
            budget_bits: budget_bytes * 8,
            state_count,
            index_before: u16::MAX,
            mask_before: all_ones(state_count),
        }
    }

    /// The least budget with which every entity fits a packet.
    #[must_use]
    pub fn budget_bytes_min(schema: &Schema) -> usize {
        let record_bits = 18 + 1 + schema.state_count() + schema.width_of(u64::MAX);
        limits::STATE_HEADER_BYTES_MAX + record_bits.div_ceil(8) as usize
    }

    /// Appends an entity. `false`: it does not fit any more, nothing was written.
    #[must_use]
    pub fn push(&mut self, index: u16, state: &Packed<'_>) -> bool {
        let gap = index.wrapping_sub(self.index_before).wrapping_sub(1);
        let index_bits = match gap {
            0 => 1,
            1..=16 => 6,
            _ => 18,
        };
        let same_mask = state.state_mask == self.mask_before;
        let mask_bits = if same_mask { 1 } else { 1 + self.state_count };
        let needed = (index_bits + mask_bits + state.bits) as usize;
        if self.bits.len_bits() + needed > self.budget_bits || self.count == u16::MAX {
            return false;
        }
        match gap {
            0 => self.bits.put(0, 1),
            1..=16 => self.bits.put(0b01 | (u32::from(gap - 1) << 2), 6),
            _ => self.bits.put(0b11 | (u32::from(index) << 2), 18),
        }
        self.bits.put(u32::from(same_mask), 1);
        if !same_mask {
            self.bits.put_mask(state.state_mask, self.state_count);
        }
        self.bits.put_words(state.words, state.bits);
        self.index_before = index;
        self.mask_before = state.state_mask;
        self.count += 1;
        true
    }

    /// Records in the packet.
    #[must_use]
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// The packet.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.bits.into_bytes();
        bytes[self.count_at..self.count_at + 2].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }
}

/// The lowest `count` bits.
pub(crate) const fn all_ones(count: u32) -> u64 {
    if count >= 64 { u64::MAX } else { (1 << count) - 1 }
}
