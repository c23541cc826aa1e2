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
use crate::frame::{self, Held, Layout, Push};
use crate::{SendError, limits, reliable};

/// What a lane that waits for nothing may hold for the next frames.
const ROOM_OF_IDLE_LANE: usize = 16 * 1_024;

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
    sent: Frames,
    /// Frames of the peer that arrived.
    received: u64,
}

impl KeptLane {
    fn next(&self) -> u64 {
        self.first + frame::count(self.sent.lengths.len())
    }

    fn forget_before(&mut self, frames: u64) {
        while self.first < frames && self.sent.pop() {
            self.first += 1;
        }
    }
}

/// Frames one behind the other: an allocation for each would cost more than all else that is done with a small one.
#[derive(Clone, Debug, Default)]
struct Frames {
    bytes: Vec<u8>,
    /// Bytes of `bytes` that are forgotten.
    start: usize,
    lengths: VecDeque<u32>,
}

impl Frames {
    /// What they cost.
    fn cost(&self) -> usize {
        self.bytes.len() - self.start + self.lengths.len() * limits::KEPT_FRAME_COST
    }

    /// Appends a frame; `None`: it finds no room.
    fn push<F: Layout>(&mut self, frame: &F) -> Option<&[u8]> {
        let at = self.bytes.len();
        frame::write_stream(frame, &mut self.bytes);
        let length = self.bytes.len() - at;
        if self.cost() + limits::KEPT_FRAME_COST > limits::KEPT_BYTES_MAX {
            self.bytes.truncate(at);
            return None;
        }
        self.lengths.push_back(u32::try_from(length).expect("what is kept is far shorter"));
        Some(&self.bytes[at..])
    }

    /// Forgets the first; false: there is none.
    fn pop(&mut self) -> bool {
        let Some(length) = self.lengths.pop_front() else { return false };
        self.start += length as usize;
        if self.lengths.is_empty() && self.bytes.capacity() > ROOM_OF_IDLE_LANE {
            *self = Self::default();
        } else if self.start >= self.bytes.len() - self.start {
            // Moving the rest to the front costs no more than writing it did.
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        true
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[self.start..];
        self.lengths.iter().map(move |length| {
            let (frame, after) = rest.split_at(*length as usize);
            rest = after;
            frame
        })
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
        match self.keep(reliable(lane), &Push { from, number, args }) {
            Some(_) => Ok(()),
            None => Err(SendError::Busy),
        }
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
        self.lanes.iter().map(|kept| kept.sent.lengths.len()).sum()
    }

    /// What they cost, in bytes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.lanes.iter().map(|kept| kept.sent.cost()).sum()
    }

    /// Keeps a frame that is sent now or later, and gives its bytes; `None`: too much is kept already, and it is not.
    pub(crate) fn keep<F: Layout>(&mut self, lane: Lane, frame: &F) -> Option<&[u8]> {
        let Self { lanes, is_broken } = self;
        let kept = lane_mut(lanes, lane).sent.push(frame);
        *is_broken |= kept.is_none();
        kept
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
        let frames = self
            .lanes
            .iter()
            .flat_map(|kept| kept.sent.iter().map(|frame| (kept.lane, Bytes::copy_from_slice(frame))));
        frames.collect()
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut KeptLane {
        lane_mut(&mut self.lanes, lane)
    }
}

fn lane_mut(lanes: &mut Vec<KeptLane>, lane: Lane) -> &mut KeptLane {
    let at = lanes.binary_search_by_key(&lane, |kept| kept.lane).unwrap_or_else(|at| {
        lanes.insert(at, KeptLane { lane, first: 0, sent: Frames::default(), received: 0 });
        at
    });
    &mut lanes[at]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Detach;

    const LANE: Lane = Lane::CONTROL;

    fn frame(generation: u32) -> Detach {
        Detach { generation }
    }

    #[test]
    fn a_frame_is_kept_until_the_peer_has_it() {
        let mut kept = KeptLanes::default();
        for number in 0..5 {
            assert!(kept.keep(LANE, &frame(number)).is_some());
        }
        kept.acknowledged(LANE, 2).unwrap();
        kept.acknowledged(LANE, 1).unwrap();
        assert_eq!(kept.waiting(), 3);
        let held = [Held { lane: LANE, frames: 4 }];
        assert!(kept.fits(&held));
        let last = frame::stream_bytes(&frame(4));
        assert_eq!(kept.held_bytes(), 3 * (last.len() + limits::KEPT_FRAME_COST));
        assert_eq!(kept.resume(&held), [(LANE, last.clone())]);
        assert_eq!(kept.held_bytes(), last.len() + limits::KEPT_FRAME_COST);
    }

    #[test]
    fn numbers_that_cannot_be_are_told() {
        let mut kept = KeptLanes::default();
        for number in 0..5 {
            assert!(kept.keep(LANE, &frame(number)).is_some());
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
    fn frames_stay_whole_and_in_order_while_others_are_acknowledged() {
        let mut kept = KeptLanes::default();
        let (mut sent, mut had) = (0_u64, 0_u64);
        for step in 1..5_000_u32 {
            // Sometimes more waits, sometimes nothing does.
            for _ in 0..step % 7 {
                assert!(kept.keep(LANE, &frame(u32::try_from(sent).unwrap())).is_some());
                sent += 1;
            }
            had = if step % 500 == 0 { sent } else { sent.min(had + u64::from(step % 6)) };
            kept.acknowledged(LANE, had).unwrap();
            let lane = &kept.lanes[0];
            assert!(lane.sent.bytes.len() <= 2 * (lane.sent.bytes.len() - lane.sent.start), "twice at most");
        }
        kept.acknowledged(LANE, sent - 3).unwrap();
        let expected: Vec<_> = (sent - 3..sent)
            .map(|at| (LANE, frame::stream_bytes(&frame(u32::try_from(at).unwrap()))))
            .collect();
        assert_eq!(kept.resume(&[]), expected);
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes_and_in_number() {
        let mut kept = KeptLanes::default();
        let taken = (0..100_000).take_while(|_| kept.keep(LANE, &frame(0)).is_some()).count();
        let cost = limits::KEPT_FRAME_COST + frame::stream_bytes(&frame(0)).len();
        assert_eq!(taken, limits::KEPT_BYTES_MAX / cost);
        assert!(kept.keep(crate::VIEW_LANE, &frame(0)).is_some(), "each lane has its own bound");
    }
}
