//! Indexes: the short names of entities within one client's view.
//!
//! Invariants:
//! - I1: an index comes again only after at least 65,536 - [`crate::limits::ENTITIES_MAX`] others, so a late state packet
//!   does not meet its next owner.

/// Gives indexes away, in a circle.
#[derive(Clone, Copy, Debug, Default)]
pub struct IndexCounter {
    next: u16,
    /// Whether the circle was closed once; before, no index can be in use.
    is_around: bool,
}

impl IndexCounter {
    /// The next index that is not in use. `is_used` is asked only once the counter went round, and at most as often
    /// as there are entities in the view, plus one.
    pub fn take(&mut self, is_used: impl Fn(u16) -> bool) -> u16 {
        while self.is_around && is_used(self.next) {
            self.advance();
        }
        let index = self.next;
        self.advance();
        index
    }

    const fn advance(&mut self) {
        self.next = self.next.wrapping_add(1);
        self.is_around |= self.next == 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_in_use_is_skipped_and_a_free_one_waits_a_whole_round() {
        let mut counter = IndexCounter::default();
        assert_eq!(counter.take(|_| unreachable!("nothing can be in use yet")), 0);
        for expected in 1..=u16::MAX {
            assert_eq!(counter.take(|_| true), expected);
        }
        assert_eq!(counter.take(|index| index < 5), 5);
        assert_eq!(counter.take(|_| false), 6);
    }
}
