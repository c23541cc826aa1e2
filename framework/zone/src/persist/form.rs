//! The bytes of kept worlds: parts of snapshots, rows of entities, states of worlds that do not tick.
//!
//! *Responsible for*: the layout, cutting a snapshot into parts, putting it together again. *Not responsible for*: values
//! (their own `Persist`), where the bytes go (`lightmoon_durable::layout`).
//!
//! ```text
//! entity = record "lightmoon.entity":   { name bytes · version varint · value bytes }*
//! tick   = an entity with the name "lightmoon.tick", version 1, value u64 LE
//! state  = record "lightmoon.world":    table · item*
//! part   = record "lightmoon.snapshot": tick varint · ids varint · check 16 · part varint · parts varint · table · piece
//!
//! table  = count varint · { name bytes · version varint }*
//! item   = length u32 LE · id u64 LE · { column varint · value bytes }*
//! piece  = items, the last one perhaps cut: the next part goes on with it
//! bytes  = length varint · so many bytes
//! ```
//!
//! Items of a snapshot stand in the order of their ids, those of a state resources first; the columns of an item stand in
//! the order of their names. The check is the wrapping 128-bit
//! sum of the xxh3-128 of each item without its length.
//!
//! Invariants:
//! - I1: equal worlds give equal bytes.
//! - I2: [`read_parts`] gives every item that was written, or an error.

use bytes::Bytes;
use lightmoon_contract::codec::{Reader, Writer};
use lightmoon_contract::{DecodeError, NetId};
use lightmoon_durable::limits::PART_BYTES_MAX;
use lightmoon_durable::record;
use xxhash_rust::xxh3::xxh3_128;

use super::error::ReadError;
use crate::limits::STORED;

const ENTITY: &str = "lightmoon.entity";
const WORLD: &str = "lightmoon.world";
const SNAPSHOT: &str = "lightmoon.snapshot";
/// The version of all three.
const VERSION: u16 = 1;
/// Bytes kept free in a part for the frame of its record and the numbers of its head: 33 + 9 + 9 + 16 + 5 + 5.
const HEAD_BYTES: usize = 128;

/// One kept type, as the store knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TableEntry {
    pub(crate) name: String,
    pub(crate) version: u16,
}

/// The kept types, by the numbers that items use.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Table(pub(crate) Vec<TableEntry>);

impl Table {
    /// The type of a value.
    pub(crate) fn entry(&self, column: usize) -> Result<&TableEntry, ReadError> {
        self.0.get(column).ok_or(ReadError::NoColumn(column))
    }

    fn write(&self, to: &mut Writer) {
        to.count(self.0.len());
        for entry in &self.0 {
            to.put(&entry.name);
            to.put(&entry.version);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = from.count(2)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(TableEntry { name: from.get()?, version: from.get()? });
        }
        Ok(Self(entries))
    }
}

/// A value of an item: its column in the table, its bytes.
pub(crate) type Value<'a> = (usize, &'a [u8]);

/// Takes an item: the table, its id, its values.
pub(crate) type ItemReader<'a> = &'a mut dyn FnMut(&Table, NetId, &[Value<'_>]) -> Result<(), ReadError>;

/// Takes a value of a durable entity: name, version, bytes.
pub(crate) type ValueReader<'a> = &'a mut dyn FnMut(&str, u16, &[u8]) -> Result<(), ReadError>;

/// Appends a value to an item.
pub(crate) fn put_value(column: usize, bytes: &[u8], to: &mut Vec<u8>) {
    let mut writer = Writer::onto(std::mem::take(to));
    writer.count(column);
    writer.bytes(bytes);
    *to = writer.into_bytes();
}

fn read_item(item: &[u8]) -> Result<(NetId, Vec<Value<'_>>), DecodeError> {
    let mut from = Reader::new(item, STORED)?;
    let id = from.raw(8)?.try_into().map(u64::from_le_bytes).expect("eight bytes");
    let mut values = Vec::new();
    while from.remaining() > 0 {
        let column = usize::try_from(from.varint()?).unwrap_or(usize::MAX);
        values.push((column, from.bytes()?));
    }
    Ok((NetId(id), values))
}

/// What each item adds to the check.
pub(crate) fn check_of(item: &[u8]) -> u128 {
    xxh3_128(item)
}

/// A durable entity: what [`Self::push`] was given.
#[derive(Debug, Default)]
pub(crate) struct EntityWriter(Writer);

impl EntityWriter {
    pub(crate) fn push(&mut self, name: &str, version: u16, bytes: &[u8]) {
        self.0.bytes(name.as_bytes());
        self.0.put(&version);
        self.0.bytes(bytes);
    }

    pub(crate) fn seal(self) -> Bytes {
        record::seal(ENTITY, VERSION, &self.0.into_bytes())
    }
}

/// Shows every value of a durable entity: name, version, bytes.
pub(crate) fn read_entity(row: &Bytes, each: ValueReader<'_>) -> Result<(), ReadError> {
    let body = open(ENTITY, row)?;
    let mut from = Reader::new(&body, STORED)?;
    while from.remaining() > 0 {
        let name = String::from_utf8_lossy(from.bytes()?).into_owned();
        let version = from.get()?;
        each(&name, version, from.bytes()?)?;
    }
    Ok(())
}

const TICK: &str = "lightmoon.tick";

/// Under which id a zone's tick stands among its durable entities.
pub(crate) fn tick_id() -> NetId {
    super::resource_id(TICK)
}

/// The row of a zone's tick.
pub(crate) fn seal_tick(tick: u64) -> Bytes {
    let mut row = EntityWriter::default();
    row.push(TICK, 1, &tick.to_le_bytes());
    row.seal()
}

/// The tick of a row.
pub(crate) fn read_tick(row: &Bytes) -> Result<u64, ReadError> {
    let mut tick = 0;
    read_entity(row, &mut |_, _, bytes| {
        tick = u64::from_le_bytes(Reader::new(bytes, STORED)?.raw(8)?.try_into().expect("eight bytes"));
        Ok(())
    })?;
    Ok(tick)
}

fn open(name: &str, bytes: &Bytes) -> Result<Bytes, ReadError> {
    let record = record::open_as(name, bytes)?;
    if record.version > VERSION {
        return Err(ReadError::Newer { name: name.to_owned(), found: record.version, known: VERSION });
    }
    Ok(record.body)
}

/// A world that does not tick, as one record.
pub(crate) fn seal_world(table: &Table, items: &[Vec<u8>]) -> Bytes {
    let mut writer = Writer::new();
    table.write(&mut writer);
    for item in items {
        writer.raw(&length_of(item));
        writer.raw(item);
    }
    record::seal(WORLD, VERSION, &writer.into_bytes())
}

/// Shows every item of a world that does not tick.
pub(crate) fn read_world(state: &Bytes, each: ItemReader<'_>) -> Result<(), ReadError> {
    let body = open(WORLD, state)?;
    let mut from = Reader::new(&body, STORED)?;
    let table = Table::read(&mut from)?;
    let rest = take_items(from.remainder(), &mut |item| {
        let (id, values) = read_item(item)?;
        each(&table, id, &values)
    })?;
    if rest.is_empty() { Ok(()) } else { Err(ReadError::CutOff) }
}

fn length_of(item: &[u8]) -> [u8; 4] {
    u32::try_from(item.len()).expect("an entity is far below 4 GiB").to_le_bytes()
}

/// Shows the whole items at the start of `bytes`; gives the rest.
fn take_items<'a>(
    mut bytes: &'a [u8],
    each: &mut dyn FnMut(&[u8]) -> Result<(), ReadError>,
) -> Result<&'a [u8], ReadError> {
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((item, rest)) = rest.split_at_checked(length) else { break };
        each(item)?;
        bytes = rest;
    }
    Ok(bytes)
}

/// What every part of a snapshot says of the whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Head {
    pub(crate) tick: u64,
    pub(crate) ids: u64,
    pub(crate) check: u128,
    pub(crate) table: Table,
}

/// Cuts items into parts.
#[derive(Debug)]
pub(crate) struct PartsWriter {
    head: Head,
    room: usize,
    pieces: Vec<Vec<u8>>,
}

impl PartsWriter {
    pub(crate) fn new(tick: u64, ids: u64, table: Table) -> Self {
        let mut writer = Writer::new();
        table.write(&mut writer);
        // Hundreds of kept types still leave most of a part for entities.
        let room = PART_BYTES_MAX.saturating_sub(HEAD_BYTES + writer.len()).max(PART_BYTES_MAX / 8);
        Self { head: Head { tick, ids, check: 0, table }, room, pieces: vec![Vec::new()] }
    }

    /// Items come in the order of their ids.
    pub(crate) fn push(&mut self, item: &[u8]) {
        self.head.check = self.head.check.wrapping_add(check_of(item));
        let framed = item.len() + 4;
        if self.last().len() + framed > self.room && !self.last().is_empty() {
            self.pieces.push(Vec::with_capacity(self.room));
        }
        self.last().extend_from_slice(&length_of(item));
        let mut rest = item;
        loop {
            let room = self.room - self.last().len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.last().extend_from_slice(now);
            if later.is_empty() {
                return;
            }
            rest = later;
            self.pieces.push(Vec::with_capacity(self.room));
        }
    }

    fn last(&mut self) -> &mut Vec<u8> {
        self.pieces.last_mut().expect("there is always a piece")
    }

    pub(crate) fn finish(self) -> Vec<Bytes> {
        let Self { head, pieces, .. } = self;
        let parts = pieces.len();
        let seal = |(part, piece): (usize, Vec<u8>)| {
            let mut writer = Writer::onto(Vec::with_capacity(piece.len() + HEAD_BYTES));
            writer.varint(head.tick);
            writer.varint(head.ids);
            writer.raw(&head.check.to_le_bytes());
            writer.count(part);
            writer.count(parts);
            head.table.write(&mut writer);
            writer.raw(&piece);
            record::seal(SNAPSHOT, VERSION, &writer.into_bytes())
        };
        pieces.into_iter().enumerate().map(seal).collect()
    }
}

/// Shows every item of a snapshot, and checks that it is whole.
pub(crate) fn read_parts(parts: &[Bytes], each: ItemReader<'_>) -> Result<Head, ReadError> {
    let mut head: Option<Head> = None;
    let mut check = 0u128;
    let mut carried = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let body = open(SNAPSHOT, part)?;
        let mut from = Reader::new(&body, STORED)?;
        let (tick, ids) = (from.varint()?, from.varint()?);
        let sum = from.raw(16)?.try_into().map(u128::from_le_bytes).expect("sixteen bytes");
        let place = (from.varint()?, from.varint()?);
        let table = Table::read(&mut from)?;
        let this = Head { tick, ids, check: sum, table };
        if place != (number as u64, parts.len() as u64) || head.as_ref().is_some_and(|head| *head != this) {
            return Err(ReadError::WrongPart { part: number });
        }
        let head = &*head.insert(this);
        let mut take = |item: &[u8]| {
            check = check.wrapping_add(check_of(item));
            let (id, values) = read_item(item)?;
            each(&head.table, id, &values)
        };
        if carried.is_empty() {
            carried.extend_from_slice(take_items(from.remainder(), &mut take)?);
        } else {
            carried.extend_from_slice(from.remainder());
            let left = take_items(&carried, &mut take)?.len();
            carried.drain(..carried.len() - left);
        }
    }
    let head = head.ok_or(ReadError::WrongPart { part: 0 })?;
    if !carried.is_empty() {
        return Err(ReadError::CutOff);
    }
    if check != head.check {
        return Err(ReadError::Check { tick: head.tick });
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: u64, value: &[u8]) -> Vec<u8> {
        let mut item = id.to_le_bytes().to_vec();
        put_value(0, value, &mut item);
        item
    }

    fn table() -> Table {
        Table(vec![TableEntry { name: "ore".into(), version: 3 }])
    }

    fn parts(items: &[Vec<u8>]) -> Vec<Bytes> {
        let mut writer = PartsWriter::new(7, 9, table());
        items.iter().for_each(|item| writer.push(item));
        writer.finish()
    }

    fn read(parts: &[Bytes]) -> Result<Vec<(NetId, Vec<u8>)>, ReadError> {
        let mut found = Vec::new();
        let head = read_parts(parts, &mut |seen, id, values| {
            assert_eq!(*seen, table());
            found.push((id, values[0].1.to_vec()));
            Ok(())
        })?;
        assert_eq!((head.tick, head.ids), (7, 9));
        Ok(found)
    }

    const TABLE: [u8; 6] = [1, 3, b'o', b'r', b'e', 3];
    /// Length, id, column, length of the value, value.
    const ITEM: [u8; 15] = [11, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xAA];

    #[test]
    fn the_bytes_of_an_entity_a_state_and_a_part_are_documented_ones() {
        let body = |name: &str, bytes: &Bytes| record::open_as(name, bytes).unwrap().body;

        let mut entity = EntityWriter::default();
        entity.push("ore", 3, &[0xAA]);
        assert_eq!(body("lightmoon.entity", &entity.seal())[..], [3, b'o', b'r', b'e', 3, 1, 0xAA]);
        let tick = seal_tick(0x0102);
        assert_eq!(body("lightmoon.entity", &tick)[..], *b"\x0Elightmoon.tick\x01\x08\x02\x01\0\0\0\0\0\0");
        assert_eq!((read_tick(&tick), tick_id()), (Ok(0x0102), NetId(4_260_420_640_655_278_080)));

        let state = seal_world(&table(), &[item(5, &[0xAA])]);
        assert_eq!(body("lightmoon.world", &state)[..], [&TABLE[..], &ITEM].concat());

        let part = parts(&[item(5, &[0xAA])]).remove(0);
        // The xxh3-128 of the item without its length.
        let check = [31, 237, 33, 71, 170, 185, 195, 128, 101, 107, 232, 1, 145, 247, 253, 21];
        assert_eq!(xxh3_128(&ITEM[4..]).to_le_bytes(), check);
        let head = [&[7, 9][..], &check, &[0, 1]].concat();
        assert_eq!(body("lightmoon.snapshot", &part)[..], [&head[..], &TABLE, &ITEM].concat());
    }

    #[test]
    fn what_is_cut_into_parts_is_put_together_again_also_when_one_item_is_larger_than_a_part() {
        for sizes in [vec![], vec![0], vec![10; 5], vec![60_000; 5], vec![10, 300_000, 10], vec![98_000; 3]] {
            let items: Vec<Vec<u8>> =
                (1u8..).zip(&sizes).map(|(n, size)| item(u64::from(n), &vec![n; *size])).collect();
            let parts = parts(&items);
            assert!(parts.iter().all(|part| part.len() <= PART_BYTES_MAX), "{sizes:?}");
            let found = read(&parts).unwrap();
            assert_eq!(found.len(), sizes.len());
            for (n, ((id, value), size)) in (1u8..).zip(found.iter().zip(sizes)) {
                assert_eq!((id.0, value), (u64::from(n), &vec![n; size]));
            }
        }
    }

    #[test]
    fn parts_that_are_missing_doubled_swapped_or_of_another_snapshot_are_refused() {
        let parts = parts(&[item(1, &[1; 60_000]), item(2, &[2; 60_000]), item(3, &[3; 60_000])]);
        assert_eq!(parts.len(), 3);
        let mut other = PartsWriter::new(8, 9, table());
        other.push(&item(1, &[1]));
        let other = other.finish().remove(0);
        for wrong in [
            vec![],
            parts[..2].to_vec(),
            vec![parts[1].clone(), parts[0].clone(), parts[2].clone()],
            vec![parts[0].clone(), parts[1].clone(), parts[1].clone()],
            vec![parts[0].clone(), parts[1].clone(), other],
        ] {
            assert!(matches!(read(&wrong), Err(ReadError::WrongPart { .. })));
        }
    }

    #[test]
    fn every_flipped_bit_of_a_part_is_found() {
        let parts = parts(&[item(1, b"five"), item(2, b"crystals")]);
        for bit in 0..parts[0].len() * 8 {
            let mut bytes = parts[0].to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            read(&[bytes.into()]).unwrap_err();
        }
    }

    #[test]
    fn a_part_whose_entities_are_not_those_of_its_check_is_refused_though_its_checksum_is_right() {
        let part = parts(&[item(1, b"five"), item(2, b"crystals")]).remove(0);
        let mut body = record::open(&part).unwrap().body.to_vec();
        // The last byte of the last value.
        *body.last_mut().unwrap() ^= 1;
        let forged = record::seal(SNAPSHOT, VERSION, &body);
        assert_eq!(read_parts(&[forged], &mut |_, _, _| Ok(())), Err(ReadError::Check { tick: 7 }));
    }

    #[test]
    fn a_state_that_ends_early_is_refused() {
        let sealed = seal_world(&table(), &[item(1, b"x")]);
        let body = record::open(&sealed).unwrap().body;
        let short = record::seal(WORLD, VERSION, &body[..body.len() - 1]);
        assert_eq!(read_world(&short, &mut |_, _, _| Ok(())), Err(ReadError::CutOff));
        assert_eq!(read_world(&sealed, &mut |_, _, _| Ok(())), Ok(()));
    }
}
