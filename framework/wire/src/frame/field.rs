//! Fields that several frames share.
//!
//! *Responsible for*: bounded bytes and text, lanes. *Not responsible for*: whole frames.

use bytes::Bytes;
use lightmoon_contract::{DecodeError, Lane, Reader};

use crate::close::Violation;

impl From<DecodeError> for Violation {
    fn from(error: DecodeError) -> Self {
        Self::protocol(error.to_string())
    }
}

/// Reads bytes with their length in front, at most `max`.
pub(super) fn bytes(from: &mut Reader<'_>, max: usize, what: &str) -> Result<Bytes, Violation> {
    let bytes = from.bytes()?;
    if bytes.len() > max {
        return Err(Violation::too_large(format!("{what} of {} bytes, at most {max}", bytes.len())));
    }
    // A copy, so that a small payload never keeps a large read alive.
    Ok(Bytes::copy_from_slice(bytes))
}

/// Reads UTF-8 with its length in front, at most `max` bytes.
pub(super) fn text(from: &mut Reader<'_>, max: usize, what: &str) -> Result<String, Violation> {
    let bytes = from.bytes()?;
    if bytes.len() > max {
        return Err(Violation::too_large(format!("{what} of {} bytes, at most {max}", bytes.len())));
    }
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| Violation::protocol(format!("{what} is not UTF-8")))
}

/// Reads a lane's number; the lane has to be one of datagrams.
pub(super) fn unreliable_lane(from: &mut Reader<'_>) -> Result<Lane, Violation> {
    let number = from.get::<u8>()?;
    Lane::from_number(number)
        .filter(|lane| !lane.reliability.is_reliable())
        .ok_or_else(|| Violation::protocol(format!("{number:#04x} is no unreliable lane")))
}

/// Reads a lane's number; the lane has to be one of streams.
pub(super) fn reliable_lane(from: &mut Reader<'_>) -> Result<Lane, Violation> {
    let number = from.get::<u8>()?;
    Lane::from_number(number)
        .filter(|lane| lane.reliability.is_reliable())
        .ok_or_else(|| Violation::protocol(format!("{number:#04x} is no reliable lane")))
}
