//! Ticket: what lets the client resume its session over another connection.
//!
//! ```text
//! ticket bytes ≤ 96
//! ```
//! Control lane, after the Welcome and now and then; the newest counts. Only to clients that speak minor 1 or more. The client
//! shows it in its next Hello and does not look inside.

use std::fmt;

use bytes::Bytes;
use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// What resumes a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// At most [`limits::TICKET_BYTES_MAX`].
    pub bytes: Bytes,
}

impl fmt::Debug for Ticket {
    /// Leaves out the bytes: whoever has them is the player.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("bytes", &self.bytes.len()).finish()
    }
}

impl Layout for Ticket {
    const KIND: FrameKind = FrameKind::Ticket;
    const BODY_BYTES_MAX: usize = limits::TICKET_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.bytes(&self.bytes);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { bytes: field::bytes(from, limits::TICKET_BYTES_MAX, "ticket")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_never_reaches_a_log() {
        let ticket = Ticket { bytes: "secret".into() };
        assert!(!format!("{ticket:?}").contains("secret") && !format!("{ticket:?}").contains("115"));
    }
}
