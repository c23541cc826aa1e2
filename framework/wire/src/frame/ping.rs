//! Ping: asks for a Pong, to measure the round trip and to show that the sender lives.
//!
//! ```text
//! nonce u64
//! ```
//! Datagram, after Welcome.

use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout};
use crate::close::Violation;

/// Asks for a Pong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ping {
    /// Any number; comes back in the Pong.
    pub nonce: u64,
}

impl Layout for Ping {
    const KIND: FrameKind = FrameKind::Ping;
    const BODY_BYTES_MAX: usize = crate::limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.nonce);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { nonce: from.get()? })
    }
}
