//! Places: where a row stands among the engine's keys.
//!
//! *Responsible for*: keys whose order is that of area, space, partition and row. *Not responsible for*: values
//! (`record`).
//!
//! Invariants:
//! - I1: the order of engine keys is the order of (tag, space, partition's key, row's key) as bytes.
//! - I2: no partition's rows lie among those of another: a partition's key is ended in a way that no other key goes on.
//! - I3: a number of 8 bytes stays short: the engine keeps keys of up to 20 bytes in place, longer ones behind a pointer.
//!
//! ```text
//! 0                                                     the number of the last commit
//! tag u8 | space u16 BE | partition's key, shortened and ended | row's key
//! ```
//!
//! A run of n zeros in the partition's key is a zero and one byte: n if the key ends behind it (also for n = 0), 101 if it
//! goes on with more than 100 zeros, else 255 - n. In this order: an end comes before everything, more zeros before fewer.

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

/// Zeros in one run; a longer one is cut.
const RUN_MAX: usize = 100;
/// Behind a zero: a hundred zeros, and more follow.
const GOES_ON: u8 = 101;

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
    ended(tag, of.space, &of.key)
}

/// Turns the key of one place of a partition into that of another.
pub(crate) fn retag(key: &mut [u8], tag: Tag) {
    if let Some(first) = key.first_mut() {
        *first = tag as u8;
    }
}

/// The first key behind a partition.
pub(crate) fn behind_partition(tag: Tag, of_space: Space, key: &[u8]) -> Vec<u8> {
    let mut bytes = ended(tag, of_space, key);
    // The last byte is at most 100: what is one more is the next partition's beginning, or goes on.
    if let Some(end) = bytes.last_mut() {
        *end += 1;
    }
    bytes
}

fn ended(tag: Tag, of: Space, key: &[u8]) -> Vec<u8> {
    let mut bytes = space(tag, of);
    bytes.reserve(2 * key.len() + 16);
    let mut zeros: u8 = 0;
    for byte in key {
        if *byte != 0 {
            if zeros > 0 {
                bytes.extend([0, u8::MAX - zeros]);
                zeros = 0;
            }
            bytes.push(*byte);
        } else if usize::from(zeros) == RUN_MAX {
            bytes.extend([0, GOES_ON]);
            zeros = 1;
        } else {
            zeros += 1;
        }
    }
    bytes.extend([0, zeros]);
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
        match *bytes.next()? {
            0 => {
                let code = *bytes.next()?;
                let (zeros, is_end) = match code {
                    0..GOES_ON => (usize::from(code), true),
                    GOES_ON => (RUN_MAX, false),
                    _ => (usize::from(u8::MAX - code), false),
                };
                name.resize(name.len() + zeros, 0);
                if is_end {
                    return Some(name.into());
                }
            }
            byte => name.push(byte),
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
        let zeros = [0; 256];
        let runs = [&zeros[..99], &zeros[..100], &zeros[..101], &zeros[..200], &zeros[..201], &zeros[..256]];
        let one_behind = |zeros: usize| [&vec![0; zeros][..], &[1]].concat();
        let mut names: Vec<Vec<u8>> = runs.iter().map(|run| run.to_vec()).collect();
        names.extend([1, 2, 98, 99, 100, 101, 102, 200, 201, 255].map(one_behind));
        let short: [&[u8]; 9] =
            [b"", &[0], &[0, 0], &[0, 0, 255], &[0, 1], &[0, 255], &[1], &[255], &[255, 0]];
        names.extend(short.map(<[u8]>::to_vec));
        names.sort();
        names.dedup();
        let mut made = Vec::new();
        for number in [0, 1, 255, 256, u16::MAX] {
            for partition_key in &names {
                let of = place(number, partition_key);
                let prefix = partition(Tag::Rows, &of);
                assert_eq!(partition_of(&prefix), Some(of.key.clone()));
                for key in &names {
                    made.push(row(&prefix, key));
                }
                made.push(behind_partition(Tag::Rows, of.space, partition_key));
            }
            assert!(made.iter().all(|key| *key < behind_space(Tag::Rows, Space(number))));
            assert!(made.iter().any(|key| *key > space(Tag::Rows, Space(number))));
        }
        assert!(made.windows(2).all(|pair| pair[0] <= pair[1]));
    }

    #[test]
    fn the_bytes_of_a_key_stay_as_they_are() {
        let of = place(258, &[7, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!(partition(Tag::Rows, &of), [2, 1, 2, 7, 0, 249, 5, 0, 0]);
        assert_eq!(partition(Tag::Heads, &place(0, &[0, 9, 0, 0])), [1, 0, 0, 0, 254, 9, 0, 2]);
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
