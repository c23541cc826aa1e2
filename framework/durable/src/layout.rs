//! Where what stands in the store: spaces, keys, fields of heads.
//!
//! *Responsible for*: the layout of an actor's partition, the same in every store. *Not responsible for*: values
//! (`record`, `manifest`).
//!
//! A row's key is 17 bytes: section u8 · k1 u64 · k2 u64, big-endian, so that rows stand in the order of their numbers. A
//! database keeps the three as columns.
//!
//! | section | k1 | k2 | value |
//! |---|---|---|---|
//! | 0 | 0 | 0 | the manifest of a zone's snapshots |
//! | 1 | 0 | part | the state of an actor without ticks, cut into parts |
//! | 1 | NetId | 0 | a durable entity: seq u64, then a record, or nothing where it is gone |
//! | 1 | NetId with counter 0 | 0 | a kept resource of a zone or its tick, as a durable entity; counters of entities begin at 1 |
//! | 2 | number | 0 | a message in the outbox |
//! | 3 | key of a sender | its kind | the number of the last message taken of it |
//! | 4, 5 | | | timers, flow journal: not used yet |
//! | 6 | session | request | the reply to a request |
//! | 7 | seq | n | the operation log |
//!
//! Chunks of snapshots stand in the area of chunks, in the same partition: epoch u64 · number u64 · part u64.

use bytes::{BufMut, Bytes, BytesMut};
use lightmoon_contract::{ActorId, Kind};
use lightmoon_store::{Field, KeyRange, Partition, Space};

/// Partitions of the node itself.
pub const NODE: Space = Space(1);
/// Partitions of actors.
pub const ACTORS: Space = Space(2);
/// Lists of the node: who may have messages to send.
pub const LISTS: Space = Space(3);

/// In the node's partition: its generation.
pub const GENERATION: Field = Field(0);
/// In an actor's: the epoch of the activation that may commit.
pub const EPOCH: Field = Field(0);
/// In an actor's: how many commits there were.
pub const SEQ: Field = Field(1);
/// In a zone's: ids up to this one may have been given.
pub const IDS: Field = Field(2);

/// The sections of an actor's partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Section {
    /// The manifest.
    Manifest = 0,
    /// Parts of the state, durable entities.
    State = 1,
    /// Messages that no receiver has taken yet.
    Outbox = 2,
    /// Marks of messages that were taken.
    Inbox = 3,
    /// Replies to requests.
    Replies = 6,
    /// The operation log.
    Log = 7,
}

/// Bytes of a row's key.
pub const KEY_BYTES: usize = 17;

/// The partition of the node named `name`.
#[must_use]
pub fn node(name: &str) -> Partition {
    Partition { space: NODE, key: Bytes::copy_from_slice(name.as_bytes()) }
}

/// The partition of an actor.
#[must_use]
pub fn actor(id: ActorId) -> Partition {
    let mut key = BytesMut::with_capacity(10);
    key.put_u16(id.kind.0);
    key.put_u64(id.key);
    Partition { space: ACTORS, key: key.freeze() }
}

/// The actor whose partition has this key.
#[must_use]
pub fn actor_of(key: &[u8]) -> Option<ActorId> {
    let (kind, key) = key.split_first_chunk::<2>()?;
    let key: [u8; 8] = key.try_into().ok()?;
    Some(ActorId::new(Kind(u16::from_be_bytes(*kind)), u64::from_be_bytes(key)))
}

/// The key of a row.
#[must_use]
pub fn row(section: Section, k1: u64, k2: u64) -> Bytes {
    let mut key = BytesMut::with_capacity(KEY_BYTES);
    key.put_u8(section as u8);
    key.put_u64(k1);
    key.put_u64(k2);
    key.freeze()
}

/// The numbers in the key of a row: section, k1, k2.
#[must_use]
pub fn numbers(key: &[u8]) -> Option<(u8, u64, u64)> {
    let (section, rest) = key.split_first()?;
    let (k1, k2) = rest.split_first_chunk::<8>()?;
    let k2: [u8; 8] = k2.try_into().ok()?;
    Some((*section, u64::from_be_bytes(*k1), u64::from_be_bytes(k2)))
}

/// The rows from one section to another, the latter not included.
#[must_use]
pub fn sections(from: u8, to: u8) -> KeyRange {
    KeyRange { from: Bytes::copy_from_slice(&[from]), to: Some(Bytes::copy_from_slice(&[to])) }
}

/// The parts of the state of an actor without ticks.
#[must_use]
pub fn state_parts() -> KeyRange {
    KeyRange { from: row(Section::State, 0, 0), to: Some(row(Section::State, 1, 0)) }
}

/// The list of actors that may have messages in their outboxes: generation u64 · kind u16 · key u64.
#[must_use]
pub const fn outboxes() -> Partition {
    Partition { space: LISTS, key: Bytes::from_static(b"outboxes") }
}

/// The row of an actor in [`outboxes`].
#[must_use]
pub fn outbox(generation: u64, id: ActorId) -> Bytes {
    let mut key = BytesMut::with_capacity(18);
    key.put_u64(generation);
    key.extend_from_slice(&actor(id).key);
    key.freeze()
}

/// The actor of a row in [`outboxes`].
#[must_use]
pub fn outbox_of(key: &[u8]) -> Option<ActorId> {
    actor_of(key.split_first_chunk::<8>()?.1)
}

/// The key of a chunk.
#[must_use]
pub fn chunk(epoch: u64, number: u64, part: u64) -> Bytes {
    let mut key = BytesMut::with_capacity(24);
    key.put_u64(epoch);
    key.put_u64(number);
    key.put_u64(part);
    key.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_the_order_of_their_numbers_and_read_back() {
        let places = [
            (Section::Manifest, 0, 0),
            (Section::State, 0, 0),
            (Section::State, 0, 1),
            (Section::State, 1, 0),
            (Section::State, 256, 0),
            (Section::State, u64::MAX, 0),
            (Section::Log, 1, 0),
            (Section::Log, 1, 1),
        ];
        let keys: Vec<Bytes> = places.iter().map(|(section, k1, k2)| row(*section, *k1, *k2)).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        for (key, (section, k1, k2)) in keys.iter().zip(places) {
            assert_eq!(numbers(key), Some((section as u8, k1, k2)));
        }
        let loaded = sections(0, 2);
        assert_eq!(keys.iter().filter(|key| loaded.contains(key)).count(), 6);
    }

    #[test]
    fn an_actor_is_found_in_its_partition() {
        for id in [ActorId::new(Kind(1), 0), ActorId::new(Kind(0xFEFF), u64::MAX)] {
            assert_eq!(actor_of(&actor(id).key), Some(id));
        }
        assert_eq!(actor_of(b"node"), None);
    }
}
