//! A group: requests that are decided one after the other and written at once.
//!
//! *Responsible for*: conditions against heads as they stand within the group, changes, outcomes. *Not responsible for*:
//! writing the batch (`engine`).
//!
//! Invariants:
//! - I1: each request sees what those before it in the group do.
//! - I2: a request that cannot be decided leaves nothing in the group.
//! - I3: a key stands in the batch once: the engine gives the whole batch one sequence number.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use bytes::Bytes;
use fjall::Slice;
use lightmoon_store::{
    Area, Change, Condition, Done, Head, KeyRange, Outcome, Page, Partition, Request, Row, Scan, Space,
    Ticket,
};

use crate::engine::{Engine, ReadError};
use crate::heads::Heads;
use crate::place::{self, Tag};
use crate::record;

/// What a batch does: a value, or `None` to delete.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Slice>>;

/// What is decided of a group.
#[derive(Default)]
pub(crate) struct Group {
    /// What its batch does.
    pub(crate) writes: Writes,
    /// Heads as they will be.
    pub(crate) heads: HashMap<Vec<u8>, Option<Head>>,
    /// Outcomes of its writing requests, if the batch succeeds.
    pub(crate) outcomes: Vec<(Ticket, Outcome)>,
    /// Requests that read, for after the batch.
    pub(crate) reads: Vec<(Ticket, Request)>,
    /// Requests whose records could not be read.
    pub(crate) unreadable: u64,
}

impl Group {
    /// Decides one request.
    pub(crate) fn take(&mut self, engine: &Engine, cache: &mut Heads, ticket: Ticket, request: Request) {
        let outcome = match request {
            Request::Commit { partition, condition, head, changes } => {
                self.commit(engine, cache, &partition, &condition, &head, changes)
            }
            Request::PutChunk { partition, chunk } => Ok(self.add(Tag::Chunks, &partition, vec![chunk])),
            Request::Append { log, rows } => Ok(self.add(Tag::Log, &log, rows)),
            Request::Scan(Scan::RemoveChunks { partition, keys }) => {
                Ok(self.remove(Tag::Chunks, &partition, &keys))
            }
            Request::Scan(Scan::RemoveFromLog { partition, keys }) => {
                Ok(self.remove(Tag::Log, &partition, &keys))
            }
            reading @ (Request::Read { .. } | Request::Scan(Scan::Partitions { .. })) => {
                self.reads.push((ticket, reading));
                return;
            }
        };
        let outcome = outcome.unwrap_or_else(|error| {
            self.unreadable += 1;
            damaged(&error)
        });
        self.outcomes.push((ticket, outcome));
    }

    fn commit(
        &mut self,
        engine: &Engine,
        cache: &mut Heads,
        partition: &Partition,
        condition: &Condition,
        set: &Head,
        changes: Vec<Change>,
    ) -> Result<Outcome, ReadError> {
        let at = place::partition(Tag::Heads, partition);
        let current = match self.heads.get(&at) {
            Some(current) => current.clone(),
            None => cache.get(engine, &at)?,
        };
        if !condition.holds(current.as_ref()) {
            return Ok(Outcome::Refused(current));
        }
        let mut writes = Writes::new();
        let prefix = place::partition(Tag::Rows, partition);
        for change in changes {
            match change {
                Change::Put(row) => put(&mut writes, &prefix, &row),
                Change::Delete(key) => drop(writes.insert(place::row(&prefix, &key), None)),
                Change::DeleteRange(keys) => self.delete_range(engine, &mut writes, partition, &keys)?,
            }
        }
        let mut head = current.unwrap_or_default();
        head.set_all(set);
        writes.insert(at.clone(), Some(record::seal(&at, &record::head_body(&head))));
        self.writes.append(&mut writes);
        self.heads.insert(at, Some(head));
        Ok(Outcome::Done(Done::Written))
    }

    /// Deletes what is in the range in the engine, earlier in the group, and earlier in the same commit.
    fn delete_range(
        &self,
        engine: &Engine,
        writes: &mut Writes,
        partition: &Partition,
        keys: &KeyRange,
    ) -> Result<(), ReadError> {
        let (from, to) = place::range(Tag::Rows, partition, keys);
        if from >= to {
            return Ok(());
        }
        let bounds = (Bound::Included(from.clone()), Bound::Excluded(to.clone()));
        let in_group: Vec<Vec<u8>> = self.writes.range(bounds.clone()).map(|(key, _)| key.clone()).collect();
        for (_, value) in writes.range_mut(bounds) {
            *value = None;
        }
        for key in engine.keys(Tag::Rows, from, to)? {
            writes.insert(key.to_vec(), None);
        }
        writes.extend(in_group.into_iter().map(|key| (key, None)));
        Ok(())
    }

    fn add(&mut self, tag: Tag, partition: &Partition, rows: Vec<Row>) -> Outcome {
        let prefix = place::partition(tag, partition);
        for row in rows {
            put(&mut self.writes, &prefix, &row);
        }
        Outcome::Done(Done::Written)
    }

    fn remove(&mut self, tag: Tag, partition: &Partition, keys: &[Bytes]) -> Outcome {
        let prefix = place::partition(tag, partition);
        self.writes.extend(keys.iter().map(|key| (place::row(&prefix, key), None)));
        Outcome::Done(Done::Written)
    }
}

fn put(writes: &mut Writes, prefix: &[u8], row: &Row) {
    let key = place::row(prefix, &row.key);
    let value = record::seal(&key, &row.value);
    writes.insert(key, Some(value));
}

/// The outcome of a request whose records cannot be read: nothing was done, and it is said loudly.
fn damaged(error: &ReadError) -> Outcome {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "a stored record is damaged; requests for it are refused: restore a copy of the data folder"
    );
    Outcome::Damaged
}

/// Answers a request that reads; `None`: its records cannot be read.
pub(crate) fn answer(engine: &Engine, cache: &mut Heads, request: &Request) -> Option<Outcome> {
    let answered = match request {
        Request::Read { area, partition, keys, limit, serial: _ } => {
            page(engine, cache, *area, partition, keys, *limit).map(Done::Page)
        }
        Request::Scan(Scan::Partitions { area, space, after, limit }) => {
            partitions(engine, *area, *space, after.as_ref(), *limit).map(Done::Partitions)
        }
        Request::Commit { .. } | Request::PutChunk { .. } | Request::Append { .. } | Request::Scan(_) => {
            Ok(Done::Written)
        }
    };
    match answered {
        Ok(done) => Some(Outcome::Done(done)),
        Err(error) => {
            damaged(&error);
            None
        }
    }
}

fn page(
    engine: &Engine,
    cache: &mut Heads,
    area: Area,
    partition: &Partition,
    keys: &KeyRange,
    limit: usize,
) -> Result<Page, ReadError> {
    // One key for both: places of head and rows differ in their tags only.
    let mut at = place::partition(Tag::Heads, partition);
    let head = match area {
        Area::Commits => cache.get(engine, &at)?,
        Area::Chunks | Area::Log => None,
    };
    let tag = Tag::of_rows(area);
    if place::is_single(keys) {
        // A single key is found without a cursor, by the tables' filters.
        place::retag(&mut at, tag);
        at.extend_from_slice(&keys.from);
        let value = engine.get(tag, &at, |body| Ok(record::value(body)))?;
        let rows = value.map(|value| Row { key: keys.from.clone(), value }).into_iter().collect();
        return Ok(Page { head, rows, more: false });
    }
    let prefix_bytes = at.len();
    let (from, to) = place::range(tag, partition, keys);
    let mut page = Page { head, ..Page::default() };
    engine.range(tag, from, to, |key, body| {
        if page.rows.len() == limit {
            page.more = true;
            return false;
        }
        let key = Bytes::copy_from_slice(key.get(prefix_bytes..).unwrap_or_default());
        page.rows.push(Row { key, value: record::value(body) });
        true
    })?;
    Ok(page)
}

/// Goes from partition to partition, not through their rows.
fn partitions(
    engine: &Engine,
    area: Area,
    space: Space,
    after: Option<&Bytes>,
    limit: usize,
) -> Result<Vec<Bytes>, ReadError> {
    let tag = Tag::of_partitions(area);
    let mut from =
        after.map_or_else(|| place::space(tag, space), |key| place::behind_partition(tag, space, key));
    let mut found = Vec::new();
    while found.len() < limit {
        let Some(key) = engine.first_key(tag, from, place::behind_space(tag, space))? else { break };
        let name = place::partition_of(&key).ok_or(record::Damage { what: "a key names no partition" })?;
        from = place::behind_partition(tag, space, &name);
        found.push(name);
    }
    Ok(found)
}
