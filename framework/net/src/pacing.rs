//! Which handshake begins next, and when: those who play do not wait for those who come.
//!
//! A handshake costs as much CPU as several ticks of a client at play (0.4 ms), nearly all of it in its first step. Attempts that were let in wait here and begin
//! one after the other, at a pace. A crowd that comes back after a restart is in play within seconds; a flood takes a share of the thread that
//! is the same however large it is.
//!
//! *Responsible for*: the order and the pace. *Not responsible for*: who is let in, how many wait ([`crate::admission`]).
//!
//! Invariants:
//! - I1: over any span of t seconds at most `burst + per_second · t` attempts leave.
//! - I2: sources take turns, those first that showed that their address is their own: who comes alone waits for one of each other source, not
//!   for all of a crowd.

use crate::source::{Bucket, Source};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Attempts that wait for their turn.
#[derive(Debug)]
pub(crate) struct Pacing<T> {
    bucket: Bucket,
    proved: Turns<T>,
    unproved: Turns<T>,
}

#[derive(Debug)]
struct Turns<T> {
    by_source: BTreeMap<Source, VecDeque<T>>,
    /// Each source that has something, once.
    order: VecDeque<Source>,
    len: usize,
}

impl<T> Pacing<T> {
    /// `bucket`: how many may begin.
    pub(crate) fn new(bucket: Bucket) -> Self {
        Self { bucket, proved: Turns::new(), unproved: Turns::new() }
    }

    /// An attempt that was let in waits from now on.
    pub(crate) fn push(&mut self, source: Source, is_proved: bool, attempt: T) {
        if is_proved { &mut self.proved } else { &mut self.unproved }.push(source, attempt);
    }

    /// How many wait.
    pub(crate) const fn len(&self) -> usize {
        self.proved.len + self.unproved.len
    }

    /// The next one, if it may begin now.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<T> {
        if self.len() == 0 || !self.bucket.take(now) {
            return None;
        }
        self.proved.pop().or_else(|| self.unproved.pop())
    }

    /// An attempt that left did not begin: another one may in its place.
    pub(crate) fn give_back(&mut self) {
        self.bucket.give_back();
    }

    /// When [`Self::pop`] may have one; `None`: nobody waits.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Instant> {
        (self.len() > 0).then(|| self.bucket.next(now))
    }

    /// Takes out those that need not wait any more.
    pub(crate) fn take_where(&mut self, is_gone: impl Fn(&T) -> bool) -> Vec<T> {
        let mut gone = self.proved.take_where(&is_gone);
        gone.extend(self.unproved.take_where(&is_gone));
        gone
    }
}

impl<T> Turns<T> {
    fn new() -> Self {
        Self { by_source: BTreeMap::new(), order: VecDeque::new(), len: 0 }
    }

    fn push(&mut self, source: Source, attempt: T) {
        let of_source = self.by_source.entry(source).or_default();
        if of_source.is_empty() {
            self.order.push_back(source);
        }
        of_source.push_back(attempt);
        self.len += 1;
    }

    fn pop(&mut self) -> Option<T> {
        let source = self.order.pop_front()?;
        let of_source = self.by_source.get_mut(&source)?;
        let attempt = of_source.pop_front();
        if of_source.is_empty() {
            self.by_source.remove(&source);
        } else {
            self.order.push_back(source);
        }
        self.len -= usize::from(attempt.is_some());
        attempt
    }

    fn take_where(&mut self, is_gone: impl Fn(&T) -> bool) -> Vec<T> {
        let mut gone = Vec::new();
        for of_source in self.by_source.values_mut() {
            for _ in 0..of_source.len() {
                match of_source.pop_front() {
                    Some(attempt) if is_gone(&attempt) => gone.push(attempt),
                    Some(attempt) => of_source.push_back(attempt),
                    None => {}
                }
            }
        }
        self.by_source.retain(|_, of_source| !of_source.is_empty());
        self.order.retain(|source| self.by_source.contains_key(source));
        self.len -= gone.len();
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn source(last: u8) -> Source {
        Source::of(std::net::SocketAddr::from(([10, 0, 0, last], 1)))
    }

    fn paced(burst: u32, now: Instant) -> Pacing<u32> {
        Pacing::new(Bucket::full(burst, 100, now))
    }

    #[test]
    fn a_crowd_begins_at_a_pace_and_a_few_at_once() {
        let start = Instant::now();
        let mut pacing = paced(8, start);
        (0..1_000).for_each(|nth| pacing.push(source(1), true, nth));
        let mut begun = Vec::new();
        for ms in 0..1_000 {
            let now = start + Duration::from_millis(ms);
            begun.extend(std::iter::from_fn(|| pacing.pop(now)));
            if ms == 0 {
                assert_eq!(begun.len(), 8, "the burst");
            }
            let next = pacing.next(now).unwrap();
            assert!(next >= now && next <= now + Duration::from_millis(11), "{:?}", next - now);
        }
        assert!((106..=108).contains(&begun.len()), "{}", begun.len());
        assert!(begun.is_sorted(), "in the order in which they came");
        assert_eq!(pacing.len(), 1_000 - begun.len());
    }

    #[test]
    fn who_comes_alone_does_not_wait_for_a_crowd_nor_who_is_proved_for_who_is_not() {
        let start = Instant::now();
        let mut pacing = paced(1_000, start);
        (0..250).for_each(|nth| pacing.push(source(1), true, nth));
        (0..250).for_each(|nth| pacing.push(source(2), false, 1_000 + nth));
        pacing.push(source(3), true, 7_777);
        pacing.push(source(4), false, 8_888);
        let order: Vec<u32> = std::iter::from_fn(|| pacing.pop(start)).collect();
        let place = |who: u32| order.iter().position(|other| *other == who).unwrap();
        assert_eq!(place(7_777), 1);
        assert_eq!(place(8_888), 252);
        assert_eq!(order.len(), 502);
    }

    #[test]
    fn who_need_not_wait_any_more_leaves_its_place_and_its_turn() {
        let start = Instant::now();
        let mut pacing = paced(1_000, start);
        (0..10).for_each(|nth| pacing.push(source(1), true, nth));
        pacing.push(source(2), true, 100);
        assert_eq!(pacing.take_where(|who| *who >= 5).len(), 6);
        assert_eq!(pacing.len(), 5);
        assert_eq!(std::iter::from_fn(|| pacing.pop(start)).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!((pacing.len(), pacing.next(start)), (0, None));
    }

    #[test]
    fn an_attempt_that_did_not_begin_takes_nobodys_turn() {
        let start = Instant::now();
        let mut pacing = paced(1, start);
        (0..3).for_each(|nth| pacing.push(source(1), true, nth));
        assert_eq!(pacing.pop(start), Some(0));
        assert_eq!(pacing.pop(start), None);
        pacing.give_back();
        assert_eq!(pacing.pop(start), Some(1));
    }
}
