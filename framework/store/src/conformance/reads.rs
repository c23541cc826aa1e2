//! Promises of reads.

use bytes::Bytes;

use super::bench::{Bench, bytes, expect, fence, head, partition, put};
use crate::{Area, Change, Condition, KeyRange, Page, Row};

pub(super) fn in_order_by_page(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let names = ["d", "aa", "c", "a", "b", "ab", "e"];
    let rows = names.into_iter().map(|name| put(name, name)).collect();
    bench.must_commit(&place, Condition::Absent, head(1, 0), rows)?;
    let sorted = ["a", "aa", "ab", "b", "c", "d", "e"];
    let cases = [
        (KeyRange::all(), &sorted[..]),
        (KeyRange { from: bytes("aa"), to: Some(bytes("d")) }, &sorted[1..5]),
        (KeyRange { from: bytes("ac"), to: None }, &sorted[3..]),
        (KeyRange { from: bytes("b"), to: Some(bytes("b")) }, &[]),
        (KeyRange { from: bytes("x"), to: None }, &[]),
    ];
    for (range, wanted) in cases {
        for limit in 1..=8 {
            let got = paged(bench, Area::Commits, range.clone(), limit)?;
            let got: Vec<Bytes> = got.into_iter().map(|row| row.key).collect();
            let wanted: Vec<Bytes> = wanted.iter().map(|name| bytes(name)).collect();
            expect(&format!("keys of {range:?} in pages of {limit}"), &got, &wanted)?;
        }
    }
    Ok(())
}

/// All rows of a range, page by page.
fn paged(bench: &mut Bench<'_>, area: Area, mut range: KeyRange, limit: usize) -> Result<Vec<Row>, String> {
    let mut all: Vec<Row> = Vec::new();
    for _ in 0..20 {
        let page = bench.page(area, &partition(1, "a"), range.clone(), limit)?;
        if page.rows.len() > limit {
            return Err(format!("a page of {limit} has {} rows", page.rows.len()));
        }
        if page.more && page.rows.len() < limit {
            return Err(format!("a page of {limit} has {} rows and yet there are more", page.rows.len()));
        }
        let last = page.rows.last().map(|row| row.key.clone());
        all.extend(page.rows);
        match (page.more, last) {
            (true, Some(last)) => range = range.after(&last),
            (true, None) => return Err("an empty page says that there are more".to_owned()),
            (false, _) => return Ok(all),
        }
    }
    Err("pages do not end".to_owned())
}

/// Commits between two pages: what stood all the time comes once, and a later page shows what was done before it was asked.
pub(super) fn pages_amid_commits(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let key = |number: u64| Bytes::copy_from_slice(&number.to_be_bytes());
    let write = |number: u64| Change::Put(Row { key: key(number), value: key(number) });
    let rows = (0..60).map(|number| write(2 * number)).collect();
    bench.must_commit(&place, Condition::Absent, head(1, 0), rows)?;
    let (mut range, mut seen, mut seq) = (KeyRange::all(), Vec::new(), 0);
    for turn in 0.. {
        // 60 rows and one more for each page: 10 pages.
        if turn > 20 {
            return Err("pages do not end".to_owned());
        }
        let page = bench.page(Area::Commits, &place, range.clone(), 7)?;
        expect("the head of each page", &page.head, &Some(head(1, seq)))?;
        seen.extend(page.rows.iter().map(|row| row.key.clone()));
        let (true, Some(last)) = (page.more, page.rows.last()) else { break };
        range = range.after(&last.key);
        // One new row before the page's end, one behind it; and a row behind it goes.
        let at = u64::from_be_bytes(<[u8; 8]>::try_from(&last.key[..]).map_err(|_| "a key changed")?);
        let changes = vec![write(at.saturating_sub(1)), write(at + 1), Change::Delete(key(at + 4))];
        bench.must_commit(&place, fence(1, seq), head(1, seq + 1), changes)?;
        seq += 1;
    }
    let rises = seen.windows(2).all(|pair| pair[0] < pair[1]);
    if !rises {
        return Err(format!("pages are not in order, or show a row twice: {seen:?}"));
    }
    let count = bench.page(Area::Commits, &place, KeyRange::all(), 1_000)?.rows.len();
    // All rows that are there now, but for those that came before the page's end; each page had one.
    let before = usize::try_from(seq).map_err(|_| "few pages")?;
    expect("rows in all pages", &seen.len(), &(count - before))
}

pub(super) fn head_without_rows(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    bench.must_commit(&place, Condition::Absent, head(1, 0), vec![])?;
    let wanted = Page { head: Some(head(1, 0)), ..Page::default() };
    expect("a head alone", &bench.read(&place)?, &wanted)?;
    bench.must_commit(&place, fence(1, 0), head(1, 1), vec![put("b", "1")])?;
    let range = KeyRange { from: bytes("c"), to: Some(bytes("d")) };
    let page = bench.page(Area::Commits, &place, range, 10)?;
    expect("a range without rows", &page, &Page { head: Some(head(1, 1)), ..Page::default() })?;
    bench.must_commit(&place, fence(1, 1), head(1, 2), vec![Change::Delete(bytes("b"))])?;
    let wanted = Page { head: Some(head(1, 2)), ..Page::default() };
    expect("after the last row was deleted", &bench.read(&place)?, &wanted)
}

pub(super) fn nothing_there(bench: &mut Bench<'_>) -> Result<(), String> {
    for area in [Area::Commits, Area::Chunks, Area::Log] {
        let page = bench.page(area, &partition(1, "nobody"), KeyRange::all(), 10)?;
        expect(&format!("an empty {area:?}"), &page, &Page::default())?;
    }
    Ok(())
}

pub(super) fn bytes_are_bytes(bench: &mut Bench<'_>) -> Result<(), String> {
    let place = partition(1, "a");
    let long = Bytes::from(vec![0xAB; crate::limits::VALUE_BYTES_MAX]);
    let mut rows = vec![
        Row { key: Bytes::from_static(&[0]), value: Bytes::from_static(&[0, 0xFF, 0]) },
        Row { key: Bytes::from_static(&[0, 0]), value: Bytes::from_static(b"\xF0\x28") },
        Row { key: Bytes::from_static(&[0x7F]), value: long },
        Row { key: Bytes::from_static(&[0x80]), value: Bytes::from_static(b"above 127") },
        Row {
            key: Bytes::from(vec![0xFF; crate::limits::KEY_BYTES_MAX]),
            value: Bytes::from_static(b"last"),
        },
    ];
    let changes = rows.iter().rev().cloned().map(Change::Put).collect();
    bench.must_commit(&place, Condition::Absent, head(1, 0), changes)?;
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    let got = bench.read(&place)?.rows;
    if got != rows {
        let keys: Vec<&Bytes> = got.iter().map(|row| &row.key).collect();
        return Err(format!("keys or values changed; keys are {keys:?}"));
    }
    Ok(())
}
