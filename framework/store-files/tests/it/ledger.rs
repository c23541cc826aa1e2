//! A ledger: what a program writes, and how it is known whether all of it is there.
//!
//! *Responsible for*: commits with fences, chunks and log rows whose values follow from their names; notes of what was
//! acknowledged; the audit. *Not responsible for*: faults.

use std::collections::BTreeMap;

use bytes::Bytes;
use lightmoon_store::{
    Area, Change, Condition, Done, Field, Head, Is, KeyRange, Outcome, Page, Partition, Request, Row, Space,
    Store, Test, Ticket,
};

use crate::waiting;

/// Accounts, each a partition that counts.
pub(crate) const ACCOUNTS: u16 = 16;

const EPOCH: Field = Field(0);
const SEQ: Field = Field(1);

/// What was acknowledged: an account and its number, or a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Note {
    Commit { account: u16, seq: u64 },
    Chunk { number: u64 },
}

impl Note {
    pub(crate) const BYTES: usize = 11;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let (kind, account, number) = match self {
            Self::Commit { account, seq } => (0, account, seq),
            Self::Chunk { number } => (1, 0, number),
        };
        let mut bytes = [kind; Self::BYTES];
        bytes[1..3].copy_from_slice(&account.to_le_bytes());
        bytes[3..].copy_from_slice(&number.to_le_bytes());
        bytes
    }

    /// Notes out of a file; half a note at its end was never written.
    pub(crate) fn all(bytes: &[u8]) -> Vec<Self> {
        let read = |bytes: &[u8; Self::BYTES]| {
            let account = u16::from_le_bytes([bytes[1], bytes[2]]);
            let number = u64::from_le_bytes(bytes[3..].try_into().unwrap());
            if bytes[0] == 0 { Self::Commit { account, seq: number } } else { Self::Chunk { number } }
        };
        bytes.as_chunks().0.iter().map(read).collect()
    }
}

fn account(number: u16) -> Partition {
    Partition { space: Space(7), key: Bytes::copy_from_slice(&number.to_be_bytes()) }
}

/// Bytes that follow from a name.
fn value(name: u64, bytes: usize) -> Bytes {
    let mut random = fastrand::Rng::with_seed(name);
    std::iter::repeat_with(|| random.u8(..)).take(bytes).collect()
}

/// 20 to 420 bytes.
fn entry(account: u16, seq: u64) -> Bytes {
    let name = u64::from(account) << 48 | seq;
    value(name, 20 + usize::try_from(name.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40).unwrap() % 400)
}

fn key(seq: u64) -> Bytes {
    Bytes::copy_from_slice(&seq.to_be_bytes())
}

/// The commit that takes an account from `seq - 1` to `seq`.
pub(crate) fn commit(number: u16, seq: u64) -> Request {
    let is = |field, value| Test { field, is: Is::Equal, value };
    let condition = match seq {
        0 => Condition::Absent,
        _ => Condition::Holds(vec![is(EPOCH, 1), is(SEQ, seq - 1)]),
    };
    let put = |key: Bytes, value| Change::Put(Row { key, value });
    let changes = vec![
        put(key(seq), entry(number, seq)),
        put(Bytes::from_static(b"~first"), key(seq)),
        put(Bytes::from_static(b"~last"), key(seq)),
    ];
    Request::Commit {
        partition: account(number),
        condition,
        head: Head::of([(EPOCH, 1), (SEQ, seq)]),
        changes,
    }
}

pub(crate) fn chunk(number: u64, bytes: usize) -> Request {
    let partition = Partition { space: Space(8), key: Bytes::from_static(b"chunks") };
    Request::PutChunk { partition, chunk: Row { key: key(number), value: value(number, bytes) } }
}

/// Where an account stands.
pub(crate) fn seq(store: &mut dyn Store, number: u16) -> Result<Option<u64>, String> {
    let page = page(store, Area::Commits, account(number), KeyRange::all(), 1)?;
    Ok(page.head.and_then(|head| head.get(SEQ)))
}

fn page(
    store: &mut dyn Store,
    area: Area,
    partition: Partition,
    keys: KeyRange,
    limit: usize,
) -> Result<Page, String> {
    match waiting::call(store, Request::Read { area, partition, keys, limit, serial: true }) {
        Outcome::Done(Done::Page(page)) => Ok(page),
        other => Err(format!("a read gave {other:?}")),
    }
}

fn all(store: &mut dyn Store, area: Area, partition: &Partition) -> Result<(Option<Head>, Vec<Row>), String> {
    let (mut keys, mut rows) = (KeyRange::all(), Vec::new());
    loop {
        let page = page(store, area, partition.clone(), keys.clone(), 100)?;
        rows.extend(page.rows);
        match (page.more, rows.last()) {
            (true, Some(last)) => keys = keys.after(&last.key),
            _ => return Ok((page.head, rows)),
        }
    }
}

/// Whether everything that was acknowledged is there, and nothing is torn.
pub(crate) fn audit(store: &mut dyn Store, notes: &[Note], chunk_bytes: usize) -> Result<(), String> {
    let (mut counts, mut chunks) = (BTreeMap::new(), Vec::new());
    for note in notes {
        match *note {
            Note::Commit { account, seq } => *counts.entry(account).or_insert(0) = seq,
            Note::Chunk { number } => chunks.push(number),
        }
    }
    for number in 0..ACCOUNTS {
        let (head, mut rows) = all(store, Area::Commits, &account(number))?;
        let seq = head.and_then(|head| head.get(SEQ));
        let acknowledged = counts.get(&number).copied();
        if seq < acknowledged {
            return Err(format!("account {number} is at {seq:?}, acknowledged was {acknowledged:?}"));
        }
        let Some(seq) = seq else { continue };
        let marks: Vec<Row> = rows.split_off(rows.len().saturating_sub(2));
        if marks.iter().any(|row| row.value != key(seq)) {
            return Err(format!("account {number} is torn at {seq}: {marks:?}"));
        }
        let wanted = (0..=seq).map(|seq| Row { key: key(seq), value: entry(number, seq) });
        if !wanted.eq(rows) {
            return Err(format!("account {number} has other entries than 0 to {seq}"));
        }
    }
    let place = Partition { space: Space(8), key: Bytes::from_static(b"chunks") };
    let (_, rows) = all(store, Area::Chunks, &place)?;
    let kept: BTreeMap<Bytes, Bytes> = rows.into_iter().map(|row| (row.key, row.value)).collect();
    for number in chunks {
        if kept.get(&key(number)) != Some(&value(number, chunk_bytes)) {
            return Err(format!("chunk {number} is missing or wrong"));
        }
    }
    Ok(())
}

/// Writes `steps` commits, all accounts at once, and a chunk with every 32nd; `note` is called for what is acknowledged.
pub(crate) fn write(
    store: &mut dyn Store,
    steps: u64,
    chunk_bytes: usize,
    mut note: impl FnMut(Note),
) -> Result<(), Outcome> {
    let mut next: Vec<u64> = Vec::new();
    for number in 0..ACCOUNTS {
        next.push(seq(store, number).expect("a read is answered").map_or(0, |seq| seq + 1));
    }
    let mut chunk_number = next.iter().sum::<u64>() << 8;
    let (mut submitted, mut in_flight, mut failed) = (0, 0, None);
    let mut ready: Vec<u16> = (0..ACCOUNTS).collect();
    loop {
        while submitted < steps
            && failed.is_none()
            && let Some(number) = ready.pop()
        {
            let request = commit(number, next[usize::from(number)]);
            store.submit(Ticket(u64::from(number)), request).expect("the queue has room");
            (submitted, in_flight) = (submitted + 1, in_flight + 1);
            if submitted % 32 == 0 {
                chunk_number += 1;
                store.submit(Ticket(1 << 60 | chunk_number), chunk(chunk_number, chunk_bytes)).expect("room");
                in_flight += 1;
            }
        }
        if in_flight == 0 {
            return failed.map_or(Ok(()), Err);
        }
        let (Ticket(ticket), outcome) = waiting::next(store);
        in_flight -= 1;
        if outcome != Outcome::Done(Done::Written) {
            failed = failed.or(Some(outcome));
            continue;
        }
        if ticket >= 1 << 60 {
            note(Note::Chunk { number: ticket & !(1 << 60) });
            continue;
        }
        let number = u16::try_from(ticket).unwrap();
        note(Note::Commit { account: number, seq: next[usize::from(number)] });
        next[usize::from(number)] += 1;
        ready.push(number);
    }
}
