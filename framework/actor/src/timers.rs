//! What is due when.
//!
//! *Responsible for*: deadlines, their order, sweeping out stale ones. *Not responsible for*: acting on them
//! ([`crate::worker`]).
//!
//! Requests of one operation have one timeout, and time only grows: their deadlines come in order. So each stands behind
//! the last one of a *run* that is not later, which costs a comparison instead of a way through a heap. What fits behind
//! no run goes into the heap.
//!
//! Invariants:
//! - I1: deadlines fall due by time, those of one time in the order they were set.
//! - I2: at most half of them (above a small number) is deadlines of requests that have their answer.
//! - I3: a run is in order.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

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

/// Runs of deadlines in order: as many as there are usual timeouts of requests at one time.
const RUNS: usize = 4;

/// Where an entry stands in front.
#[derive(Clone, Copy, Debug)]
enum Front {
    Run(usize),
    Heap,
}

/// All deadlines of a worker.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    runs: [VecDeque<Entry>; RUNS],
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
        let is_ask = matches!(due, Due::Ask(_));
        let entry = Entry { at, serial: self.serial, due };
        let mut runs = self.runs.iter_mut();
        match runs.find(|run| is_ask && run.back().is_none_or(|last| last.at <= at)) {
            Some(run) => run.push_back(entry),
            None => self.heap.push(Reverse(entry)),
        }
    }

    /// The next one that is due, with its time.
    pub(crate) fn pop(&mut self, now: Mono) -> Option<(Mono, Due)> {
        let (front, first) = self.first()?;
        if first.at > now {
            return None;
        }
        let entry = self.take_front(front)?;
        self.delayed -= usize::from(matches!(entry.due, Due::Tell(..)));
        Some((entry.at, entry.due))
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Mono> {
        self.first().map(|(_, first)| first.at)
    }

    fn first(&self) -> Option<(Front, &Entry)> {
        let runs = self
            .runs
            .iter()
            .enumerate()
            .filter_map(|(run, entries)| Some((Front::Run(run), entries.front()?)));
        let heap = self.heap.peek().map(|Reverse(entry)| (Front::Heap, entry));
        runs.chain(heap).min_by(|(_, one), (_, other)| one.cmp(other))
    }

    fn take_front(&mut self, front: Front) -> Option<Entry> {
        match front {
            Front::Run(run) => self.runs[run].pop_front(),
            Front::Heap => self.heap.pop().map(|Reverse(entry)| entry),
        }
    }

    fn len(&self) -> usize {
        self.heap.len() + self.runs.iter().map(VecDeque::len).sum::<usize>()
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
    /// Cost: one pass over everything, after at least half as many entries became stale; so constant for each.
    pub(crate) fn sweep(&mut self, means_something: impl Fn(&Due) -> bool) -> Vec<Due> {
        let mut swept = Vec::new();
        if self.stale == 0 {
            return swept;
        }
        for run in 0..RUNS {
            self.sweep_front(Front::Run(run), &mut swept, &means_something);
        }
        self.sweep_front(Front::Heap, &mut swept, &means_something);
        self.sweep_all(&mut swept, means_something);
        self.delayed -= swept.iter().filter(|due| matches!(due, Due::Tell(..))).count();
        swept
    }

    fn sweep_front(&mut self, front: Front, out: &mut Vec<Due>, means_something: impl Fn(&Due) -> bool) {
        while self.stale > 0 {
            let first = match front {
                Front::Run(run) => self.runs[run].front(),
                Front::Heap => self.heap.peek().map(|Reverse(entry)| entry),
            };
            if first.is_none_or(|entry| means_something(&entry.due)) {
                return;
            }
            self.stale -= 1;
            // A request holds nothing of a user that would have to be dropped outside.
            match self.take_front(front).map(|entry| entry.due) {
                Some(Due::Ask(_)) | None => {}
                Some(other) => out.push(other),
            }
        }
    }

    fn sweep_all(&mut self, out: &mut Vec<Due>, means_something: impl Fn(&Due) -> bool) {
        if self.stale < limits::STALE_DEADLINES_MIN || self.stale * 2 < self.len() {
            return;
        }
        self.stale = 0;
        for run in &mut self.runs {
            run.retain(|entry| means_something(&entry.due));
        }
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
        let mut entries = std::mem::take(&mut self.heap).into_vec();
        entries.extend(self.runs.iter_mut().flat_map(std::mem::take).map(Reverse));
        // The greatest of what is reversed is the first.
        entries.sort_unstable_by(|one, other| other.cmp(one));
        entries.into_iter().map(|Reverse(entry)| entry.due).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(due: &Due) -> u32 {
        match due {
            Due::Forget(index) => *index,
            Due::Ask(id) => u32::try_from(id.index()).unwrap(),
            Due::Tell(..)
            | Due::Alarm(_)
            | Due::Repeat(..)
            | Due::Save(_)
            | Due::Snapshot(_)
            | Due::Idle(_)
            | Due::Rested(_) => {
                panic!("only Forget and Ask are set here")
            }
        }
    }

    /// Runs take requests only, of more timeouts than there are runs.
    fn some_due(random: &mut fastrand::Rng, index: u32) -> Due {
        if random.bool() { Due::Ask(AskId::new(index, 1)) } else { Due::Forget(index) }
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
                    timers.set(Mono(at), some_due(&mut random, serial));
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
