//! Hello: the first frame of a client.
//!
//! ```text
//! minor u16 | features u64 | fingerprint u128 | token bytes ≤ 1,024
//!                        minor 1 and later: | ticket bytes ≤ 96 | first_request u64
//!                        minor 2 and later: | held
//! ```
//! `held` is in [`super::held`].
//! Control lane, once, before anything else. What a client of minor 0 sends ends after its token.

use std::fmt;

use bytes::Bytes;
use lightmoon_contract::{Fingerprint, Reader, Writer};

use super::held::{self, Held};
use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::{MINOR_LANES, MINOR_TICKETS, limits};

/// Who the client is and what it was built from.
#[derive(Clone, PartialEq, Eq)]
pub struct Hello {
    /// The newest minor version the client speaks.
    pub minor: u16,
    /// Bits of optional abilities; unknown ones are ignored.
    pub features: u64,
    /// Fingerprint of the contracts the client was built from.
    pub fingerprint: Fingerprint,
    /// What the server's authenticator reads; at most [`limits::TOKEN_BYTES_MAX`].
    pub token: Bytes,
    /// What the server gave to resume a session; empty: none. At most [`limits::TICKET_BYTES_MAX`].
    pub ticket: Bytes,
    /// The lowest request number that the client has not used before: lower ones are repeats. 0 of a client of minor 0, which
    /// repeats nothing.
    pub first_request: u64,
    /// What the client has of the kept frames of the session that the ticket resumes; empty from a client of minor 0 or 1.
    pub held: Vec<Held>,
}

impl fmt::Debug for Hello {
    /// Leaves out token and ticket: they are secrets, and this ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("minor", &self.minor)
            .field("features", &self.features)
            .field("fingerprint", &self.fingerprint)
            .field("token_bytes", &self.token.len())
            .field("ticket_bytes", &self.ticket.len())
            .field("first_request", &self.first_request)
            .field("held", &self.held)
            .finish()
    }
}

impl Layout for Hello {
    const KIND: FrameKind = FrameKind::Hello;
    const BODY_BYTES_MAX: usize = limits::TOKEN_BYTES_MAX
        + limits::TICKET_BYTES_MAX
        + limits::HELD_BYTES_MAX
        + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.minor);
        to.put(&self.features);
        to.put(&self.fingerprint);
        to.bytes(&self.token);
        if self.minor >= MINOR_TICKETS {
            to.bytes(&self.ticket);
            to.put(&self.first_request);
        }
        if self.minor >= MINOR_LANES {
            held::write(&self.held, to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        let mut hello = Self {
            minor: from.get()?,
            features: from.get()?,
            fingerprint: from.get()?,
            token: field::bytes(from, limits::TOKEN_BYTES_MAX, "token")?,
            ticket: Bytes::new(),
            first_request: 0,
            held: Vec::new(),
        };
        if hello.minor >= MINOR_TICKETS {
            hello.ticket = field::bytes(from, limits::TICKET_BYTES_MAX, "ticket")?;
            hello.first_request = from.get()?;
        }
        if hello.minor >= MINOR_LANES {
            hello.held = held::read(from)?;
        }
        Ok(hello)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_tickets_never_reach_a_log() {
        let hello = Hello {
            minor: 1,
            features: 0,
            fingerprint: Fingerprint(0),
            token: "secret".into(),
            ticket: "secret".into(),
            first_request: 1,
            held: Vec::new(),
        };
        assert!(!format!("{hello:?}").contains("secret"));
    }
}
