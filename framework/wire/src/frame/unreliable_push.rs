//! Unreliable push: a message of an actor to the client in a datagram.
//!
//! ```text
//! sequence u32 | lane u8 | from: kind u16 | key u64 | number u16 | args bytes
//! ```
//! Datagram, at most 1,200 bytes in all, from minor 2 on. `sequence` grows by one with each unreliable push of a connection (wrapping).
//! `lane` is the operation's: unreliable or unreliable-latest.

use bytes::Bytes;
use lightmoon_contract::{ActorId, Lane, OperationNumber, Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// An unreliable push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnreliablePush {
    /// Tells doubled and overtaken pushes.
    pub sequence: u32,
    /// The operation's lane; an unreliable one.
    pub lane: Lane,
    /// The actor; its kind names the contract.
    pub from: ActorId,
    /// The operation.
    pub number: OperationNumber,
    /// The operation's message.
    pub args: Bytes,
}

impl Layout for UnreliablePush {
    const KIND: FrameKind = FrameKind::UnreliablePush;
    const BODY_BYTES_MAX: usize = limits::DATAGRAM_BYTES_MAX - 1;

    fn write(&self, to: &mut Writer) {
        to.put(&self.sequence);
        to.put(&self.lane.number());
        to.put(&self.from);
        to.put(&self.number);
        to.bytes(&self.args);
    }

    fn size(&self) -> usize {
        limits::HEADER_BYTES_MAX + self.args.len()
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            sequence: from.get()?,
            lane: field::unreliable_lane(from)?,
            from: from.get()?,
            number: from.get()?,
            args: field::bytes(from, limits::DATAGRAM_BYTES_MAX, "arguments")?,
        })
    }
}
