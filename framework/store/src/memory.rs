//! A store in memory: for tests, trials, and the simulator to build upon. Everything is lost with it.
//!
//! *Responsible for*: doing each request when it is submitted. *Not responsible for*: failing; wrappers do.
//!
//! Invariants:
//! - I1: outcomes come in the order of submission, all of them `Done` or `Refused`.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use bytes::Bytes;
use lightmoon_contract::Mono;

use crate::{
    Area, Change, Done, Head, KeyRange, Outcome, Page, Partition, Rejected, Request, Row, Scan, Space, Store,
    Ticket, Why, limits,
};

/// Rows of one partition.
type Rows = BTreeMap<Bytes, Bytes>;

/// A store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    heads: BTreeMap<Partition, Head>,
    rows: BTreeMap<(Area, Partition), Rows>,
    outcomes: VecDeque<(Ticket, Outcome)>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn answer(&mut self, request: Request) -> Outcome {
        match request {
            Request::Commit { partition, condition, head, changes } => {
                let current = self.heads.get(&partition);
                if !condition.holds(current) {
                    return Outcome::Refused(current.cloned());
                }
                self.heads.entry(partition.clone()).or_default().set_all(&head);
                let rows = self.rows.entry((Area::Commits, partition)).or_default();
                changes.into_iter().for_each(|change| apply(rows, change));
                Outcome::Done(Done::Written)
            }
            Request::Read { area, partition, keys, limit, serial: _ } => {
                Outcome::Done(Done::Page(self.page(area, partition, &keys, limit)))
            }
            Request::PutChunk { partition, chunk } => self.add(Area::Chunks, partition, vec![chunk]),
            Request::Append { log, rows } => self.add(Area::Log, log, rows),
            Request::Scan(Scan::Partitions { area, space, after, limit }) => {
                Outcome::Done(Done::Partitions(self.partitions(area, space, after, limit)))
            }
            Request::Scan(Scan::RemoveChunks { partition, keys }) => {
                self.remove(Area::Chunks, partition, &keys)
            }
            Request::Scan(Scan::RemoveFromLog { partition, keys }) => {
                self.remove(Area::Log, partition, &keys)
            }
        }
    }

    fn page(&self, area: Area, partition: Partition, keys: &KeyRange, limit: usize) -> Page {
        let head = match area {
            Area::Commits => self.heads.get(&partition).cloned(),
            Area::Chunks | Area::Log => None,
        };
        let Some(rows) = self.rows.get(&(area, partition)) else { return Page { head, ..Page::default() } };
        let mut in_range = rows.range(keys.from.clone()..).take_while(|(key, _)| keys.contains(key));
        let rows: Vec<Row> = in_range
            .by_ref()
            .take(limit)
            .map(|(key, value)| Row { key: key.clone(), value: value.clone() })
            .collect();
        Page { head, rows, more: in_range.next().is_some() }
    }

    fn add(&mut self, area: Area, partition: Partition, rows: Vec<Row>) -> Outcome {
        if rows.is_empty() {
            return Outcome::Done(Done::Written);
        }
        let held = self.rows.entry((area, partition)).or_default();
        for row in rows {
            held.entry(row.key).or_insert(row.value);
        }
        Outcome::Done(Done::Written)
    }

    fn remove(&mut self, area: Area, partition: Partition, keys: &[Bytes]) -> Outcome {
        let place = (area, partition);
        if let Some(rows) = self.rows.get_mut(&place) {
            rows.retain(|key, _| !keys.contains(key));
            if rows.is_empty() {
                self.rows.remove(&place);
            }
        }
        Outcome::Done(Done::Written)
    }

    fn partitions(&self, area: Area, space: Space, after: Option<Bytes>, limit: usize) -> Vec<Bytes> {
        let first = (area, Partition { space, key: Bytes::new() });
        let from = match after {
            None => Bound::Included(first),
            Some(key) => Bound::Excluded((area, Partition { space, key })),
        };
        self.rows
            .range((from, Bound::Unbounded))
            .map(|(place, _)| place)
            .take_while(|(of, partition)| *of == area && partition.space == space)
            .take(limit)
            .map(|(_, partition)| partition.key.clone())
            .collect()
    }
}

fn apply(rows: &mut Rows, change: Change) {
    match change {
        Change::Put(row) => {
            rows.insert(row.key, row.value);
        }
        Change::Delete(key) => {
            rows.remove(&key);
        }
        Change::DeleteRange(range) => rows.retain(|key, _| !range.contains(key)),
    }
}

impl Store for MemoryStore {
    fn submit(&mut self, ticket: Ticket, request: Request) -> Result<(), Rejected> {
        if let Err(why) = request.check() {
            return Err(Rejected::new(why, request));
        }
        if self.outcomes.len() >= limits::IN_FLIGHT_MAX {
            return Err(Rejected::new(Why::Busy, request));
        }
        let outcome = self.answer(request);
        self.outcomes.push_back((ticket, outcome));
        Ok(())
    }

    fn poll(&mut self, _now: Mono) -> Option<(Ticket, Outcome)> {
        self.outcomes.pop_front()
    }
}
