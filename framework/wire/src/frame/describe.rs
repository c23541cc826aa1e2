//! Describe: the server does not know the client's fingerprint and asks for its descriptor.
//!
//! ```text
//! (empty)
//! ```
//! Control lane, at most once, between Hello and Welcome.

use lightmoon_contract::{Reader, Writer};

use super::{FrameKind, Layout};
use crate::close::Violation;

/// Asks the client for its descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Describe;

impl Layout for Describe {
    const KIND: FrameKind = FrameKind::Describe;
    const BODY_BYTES_MAX: usize = 0;

    fn write(&self, _to: &mut Writer) {}

    fn read(_from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self)
    }
}
