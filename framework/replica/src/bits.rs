//! Bit runs: values of 1 to 32 bits, least significant bit first.
//!
//! *Responsible for*: packing and unpacking. *Not responsible for*: what the bits mean.
//!
//! Invariants:
//! - I1: bit `n` of a run is bit `n % 8` of its byte `n / 8`; the last byte is filled with zeros.
//! - I2: reading past the end is an error, never a panic.

use crate::ReplicaError;

/// Appends bits to bytes.
///
/// ```
/// let mut bits = lightmoon_replica::BitWriter::onto(Vec::new());
/// bits.put(0b101, 3);
/// bits.put(0b0110011, 7);
/// assert_eq!(bits.into_bytes(), [0b1001_1101, 0b01]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    /// What is written, then room.
    bytes: Vec<u8>,
    /// Whole bytes that are written.
    at: usize,
    /// The bits behind them, fewer than 8 between calls; they stand in the next byte too.
    waiting: u64,
    waiting_bits: u32,
}

/// Bits that one [`BitWriter::put_long`] takes: with the 7 that may wait they fill a word of 64.
pub(crate) const LONG_BITS_MAX: u32 = 56;

impl BitWriter {
    /// Starts a run behind what `bytes` holds already.
    #[must_use]
    pub const fn onto(bytes: Vec<u8>) -> Self {
        let at = bytes.len();
        Self { bytes, at, waiting: 0, waiting_bits: 0 }
    }

    /// Appends the lowest `bits` bits of `value`; at most 32.
    #[inline]
    pub fn put(&mut self, value: u32, bits: u32) {
        debug_assert!(bits <= 32, "at most 32 bits at once");
        self.put_long(value.into(), bits);
    }

    /// Appends the lowest `bits` bits of `value`; at most 56.
    #[inline]
    pub(crate) fn put_long(&mut self, value: u64, bits: u32) {
        debug_assert!(bits <= LONG_BITS_MAX, "more may not fit beside those that wait");
        self.waiting |= (value & ((1 << bits) - 1)) << self.waiting_bits;
        self.waiting_bits += bits;
        if self.bytes.len() < self.at + 8 {
            self.grow();
        }
        // Always a whole word, of which the next call writes the rest anew: no branch depends on how many bits there are.
        self.bytes[self.at..self.at + 8].copy_from_slice(&self.waiting.to_le_bytes());
        self.at += self.waiting_bits as usize / 8;
        self.waiting >>= self.waiting_bits & !7;
        self.waiting_bits &= 7;
    }

    #[cold]
    fn grow(&mut self) {
        self.bytes.resize((self.bytes.len() * 2).max(self.at + 64), 0);
    }

    /// Appends the lowest `bits` bits of a mask; at most 64.
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
    pub(crate) fn put_mask(&mut self, mask: u64, bits: u32) {
        let low = bits.min(32);
        self.put(mask as u32, low);
        self.put((mask >> 32) as u32, bits - low);
    }

    /// Appends the first `bits` bits of `words`, the lowest bit of the first word first.
    #[inline]
    pub fn put_words(&mut self, words: &[u32], bits: u32) {
        let mut left = bits;
        for word in words {
            let now = left.min(32);
            self.put(*word, now);
            left -= now;
        }
    }

    /// Bits written so far, those of the bytes it started behind included.
    #[must_use]
    pub const fn len_bits(&self) -> usize {
        self.at * 8 + self.waiting_bits as usize
    }

    /// Ends the run: fills the last byte with zeros.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.at + usize::from(self.waiting_bits > 0));
        self.bytes
    }
}

/// Reads bits from bytes.
#[derive(Clone, Copy, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    /// Bits read so far.
    at: usize,
}

impl<'a> BitReader<'a> {
    /// Reads the run in `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `bits` bits; at most 32.
    ///
    /// # Errors
    /// [`ReplicaError::End`]: fewer are left.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "masked to at most 32 bits")]
    pub fn take(&mut self, bits: u32) -> Result<u32, ReplicaError> {
        debug_assert!(bits <= 32, "at most 32 bits at once");
        if self.at + bits as usize > self.bytes.len() * 8 {
            return Err(ReplicaError::End);
        }
        let value = self.window() >> (self.at % 8);
        self.at += bits as usize;
        Ok((value & ((1 << bits) - 1)) as u32)
    }

    /// The eight bytes from the present one on; zeros behind the end.
    #[inline]
    fn window(&self) -> u64 {
        let rest = &self.bytes[self.at / 8..];
        if let Some(whole) = rest.first_chunk::<8>() {
            return u64::from_le_bytes(*whole);
        }
        let mut padded = [0; 8];
        padded[..rest.len()].copy_from_slice(rest);
        u64::from_le_bytes(padded)
    }

    /// Passes over `bits` bits.
    ///
    /// # Errors
    /// [`ReplicaError::End`]: fewer are left.
    pub const fn skip(&mut self, bits: u32) -> Result<(), ReplicaError> {
        if self.at + bits as usize > self.bytes.len() * 8 {
            return Err(ReplicaError::End);
        }
        self.at += bits as usize;
        Ok(())
    }

    /// Ends the run: what is left must be less than a byte, of zeros.
    ///
    /// # Errors
    /// [`ReplicaError::Trailing`]: whole bytes are left. [`ReplicaError::Padding`]: a filling bit is 1.
    pub fn finish(mut self) -> Result<(), ReplicaError> {
        match u32::try_from(self.bytes.len() * 8 - self.at) {
            Ok(0) => Ok(()),
            Ok(left @ 1..8) => {
                if self.take(left)? == 0 {
                    Ok(())
                } else {
                    Err(ReplicaError::Padding)
                }
            }
            Ok(_) | Err(_) => Err(ReplicaError::Trailing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_at_every_width_and_offset() {
        for seed in 0..300 {
            let mut random = fastrand::Rng::with_seed(seed);
            let values: Vec<(u32, u32)> =
                (0..random.usize(..80)).map(|_| (random.u32(..), random.u32(1..=32))).collect();
            let mut writer = BitWriter::onto(vec![0xAA]);
            for (value, bits) in &values {
                writer.put(*value, *bits);
            }
            let total: u32 = values.iter().map(|(_, bits)| bits).sum();
            assert_eq!(writer.len_bits(), 8 + total as usize);
            let bytes = writer.into_bytes();
            assert_eq!(bytes.len(), 1 + total.div_ceil(8) as usize, "seed {seed}");
            let mut reader = BitReader::new(&bytes[1..]);
            for (value, bits) in &values {
                assert_eq!(reader.take(*bits), Ok(value & (u32::MAX >> (32 - bits))), "seed {seed}");
            }
            assert_eq!(reader.finish(), Ok(()), "seed {seed}");
        }
    }

    #[test]
    fn words_are_the_same_as_single_puts() {
        let words = [0xDEAD_BEEF, 0x1234_5678, 0x0000_0005];
        let (mut whole, mut single) = (BitWriter::default(), BitWriter::default());
        for writer in [&mut whole, &mut single] {
            writer.put(1, 1);
        }
        whole.put_words(&words, 67);
        single.put(words[0], 32);
        single.put(words[1], 32);
        single.put(words[2], 3);
        assert_eq!(whole.into_bytes(), single.into_bytes());
    }

    #[test]
    fn the_end_of_a_run_is_strict() {
        assert_eq!(BitReader::new(&[]).take(1), Err(ReplicaError::End));
        assert_eq!(BitReader::new(&[]).finish(), Ok(()));
        let mut reader = BitReader::new(&[0b1000_0001]);
        assert_eq!(reader.take(1), Ok(1));
        assert_eq!(reader.finish(), Err(ReplicaError::Padding));
        assert_eq!(BitReader::new(&[0, 0]).finish(), Err(ReplicaError::Trailing));
        assert_eq!(reader.skip(8), Err(ReplicaError::End));
    }
}
