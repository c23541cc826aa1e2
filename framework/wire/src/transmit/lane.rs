//! One outgoing lane: what waits, and how much of it may be under way.
//!
//! *Responsible for*: gathering writes, the lane byte, the window of unacknowledged bytes. *Not responsible for*: which lane goes first
//! ([`super`]).
//!
//! Invariants:
//! - I1: bytes leave in the order they were written.
//! - I2: bytes handed out and not acknowledged are at most the lane's window, once the peer acknowledges at all.
//! - I3: while more waits, nothing smaller than a packet leaves.
//! - I4: what left takes no more room than what waits, also in a lane that is never empty.

use bytes::Bytes;
use lightmoon_contract::{Lane, Mono, Priority};

use crate::close::Violation;
use crate::frame::{self, Layout};
use crate::limits;

/// The most that is reserved for a lane of which nothing waits.
const RESERVE_BYTES_MAX: usize = 16 * 1_024;

/// One outgoing lane.
#[derive(Debug)]
pub(super) struct LaneOut {
    pub(super) lane: Lane,
    waiting: Vec<u8>,
    /// Bytes of `waiting` that already left.
    left: usize,
    /// What the next write reserves: as much as the last one took, so that a busy lane does not grow it step by step.
    reserve: usize,
    /// Bytes handed to the transport, over the whole connection.
    handed: u64,
    /// Of these, bytes that the peer has.
    acknowledged: u64,
    /// Since when it waits for an acknowledgement.
    held_since: Option<Mono>,
    /// When something of it was acknowledged, or left after nothing was under way.
    moved_at: Mono,
}

impl LaneOut {
    pub(super) fn new(lane: Lane) -> Self {
        Self {
            lane,
            waiting: vec![lane.number()],
            left: 0,
            reserve: 0,
            handed: 0,
            acknowledged: 0,
            held_since: None,
            moved_at: Mono(0),
        }
    }

    pub(super) fn write<F: Layout>(&mut self, frame: &F) {
        frame::write_stream(frame, &mut self.waiting);
    }

    pub(super) fn write_bytes(&mut self, bytes: &[u8]) {
        if self.waiting.capacity() == 0 {
            self.waiting.reserve(self.reserve);
        }
        self.waiting.extend_from_slice(bytes);
    }

    /// Bytes that wait.
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.waiting.len() - self.left
    }

    /// Bytes that wait beyond what the window lets go at once.
    pub(super) fn excess_bytes(&self) -> usize {
        self.waiting_bytes().saturating_sub(self.room())
    }

    /// Whether a message of this lane is kept back, here or, as far as that is known, in the transport.
    pub(super) fn has_to_wait(&self, acknowledges: bool) -> bool {
        let under_way = self.handed - self.acknowledged;
        self.waiting_bytes() > 0
            || acknowledges && under_way > limits::ACK_AFTER_BYTES + frame::count(limits::WRITE_BYTES_MIN)
    }

    /// Whether something is under way of which nothing was heard for so long that it cannot have moved.
    pub(super) fn is_starved(&self, now: Mono) -> bool {
        self.handed > self.acknowledged && now >= self.moved_at + limits::STARVED_AFTER
    }

    /// Whether all but what is acknowledged later is known to have arrived.
    pub(super) fn is_drained(&self) -> bool {
        self.handed - self.acknowledged < limits::ACK_AFTER_BYTES
    }

    /// It is taken to move now.
    pub(super) const fn moves(&mut self, now: Mono) {
        self.moved_at = now;
    }

    pub(super) const fn held_since(&self) -> Option<Mono> {
        self.held_since
    }

    /// The peer has this many bytes of the lane's stream.
    pub(super) fn acknowledged(&mut self, now: Mono, bytes: u64) -> Result<(), Violation> {
        if bytes > self.handed {
            let Self { lane, handed, .. } = self;
            return Err(Violation::protocol(format!(
                "{bytes} bytes of lane {lane} acknowledged of {handed}"
            )));
        }
        if bytes > self.acknowledged {
            self.acknowledged = bytes;
            self.moved_at = now;
            self.held_since = None;
        }
        Ok(())
    }

    /// One gathered write, if anything waits and may go.
    pub(super) fn take(&mut self, now: Mono, acknowledges: bool, held_back: &mut u64) -> Option<Bytes> {
        let waiting = self.waiting_bytes();
        if waiting == 0 {
            return None;
        }
        let room = if acknowledges { self.room() } else { usize::MAX };
        if room < waiting.min(limits::WRITE_BYTES_MIN) {
            if self.held_since.is_none() {
                self.held_since = Some(now);
                *held_back += 1;
            }
            return None;
        }
        self.held_since = None;
        let most = room.min(limits::WRITE_BYTES_MAX);
        let bytes = if self.left == 0 && waiting <= most {
            self.reserve = waiting.min(RESERVE_BYTES_MAX);
            std::mem::take(&mut self.waiting).into()
        } else {
            let end = self.left + waiting.min(most);
            let bytes = Bytes::copy_from_slice(&self.waiting[self.left..end]);
            self.left = end;
            self.forget_left();
            bytes
        };
        if self.handed == self.acknowledged {
            self.moved_at = now;
        }
        self.handed += frame::count(bytes.len());
        Some(bytes)
    }

    /// Gives the room of what left back. Not at each write: moving the rest to the front costs no more than writing it did if at least as
    /// much left.
    fn forget_left(&mut self) {
        if self.left == self.waiting.len() {
            self.waiting = Vec::new();
            self.left = 0;
        } else if self.left >= self.waiting.len() - self.left {
            self.waiting.drain(..self.left);
            self.left = 0;
        }
    }

    /// Bytes that the window still lets go.
    fn room(&self) -> usize {
        let window = window(self.lane.priority);
        let under_way = usize::try_from(self.handed - self.acknowledged).unwrap_or(usize::MAX);
        window.saturating_sub(under_way)
    }
}

/// Bytes of a lane that may be under way.
pub(super) const fn window(priority: Priority) -> usize {
    match priority {
        // Small by nature, and what acknowledges must never wait for an acknowledgement.
        Priority::Critical => usize::MAX,
        Priority::High => limits::WINDOW_HIGH_BYTES,
        Priority::Normal => limits::WINDOW_NORMAL_BYTES,
        Priority::Low => limits::WINDOW_LOW_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::Reliability;

    #[test]
    fn a_lane_that_is_never_empty_holds_no_more_than_what_waits() {
        let mut out = LaneOut::new(Lane::new(Priority::Low, Reliability::ReliableOrdered));
        let (mut sent, mut read) = (vec![out.lane.number()], Vec::new());
        for turn in 0..2_000_u32 {
            let bytes = turn.to_le_bytes().repeat(4_096);
            out.write_bytes(&bytes);
            sent.extend_from_slice(&bytes);
            // Something always stays behind.
            while out.waiting_bytes() > 3 * limits::WINDOW_LOW_BYTES {
                let bytes = out.take(Mono(0), true, &mut 0).expect("all is acknowledged");
                read.extend_from_slice(&bytes);
                out.acknowledged(Mono(0), out.handed).expect("it left");
            }
            assert!(out.waiting.len() <= 2 * (out.waiting_bytes() + limits::WINDOW_LOW_BYTES));
        }
        assert!(sent.starts_with(&read));
        assert_eq!(sent.len() - read.len(), out.waiting_bytes());
    }
}
