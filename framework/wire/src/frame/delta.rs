//! Delta: the unreliable part of what the session sees, against what the client said it has.
//!
//! ```text
//! generation u32 | payload bytes ≤ 1,100
//! ```
//! Datagram, from minor 2 on instead of State. The payload is described in `docs/wire-state.md`.

use bytes::Bytes;
use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// Unreliable part of what the session sees, against what the client has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delta {
    /// The attachment it belongs to.
    pub generation: u32,
    /// For the replica; at most [`limits::STATE_BYTES_MAX`].
    pub payload: Bytes,
}

impl Layout for Delta {
    const KIND: FrameKind = FrameKind::Delta;
    const BODY_BYTES_MAX: usize = limits::STATE_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.generation);
        to.bytes(&self.payload);
    }

    fn size(&self) -> usize {
        field::generation_and_payload_size(self.generation, &self.payload)
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { generation: from.get()?, payload: field::bytes(from, limits::STATE_BYTES_MAX, "payload")? })
    }
}
