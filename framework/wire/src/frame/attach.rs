//! Attach: from here on the session looks at a zone.
//!
//! ```text
//! generation u32 | zone: kind u16 | key u64 | avatar u64 | tick_hz u16
//! ```
//! View lane (high, reliable-ordered), so that its order with View and Detach holds. Generations only grow (wrapping).

use lightmoon_contract::{ActorId, NetId, Reader, Writer};

use super::{FrameKind, Layout};
use crate::close::Violation;

/// From here on the session looks at a zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attach {
    /// Names this attachment in View, State and calls to the zone.
    pub generation: u32,
    /// The zone.
    pub zone: ActorId,
    /// The player's entity in it; [`NetId::NONE`] for a spectator.
    pub avatar: NetId,
    /// Steps per second of the zone; 0: the first state packet says.
    pub tick_hz: u16,
}

impl Layout for Attach {
    const KIND: FrameKind = FrameKind::Attach;
    const BODY_BYTES_MAX: usize = crate::limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.generation);
        to.put(&self.zone);
        to.put(&self.avatar);
        to.put(&self.tick_hz);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { generation: from.get()?, zone: from.get()?, avatar: from.get()?, tick_hz: from.get()? })
    }
}
