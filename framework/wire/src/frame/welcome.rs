//! Welcome: the handshake succeeded; calls and zones may follow.
//!
//! ```text
//! minor u16 | features u64 | session u64 | player u64 | tick_hz u16
//! ```
//! Control lane, once. Frames of other lanes may overtake it, since lanes are separate streams; a client holds those.

use lightmoon_contract::{Reader, SessionId, Writer};

use super::{FrameKind, Layout};
use crate::close::Violation;

/// What the server settled on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Welcome {
    /// The minor version both speak: the lower of the two.
    pub minor: u16,
    /// The abilities both have.
    pub features: u64,
    /// The session.
    pub session: SessionId,
    /// Key of the player that the session belongs to.
    pub player: u64,
    /// Steps per second of the node's zones, unless an Attach says otherwise; 0: no default.
    pub tick_hz: u16,
}

impl Layout for Welcome {
    const KIND: FrameKind = FrameKind::Welcome;
    const BODY_BYTES_MAX: usize = crate::limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.minor);
        to.put(&self.features);
        to.put(&self.session);
        to.put(&self.player);
        to.put(&self.tick_hz);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self {
            minor: from.get()?,
            features: from.get()?,
            session: from.get()?,
            player: from.get()?,
            tick_hz: from.get()?,
        })
    }
}
