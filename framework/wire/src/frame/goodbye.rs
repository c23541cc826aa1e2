//! Goodbye: the sender ends the connection in order.
//!
//! ```text
//! code u32 | reason text ≤ 256
//! ```
//! Control lane, last frame of its sender on any lane. The receiver closes; the sender does after a second.

use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::{CloseCode, Violation};
use crate::limits;

/// Why the connection ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goodbye {
    /// Why.
    pub code: CloseCode,
    /// The same for people; at most [`limits::REASON_BYTES_MAX`] bytes.
    pub reason: String,
}

impl Layout for Goodbye {
    const KIND: FrameKind = FrameKind::Goodbye;
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
