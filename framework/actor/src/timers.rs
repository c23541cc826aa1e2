//! What is due when.
//!
//! *Responsible for*: the heap of deadlines, their order, sweeping out stale ones. *Not responsible for*: acting on them
//! ([`crate::worker`]).
//!
//! Invariants:
//! - I1: deadlines fall due by time, those of one time in the order they were set.
//! - I2: at most half of the heap (above a small size) is deadlines of requests that have their answer.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use lightmoon_contract::{Mono, OperationSpec};

use crate::slot::Slot;
use crate::{AskId, Envelope, limits};

/// What falls due.
#[derive(Debug)]
pub(crate) enum Due {
    /// A request's time is over, or a sleep.
    Ask(AskId),
    /// A delayed tell of an activation to itself.
    Tell(Slot, Box<Envelope>),
    /// An activation's alarm.
    Alarm(Slot),
    /// An operation that an activation calls itself every so often.
    Repeat(Slot, &'static OperationSpec),
    /// What is behind of an activation is to be saved.
    Save(Slot),
    /// A copy of an activation's world is to be made.
    Snapshot(Slot),
    /// An activation may have idled long enough.
    Idle(Slot),
    /// An actor has rested after a panic.
    Rested(Slot),
    /// An actor's panics may be forgotten. The index of its place, whatever life it is in.
    Forget(u32),
}

#[derive(Debug)]
struct Entry {
    at: Mono,
    serial: u64,
    due: Due,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.serial == other.serial
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.serial).cmp(&(other.at, other.serial))
    }
}

/// All deadlines of a worker.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<Entry>>,
    serial: u64,
    delayed: usize,
    /// Entries that mean nothing any more: their request has its answer, their activation has ended.
    stale: usize,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Mono, due: Due) {
        self.serial += 1;
        self.delayed += usize::from(matches!(due, Due::Tell(..)));
        self.heap.push(Reverse(Entry { at, serial: self.serial, due }));
    }

    /// The next one that is due, with its time.
    pub(crate) fn pop(&mut self, now: Mono) -> Option<(Mono, Due)> {
        if self.next()? > now {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        self.delayed -= usize::from(matches!(entry.due, Due::Tell(..)));
        Some((entry.at, entry.due))
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Whether another delayed tell has room.
    pub(crate) const fn has_room_for_tell(&self) -> bool {
        self.delayed < limits::DELAYED_MAX
    }

    /// So many entries mean nothing any more.
    pub(crate) const fn became_stale(&mut self, count: usize) {
        self.stale += count;
    }

    /// An entry that meant nothing any more was popped.
    pub(crate) const fn stale_left(&mut self) {
        self.stale = self.stale.saturating_sub(1);
    }

    /// Takes stale entries out, the caller drops them: those in front, so that nobody wakes up for them, and all if there
    /// are so many that it pays.
    ///
    /// Cost: one pass over the heap, after at least half as many entries became stale; so constant for each.
    pub(crate) fn sweep(&mut self, means_something: impl Fn(&Due) -> bool) -> Vec<Due> {
        let mut swept = Vec::new();
        while self.stale > 0 && self.heap.peek().is_some_and(|Reverse(entry)| !means_something(&entry.due)) {
            self.stale -= 1;
            swept.extend(self.heap.pop().map(|Reverse(entry)| entry.due));
        }
        self.sweep_all(&mut swept, means_something);
        self.delayed -= swept.iter().filter(|due| matches!(due, Due::Tell(..))).count();
        swept
    }

    fn sweep_all(&mut self, out: &mut Vec<Due>, means_something: impl Fn(&Due) -> bool) {
        if self.stale < limits::STALE_DEADLINES_MIN || self.stale * 2 < self.heap.len() {
            return;
        }
        self.stale = 0;
        let (kept, swept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.heap)
            .into_vec()
            .into_iter()
            .partition(|Reverse(entry)| means_something(&entry.due));
        self.heap = kept.into();
        out.extend(swept.into_iter().map(|Reverse(entry)| entry.due));
    }

    /// Takes everything out, to be dropped by the caller.
    pub(crate) fn take(&mut self) -> Vec<Due> {
        (self.delayed, self.stale) = (0, 0);
        std::mem::take(&mut self.heap)
            .into_sorted_vec()
            .into_iter()
            .rev()
            .map(|Reverse(entry)| entry.due)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(due: &Due) -> u32 {
        match due {
            Due::Forget(index) => *index,
            Due::Ask(_)
            | Due::Tell(..)
            | Due::Alarm(_)
            | Due::Repeat(..)
            | Due::Save(_)
            | Due::Snapshot(_)
            | Due::Idle(_)
            | Due::Rested(_) => {
                panic!("only Forget is set here")
            }
        }
    }

    #[test]
    fn timers_fall_due_as_a_sorted_list_would() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut timers, mut list) = (Timers::default(), Vec::new());
            let (mut now, mut serial) = (0, 0);
            for _ in 0..400 {
                if random.u8(..3) > 0 {
                    let at = now + random.u64(..50);
                    timers.set(Mono(at), Due::Forget(serial));
                    list.push((at, serial));
                    serial += 1;
                } else {
                    now += random.u64(..20);
                    list.sort_unstable();
                    let due = list.partition_point(|(at, _)| *at <= now);
                    let expected: Vec<u32> = list.drain(..due).map(|(_, serial)| serial).collect();
                    let fired: Vec<u32> =
                        std::iter::from_fn(|| timers.pop(Mono(now))).map(|(_, due)| index(&due)).collect();
                    assert_eq!(fired, expected, "seed {seed}");
                }
                assert_eq!(timers.next(), list.iter().min().map(|(at, _)| Mono(*at)), "seed {seed}");
            }
        }
    }
}
