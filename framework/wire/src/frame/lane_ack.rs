//! LaneAck: how much of a lane has arrived.
//!
//! ```text
//! lane u8 | bytes u64 | frames u64
//! ```
//! Control lane, both ways, from minor 2 on; a later one says at least as much. `bytes`: of the lane's stream on this connection, with
//! the lane byte. `frames`: kept frames of the lane since the session's lanes began, over reconnects.

use lightmoon_contract::{Lane, Reader, Writer};

use super::{FrameKind, Layout, field};
use crate::close::Violation;

/// How much of a lane has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneAck {
    /// A reliable lane.
    pub lane: Lane,
    /// Bytes of its stream on this connection.
    pub bytes: u64,
    /// Its kept frames, over reconnects.
    pub frames: u64,
}

impl Layout for LaneAck {
    const KIND: FrameKind = FrameKind::LaneAck;
    const BODY_BYTES_MAX: usize = crate::limits::HEADER_BYTES_MAX;

    fn write(&self, to: &mut Writer) {
        to.put(&self.lane);
        to.put(&self.bytes);
        to.put(&self.frames);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Violation> {
        Ok(Self { lane: field::reliable_lane(from)?, bytes: from.get()?, frames: from.get()? })
    }
}
