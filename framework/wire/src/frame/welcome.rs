//! Welcome: the handshake succeeded; calls and zones may follow.
//!
//! ```text
//! minor u16 | features u64 | session u64 | player u64 | tick_hz u16
//!                        minor 2 and later: | goes_on bool | held
//! ```
//! `held` is in [`super::held`].
//! Control lane, once. Frames of other lanes may overtake it, since lanes are separate streams; a client holds those.

use lightmoon_contract::{Reader, SessionId, Writer};

use super::held::{self, Held};
use super::{FrameKind, Layout};
use crate::close::Violation;
use crate::{MINOR_LANES, limits};

/// What the server settled on.
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// Whether the lanes of a session of before go on: each side sends again what the other does not hold. Else all numbers of kept
    /// frames begin with 0 again. False below minor 2.
    pub goes_on: bool,
    /// What the server has of the client's kept frames; empty below minor 2.
    pub held: Vec<Held>,
}

impl Layout for Welcome {
    const KIND: FrameKind = FrameKind::Welcome;
    const BODY_BYTES_MAX: usize = limits::HELD_BYTES_MAX + limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.minor);
        to.put(&self.features);
        to.put(&self.session);
        to.put(&self.player);
        to.put(&self.tick_hz);
        if self.minor >= MINOR_LANES {
            to.put(&self.goes_on);
            held::write(&self.held, to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        let mut welcome = Self {
            minor: from.get()?,
            features: from.get()?,
            session: from.get()?,
            player: from.get()?,
            tick_hz: from.get()?,
            goes_on: false,
            held: Vec::new(),
        };
        if welcome.minor >= MINOR_LANES {
            welcome.goes_on = from.get()?;
            welcome.held = held::read(from)?;
        }
        Ok(welcome)
    }
}
