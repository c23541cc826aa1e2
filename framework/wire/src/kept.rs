//! What of a session's lanes outlives its connections: numbers of kept frames, and those that the peer may not have.
//!
//! *Responsible for*: numbering, keeping until acknowledged, what is sent again after a resume, bounds. *Not responsible for*: when
//! acknowledgements are sent ([`crate::arrived`]), whose session it is (the node, the client).
//!
//! Kept frames are the server's pushes and the client's reliable calls. They carry no number: each side counts those of a lane from the
//! beginning of the session, and at a resume both say how many they have. Answers are not kept, since requests that come again are answered
//! again; Attach, Detach and View are not, since a resumed session looks anew.
//!
//! Invariants:
//! - I1: a kept frame is in the list of its sender until the receiver said that it has it.
//! - I2: the number of the first frame in a list is what the peer said last.
//! - I3: a lane's list costs at most [`limits::KEPT_BYTES_MAX`].

use std::collections::VecDeque;

use bytes::Bytes;
use lightmoon_contract::{ActorId, Lane, OperationNumber};

use crate::close::Violation;
use crate::frame::{self, Held, Push};
use crate::{SendError, limits, reliable};

/// What is kept of a session's lanes, on one side of it.
#[derive(Clone, Debug, Default)]
pub struct KeptLanes {
    /// Ascending; at most one for each reliable lane.
    lanes: Vec<KeptLane>,
    /// A frame found no room any more.
    is_broken: bool,
}

#[derive(Clone, Debug)]
struct KeptLane {
    lane: Lane,
    /// The number of the first frame in `sent`: the peer has all before it.
    first: u64,
    sent: VecDeque<Bytes>,
    /// What `sent` costs.
    cost: usize,
    /// Frames of the peer that arrived.
    received: u64,
}

impl KeptLane {
    fn next(&self) -> u64 {
        self.first + frame::count(self.sent.len())
    }

    fn forget_before(&mut self, frames: u64) {
        while self.first < frames
            && let Some(frame) = self.sent.pop_front()
        {
            self.cost -= cost(&frame);
            self.first += 1;
        }
    }
}

impl KeptLanes {
    /// Keeps a message of an actor for a session without a connection; it is sent when the session goes on. An unreliable lane becomes
    /// the reliable-ordered one of its priority.
    ///
    /// # Errors
    /// [`SendError::TooLarge`]: the arguments are over [`limits::PUSH_BYTES_MAX`]. [`SendError::Busy`]: too much is kept; the session
    /// cannot keep its promise any more and has to end.
    pub fn push(
        &mut self,
        lane: Lane,
        from: ActorId,
        number: OperationNumber,
        args: Bytes,
    ) -> Result<(), SendError> {
        if args.len() > limits::PUSH_BYTES_MAX {
            return Err(SendError::TooLarge { bytes: args.len(), max: limits::PUSH_BYTES_MAX });
        }
        let frame = frame::stream_bytes(&Push { from, number, args });
        if self.keep(reliable(lane), frame) { Ok(()) } else { Err(SendError::Busy) }
    }

    /// Whether a peer can hold these numbers: it has nothing that was not sent, and lacks nothing that was forgotten.
    #[must_use]
    pub fn fits(&self, held: &[Held]) -> bool {
        let said = |lane| held.iter().find(|held| held.lane == lane).map_or(0, |held| held.frames);
        let known = |lane| self.lanes.iter().any(|kept| kept.lane == lane);
        self.lanes.iter().all(|kept| (kept.first..=kept.next()).contains(&said(kept.lane)))
            && held.iter().all(|held| held.frames == 0 || known(held.lane))
    }

    /// Whether a frame was not kept, for want of room: a session that promised it cannot go on.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// What this side has of the other's frames.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        let received = self.lanes.iter().filter(|kept| kept.received > 0);
        received.map(|kept| Held { lane: kept.lane, frames: kept.received }).collect()
    }

    /// Frames that wait for an acknowledgement.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(|kept| kept.sent.len()).sum()
    }

    /// What they cost, in bytes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.lanes.iter().map(|kept| kept.cost).sum()
    }

    /// Keeps a frame that is sent now or later; false: too much is kept already, and it is not.
    pub(crate) fn keep(&mut self, lane: Lane, frame: Bytes) -> bool {
        let kept = self.lane_mut(lane);
        let after = kept.cost + cost(&frame);
        if after > limits::KEPT_BYTES_MAX {
            self.is_broken = true;
            return false;
        }
        kept.cost = after;
        kept.sent.push_back(frame);
        true
    }

    /// A kept frame of the peer arrived.
    pub(crate) fn receive(&mut self, lane: Lane) {
        self.lane_mut(lane).received += 1;
    }

    /// Kept frames of the peer that arrived on a lane.
    pub(crate) fn received(&self, lane: Lane) -> u64 {
        self.lanes.iter().find(|kept| kept.lane == lane).map_or(0, |kept| kept.received)
    }

    /// The peer has this many frames of a lane. An older word than the newest changes nothing.
    pub(crate) fn acknowledged(&mut self, lane: Lane, frames: u64) -> Result<(), Violation> {
        let next = self.lanes.iter().find(|kept| kept.lane == lane).map_or(0, KeptLane::next);
        if frames > next {
            return Err(Violation::protocol(format!(
                "{frames} frames of lane {lane} acknowledged of {next}"
            )));
        }
        if frames > 0 {
            self.lane_mut(lane).forget_before(frames);
        }
        Ok(())
    }

    /// Forgets what the peer has, and gives what it lacks, lane by lane in order. The numbers have to [fit](Self::fits).
    pub(crate) fn resume(&mut self, held: &[Held]) -> Vec<(Lane, Bytes)> {
        for held in held {
            self.lane_mut(held.lane).forget_before(held.frames);
        }
        let frames =
            self.lanes.iter().flat_map(|kept| kept.sent.iter().map(|frame| (kept.lane, frame.clone())));
        frames.collect()
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut KeptLane {
        let at = match self.lanes.binary_search_by_key(&lane, |kept| kept.lane) {
            Ok(at) => at,
            Err(at) => {
                let fresh = KeptLane { lane, first: 0, sent: VecDeque::new(), cost: 0, received: 0 };
                self.lanes.insert(at, fresh);
                at
            }
        };
        &mut self.lanes[at]
    }
}

fn cost(frame: &Bytes) -> usize {
    frame.len() + limits::KEPT_FRAME_COST
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: Lane = Lane::CONTROL;

    fn frame(number: u8) -> Bytes {
        Bytes::copy_from_slice(&[number])
    }

    #[test]
    fn a_frame_is_kept_until_the_peer_has_it() {
        let mut kept = KeptLanes::default();
        for number in 0..5 {
            assert!(kept.keep(LANE, frame(number)));
        }
        kept.acknowledged(LANE, 2).unwrap();
        kept.acknowledged(LANE, 1).unwrap();
        assert_eq!(kept.waiting(), 3);
        let held = [Held { lane: LANE, frames: 4 }];
        assert!(kept.fits(&held));
        assert_eq!(kept.resume(&held), [(LANE, frame(4))]);
        assert_eq!(kept.held_bytes(), cost(&frame(4)));
    }

    #[test]
    fn numbers_that_cannot_be_are_told() {
        let mut kept = KeptLanes::default();
        for number in 0..5 {
            assert!(kept.keep(LANE, frame(number)));
        }
        kept.acknowledged(LANE, 2).unwrap();
        for (frames, fits) in [(0, false), (1, false), (2, true), (5, true), (6, false), (u64::MAX, false)] {
            assert_eq!(kept.fits(&[Held { lane: LANE, frames }]), fits, "{frames}");
        }
        assert!(!kept.fits(&[]), "two are forgotten");
        assert!(KeptLanes::default().fits(&[]));
        assert!(!KeptLanes::default().fits(&[Held { lane: LANE, frames: 1 }]));
        assert!(kept.acknowledged(LANE, 6).is_err());
        assert!(kept.acknowledged(crate::VIEW_LANE, 1).is_err());
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes_and_in_number() {
        let mut kept = KeptLanes::default();
        let taken = (0..100_000).take_while(|_| kept.keep(LANE, frame(0))).count();
        assert_eq!(taken, limits::KEPT_BYTES_MAX / (limits::KEPT_FRAME_COST + 1));
        assert!(kept.keep(crate::VIEW_LANE, frame(0)), "each lane has its own bound");
    }
}
