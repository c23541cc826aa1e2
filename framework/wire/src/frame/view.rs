//! View: the reliable part of what the session sees: entities that enter or leave, values that stay.
//!
//! ```text
//! generation u32 | payload bytes ≤ 65,536
//! ```
//! View lane. The payload is described in `docs/wire-state.md`.

use bytes::Bytes;
use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// Reliable part of what the session sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// The attachment it belongs to.
    pub generation: u32,
    /// For the replica; at most [`limits::VIEW_BYTES_MAX`].
    pub payload: Bytes,
}

impl Layout for View {
    const KIND: FrameKind = FrameKind::View;
    const BODY_BYTES_MAX: usize = limits::VIEW_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.generation);
        to.bytes(&self.payload);
    }

    fn size(&self) -> usize {
        field::generation_and_payload_size(self.generation, &self.payload)
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { generation: from.get()?, payload: field::bytes(from, limits::VIEW_BYTES_MAX, "payload")? })
    }
}
