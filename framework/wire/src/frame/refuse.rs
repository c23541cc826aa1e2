//! Refuse: the handshake failed.
//!
//! ```text
//! code u32 | reason text ≤ 256
//! ```
//! Control lane, instead of Welcome. The client closes; the server does after a second.

use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::{CloseCode, Violation};
use crate::limits;

/// Why the handshake failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refuse {
    /// Why.
    pub code: CloseCode,
    /// The same for people; at most [`limits::REASON_BYTES_MAX`] bytes.
    pub reason: String,
}

impl Layout for Refuse {
    const KIND: FrameKind = FrameKind::Refuse;
    const BODY_BYTES_MAX: usize = limits::REASON_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.code.number());
        to.bytes(self.reason.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            code: CloseCode::from_number(from.get()?),
            reason: field::text(from, limits::REASON_BYTES_MAX, "reason")?,
        })
    }
}
