//! What arrived on the lanes of one connection, and when the peer is told.
//!
//! *Responsible for*: counting bytes, deciding when an acknowledgement is due. *Not responsible for*: numbers that outlive the connection
//! ([`crate::kept`]).
//!
//! Invariants:
//! - I1: an acknowledgement is due at once after [`limits::ACK_AFTER_BYTES`], and after [`limits::ACK_TIME_MAX`] else.
//! - I2: acknowledgements are never acknowledged, or two silent sides would talk for ever.

use lightmoon_contract::{Lane, Mono};

use crate::counters::Counters;
use crate::frame::LaneAck;
use crate::kept::KeptLanes;
use crate::limits;
use crate::transmit::{Backlog, Outbox};

/// The lanes on which something arrived.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    lanes: Vec<ArrivedLane>,
    /// When the oldest frame without acknowledgement has to be acknowledged.
    due: Option<Mono>,
}

#[derive(Debug)]
struct ArrivedLane {
    lane: Lane,
    bytes: u64,
    told: u64,
    /// Something came that wants an acknowledgement.
    is_owed: bool,
}

impl Arrived {
    /// Bytes of a lane's stream arrived, with the lane byte. On the control lane they may be an acknowledgement, so only its other frames
    /// want one; elsewhere also the beginning of a frame does, since one may be longer than its lane's window.
    pub(crate) fn bytes(&mut self, now: Mono, lane: Lane, bytes: u64) {
        self.lane_mut(lane).bytes += bytes;
        if lane != Lane::CONTROL {
            self.frame(now, lane);
        }
    }

    /// A frame of a lane arrived that is no acknowledgement itself.
    pub(crate) fn frame(&mut self, now: Mono, lane: Lane) {
        self.lane_mut(lane).is_owed = true;
        self.due.get_or_insert(now + limits::ACK_TIME_MAX);
    }

    /// When [`Self::take`] has something to say at the latest.
    pub(crate) const fn due(&self) -> Option<Mono> {
        self.due
    }

    /// Writes the acknowledgements that are due to the control lane, on which there may be no room.
    pub(crate) fn acknowledge(
        &mut self,
        now: Mono,
        kept: &KeptLanes,
        outbox: &mut Outbox,
        counters: &mut Counters,
    ) -> Result<(), Backlog> {
        let mut written = Ok(());
        self.take(now, |lane, bytes| {
            let ack = LaneAck { lane, bytes, frames: kept.received(lane) };
            counters.lane_acks_out += 1;
            written = outbox.stream(Lane::CONTROL, &ack, counters).and(written);
        });
        written
    }

    /// Lanes to acknowledge now, with their bytes.
    pub(crate) fn take(&mut self, now: Mono, mut tell: impl FnMut(Lane, u64)) {
        let is_due = self.due.is_some_and(|due| now >= due);
        let many = |lane: &ArrivedLane| lane.bytes - lane.told >= limits::ACK_AFTER_BYTES;
        if !is_due && !self.lanes.iter().any(|lane| lane.is_owed && many(lane)) {
            return;
        }
        // The frame is written anyway, so all that is owed goes with it.
        for lane in self.lanes.iter_mut().filter(|lane| lane.is_owed) {
            lane.told = lane.bytes;
            lane.is_owed = false;
            tell(lane.lane, lane.bytes);
        }
        self.due = None;
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut ArrivedLane {
        let at = self.lanes.iter().position(|known| known.lane == lane).unwrap_or_else(|| {
            self.lanes.push(ArrivedLane { lane, bytes: 0, told: 0, is_owed: false });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VIEW_LANE;

    const NOW: Mono = Mono::from_millis(1_000);

    fn taken(arrived: &mut Arrived, now: Mono) -> Vec<(Lane, u64)> {
        let mut told = Vec::new();
        arrived.take(now, |lane, bytes| told.push((lane, bytes)));
        told
    }

    #[test]
    fn a_little_waits_for_the_timer_and_much_is_told_at_once() {
        let mut arrived = Arrived::default();
        arrived.bytes(NOW, VIEW_LANE, 10);
        assert_eq!(taken(&mut arrived, NOW), []);
        assert_eq!(taken(&mut arrived, NOW + limits::ACK_TIME_MAX), [(VIEW_LANE, 10)]);
        arrived.bytes(NOW, VIEW_LANE, limits::ACK_AFTER_BYTES - 1);
        assert_eq!(taken(&mut arrived, NOW), []);
        arrived.bytes(NOW, VIEW_LANE, 1);
        assert_eq!(taken(&mut arrived, NOW), [(VIEW_LANE, 10 + limits::ACK_AFTER_BYTES)]);
        assert_eq!(arrived.due(), None);
    }

    #[test]
    fn acknowledgements_are_not_acknowledged() {
        let mut arrived = Arrived::default();
        arrived.bytes(NOW, Lane::CONTROL, 100_000);
        assert_eq!(arrived.due(), None);
        assert_eq!(taken(&mut arrived, NOW), []);
        arrived.frame(NOW, Lane::CONTROL);
        assert_eq!(taken(&mut arrived, NOW), [(Lane::CONTROL, 100_000)]);
    }
}
