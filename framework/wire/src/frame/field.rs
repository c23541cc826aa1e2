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

/// Bytes of a generation and a payload with its length in front, exactly: bytes that fill what they were written to need no second
/// allocation to be shared.
pub(super) fn generation_and_payload_size(generation: u32, payload: &Bytes) -> usize {
    super::width(generation.into()) + super::width(super::count(payload.len())) + payload.len()
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

#[cfg(test)]
mod tests {
    use lightmoon_contract::Writer;

    use super::super::{Delta, Layout, State, View};
    use super::*;

    /// Says how large a frame's body is, and how large it then is.
    fn said_and_written<F: Layout>(frame: &F) -> (usize, usize) {
        let mut to = Writer::onto(Vec::new());
        frame.write(&mut to);
        (frame.size(), to.into_bytes().len())
    }

    #[test]
    fn frames_of_the_hot_path_say_their_size_exactly() {
        for generation in [0, 250, 251, 0xFFFF, 0x1_0000, u32::MAX] {
            for bytes in [0, 1, 250, 251, 1_100] {
                let payload = Bytes::from(vec![7; bytes]);
                for (said, written) in [
                    said_and_written(&State { generation, payload: payload.clone() }),
                    said_and_written(&Delta { generation, payload: payload.clone() }),
                    said_and_written(&View { generation, payload }),
                ] {
                    assert_eq!(said, written, "generation {generation}, {bytes} bytes");
                }
            }
        }
    }
}
