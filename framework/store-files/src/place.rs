//! Places: where a row stands among the engine's keys.
//!
//! *Responsible for*: keys whose order is that of area, space, partition and row. *Not responsible for*: values
//! (`record`).
//!
//! Invariants:
//! - I1: the order of engine keys is the order of (tag, space, partition's key, row's key) as bytes.
//! - I2: no partition's rows lie among those of another: the key of a partition is escaped and ended.
//!
//! ```text
//! 0                                                          the number of the last commit
//! tag u8 | space u16 BE | partition's key, 00 as 00 FF | 00 01 | row's key
//! ```

use bytes::Bytes;
use lightmoon_store::{Area, KeyRange, Partition, Space};

/// The key of the number of the last commit.
pub(crate) const NUMBER: &[u8] = &[0];

/// What a tag stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tag {
    Heads = 1,
    Rows = 2,
    Log = 3,
    Chunks = 4,
}

impl Tag {
    /// Where the rows of an area stand.
    pub(crate) const fn of_rows(area: Area) -> Self {
        match area {
            Area::Commits => Self::Rows,
            Area::Log => Self::Log,
            Area::Chunks => Self::Chunks,
        }
    }

    /// Where the partitions of an area are listed.
    pub(crate) const fn of_partitions(area: Area) -> Self {
        match area {
            Area::Commits => Self::Heads,
            Area::Log => Self::Log,
            Area::Chunks => Self::Chunks,
        }
    }
}

const ESCAPED: u8 = 0xFF;
const END: u8 = 1;
/// Greater than [`END`], less than [`ESCAPED`]: behind all rows of a partition.
const BEHIND: u8 = 2;

/// What all keys of a space begin with.
pub(crate) fn space(tag: Tag, space: Space) -> Vec<u8> {
    let [high, low] = space.0.to_be_bytes();
    vec![tag as u8, high, low]
}

/// The first key behind a space.
pub(crate) fn behind_space(tag: Tag, of: Space) -> Vec<u8> {
    of.0.checked_add(1).map_or_else(|| vec![tag as u8 + 1], |next| space(tag, Space(next)))
}

/// What all keys of a partition begin with; the key of its head.
pub(crate) fn partition(tag: Tag, of: &Partition) -> Vec<u8> {
    ended(tag, of.space, &of.key, END)
}

/// The first key behind a partition.
pub(crate) fn behind_partition(tag: Tag, of_space: Space, key: &[u8]) -> Vec<u8> {
    ended(tag, of_space, key, BEHIND)
}

fn ended(tag: Tag, of: Space, key: &[u8], end: u8) -> Vec<u8> {
    let mut bytes = space(tag, of);
    bytes.reserve(key.len() + 2);
    for byte in key {
        bytes.push(*byte);
        if *byte == 0 {
            bytes.push(ESCAPED);
        }
    }
    bytes.extend([0, end]);
    bytes
}

/// The key of a row.
pub(crate) fn row(prefix: &[u8], key: &[u8]) -> Vec<u8> {
    [prefix, key].concat()
}

/// From the first key of a range to the first one behind it.
pub(crate) fn range(tag: Tag, of: &Partition, keys: &KeyRange) -> (Vec<u8>, Vec<u8>) {
    let prefix = partition(tag, of);
    let to = keys.to.as_ref().map_or_else(|| behind_partition(tag, of.space, &of.key), |to| row(&prefix, to));
    (row(&prefix, &keys.from), to)
}

/// Whether a range holds a single possible key.
pub(crate) fn is_single(keys: &KeyRange) -> bool {
    keys.to
        .as_ref()
        .is_some_and(|to| to.len() == keys.from.len() + 1 && to.ends_with(&[0]) && to.starts_with(&keys.from))
}

/// The key of the partition that an engine key belongs to; `None`: it was not made here.
pub(crate) fn partition_of(key: &[u8]) -> Option<Bytes> {
    let mut bytes = key.get(3..)?.iter();
    let mut name = Vec::new();
    loop {
        match (bytes.next()?, name.len()) {
            (0, _) => match *bytes.next()? {
                ESCAPED => name.push(0),
                END => return Some(name.into()),
                _ => return None,
            },
            (byte, _) => name.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use lightmoon_store::{KeyRange, Partition, Space};

    use super::{Tag, behind_partition, behind_space, is_single, partition, partition_of, row, space};

    fn place(number: u16, key: &[u8]) -> Partition {
        Partition { space: Space(number), key: Bytes::copy_from_slice(key) }
    }

    #[test]
    fn keys_are_ordered_as_places_are() {
        let names: [&[u8]; 8] = [b"", &[0], &[0, 0], &[0, 1], &[0, 255], &[1], &[255], &[255, 0]];
        let mut made = Vec::new();
        for number in [0, 1, 255, 256, u16::MAX] {
            for partition_key in names {
                let of = place(number, partition_key);
                let prefix = partition(Tag::Rows, &of);
                assert_eq!(partition_of(&prefix), Some(of.key.clone()));
                for key in names {
                    made.push(row(&prefix, key));
                }
                made.push(behind_partition(Tag::Rows, of.space, partition_key));
            }
            assert!(made.iter().all(|key| *key < behind_space(Tag::Rows, Space(number))));
            assert!(made.iter().any(|key| *key > space(Tag::Rows, Space(number))));
        }
        let mut sorted = made.clone();
        sorted.sort();
        assert_eq!(made, sorted);
    }

    #[test]
    fn a_range_behind_nothing_but_one_key_is_single() {
        let range = |from: &'static [u8], to: &'static [u8]| KeyRange {
            from: Bytes::from_static(from),
            to: Some(Bytes::from_static(to)),
        };
        assert!(is_single(&range(b"a", b"a\0")));
        assert!(!is_single(&range(b"a", b"b\0")));
        assert!(!is_single(&range(b"a", b"a\x01")));
        assert!(!is_single(&KeyRange::all()));
    }
}
