//! Pong: answers a Ping at once.
//!
//! ```text
//! nonce u64
//! ```
//! Datagram, after Welcome.

use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout};
use crate::close::Violation;

/// Answers a Ping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pong {
    /// The Ping's number.
    pub nonce: u64,
}

impl Layout for Pong {
    const KIND: FrameKind = FrameKind::Pong;
    const BODY_BYTES_MAX: usize = crate::limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.nonce);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { nonce: from.get()? })
    }
}
