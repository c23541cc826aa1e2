//! The manifest of a zone's snapshots: which ones there are, and what belongs to them.
//!
//! *Responsible for*: its form and bytes, which snapshots are kept. *Not responsible for*: writing chunks and publishing
//! (`keeper`), what parts hold (`zone`).
//!
//! Invariants:
//! - I1: entries stand newest first, at most [`limits::SNAPSHOTS_KEPT`].
//! - I2: an entry names length and checksum of each part, so that a damaged or missing one is found.

use bytes::Bytes;
use lightmoon_contract::{Limits, codec, data};

use crate::record::{self, RecordError};
use crate::{layout, limits};

/// The record's name in the store.
const NAME: &str = "manifest";
/// The version of its schema.
const VERSION: u16 = 1;

/// The snapshots of one zone.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Manifest {
    /// Newest first.
    pub(crate) entries: Vec<Entry>,
}

/// One snapshot.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Entry {
    /// Epoch of the activation that made it.
    pub(crate) epoch: u64,
    /// Its number in that epoch.
    pub(crate) number: u64,
    /// It shows every commit up to this one.
    pub(crate) seq: u64,
    /// The tick that it shows.
    pub(crate) tick: u64,
    /// Its parts, in order.
    pub(crate) parts: Vec<Part>,
}

/// One part of a snapshot.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Part {
    /// Its bytes.
    pub(crate) bytes: u32,
    /// CRC-32C of them, the last four first.
    pub(crate) checksum: u32,
}

impl Part {
    pub(crate) fn of(bytes: &Bytes) -> Self {
        // A part is a record, which ends with its own checksum, and the checksum of such bytes is always the same. So its
        // last four bytes go first.
        let (record, sum) = bytes.split_at(bytes.len().saturating_sub(4));
        let checksum = crc32c::crc32c_append(crc32c::crc32c(sum), record);
        Self { bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX), checksum }
    }
}

impl Entry {
    /// The key of a part.
    pub(crate) fn key(&self, part: usize) -> Bytes {
        layout::chunk(self.epoch, self.number, part as u64)
    }

    /// The keys of all parts.
    pub(crate) fn keys(&self) -> Vec<Bytes> {
        (0..self.parts.len()).map(|part| self.key(part)).collect()
    }

    /// Whether these are its parts, whole.
    pub(crate) fn is_made_of(&self, parts: &[Bytes]) -> bool {
        parts.len() == self.parts.len()
            && parts.iter().zip(&self.parts).all(|(bytes, part)| Part::of(bytes) == *part)
    }
}

impl Manifest {
    /// Adds the newest snapshot; gives those that are no longer kept.
    pub(crate) fn push(&mut self, entry: Entry) -> Vec<Entry> {
        self.entries.insert(0, entry);
        self.entries.split_off(self.entries.len().min(limits::SNAPSHOTS_KEPT))
    }

    /// Up to which commit every kept snapshot shows what happened; `None`: there is no snapshot.
    pub(crate) fn covered(&self) -> Option<u64> {
        self.entries.iter().map(|entry| entry.seq).min()
    }

    pub(crate) fn seal(&self) -> Bytes {
        record::seal(NAME, VERSION, &codec::encode(self))
    }

    pub(crate) fn open(bytes: &Bytes) -> Result<Self, RecordError> {
        let record = record::open_as(NAME, bytes)?;
        if record.version > VERSION {
            return Err(RecordError::NewerSchema { name: record.name, version: record.version });
        }
        codec::decode(&record.body, Limits::NODE).map_err(|_| RecordError::Malformed(bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64, seq: u64) -> Entry {
        let parts = vec![Part::of(&Bytes::from_static(b"one")), Part::of(&Bytes::from_static(b"two"))];
        Entry { epoch: 1 << 20, number, seq, tick: number * 200, parts }
    }

    #[test]
    fn three_are_kept_and_the_oldest_says_what_is_covered() {
        let mut manifest = Manifest::default();
        assert_eq!(manifest.covered(), None);
        for number in 1..=3 {
            assert!(manifest.push(entry(number, number * 10)).is_empty());
        }
        assert_eq!(manifest.covered(), Some(10));
        assert_eq!(manifest.push(entry(4, 40)), [entry(1, 10)]);
        assert_eq!(manifest.covered(), Some(20));
        assert_eq!(manifest.entries[0], entry(4, 40));
    }

    #[test]
    fn a_manifest_reads_back_and_a_newer_one_is_refused() {
        let mut manifest = Manifest::default();
        manifest.push(entry(1, 5));
        assert_eq!(Manifest::open(&manifest.seal()), Ok(manifest.clone()));
        let newer = record::seal(NAME, VERSION + 1, &codec::encode(&manifest));
        assert!(matches!(Manifest::open(&newer), Err(RecordError::NewerSchema { .. })));
    }

    #[test]
    fn a_part_of_another_snapshot_is_found() {
        let part = |text: &[u8]| record::seal("lightmoon.snapshot", 1, text);
        assert_ne!(Part::of(&part(b"tick 10")), Part::of(&part(b"tick 20")));
    }

    #[test]
    fn a_changed_or_missing_part_is_found() {
        let entry = entry(1, 1);
        let whole = [Bytes::from_static(b"one"), Bytes::from_static(b"two")];
        assert!(entry.is_made_of(&whole));
        assert!(!entry.is_made_of(&whole[..1]));
        assert!(!entry.is_made_of(&[Bytes::from_static(b"one"), Bytes::from_static(b"twi")]));
    }
}
