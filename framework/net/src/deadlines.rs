//! When which connection has to be looked at.
//!
//! *Responsible for*: one deadline for each connection, and finding those that passed. *Not responsible for*: what happens then
//! (`peer`), sleeping (`driver`).
//!
//! Deadlines of a busy connection change with each packet, most of them before they pass. So a change costs two writes into dense lists, and looking
//! for those that passed costs a comparison for each 64 connections, and one for each in blocks that may have some: a microsecond for ten
//! thousand. A heap would hold every deadline that was ever set until its time.
//!
//! Invariants:
//! - I1: a deadline that passed is reported by the first [`Deadlines::take_passed`] after it, once.
//! - I2: [`Deadlines::next`] is never later than the earliest deadline; it may be earlier.

use std::time::{Duration, Instant};

/// Connections that share a bound.
const BLOCK: usize = 64;

/// No deadline.
const NEVER: u64 = u64::MAX;

/// Deadlines by the number of a connection. Numbers are used again, so the lists are as long as most connections at once.
#[derive(Debug)]
pub(crate) struct Deadlines {
    origin: Instant,
    /// Nanoseconds since the origin.
    each: Vec<u64>,
    /// Not later than the earliest of each block.
    blocks: Vec<u64>,
}

impl Deadlines {
    pub(crate) const fn new(origin: Instant) -> Self {
        Self { origin, each: Vec::new(), blocks: Vec::new() }
    }

    /// Sets or takes away the deadline of a connection.
    pub(crate) fn set(&mut self, index: usize, deadline: Option<Instant>) {
        let at = deadline.map_or(NEVER, |deadline| self.nanos(deadline));
        if index >= self.each.len() {
            if at == NEVER {
                return;
            }
            self.each.resize(index + 1, NEVER);
            self.blocks.resize(index / BLOCK + 1, NEVER);
        }
        self.each[index] = at;
        let block = &mut self.blocks[index / BLOCK];
        *block = at.min(*block);
    }

    /// When to look again at the latest.
    pub(crate) fn next(&self) -> Option<Instant> {
        let next = self.blocks.iter().copied().min().filter(|next| *next != NEVER)?;
        Some(self.origin + Duration::from_nanos(next))
    }

    /// Takes away the deadlines that passed, and adds their connections to the list.
    pub(crate) fn take_passed(&mut self, now: Instant, passed: &mut Vec<usize>) {
        let now = self.nanos(now);
        for (number, block) in self.blocks.iter_mut().enumerate() {
            if *block > now {
                continue;
            }
            let first = number * BLOCK;
            let last = self.each.len().min(first + BLOCK);
            *block = NEVER;
            for (offset, at) in self.each[first..last].iter_mut().enumerate() {
                if *at <= now {
                    *at = NEVER;
                    passed.push(first + offset);
                } else {
                    *block = (*block).min(*at);
                }
            }
        }
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.origin).as_nanos()).unwrap_or(NEVER - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_deadline_is_reported_once_and_not_before_its_time() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::new(start);
        for index in 0..200_usize {
            deadlines.set(index, Some(at(1_000 - u64::try_from(index).unwrap())));
        }
        // A later one in the place of an earlier one, and none.
        deadlines.set(199, Some(at(5_000)));
        deadlines.set(198, None);
        assert!(deadlines.next().unwrap() <= at(803));
        let mut passed = Vec::new();
        deadlines.take_passed(at(802), &mut passed);
        assert!(passed.is_empty(), "{passed:?}");
        deadlines.take_passed(at(900), &mut passed);
        assert_eq!(passed, (100..198).collect::<Vec<_>>());
        passed.clear();
        deadlines.take_passed(at(900), &mut passed);
        assert!(passed.is_empty());
        assert_eq!(deadlines.next(), Some(at(901)));
        deadlines.take_passed(at(6_000), &mut passed);
        assert_eq!(passed.len(), 101);
        assert_eq!(deadlines.next(), None);
    }
}
