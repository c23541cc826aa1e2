//! Promises of commits.

use super::bench::{Bench, EPOCH, SEQ, bytes, expect, fence, head, partition, put, row, test};
use crate::{Change, Condition, Done, Field, Head, Is, KeyRange, Outcome, Page};

pub(super) fn sets_head_and_rows(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    bench.must_commit(&place, Condition::Absent, head(1, 0), vec![put("x", "1"), put("y", "2")])?;
    let wanted = Page { head: Some(head(1, 0)), rows: vec![row("x", "1"), row("y", "2")], more: false };
    expect("after the first commit", &bench.read(&place)?, &wanted)?;
    bench.must_commit(&place, fence(1, 0), head(1, 1), vec![put("y", "3"), put("z", "4")])?;
    let wanted =
        Page { head: Some(head(1, 1)), rows: vec![row("x", "1"), row("y", "3"), row("z", "4")], more: false };
    expect("after the second commit", &bench.read(&place)?, &wanted)?;
    bench.must_commit(&place, fence(1, 1), head(1, 2), vec![])?;
    expect("after a commit of the head alone", &bench.read(&place)?.head, &Some(head(1, 2)))
}

pub(super) fn refused_changes_nothing(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let outcome = bench.commit(&place, fence(1, 0), head(9, 9), vec![put("x", "no")])?;
    expect("a fence around nothing", &outcome, &Outcome::Refused(None))?;
    expect("after it", &bench.read(&place)?, &Page::default())?;

    bench.must_commit(&place, Condition::Absent, head(2, 5), vec![put("x", "1")])?;
    let before = bench.read(&place)?;
    let changes = || {
        vec![put("x", "no"), put("w", "no"), Change::Delete(bytes("x")), Change::DeleteRange(KeyRange::all())]
    };
    for condition in [fence(1, 5), fence(3, 5), fence(2, 4), fence(2, 6), Condition::Absent] {
        let what = format!("{condition:?} on epoch 2, seq 5");
        let outcome = bench.commit(&place, condition, head(9, 9), changes())?;
        expect(&what, &outcome, &Outcome::Refused(Some(head(2, 5))))?;
        expect("after it", &bench.read(&place)?, &before)?;
    }
    Ok(())
}

pub(super) fn absent_holds_once(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    // Without a row: the head alone makes a partition.
    bench.must_commit(&place, Condition::Absent, head(1, 0), vec![])?;
    let outcome = bench.commit(&place, Condition::Absent, head(2, 0), vec![])?;
    expect("absent, the second time", &outcome, &Outcome::Refused(Some(head(1, 0))))?;
    bench.must_commit(&place, fence(1, 0), head(1, 1), vec![put("x", "1")])?;
    bench.must_commit(&place, fence(1, 1), head(1, 2), vec![Change::Delete(bytes("x"))])?;
    let outcome = bench.commit(&place, Condition::Absent, head(2, 0), vec![])?;
    expect("absent, after the last row was deleted", &outcome, &Outcome::Refused(Some(head(1, 2))))
}

pub(super) fn tests_are_exact(bench: &mut Bench<'_>) -> Result<(), String> {
    let missing = Field(7);
    let cases = [
        (EPOCH, Is::Equal, 4, false),
        (EPOCH, Is::Equal, 5, true),
        (EPOCH, Is::Equal, 6, false),
        (EPOCH, Is::AtMost, 4, false),
        (EPOCH, Is::AtMost, 5, true),
        (EPOCH, Is::AtMost, 6, true),
        (missing, Is::Equal, 0, false),
        (missing, Is::AtMost, u64::MAX, false),
    ];
    let place = partition(1, "a");
    bench.must_commit(&place, Condition::Absent, head(5, 0), vec![])?;
    for (field, is, value, holds) in cases {
        // The head is set to itself, so that each case finds the same.
        let outcome =
            bench.commit(&place, Condition::Holds(vec![test(field, is, value)]), head(5, 0), vec![])?;
        let wanted = if holds { Outcome::Done(Done::Written) } else { Outcome::Refused(Some(head(5, 0))) };
        expect(&format!("{field:?} {is:?} {value} on epoch 5"), &outcome, &wanted)?;
    }
    // Numbers are 64 bits without a sign.
    bench.must_commit(&place, fence(5, 0), head(u64::MAX, 0), vec![])?;
    let lower = Condition::Holds(vec![test(EPOCH, Is::AtMost, 1 << 62)]);
    let outcome = bench.commit(&place, lower, head(1, 0), vec![])?;
    expect("the greatest number is not at most 2^62", &outcome, &Outcome::Refused(Some(head(u64::MAX, 0))))
}

pub(super) fn all_tests_count(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    bench.must_commit(&place, Condition::Absent, head(5, 3), vec![])?;
    for (epoch, seq) in [(5, 2), (4, 3)] {
        let outcome = bench.commit(&place, fence(epoch, seq), head(6, 6), vec![])?;
        expect("one of two tests fails", &outcome, &Outcome::Refused(Some(head(5, 3))))?;
    }
    Ok(())
}

pub(super) fn other_fields_stay(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    bench.must_commit(&place, Condition::Absent, head(1, 7), vec![put("x", "1")])?;
    let claim = Condition::Holds(vec![test(EPOCH, Is::AtMost, 2)]);
    bench.must_commit(&place, claim, Head::of([(EPOCH, 2)]), vec![])?;
    let page = bench.read(&place)?;
    expect("a claim leaves the sequence number", &page.head, &Some(head(2, 7)))?;
    expect("and the rows", &page.rows, &vec![row("x", "1")])
}

pub(super) fn one_of_two_wins(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    bench.must_commit(&place, Condition::Absent, head(1, 0), vec![])?;
    let mut winners = Vec::new();
    let race = |value| crate::Request::Commit {
        partition: place.clone(),
        condition: fence(1, 0),
        head: head(1, 1),
        changes: vec![put("winner", value)],
    };
    let tickets = [(bench.submit(race("first"))?, "first"), (bench.submit(race("second"))?, "second")];
    for _ in 0..2 {
        let (ticket, outcome) = bench.next(100_000).ok_or("no outcome comes")?;
        let name = tickets.iter().find(|(of, _)| *of == ticket).map(|(_, name)| *name);
        let name = name.ok_or_else(|| format!("an outcome under {ticket:?}, which nobody asked"))?;
        match outcome {
            Outcome::Done(Done::Written) => winners.push(name),
            Outcome::Refused(_) => {}
            other @ (Outcome::Done(_) | Outcome::Unknown | Outcome::Unavailable | Outcome::Damaged) => {
                return Err(format!("a racing commit gave {other:?}"));
            }
        }
    }
    expect("winners of two commits on one head", &winners.len(), &1)?;
    let wanted = winners.first().map(|name| vec![row("winner", name)]).unwrap_or_default();
    expect("what the winner wrote", &bench.read(&place)?.rows, &wanted)
}

pub(super) fn changes_in_order(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let rows = vec![put("a", "1"), put("b", "1"), put("c", "1"), put("d", "1"), put("e", "1")];
    bench.must_commit(&place, Condition::Absent, head(1, 0), rows)?;
    let range = KeyRange { from: bytes("b"), to: Some(bytes("d")) };
    let changes = vec![
        Change::DeleteRange(range),
        put("c", "2"),
        put("e", "2"),
        Change::Delete(bytes("e")),
        Change::Delete(bytes("missing")),
        put("a", "2"),
        put("a", "3"),
    ];
    bench.must_commit(&place, fence(1, 0), Head::of([(SEQ, 1)]), changes)?;
    let wanted = vec![row("a", "3"), row("c", "2"), row("d", "1")];
    expect("puts, deletes and a range", &bench.read(&place)?.rows, &wanted)
}

pub(super) fn ranges_are_exact(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let other = partition(1, "b");
    let names = ["a", "b", "bb", "c", "d", "e"];
    let range = |from, to: Option<&'static str>| KeyRange { from: bytes(from), to: to.map(bytes) };
    let cases: [(KeyRange, &[&'static str]); 7] = [
        (range("b", Some("d")), &["a", "d", "e", "new"]),
        (range("b", Some("b")), &["a", "b", "bb", "c", "d", "e", "new"]),
        (range("bc", Some("bd")), &["a", "b", "bb", "c", "d", "e", "new"]),
        (range("", Some("bb")), &["bb", "c", "d", "e", "new"]),
        (range("c", None), &["a", "b", "bb"]),
        (range("x", None), &["a", "b", "bb", "c", "d", "e", "new"]),
        (KeyRange::all(), &[]),
    ];
    bench.must_commit(&place, Condition::Absent, head(1, 0), vec![])?;
    bench.must_commit(&other, Condition::Absent, head(1, 0), vec![put("c", "c")])?;
    for (seq, (range, wanted)) in (0..).step_by(2).zip(cases) {
        let rows = names.into_iter().map(|name| put(name, name)).collect();
        bench.must_commit(&place, fence(1, seq), head(1, seq + 1), rows)?;
        // A row of the same commit is in reach as well.
        let changes = vec![put("new", "new"), Change::DeleteRange(range.clone())];
        bench.must_commit(&place, fence(1, seq + 1), head(1, seq + 2), changes)?;
        let wanted: Vec<_> = wanted.iter().map(|name| row(name, name)).collect();
        expect(&format!("rows after {range:?} was deleted"), &bench.read(&place)?.rows, &wanted)?;
    }
    expect("the neighbour", &bench.read(&other)?.rows, &vec![row("c", "c")])
}

/// Owners follow each other; each numbers on where the last left off, and none writes after the next has claimed.
pub(super) fn owners_follow_each_other(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let epoch = |owner: u64| (owner << 20) + 1;
    bench.must_commit(&place, Condition::Absent, head(epoch(1), 0), vec![put("by", "1")])?;
    let mut seq = 0;
    // Some differ above their lower 32 bits only.
    for (owner, next) in [(1, 2), (2, 3), (3, 4_099), (4_099, 4_100), (4_100, 1 << 40)] {
        for _ in 0..2 {
            bench.must_commit(&place, fence(epoch(owner), seq), head(epoch(owner), seq + 1), vec![])?;
            seq += 1;
        }
        let claim = Condition::Holds(vec![test(EPOCH, Is::AtMost, epoch(next))]);
        bench.must_commit(&place, claim, Head::of([(EPOCH, epoch(next))]), vec![])?;
        let late = bench.commit(
            &place,
            fence(epoch(owner), seq),
            head(epoch(owner), seq + 1),
            vec![put("by", "late")],
        )?;
        expect("a commit of the owner before", &late, &Outcome::Refused(Some(head(epoch(next), seq))))?;
    }
    expect("rows", &bench.read(&place)?.rows, &vec![row("by", "1")])
}

/// What [`read_what_survived`] looks for.
pub(super) fn write_to_survive(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    bench.must_commit(&place, Condition::Absent, head(3, 0), vec![put("x", "1"), put("y", "1")])?;
    bench.must_commit(&place, fence(3, 0), head(3, 1), vec![put("x", "2"), Change::Delete(bytes("y"))])?;
    bench.must_write(crate::Request::PutChunk { partition: place.clone(), chunk: row("c", "chunk") })?;
    bench.must_write(crate::Request::Append { log: place, rows: vec![row("l", "line")] })
}

pub(super) fn read_what_survived(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let wanted = Page { head: Some(head(3, 1)), rows: vec![row("x", "2")], more: false };
    expect("commits", &bench.read(&place)?, &wanted)?;
    let chunks = bench.page(crate::Area::Chunks, &place, KeyRange::all(), 10)?;
    expect("chunks", &chunks.rows, &vec![row("c", "chunk")])?;
    let log = bench.page(crate::Area::Log, &place, KeyRange::all(), 10)?;
    expect("the log", &log.rows, &vec![row("l", "line")])?;
    let outcome = bench.commit(&place, fence(3, 0), head(9, 9), vec![])?;
    expect("the fence of before", &outcome, &Outcome::Refused(Some(head(3, 1))))
}
