//! How one quantised field is written against a value that both sides know.
//!
//! *Responsible for*: differences on the circle of a field's values, prediction, their prefix code.
//! *Not responsible for*: which value is known (`delta_table`, `client`), components and records.
//!
//! ```text
//! 0                    as expected
//! 1 v{w}               of fields of at most 4 bits: this value
//! 1 cc z{n(w, c)}      c = 0, 1, 2: the difference to the expected value, zigzag, less 1
//! 1 11 v{w}            this value
//! ```
//!
//! Invariants:
//! - I1: `take` of what `code` wrote is the value, for every width, value and expectation.
//! - I2: all arithmetic is modulo 2^width: a difference that wraps is one like any other, so no range or angle is special.

use crate::{BitReader, ReplicaError};

/// Fields of at most this width are written whole: a class would cost as much as it saves.
const WHOLE_BITS_MAX: u32 = 4;

/// Widths of the three classes of differences: what is left of a predicted motion is a few steps, a turn some tens, a difference
/// to a value of some ticks ago some hundred. `tests/cost.rs` says what that costs.
const fn class_bits(width: u32) -> [u32; 3] {
    match width {
        0..=8 => [1, 3, 5],
        9..=12 => [2, 4, 7],
        13..=20 => [3, 6, 9],
        _ => [4, 8, 14],
    }
}

/// The same by width, and the width itself as the fourth: to be looked up without a branch.
const CLASS_BITS: [[u32; 4]; 33] = {
    let mut all = [[0; 4]; 33];
    let mut width = 0;
    while width <= 32 {
        let [least, middle, most] = class_bits(width);
        all[width as usize] = [least, middle, most, width];
        width += 1;
    }
    all
};

/// A field's code: two runs of bits, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) head: u32,
    pub(crate) head_bits: u32,
    pub(crate) value: u32,
    pub(crate) value_bits: u32,
}

impl Code {
    #[inline]
    pub(crate) const fn bits(&self) -> u32 {
        self.head_bits + self.value_bits
    }
}

/// The code of `value` where `expected` is expected.
#[inline]
pub(crate) const fn code(width: u32, value: u32, expected: u32) -> Code {
    if value == expected {
        return Code { head: 0, head_bits: 1, value: 0, value_bits: 0 };
    }
    if width <= WHOLE_BITS_MAX {
        return Code { head: 1, head_bits: 1, value, value_bits: width };
    }
    let distance = zigzag(difference(width, value, expected)) - 1;
    let bits = &CLASS_BITS[width as usize];
    // Which class it is changes from entity to entity: counted, since no predictor guesses it.
    let class = (distance >> bits[0] != 0) as u32
        + (distance >> bits[1] != 0) as u32
        + (distance >> bits[2] != 0) as u32;
    let value = if class == 3 { value } else { distance };
    Code { head: 1 | (class << 1), head_bits: 3, value, value_bits: bits[class as usize] }
}

/// Reads a value where `expected` is expected.
#[inline]
pub(crate) fn take(bits: &mut BitReader<'_>, width: u32, expected: u32) -> Result<u32, ReplicaError> {
    if bits.take(1)? == 0 {
        return Ok(expected);
    }
    if width <= WHOLE_BITS_MAX {
        return bits.take(width);
    }
    let class = bits.take(2)?;
    let [least, middle, most] = class_bits(width);
    let value_bits = match class {
        0 => least,
        1 => middle,
        2 => most,
        _ => return bits.take(width),
    };
    let distance = unzigzag(bits.take(value_bits)? + 1);
    Ok(expected.wrapping_add(distance) & mask(width))
}

/// What a field is expected to be `age` ticks after it was `newer`, when it was `older` another `gap` ticks before: motion
/// goes on in a straight line. `gap` is not 0. Fields that are written whole are no motion: they are expected as they were.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^width")]
pub(crate) const fn predict(width: u32, newer: u32, older: u32, age: u32, gap: u32) -> u32 {
    if width <= WHOLE_BITS_MAX {
        return newer;
    }
    let motion = difference(width, newer, older) as i64 * age as i64;
    // Divisors that are known become multiplications; mostly nothing was lost, and it is 1.
    let motion = match gap {
        1 => motion,
        2 => motion / 2,
        3 => motion / 3,
        4 => motion / 4,
        gap => motion / gap as i64,
    };
    newer.wrapping_add(motion as u32) & mask(width)
}

/// The same where the motion bends: when it was `oldest` another `gap` ticks before `older`, and goes on to change as much from one gap to the
/// next. A change of a single step is what rounding makes of a straight motion, and counts as none.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "modulo 2^width")]
pub(crate) const fn predict_bent(width: u32, [newer, older, oldest]: [u32; 3], age: u32, gap: u32) -> u32 {
    if width <= WHOLE_BITS_MAX {
        return newer;
    }
    let (last, before) = (difference(width, newer, older) as i64, difference(width, older, oldest) as i64);
    let bend = last - before;
    let bend = if bend.unsigned_abs() <= 1 { 0 } else { bend };
    let (age, gap) = (age as i64, gap as i64);
    let twice = 2 * last * age * gap + bend * age * (age + gap);
    let motion = if gap == 1 { twice / 2 } else { twice / (2 * gap * gap) };
    newer.wrapping_add(motion as u32) & mask(width)
}

/// The lowest `width` bits.
#[inline]
pub(crate) const fn mask(width: u32) -> u32 {
    u32::MAX >> (32 - width)
}

/// `to - from` on the circle of 2^width values: the short way round.
#[inline]
#[expect(clippy::cast_possible_wrap, reason = "the point of it")]
const fn difference(width: u32, to: u32, from: u32) -> i32 {
    let unused = 32 - width;
    ((to.wrapping_sub(from) << unused) as i32) >> unused
}

#[inline]
#[expect(clippy::cast_sign_loss, reason = "the point of it")]
const fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

#[inline]
const fn unzigzag(value: u32) -> u32 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BitWriter;

    #[test]
    fn every_value_is_read_as_it_was_written_whatever_was_expected() {
        let mut random = fastrand::Rng::with_seed(5);
        for width in 1..=32 {
            for round in 0..2_000u32 {
                let expected = random.u32(..) & mask(width);
                let near = expected.wrapping_add(random.u32(..) >> random.u32(..32)) & mask(width);
                let value = if round % 3 == 0 { random.u32(..) & mask(width) } else { near };
                let code = code(width, value, expected);
                let mut bits = BitWriter::default();
                bits.put(code.head, code.head_bits);
                bits.put(code.value, code.value_bits);
                assert_eq!(bits.len_bits(), code.bits() as usize);
                let bytes = bits.into_bytes();
                assert_eq!(take(&mut BitReader::new(&bytes), width, expected), Ok(value), "{width} bits");
                assert!(code.bits() <= 3 + width);
            }
        }
    }

    #[test]
    fn motion_goes_on_over_the_seam_of_a_circle() {
        assert_eq!(predict(8, 2, 254, 3, 1), 14);
        assert_eq!(predict(8, 254, 2, 3, 2), 248, "halves are cut towards zero");
        assert_eq!(predict(32, 5, u32::MAX, 31, 1), 191);
        assert_eq!(predict(4, 9, 2, 7, 7), 9, "no motion");
    }

    #[test]
    fn a_bent_motion_goes_on_to_bend_and_a_straight_one_stays_straight() {
        // 0, 4, 10 and then 18, 28, 40: each way is two longer.
        assert_eq!(predict_bent(16, [10, 4, 0], 1, 1), 18);
        assert_eq!(predict_bent(16, [10, 4, 0], 2, 1), 28);
        assert_eq!(predict_bent(16, [28, 10, 0], 2, 2), 54, "of two ticks each: 10, 18, and then 26");
        assert_eq!(predict_bent(16, [10, 4, 65_535], 3, 1), 28, "a single step is rounding");
        assert_eq!(predict_bent(8, [2, 250, 246], 1, 1), 14, "over the seam");
        assert_eq!(predict_bent(3, [5, 1, 6], 1, 1), 5, "no motion");
        assert_eq!(predict_bent(32, [0, 1 << 31, 0], 31, 7), predict_bent(32, [0, 1 << 31, 0], 31, 7));
    }
}
