//! Which unreliable calls are new: no doubles, and of "latest" ones nothing older than what was seen.
//!
//! *Responsible for*: deciding by sequence numbers. *Not responsible for*: giving them (the client does).
//!
//! Invariants:
//! - I1: a sequence number is accepted at most once while it is within [`DoublesWindow::SIZE`] of the newest.
//! - I2: for one key, accepted "latest" sequence numbers only grow.
//! - I3: memory is constant, whatever numbers a peer sends.

use crate::limits;

/// Whether serial `a` came after serial `b`; both wrap.
#[must_use]
pub(crate) const fn is_newer_than(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 1 << 31
}

/// The last 128 sequence numbers as bits, as in RFC 4303's anti-replay window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DoublesWindow {
    newest: Option<u32>,
    /// Bit n: `newest - n` was seen.
    seen: u128,
}

impl DoublesWindow {
    /// Numbers remembered. A client sends at most about 60 unreliable calls a second: two seconds of reordering.
    pub(crate) const SIZE: u32 = u128::BITS;

    /// Takes `sequence`; false if it was seen before or is too old to tell.
    pub(crate) fn accept(&mut self, sequence: u32) -> bool {
        let Some(newest) = self.newest else {
            self.newest = Some(sequence);
            self.seen = 1;
            return true;
        };
        if is_newer_than(sequence, newest) {
            let ahead = sequence.wrapping_sub(newest);
            self.seen = if ahead < Self::SIZE { self.seen << ahead | 1 } else { 1 };
            self.newest = Some(sequence);
            return true;
        }
        let behind = newest.wrapping_sub(sequence);
        if behind >= Self::SIZE || self.seen >> behind & 1 == 1 {
            return false;
        }
        self.seen |= 1 << behind;
        true
    }
}

/// The newest sequence number of each key, for at most [`limits::LATEST_KEYS_MAX`] keys.
#[derive(Clone, Debug)]
pub(crate) struct NewestOf<K> {
    entries: Vec<(K, u32)>,
}

impl<K: PartialEq> NewestOf<K> {
    pub(crate) const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Takes `sequence` for `key`; false if one as new was taken before.
    pub(crate) fn accept(&mut self, key: K, sequence: u32) -> bool {
        if let Some((_, newest)) = self.entries.iter_mut().find(|(known, _)| *known == key) {
            let accepted = is_newer_than(sequence, *newest);
            if accepted {
                *newest = sequence;
            }
            return accepted;
        }
        if self.entries.len() == limits::LATEST_KEYS_MAX {
            // The key whose newest number lies farthest back was silent longest.
            let silent = (0..self.entries.len()).max_by_key(|at| sequence.wrapping_sub(self.entries[*at].1));
            if let Some(at) = silent {
                self.entries.swap_remove(at);
            }
        }
        self.entries.push((key, sequence));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_taken_once_even_out_of_order() {
        let mut window = DoublesWindow::default();
        for sequence in [5, 7, 6, 4] {
            assert!(window.accept(sequence), "{sequence}");
        }
        for sequence in [5, 7, 6, 4] {
            assert!(!window.accept(sequence), "{sequence}");
        }
        assert!(window.accept(1_000));
        assert!(!window.accept(1_000 - DoublesWindow::SIZE), "too old to tell");
        assert!(window.accept(1_001 - DoublesWindow::SIZE));
    }

    #[test]
    fn numbers_may_wrap() {
        let mut window = DoublesWindow::default();
        for sequence in [u32::MAX - 1, u32::MAX, 0, 1] {
            assert!(window.accept(sequence));
            assert!(!window.accept(sequence));
        }
        let mut newest = NewestOf::new();
        assert!(newest.accept("steer", u32::MAX));
        assert!(newest.accept("steer", 2));
        assert!(!newest.accept("steer", 1));
    }

    #[test]
    fn random_numbers_are_never_taken_twice() {
        for seed in 0..20 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut window = DoublesWindow::default();
            let mut taken = std::collections::BTreeSet::new();
            let mut at = rng.u32(..);
            for _ in 0..5_000 {
                at = at.wrapping_add(rng.u32(0..3));
                let sequence = at.wrapping_sub(rng.u32(0..200));
                if window.accept(sequence) {
                    assert!(taken.insert(sequence), "seed {seed}: {sequence} twice");
                }
            }
        }
    }

    #[test]
    fn many_keys_take_constant_memory_and_forget_the_most_silent() {
        let mut newest = NewestOf::new();
        for sequence in 0..10_000u32 {
            assert!(newest.accept(sequence, sequence));
            assert!(newest.entries.len() <= limits::LATEST_KEYS_MAX);
        }
        assert!(!newest.accept(9_999, 5), "the newest key is still known");
        assert!(newest.accept(1, 3), "an old one was forgotten");
    }
}
