//! Unreliable call: a one-way call of a client in a datagram.
//!
//! ```text
//! sequence u32 | lane u8 | target | kind u16 | number u16 | args bytes
//! target as in Call
//! ```
//! Datagram, at most 1,200 bytes in all. `sequence` grows by one with each unreliable call of a connection (wrapping).
//! `lane` is the operation's: unreliable or unreliable-latest.

use bytes::Bytes;
use lightmoon_contract::{Kind, Lane, OperationNumber, Reader, Writer};

use super::call::Aimed;
use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// An unreliable call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreliableCall {
    /// Tells doubled and overtaken calls.
    pub sequence: u32,
    /// The operation's lane; an unreliable one.
    pub lane: Lane,
    /// Whom it is for.
    pub target: Aimed,
    /// The contract.
    pub kind: Kind,
    /// The operation.
    pub number: OperationNumber,
    /// The operation's message.
    pub args: Bytes,
}

impl Layout for UnreliableCall {
    const KIND: FrameKind = FrameKind::UnreliableCall;
    const BODY_BYTES_MAX: usize = limits::DATAGRAM_BYTES_MAX - 1;

    fn write(&self, to: &mut Writer) {
        to.put(&self.sequence);
        to.put(&self.lane.number());
        self.target.write(to);
        to.put(&self.kind);
        to.put(&self.number);
        to.bytes(&self.args);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            sequence: from.get()?,
            lane: field::unreliable_lane(from)?,
            target: Aimed::read(from)?,
            kind: from.get()?,
            number: from.get()?,
            args: field::bytes(from, limits::DATAGRAM_BYTES_MAX, "arguments")?,
        })
    }
}
