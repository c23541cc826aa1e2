//! Detach: from here on the session looks at no zone.
//!
//! ```text
//! generation u32
//! ```
//! View lane. The generation is that of the attachment which ends.

use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout};
use crate::close::Violation;

/// From here on the session looks at no zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Detach {
    /// The attachment that ends.
    pub generation: u32,
}

impl Layout for Detach {
    const KIND: FrameKind = FrameKind::Detach;
    const BODY_BYTES_MAX: usize = crate::limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.generation);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { generation: from.get()? })
    }
}
