//! Stores with one thing wrong each: the suite finds every one, by the promise that it breaks.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each wrong concerns one place and is nothing to all others"
)]

use std::collections::VecDeque;

use bytes::Bytes;
use lightmoon_contract::Mono;
use lightmoon_store::{
    Area, Change, Condition, Done, Head, Is, MemoryStore, Outcome, Partition, Rejected, Request, Scan, Space,
    Store, Ticket, conformance,
};

use crate::clock;

/// One thing that is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    NoFence,
    AbsentAlwaysHolds,
    AtMostIsBelow,
    EqualIsAtMost,
    AtMostIsAlways,
    OnlyFirstTestCounts,
    MissingPartitionPasses,
    RefusedWritesRows,
    RefusedForgetsHead,
    RowsWithoutHead,
    LastChangeLost,
    DeletesIgnored,
    RangeDeletesIgnored,
    ChangesReversed,
    RangeDeleteTakesEnd,
    RangeDeleteBeforePuts,
    NumbersOf32Bits,
    HeadReplaced,
    RangeEndIncluded,
    RangeStartIgnored,
    RowsReversed,
    PageTooLong,
    MoreAlwaysFalse,
    PagesStale,
    HeadOnlyWithRows,
    KeysCutAtZero,
    SpacesMixed,
    SpaceIsOneByte,
    AreasMixed,
    KeysStrungTogether,
    AppendDoubles,
    ListUnsorted,
    ListIncludesAfter,
    RemoveTakesAll,
    RemoveDoesNothing,
    RemoveTakesLogAndChunks,
    OutcomeTwice,
    OutcomeLost,
    TicketsSwapped,
    NoLimits,
    OverLimitAlsoAnswered,
}

const ALL: &[Wrong] = &[
    Wrong::NoFence,
    Wrong::AbsentAlwaysHolds,
    Wrong::AtMostIsBelow,
    Wrong::EqualIsAtMost,
    Wrong::AtMostIsAlways,
    Wrong::OnlyFirstTestCounts,
    Wrong::MissingPartitionPasses,
    Wrong::RefusedWritesRows,
    Wrong::RefusedForgetsHead,
    Wrong::RowsWithoutHead,
    Wrong::LastChangeLost,
    Wrong::DeletesIgnored,
    Wrong::RangeDeletesIgnored,
    Wrong::ChangesReversed,
    Wrong::RangeDeleteTakesEnd,
    Wrong::RangeDeleteBeforePuts,
    Wrong::NumbersOf32Bits,
    Wrong::HeadReplaced,
    Wrong::RangeEndIncluded,
    Wrong::RangeStartIgnored,
    Wrong::RowsReversed,
    Wrong::PageTooLong,
    Wrong::MoreAlwaysFalse,
    Wrong::PagesStale,
    Wrong::HeadOnlyWithRows,
    Wrong::KeysCutAtZero,
    Wrong::SpacesMixed,
    Wrong::SpaceIsOneByte,
    Wrong::AreasMixed,
    Wrong::KeysStrungTogether,
    Wrong::AppendDoubles,
    Wrong::ListUnsorted,
    Wrong::ListIncludesAfter,
    Wrong::RemoveTakesAll,
    Wrong::RemoveDoesNothing,
    Wrong::RemoveTakesLogAndChunks,
    Wrong::OutcomeTwice,
    Wrong::OutcomeLost,
    Wrong::TicketsSwapped,
    Wrong::NoLimits,
    Wrong::OverLimitAlsoAnswered,
];

/// A memory store whose requests and outcomes pass through the wrong.
struct Spoilt {
    inner: MemoryStore,
    wrong: Wrong,
    outcomes: VecDeque<(Ticket, Outcome)>,
    appended: u64,
    /// Keys written since a read began at the start.
    unseen: Vec<Bytes>,
}

impl Spoilt {
    fn run(&mut self, request: Request) -> Outcome {
        self.inner.submit(Ticket(0), request).expect("it was checked");
        self.inner.poll(Mono(0)).expect("a memory store answers at once").1
    }

    /// The head of a partition.
    fn head(&mut self, partition: &Partition) -> Option<Head> {
        let keys = lightmoon_store::KeyRange::all();
        let read =
            Request::Read { area: Area::Commits, partition: partition.clone(), keys, limit: 1, serial: true };
        match self.run(read) {
            Outcome::Done(Done::Page(page)) => page.head,
            other => panic!("a read gave {other:?}"),
        }
    }

    /// Commits whatever the head is.
    fn force(&mut self, partition: Partition, head: Head, changes: Vec<Change>) -> Outcome {
        let condition = match self.head(&partition) {
            None => Condition::Absent,
            Some(head) => {
                let is = |(field, value)| lightmoon_store::Test { field, is: Is::Equal, value };
                Condition::Holds(head.fields().map(is).take(1).collect())
            }
        };
        self.run(Request::Commit { partition, condition, head, changes })
    }

    fn commit(
        &mut self,
        partition: Partition,
        condition: Condition,
        mut head: Head,
        mut changes: Vec<Change>,
    ) -> Outcome {
        let current = self.head(&partition);
        let holds = self.holds(&condition, current.as_ref());
        match self.wrong {
            Wrong::RefusedWritesRows if !holds && current.is_some() => {
                self.force(partition, Head::default(), changes);
                return Outcome::Refused(current);
            }
            Wrong::RefusedForgetsHead if !holds => return Outcome::Refused(None),
            Wrong::RowsWithoutHead if current.is_some() && !changes.is_empty() => head = Head::default(),
            Wrong::LastChangeLost => drop(changes.pop()),
            Wrong::DeletesIgnored => changes.retain(|change| !matches!(change, Change::Delete(_))),
            Wrong::RangeDeletesIgnored => changes.retain(|change| !matches!(change, Change::DeleteRange(_))),
            Wrong::ChangesReversed => changes.reverse(),
            Wrong::RangeDeleteTakesEnd => changes.iter_mut().for_each(|change| {
                if let Change::DeleteRange(range) = change {
                    range.to = range.to.take().map(|to| [&to[..], &[0]].concat().into());
                }
            }),
            Wrong::RangeDeleteBeforePuts => {
                changes.sort_by_key(|change| !matches!(change, Change::DeleteRange(_)));
            }
            Wrong::PagesStale if holds => {
                self.unseen.extend(changes.iter().filter_map(|change| match change {
                    Change::Put(row) => Some(row.key.clone()),
                    _ => None,
                }))
            }
            Wrong::HeadReplaced if holds => {
                let zeroed = current.iter().flat_map(Head::fields).map(|(field, _)| (field, 0));
                let mut replaced = Head::of(zeroed.collect::<Vec<_>>());
                replaced.set_all(&head);
                head = replaced;
            }
            _ => {}
        }
        if holds { self.force(partition, head, changes) } else { Outcome::Refused(current) }
    }

    fn holds(&self, condition: &Condition, head: Option<&Head>) -> bool {
        let Condition::Holds(tests) = condition else {
            return self.wrong == Wrong::AbsentAlwaysHolds || self.wrong == Wrong::NoFence || head.is_none();
        };
        let Some(head) = head else { return matches!(self.wrong, Wrong::MissingPartitionPasses) };
        let passes = |test: &lightmoon_store::Test| {
            let Some(value) = head.get(test.field) else { return false };
            match (test.is, self.wrong) {
                (Is::AtMost, Wrong::AtMostIsBelow) => value < test.value,
                (Is::AtMost, Wrong::AtMostIsAlways) => true,
                (Is::Equal, Wrong::NumbersOf32Bits) => value << 32 == test.value << 32,
                (Is::Equal, Wrong::EqualIsAtMost) | (Is::AtMost, _) => value <= test.value,
                (Is::Equal, _) => value == test.value,
            }
        };
        match self.wrong {
            Wrong::NoFence => true,
            Wrong::OnlyFirstTestCounts => tests.iter().take(1).all(passes),
            _ => tests.iter().all(passes),
        }
    }

    fn read(&mut self, request: Request) -> Outcome {
        let Request::Read { area, partition, mut keys, limit, serial } = request else { panic!("a read") };
        let asked = limit;
        if keys.from.is_empty() {
            self.unseen.clear();
        }
        let limit = if self.wrong == Wrong::PageTooLong { limit + 1 } else { limit };
        match self.wrong {
            Wrong::RangeEndIncluded => {
                keys.to = keys.to.map(|to| [&to[..], &[0]].concat().into());
            }
            Wrong::RangeStartIgnored => keys.from = Bytes::new(),
            _ => {}
        }
        let outcome = self.run(Request::Read { area, partition, keys, limit: limit.min(1_000), serial });
        let Outcome::Done(Done::Page(mut page)) = outcome else { panic!("a read gave {outcome:?}") };
        match self.wrong {
            Wrong::RowsReversed => page.rows.reverse(),
            Wrong::MoreAlwaysFalse => page.more = false,
            Wrong::PagesStale => page.rows.retain(|row| !self.unseen.contains(&row.key)),
            Wrong::HeadOnlyWithRows if page.rows.is_empty() => page.head = None,
            Wrong::PageTooLong if page.rows.len() <= asked => page.more = false,
            _ => {}
        }
        Outcome::Done(Done::Page(page))
    }

    fn scan(&mut self, scan: Scan) -> Outcome {
        let scan = match (self.wrong, scan) {
            (Wrong::RemoveDoesNothing, Scan::RemoveChunks { .. } | Scan::RemoveFromLog { .. }) => {
                return Outcome::Done(Done::Written);
            }
            (Wrong::RemoveTakesLogAndChunks, Scan::RemoveChunks { partition, keys }) => {
                self.run(Request::Scan(Scan::RemoveFromLog {
                    partition: partition.clone(),
                    keys: keys.clone(),
                }));
                Scan::RemoveChunks { partition, keys }
            }
            (Wrong::RemoveTakesAll, Scan::RemoveChunks { partition, .. }) => {
                let keys =
                    ["1", "2", "3"].into_iter().map(|key| Bytes::from_static(key.as_bytes())).collect();
                Scan::RemoveChunks { partition, keys }
            }
            (Wrong::ListIncludesAfter, Scan::Partitions { area, space, after, limit }) => {
                // The key just before `after`, so that `after` itself comes again.
                let after = after.map(|key| key.slice(..key.len().saturating_sub(1)));
                Scan::Partitions { area, space, after, limit }
            }
            (_, scan) => scan,
        };
        match (self.wrong, self.run(Request::Scan(scan))) {
            (Wrong::ListUnsorted, Outcome::Done(Done::Partitions(mut keys))) => {
                keys.reverse();
                Outcome::Done(Done::Partitions(keys))
            }
            (_, outcome) => outcome,
        }
    }

    /// What the wrong makes of where rows stand.
    fn misplace(&self, request: Request) -> Request {
        let place = |partition: Partition| match self.wrong {
            Wrong::SpacesMixed => Partition { space: Space(1), ..partition },
            Wrong::SpaceIsOneByte => Partition { space: Space(partition.space.0 & 0xFF), ..partition },
            Wrong::KeysCutAtZero => {
                let end = partition.key.iter().position(|byte| *byte == 0).unwrap_or(partition.key.len());
                Partition { key: partition.key.slice(..end), ..partition }
            }
            _ => partition,
        };
        let row = |partition: Partition, mut row: lightmoon_store::Row| {
            if self.wrong == Wrong::KeysStrungTogether {
                row.key = [&partition.key[..], &row.key[..]].concat().into();
                return (Partition { key: Bytes::new(), ..partition }, row);
            }
            (place(partition), row)
        };
        match request {
            Request::Commit { partition, condition, head, changes } => {
                Request::Commit { partition: place(partition), condition, head, changes }
            }
            Request::Read { area, partition, keys, limit, serial } => {
                let area =
                    if self.wrong == Wrong::AreasMixed && area == Area::Log { Area::Chunks } else { area };
                if self.wrong == Wrong::KeysStrungTogether && area == Area::Chunks {
                    let partition = Partition { key: Bytes::new(), ..partition };
                    return Request::Read { area, partition, keys, limit, serial };
                }
                Request::Read { area, partition: place(partition), keys, limit, serial }
            }
            Request::PutChunk { partition, chunk } => {
                let (partition, chunk) = row(partition, chunk);
                Request::PutChunk { partition, chunk }
            }
            Request::Append { log, rows } => Request::Append { log: place(log), rows },
            scan @ Request::Scan(_) => scan,
        }
    }

    fn answer(&mut self, request: Request) -> Outcome {
        match self.misplace(request) {
            Request::Commit { partition, condition, head, changes } => {
                self.commit(partition, condition, head, changes)
            }
            read @ Request::Read { .. } => self.read(read),
            Request::Append { log, mut rows } if self.wrong == Wrong::AppendDoubles => {
                for row in &mut rows {
                    self.appended += 1;
                    row.key = [&row.key[..], &self.appended.to_be_bytes()].concat().into();
                }
                self.run(Request::Append { log, rows })
            }
            Request::Append { log, rows } if self.wrong == Wrong::AreasMixed => {
                for chunk in rows {
                    self.run(Request::PutChunk { partition: log.clone(), chunk });
                }
                Outcome::Done(Done::Written)
            }
            Request::Scan(scan) => self.scan(scan),
            other @ (Request::PutChunk { .. } | Request::Append { .. }) => self.run(other),
        }
    }
}

impl Store for Spoilt {
    fn submit(&mut self, ticket: Ticket, request: Request) -> Result<(), Rejected> {
        if let Err(why) = request.check() {
            if self.wrong == Wrong::NoLimits {
                return Ok(());
            }
            if self.wrong == Wrong::OverLimitAlsoAnswered {
                self.outcomes.push_back((ticket, Outcome::Unavailable));
            }
            return Err(Rejected::new(why, request));
        }
        let outcome = self.answer(request);
        self.outcomes.push_back((ticket, outcome));
        match self.wrong {
            // Only once the request is one of several: a single doubled outcome is the ticket of nobody.
            Wrong::OutcomeTwice if self.outcomes.len() == 50 => {
                self.outcomes.extend(self.outcomes.back().cloned())
            }
            Wrong::OutcomeLost if self.outcomes.len() == 50 => drop(self.outcomes.pop_back()),
            Wrong::TicketsSwapped if self.outcomes.len() == 2 => {
                let (one, other) = (self.outcomes[0].0, self.outcomes[1].0);
                (self.outcomes[0].0, self.outcomes[1].0) = (other, one);
            }
            _ => {}
        }
        Ok(())
    }

    fn poll(&mut self, _now: Mono) -> Option<(Ticket, Outcome)> {
        self.outcomes.pop_front()
    }
}

fn failures(wrong: Wrong) -> Vec<conformance::Failure> {
    let open = || -> Box<dyn Store> {
        Box::new(Spoilt {
            inner: MemoryStore::new(),
            wrong,
            outcomes: VecDeque::new(),
            appended: 0,
            unseen: Vec::new(),
        })
    };
    conformance::check(open, clock())
}

#[test]
fn every_wrong_store_is_found_out() {
    let passed: Vec<Wrong> = ALL.iter().copied().filter(|wrong| failures(*wrong).is_empty()).collect();
    assert_eq!(passed, [], "the suite passes wrong stores");
}

/// Each wrong, and a word of the promise that names it: not only the random comparison has to see it.
#[test]
fn what_is_wrong_is_named_by_its_promise() {
    for wrong in ALL {
        let failures = failures(*wrong);
        let named = failures.iter().any(|failure| !failure.promise.starts_with("random"));
        assert!(named, "{wrong:?} is only seen by chance:\n{}", conformance::report(&failures));
    }
}
