//! Push: a message of an actor to the client.
//!
//! ```text
//! from: kind u16 | key u64 | number u16 | args bytes ≤ 65,536
//! ```
//! The operation's lane; for an unreliable operation whose message fits no datagram, or to a client below minor 2, the reliable-ordered lane
//! of its priority.

use bytes::Bytes;
use lightmoon_contract::{ActorId, OperationNumber, Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// A message of an actor to the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// The actor; its kind names the contract.
    pub from: ActorId,
    /// The operation.
    pub number: OperationNumber,
    /// The operation's message; at most [`limits::PUSH_BYTES_MAX`].
    pub args: Bytes,
}

impl Layout for Push {
    const KIND: FrameKind = FrameKind::Push;
    const BODY_BYTES_MAX: usize = limits::PUSH_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.from);
        to.put(&self.number);
        to.bytes(&self.args);
    }

    fn size(&self) -> usize {
        limits::HEADER_BYTES_MAX + self.args.len()
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            from: from.get()?,
            number: from.get()?,
            args: field::bytes(from, limits::PUSH_BYTES_MAX, "arguments")?,
        })
    }
}
