//! Promises of chunks, logs, scans, and of every request alike.

use bytes::Bytes;

use super::bench::{Bench, bytes, expect, head, partition, put, row};
use crate::{
    Area, Change, Condition, Done, Head, KeyRange, Outcome, Partition, Request, Row, Scan, Space, Ticket,
    Why, limits,
};

const AREAS: [Area; 3] = [Area::Commits, Area::Chunks, Area::Log];

/// Writes a row named `key` into one area, whose value tells the place.
fn write(bench: &mut Bench<'_>, area: Area, place: &Partition, row: Row) -> Result<(), String> {
    match area {
        Area::Commits => bench.must_commit(place, Condition::Absent, head(1, 0), vec![Change::Put(row)]),
        Area::Chunks => bench.must_write(Request::PutChunk { partition: place.clone(), chunk: row }),
        Area::Log => bench.must_write(Request::Append { log: place.clone(), rows: vec![row] }),
    }
}

pub(super) fn places_are_apart(bench: &mut Bench<'_>) -> Result<(), String> {
    // Keys that run into each other when they are only strung together.
    let places =
        [partition(1, "a"), partition(1, "ab"), partition(2, "a"), partition(257, "a"), partition(1, "")];
    let value = |area: Area, place: &Partition| Bytes::from(format!("{area:?} {place:?}"));
    for area in AREAS {
        for place in &places {
            write(bench, area, place, Row { key: bytes("bc"), value: value(area, place) })?;
        }
    }
    for area in AREAS {
        for place in &places {
            let rows = bench.page(area, place, KeyRange::all(), 10)?.rows;
            let wanted = vec![Row { key: bytes("bc"), value: value(area, place) }];
            expect(&format!("{area:?} {place:?}"), &rows, &wanted)?;
        }
    }
    Ok(())
}

pub(super) fn repeats_do_no_harm(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    for _ in 0..3 {
        write(bench, Area::Chunks, &place, row("c", "chunk"))?;
        let rows = vec![row("1", "one"), row("2", "two")];
        bench.must_write(Request::Append { log: place.clone(), rows })?;
    }
    bench
        .must_write(Request::Append { log: place.clone(), rows: vec![row("2", "two"), row("3", "three")] })?;
    let chunks = bench.page(Area::Chunks, &place, KeyRange::all(), 10)?;
    expect("chunks", &chunks.rows, &vec![row("c", "chunk")])?;
    let log = bench.page(Area::Log, &place, KeyRange::all(), 10)?;
    expect("the log", &log.rows, &vec![row("1", "one"), row("2", "two"), row("3", "three")])
}

fn list(
    bench: &mut Bench<'_>,
    area: Area,
    space: u16,
    after: Option<Bytes>,
    limit: usize,
) -> Result<Vec<Bytes>, String> {
    let scan = Scan::Partitions { area, space: Space(space), after, limit };
    match bench.call(Request::Scan(scan))? {
        Outcome::Done(Done::Partitions(keys)) => Ok(keys),
        other @ (Outcome::Done(_)
        | Outcome::Refused(_)
        | Outcome::Unknown
        | Outcome::Unavailable
        | Outcome::Damaged) => Err(format!("a scan gave {other:?}")),
    }
}

pub(super) fn lists_partitions(bench: &mut Bench<'_>) -> Result<(), String> {
    for area in AREAS {
        for name in ["m", "a", "z", "ab", "b"] {
            write(bench, area, &partition(3, name), row("x", "1"))?;
        }
        write(bench, area, &partition(2, "other"), row("x", "1"))?;
        write(bench, area, &partition(4, "other"), row("x", "1"))?;
        let wanted: Vec<Bytes> = ["a", "ab", "b", "m", "z"].into_iter().map(bytes).collect();
        for limit in 1..=6 {
            let (mut all, mut after) = (Vec::new(), None);
            for _ in 0..10 {
                let keys = list(bench, area, 3, after.clone(), limit)?;
                if keys.len() > limit {
                    return Err(format!("a page of {limit} has {} partitions", keys.len()));
                }
                let Some(last) = keys.last().cloned() else { break };
                all.extend(keys);
                after = Some(last);
            }
            expect(&format!("partitions of {area:?} in pages of {limit}"), &all, &wanted)?;
        }
    }
    // A partition of commits is there by its head.
    bench.must_commit(&partition(5, "bare"), Condition::Absent, head(1, 0), vec![])?;
    expect("a partition without rows", &list(bench, Area::Commits, 5, None, 10)?, &vec![bytes("bare")])
}

pub(super) fn removes_exactly(bench: &mut Bench<'_>) -> Result<(), String> {
    let (place, other) = (partition(1, "a"), partition(1, "b"));
    for place in [&place, &other] {
        for name in ["1", "2", "3"] {
            write(bench, Area::Chunks, place, row(name, "x"))?;
            write(bench, Area::Log, place, row(name, "x"))?;
        }
        write(bench, Area::Commits, place, row("1", "x"))?;
    }
    let keys = vec![bytes("1"), bytes("3"), bytes("missing")];
    bench.must_write(Request::Scan(Scan::RemoveChunks { partition: place.clone(), keys }))?;
    let keys = vec![bytes("2")];
    bench.must_write(Request::Scan(Scan::RemoveFromLog { partition: place.clone(), keys }))?;
    let cases: [(Area, &Partition, &[&'static str]); 6] = [
        (Area::Chunks, &place, &["2"]),
        (Area::Log, &place, &["1", "3"]),
        (Area::Commits, &place, &["1"]),
        (Area::Chunks, &other, &["1", "2", "3"]),
        (Area::Log, &other, &["1", "2", "3"]),
        (Area::Commits, &other, &["1"]),
    ];
    for (area, place, wanted) in cases {
        let rows = bench.page(area, place, KeyRange::all(), 10)?.rows;
        let wanted: Vec<Row> = wanted.iter().map(|name| row(name, "x")).collect();
        expect(&format!("{area:?} {place:?}"), &rows, &wanted)?;
    }
    Ok(())
}

pub(super) fn one_outcome_each(bench: &mut Bench<'_>) -> Result<(), String> {
    let mut open: Vec<Ticket> = Vec::new();
    for number in 0..100_u32 {
        let place = Partition { space: Space(1), key: Bytes::from(number.to_be_bytes().to_vec()) };
        let (condition, head) = (Condition::Absent, head(1, 0));
        let request = match number % 4 {
            0 => Request::Commit { partition: place, condition, head, changes: vec![put("x", "1")] },
            1 => Request::PutChunk { partition: place, chunk: row("x", "1") },
            2 => Request::Append { log: place, rows: vec![row("x", "1")] },
            _ => Request::Read {
                area: Area::Commits,
                partition: place,
                keys: KeyRange::all(),
                limit: 1,
                serial: false,
            },
        };
        open.push(bench.submit(request)?);
    }
    while !open.is_empty() {
        let (ticket, outcome) = bench.next(100_000).ok_or_else(|| format!("no outcome for {open:?}"))?;
        let at = open.iter().position(|of| *of == ticket);
        let at = at.ok_or_else(|| format!("{ticket:?} was not asked or was answered twice"))?;
        open.swap_remove(at);
        if !matches!(outcome, Outcome::Done(_)) {
            return Err(format!("an undisturbed request gave {outcome:?}"));
        }
    }
    match bench.next(100) {
        None => Ok(()),
        Some((ticket, outcome)) => Err(format!("{outcome:?} under {ticket:?}, which nobody waits for")),
    }
}

pub(super) fn limits_hold(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let long_key = Bytes::from(vec![1; limits::KEY_BYTES_MAX + 1]);
    let long_value = Bytes::from(vec![1; limits::VALUE_BYTES_MAX + 1]);
    let commit = |condition: Condition, changes: Vec<Change>| Request::Commit {
        partition: place.clone(),
        condition,
        head: head(1, 0),
        changes,
    };
    let wide = |key: Bytes, value: Bytes| Change::Put(Row { key, value });
    let full = Bytes::from(vec![1; limits::VALUE_BYTES_MAX]);
    let heavy = (0..45_u8).map(|n| wide(Bytes::from(vec![n]), full.clone())).collect();
    let read = |limit| Request::Read {
        area: Area::Commits,
        partition: place.clone(),
        keys: KeyRange::all(),
        limit,
        serial: false,
    };
    let requests = [
        commit(Condition::Absent, vec![wide(long_key.clone(), bytes("v"))]),
        commit(Condition::Absent, vec![wide(bytes("k"), long_value)]),
        commit(Condition::Absent, heavy),
        commit(Condition::Holds(Vec::new()), vec![put("x", "1")]),
        Request::Commit {
            partition: place.clone(),
            condition: Condition::Absent,
            head: Head::default(),
            changes: vec![put("x", "1")],
        },
        read(0),
        read(limits::PAGE_ROWS_MAX + 1),
        Request::PutChunk { partition: Partition { space: Space(1), key: long_key }, chunk: row("x", "1") },
        Request::Append { log: place.clone(), rows: vec![row("x", "1"); limits::APPEND_ROWS_MAX + 1] },
    ];
    for request in requests {
        if bench.rejected(request)? == Why::Busy {
            return Err("a request over a limit is told to try again".to_owned());
        }
    }
    expect("nothing was written", &bench.read(&place)?, &crate::Page::default())?;
    match bench.next(100) {
        None => Ok(()),
        Some((_, outcome)) => Err(format!("a request that was handed back got {outcome:?} as well")),
    }
}
