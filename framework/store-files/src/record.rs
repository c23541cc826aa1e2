//! Records: what is stored, with a checksum.
//!
//! *Responsible for*: the bytes of a stored value, of a head, of a commit number. *Not responsible for*: keys (`place`).
//!
//! Invariants:
//! - I1: a value read is the value written under that key, or a [`Damage`]: the checksum covers both.
//!
//! ```text
//! format u8 = 1 | CRC-32C of key and body, begun with the key's length, u32 little-endian | body
//! ```

use bytes::Bytes;
use fjall::Slice;
use lightmoon_store::{Field, Head};

/// The only format yet.
const FORMAT: u8 = 1;
/// Bytes before the body.
const HEADER_BYTES: usize = 5;
/// Bytes of a field in a head.
const FIELD_BYTES: usize = 9;

/// A record that is not what was written.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a record is damaged ({what})")]
pub(crate) struct Damage {
    /// What is wrong.
    pub(crate) what: &'static str,
}

/// The record of a value.
pub(crate) fn seal(key: &[u8], body: &[u8]) -> Slice {
    let [a, b, c, d] = checksum(key, body).to_le_bytes();
    Slice::from([&[FORMAT, a, b, c, d], body].concat())
}

/// The body of a record; `is_checked`: only tests say no.
pub(crate) fn open<'a>(key: &[u8], record: &'a [u8], is_checked: bool) -> Result<&'a [u8], Damage> {
    let Some(([format, a, b, c, d], body)) = record.split_first_chunk::<HEADER_BYTES>() else {
        return Err(Damage { what: "it is too short" });
    };
    if !is_checked {
        return Ok(body);
    }
    if *format != FORMAT {
        return Err(Damage { what: "its format is unknown" });
    }
    if checksum(key, body) != u32::from_le_bytes([*a, *b, *c, *d]) {
        return Err(Damage { what: "its checksum does not fit" });
    }
    Ok(body)
}

/// It begins with the length of the key, so that no byte can move between key and body.
fn checksum(key: &[u8], body: &[u8]) -> u32 {
    // Keys are a few hundred bytes at most.
    let start = u32::try_from(key.len()).unwrap_or(u32::MAX);
    crc32c::crc32c_append(crc32c::crc32c_append(start, key), body)
}

/// A row's value out of its body: a copy, so that a small value does not keep a whole block in memory.
pub(crate) fn value(body: &[u8]) -> Bytes {
    Bytes::copy_from_slice(body)
}

/// The body of a head: its fields, ascending.
pub(crate) fn head_body(head: &Head) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in head.fields() {
        body.push(field.0);
        body.extend_from_slice(&value.to_le_bytes());
    }
    body
}

/// The head of a body.
pub(crate) fn head(body: &[u8]) -> Result<Head, Damage> {
    let (fields, rest) = body.as_chunks::<FIELD_BYTES>();
    if !rest.is_empty() {
        return Err(Damage { what: "a head has half a field" });
    }
    Ok(Head::of(fields.iter().map(|[field, a, b, c, d, e, f, g, h]| {
        (Field(*field), u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
    })))
}

/// A commit number out of its body.
pub(crate) fn number(body: &[u8]) -> Result<u64, Damage> {
    let bytes =
        <[u8; 8]>::try_from(body).map_err(|_| Damage { what: "a commit number has another length" })?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use lightmoon_store::{Field, Head};

    use super::{head, head_body, open, seal};

    #[test]
    fn every_flipped_bit_of_a_record_and_of_its_key_is_found() {
        let (key, body) = (b"key".to_vec(), b"a body".to_vec());
        let record = seal(&key, &body).to_vec();
        assert_eq!(open(&key, &record, true), Ok(&body[..]));
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, &flipped, true).is_err(), "bit {bit}");
        }
        for bit in 0..key.len() * 8 {
            let mut flipped = key.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&flipped, &record, true).is_err(), "bit {bit} of the key");
        }
    }

    #[test]
    fn the_bytes_of_a_record_stay_as_they_are() {
        assert_eq!(seal(b"k", b"v").to_vec(), [1, 103, 18, 149, 156, b'v']);
    }

    #[test]
    fn a_head_comes_back() {
        let given = Head::of([(Field(0), u64::MAX), (Field(7), 0)]);
        assert_eq!(head(&head_body(&given)), Ok(given));
        assert!(head(&[1, 2]).is_err());
    }
}
