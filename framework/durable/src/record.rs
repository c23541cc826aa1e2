//! Records: stored values that say what they are and whether they are whole.
//!
//! *Responsible for*: the frame around a stored value: its type, version, length and checksum. *Not responsible for*: what
//! is inside, upgrades ([`lightmoon_contract::Persist`]).
//!
//! ```text
//! "LM" · record version u8 · codec u8 · name length u8 · name · schema version u16 LE · body length u32 LE · body · CRC-32C u32 LE
//! ```
//!
//! The checksum covers everything before it. Codec 0 is the byte format (`docs/byte-format.md`).
//!
//! Invariants:
//! - I1: what [`open`] gives is what [`seal`] was given; anything else is an error that names what is wrong.
//! - I2: a record of a newer version is refused, never guessed at.

use bytes::{BufMut, Bytes, BytesMut};

const MAGIC: [u8; 2] = *b"LM";
/// The version of the frame.
const VERSION: u8 = 1;
/// The byte format of contracts.
const CODEC: u8 = 0;
/// Bytes around name and body.
const FRAME_BYTES: usize = 2 + 1 + 1 + 1 + 2 + 4 + 4;

/// What is wrong with a record. Do not retry: the bytes will not change.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// It is shorter than it says, or no record at all.
    #[error("these {0} bytes are no record")]
    Malformed(usize),
    /// Bytes changed since it was written: restore the store from a copy.
    #[error("the checksum of a record does not match: stored bytes have changed")]
    Checksum,
    /// A newer build wrote it: run that build.
    #[error("the record has frame version {0}, this build knows {VERSION}: it was written by a newer build")]
    Newer(u8),
    /// A newer build changed the type: run that build.
    #[error(
        "`{name}` is stored in version {version}, which this build does not know: it was written by a newer build"
    )]
    NewerSchema {
        /// The type.
        name: String,
        /// Its version in the store.
        version: u16,
    },
    /// It holds something else.
    #[error("the record holds `{found}`, not `{wanted}`")]
    OtherType {
        /// What was asked for.
        wanted: String,
        /// What it is.
        found: String,
    },
}

/// What is inside a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The type's name in the store.
    pub name: String,
    /// The version of its schema.
    pub version: u16,
    /// The value.
    pub body: Bytes,
}

/// A record around `body`. `name` has at most 255 bytes.
///
/// # Panics
/// The name is longer, or the body longer than 4 GiB: faults of the caller, who has limits far below.
#[must_use]
pub fn seal(name: &str, version: u16, body: &[u8]) -> Bytes {
    let mut to = BytesMut::with_capacity(FRAME_BYTES + name.len() + body.len());
    to.put_slice(&MAGIC);
    to.put_u8(VERSION);
    to.put_u8(CODEC);
    to.put_u8(u8::try_from(name.len()).expect("names are short"));
    to.put_slice(name.as_bytes());
    to.put_u16_le(version);
    to.put_u32_le(u32::try_from(body.len()).expect("bodies are far below 4 GiB"));
    to.put_slice(body);
    let sum = crc32c::crc32c(&to);
    to.put_u32_le(sum);
    to.freeze()
}

/// What is inside `bytes`.
///
/// # Errors
/// It is no whole record of this build's frame version.
pub fn open(bytes: &Bytes) -> Result<Record, RecordError> {
    let malformed = || RecordError::Malformed(bytes.len());
    let (frame, sum) = bytes.split_last_chunk::<4>().ok_or_else(malformed)?;
    let (head, _) = frame.split_first_chunk::<5>().ok_or_else(malformed)?;
    if head[..2] != MAGIC {
        return Err(malformed());
    }
    if crc32c::crc32c(frame) != u32::from_le_bytes(*sum) {
        return Err(RecordError::Checksum);
    }
    if head[2] > VERSION {
        return Err(RecordError::Newer(head[2]));
    }
    let name_end = 5 + usize::from(head[4]);
    let name =
        frame.get(5..name_end).and_then(|name| std::str::from_utf8(name).ok()).ok_or_else(malformed)?;
    let numbers = frame.get(name_end..name_end + 6).ok_or_else(malformed)?;
    let version = u16::from_le_bytes([numbers[0], numbers[1]]);
    let length = u32::from_le_bytes([numbers[2], numbers[3], numbers[4], numbers[5]]);
    let body = name_end + 6..frame.len();
    if u32::try_from(body.len()) != Ok(length) || head[3] != CODEC {
        return Err(malformed());
    }
    Ok(Record { name: name.to_owned(), version, body: bytes.slice(body) })
}

/// The record in `bytes` if it is one of `name`.
///
/// # Errors
/// It is not.
pub fn open_as(name: &str, bytes: &Bytes) -> Result<Record, RecordError> {
    let record = open(bytes)?;
    if record.name == name {
        Ok(record)
    } else {
        Err(RecordError::OtherType { wanted: name.to_owned(), found: record.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_record_are_documented_ones() {
        let golden =
            [b'L', b'M', 1, 0, 3, b'o', b'r', b'e', 7, 0, 2, 0, 0, 0, 0xAA, 0xBB, 0xC3, 0x0F, 0xF2, 0x3D];
        let sealed = seal("ore", 7, &[0xAA, 0xBB]);
        assert_eq!(sealed[..16], golden[..16]);
        assert_eq!(sealed[16..], crc32c::crc32c(&golden[..16]).to_le_bytes());
    }

    #[test]
    fn what_is_opened_is_what_was_sealed() {
        for length in [0, 1, 100, 96 * 1024] {
            let body = vec![7; length];
            let record = open_as("ship", &seal("ship", 3, &body)).unwrap();
            assert_eq!((record.version, &record.body[..]), (3, &body[..]));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_an_error() {
        let sealed = seal("inventory", 2, b"five crystals");
        for bit in 0..sealed.len() * 8 {
            let mut bytes = sealed.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            open(&bytes.into()).unwrap_err();
        }
        for length in 0..sealed.len() {
            open(&sealed.slice(..length)).unwrap_err();
        }
    }

    #[test]
    fn a_newer_frame_is_refused_by_its_version() {
        let mut bytes = seal("ship", 1, b"x").to_vec();
        bytes[2] = 2;
        let end = bytes.len() - 4;
        let sum = crc32c::crc32c(&bytes[..end]);
        bytes[end..].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(open(&bytes.into()), Err(RecordError::Newer(2)));
    }

    #[test]
    fn another_type_is_named() {
        let error = open_as("ship", &seal("ore", 1, b"x")).unwrap_err();
        assert_eq!(error.to_string(), "the record holds `ore`, not `ship`");
    }
}
