//! One tick's state of all entities, each encoded once.
//!
//! *Responsible for*: packing each entity's fields into words that every client's packet copies.
//! *Not responsible for*: which client gets which entity (`zone`), packets ([`crate::StateWriter`]).
//!
//! Invariants:
//! - I1: rows are numbered from 0 in the order they were pushed; [`StateTable::clear`] keeps the buffers.

use crate::Schema;

/// One entity's state, packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed<'a> {
    /// Which state components it has.
    pub state_mask: u64,
    /// Their fields; the lowest bit of the first word comes first.
    pub words: &'a [u32],
    /// How many bits of the words count.
    pub bits: u32,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    state_mask: u64,
    first_word: u32,
    bits: u32,
}

/// The packed state of many entities.
#[derive(Clone, Debug, Default)]
pub struct StateTable {
    rows: Vec<Row>,
    words: Vec<u32>,
}

impl StateTable {
    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.words.clear();
    }

    /// Packs the state components in `mask` from `row`, the entity's row of all state fields.
    ///
    /// # Panics
    /// After 2^32 words of one tick, 16 GiB.
    #[expect(clippy::cast_possible_truncation, reason = "the accumulator is cut into words of 32 bits")]
    pub fn push(&mut self, schema: &Schema, mask: u64, row: &[u32]) {
        let first_word = u32::try_from(self.words.len()).expect("a tick's state is far below 16 GiB");
        let (mut waiting, mut waiting_bits, mut bits) = (0u64, 0u32, 0u32);
        for component in schema.state_in(mask) {
            for (field, value) in component.spec.fields.iter().zip(&row[component.first_field..]) {
                let width = u32::from(field.bits);
                waiting |= (u64::from(*value) & ((1 << width) - 1)) << waiting_bits;
                waiting_bits += width;
                if waiting_bits >= 32 {
                    self.words.push(waiting as u32);
                    waiting >>= 32;
                    waiting_bits -= 32;
                }
            }
            bits += component.width_bits;
        }
        if waiting_bits > 0 {
            self.words.push(waiting as u32);
        }
        self.rows.push(Row { state_mask: schema.state_mask(mask), first_word, bits });
    }

    /// The row of this number.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<Packed<'_>> {
        let Row { state_mask, first_word, bits } = *self.rows.get(row)?;
        let first = first_word as usize;
        let words = &self.words[first..first + bits.div_ceil(32) as usize];
        Some(Packed { state_mask, words, bits })
    }

    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
