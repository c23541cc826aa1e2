//! Call: a reliable call of a client.
//!
//! ```text
//! request u64 | target | kind u16 | number u16 | args bytes ≤ 16,384
//! target = 00                      the session's own player
//!        | 01 generation u32       the zone of that attachment
//!        | 02 key u64              the actor (kind, key)
//! ```
//! The operation's lane. `request` 0 wants no answer; others are chosen by the client and not used again while open.
//! `kind` names the contract; for player and zone the server compares it with what they are.

use bytes::Bytes;
use lightmoon_contract::{Kind, OperationNumber, Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// Where a client's call goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Aimed {
    /// The session's own player.
    Own,
    /// The zone that the client is attached to by this generation.
    Zone {
        /// The client's newest attachment when it called.
        generation: u32,
    },
    /// The actor of the call's kind with this key.
    Actor {
        /// Which one.
        key: u64,
    },
}

/// A reliable call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The number its answer carries; 0: one-way.
    pub request: u64,
    /// Whom it is for.
    pub target: Aimed,
    /// The contract.
    pub kind: Kind,
    /// The operation.
    pub number: OperationNumber,
    /// The operation's message; at most [`limits::ARGS_BYTES_MAX`].
    pub args: Bytes,
}

impl Aimed {
    pub(super) fn write(self, to: &mut Writer) {
        match self {
            Self::Own => to.put(&0u8),
            Self::Zone { generation } => {
                to.put(&1u8);
                to.put(&generation);
            }
            Self::Actor { key } => {
                to.put(&2u8);
                to.put(&key);
            }
        }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(match from.get::<u8>()? {
            0 => Self::Own,
            1 => Self::Zone { generation: from.get()? },
            2 => Self::Actor { key: from.get()? },
            tag => return Err(Violation::protocol(format!("target {tag}"))),
        })
    }
}

impl Layout for Call {
    const KIND: FrameKind = FrameKind::Call;
    const BODY_BYTES_MAX: usize = limits::ARGS_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.request);
        self.target.write(to);
        to.put(&self.kind);
        to.put(&self.number);
        to.bytes(&self.args);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            request: from.get()?,
            target: Aimed::read(from)?,
            kind: from.get()?,
            number: from.get()?,
            args: field::bytes(from, limits::ARGS_BYTES_MAX, "arguments")?,
        })
    }
}
