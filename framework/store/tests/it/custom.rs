//! A store that somebody wrote for themselves: one map behind a lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use lightmoon_contract::Mono;
use lightmoon_store::{
    Area, Change, Done, Head, Outcome, Page, Partition, Rejected, Request, Row, Scan, Store, Ticket,
    conformance,
};

use crate::clock;

type Place = (Area, Partition);
type Map = BTreeMap<Place, (Option<Head>, BTreeMap<Bytes, Bytes>)>;

#[derive(Default)]
struct Custom(Arc<Mutex<Map>>, VecDeque<(Ticket, Outcome)>);

impl Store for Custom {
    fn submit(&mut self, ticket: Ticket, request: Request) -> Result<(), Rejected> {
        if let Err(why) = request.check() {
            return Err(Rejected::new(why, request));
        }
        let outcome = answer(&mut self.0.lock().expect("no holder panics"), request);
        self.1.push_back((ticket, outcome));
        Ok(())
    }

    fn poll(&mut self, _now: Mono) -> Option<(Ticket, Outcome)> {
        self.1.pop_front()
    }
}

fn answer(map: &mut Map, request: Request) -> Outcome {
    match request {
        Request::Commit { partition, condition, head, changes } => {
            let at = (Area::Commits, partition);
            let current = map.get(&at).and_then(|(head, _)| head.clone());
            if !condition.holds(current.as_ref()) {
                return Outcome::Refused(current);
            }
            let (held, rows) = map.entry(at).or_default();
            held.get_or_insert_default().set_all(&head);
            for change in changes {
                match change {
                    Change::Put(row) => drop(rows.insert(row.key, row.value)),
                    Change::Delete(key) => drop(rows.remove(&key)),
                    Change::DeleteRange(range) => rows.retain(|key, _| !range.contains(key)),
                }
            }
        }
        Request::Read { area, partition, keys, limit, .. } => {
            let (head, rows) = map.get(&(area, partition)).cloned().unwrap_or_default();
            let mut rows =
                rows.into_iter().filter(|(key, _)| keys.contains(key)).map(|(key, value)| Row { key, value });
            let page = rows.by_ref().take(limit).collect();
            return Outcome::Done(Done::Page(Page { head, rows: page, more: rows.next().is_some() }));
        }
        Request::PutChunk { partition, chunk } => {
            map.entry((Area::Chunks, partition)).or_default().1.insert(chunk.key, chunk.value);
        }
        Request::Append { log, rows } => {
            map.entry((Area::Log, log))
                .or_default()
                .1
                .extend(rows.into_iter().map(|row| (row.key, row.value)));
        }
        Request::Scan(Scan::Partitions { area, space, after, limit }) => {
            let places = map.iter().filter(|(_, (head, rows))| head.is_some() || !rows.is_empty());
            let here = places
                .filter(|((of, place), _)| *of == area && place.space == space)
                .map(|((_, at), _)| &at.key);
            let behind = here.filter(|key| after.as_ref().is_none_or(|after| *key > after));
            return Outcome::Done(Done::Partitions(behind.take(limit).cloned().collect()));
        }
        Request::Scan(Scan::RemoveChunks { partition, keys }) => {
            map.entry((Area::Chunks, partition)).or_default().1.retain(|key, _| !keys.contains(key));
        }
        Request::Scan(Scan::RemoveFromLog { partition, keys }) => {
            map.entry((Area::Log, partition)).or_default().1.retain(|key, _| !keys.contains(key));
        }
    }
    Outcome::Done(Done::Written)
}

#[test]
fn a_store_of_fifty_lines_is_right() {
    let failures = conformance::check(|| Box::new(Custom::default()), clock());
    assert!(failures.is_empty(), "{}", conformance::report(&failures));
}

#[test]
fn a_store_that_keeps_its_map_survives() {
    let map = Arc::default();
    let failures = conformance::survives(|| Box::new(Custom(Arc::clone(&map), VecDeque::new())), clock());
    assert!(failures.is_empty(), "{}", conformance::report(&failures));
}

#[test]
fn a_store_that_forgets_is_found_out() {
    let failures = conformance::survives(|| Box::new(Custom::default()), clock());
    assert_eq!(failures.len(), 2, "{}", conformance::report(&failures));
}

/// What a store loses when it ends, and how.
type Loss = (&'static str, fn(&mut Map));

/// Stores that keep nearly everything: each is found by the random requests over reopenings.
#[test]
fn a_store_that_loses_a_little_at_its_end_is_found_out() {
    let losses: [Loss; 4] = [
        ("a row", |map| {
            map.values_mut().rev().find_map(|(_, rows)| rows.pop_last());
        }),
        ("heads", |map| map.values_mut().for_each(|(head, _)| *head = None)),
        ("chunks", |map| map.retain(|(area, _), _| *area != Area::Chunks)),
        ("a partition without rows", |map| map.retain(|_, (_, rows)| !rows.is_empty())),
    ];
    for (what, lose) in losses {
        let map: Arc<Mutex<Map>> = Arc::default();
        let open = || -> Box<dyn Store> {
            lose(&mut map.lock().expect("no holder panics"));
            Box::new(Custom(Arc::clone(&map), VecDeque::new()))
        };
        let failures = conformance::survives(open, clock());
        let found = failures.iter().any(|failure| failure.promise.starts_with("random"));
        assert!(found, "losing {what}: {}", conformance::report(&failures));
    }
}
