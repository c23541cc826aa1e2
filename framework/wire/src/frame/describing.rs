//! Describing: the client's descriptor, in answer to Describe.
//!
//! ```text
//! descriptor bytes ≤ 65,536
//! ```
//! Control lane, once, only after Describe. Its fingerprint has to be the one that Hello named.

use bytes::Bytes;
use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;
use crate::limits;

/// The client's descriptor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Describing {
    /// The encoded descriptor.
    pub descriptor: Bytes,
}

impl Layout for Describing {
    const KIND: FrameKind = FrameKind::Describing;
    const BODY_BYTES_MAX: usize = limits::DESCRIPTOR_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.bytes(&self.descriptor);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { descriptor: field::bytes(from, limits::DESCRIPTOR_BYTES_MAX, "descriptor")? })
    }
}
