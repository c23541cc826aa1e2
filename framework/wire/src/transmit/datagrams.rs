//! Datagrams that wait to leave.
//!
//! *Responsible for*: newest wins per key, urgency, what fits the path and its buffer, the ration beside streams. *Not responsible for*:
//! streams ([`super::lane`]).
//!
//! Transports send datagrams before any stream and drop old ones in their own buffer. So here waits what does not fit now, where a newer one
//! can still take its place.
//!
//! Invariants:
//! - I1: of one key at most one datagram waits, the newest.
//! - I2: while a reliable lane waits, datagrams of a round trip are at most [`limits::DATAGRAM_SHARE_PERCENT`] of what left in the one before,
//!   but always one.
//! - I3: within one priority datagrams leave in the order of their keys' first arrival.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::{ActorId, Kind, Mono, OperationNumber, Priority};

use super::Path;
use crate::counters::Counters;
use crate::frame::{self, Aimed};
use crate::limits;

/// What a transport adds to each datagram in its buffer, at most.
const OVERHEAD_BYTES: usize = 32;

/// Of datagrams with the same key only the newest is worth sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DatagramKey {
    /// The state of what the session sees.
    State,
    /// An unreliable-latest operation of one actor.
    Call(Aimed, Kind, OperationNumber),
    /// The same of a push.
    Push(ActorId, OperationNumber),
}

#[derive(Debug)]
struct Waiting {
    priority: Priority,
    key: Option<DatagramKey>,
    bytes: Bytes,
}

/// All datagrams of one link that wait, and what leaves at all.
#[derive(Debug)]
pub(super) struct Datagrams {
    queue: VecDeque<Waiting>,
    /// Bytes that the transport's buffer takes now, if it said so.
    room: Option<usize>,
    /// The largest that the path carries.
    size_max: usize,
    window: Duration,
    window_end: Mono,
    /// Bytes of datagrams that left in this window, and of everything.
    sent: usize,
    all_sent: usize,
    /// Bytes of everything that left in the window before.
    all_before: usize,
    /// Something waits only for the next window.
    is_rationed: bool,
}

impl Default for Datagrams {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            room: None,
            size_max: usize::MAX,
            window: limits::RTT_ASSUMED,
            window_end: Mono(0),
            sent: 0,
            all_sent: 0,
            all_before: 0,
            is_rationed: false,
        }
    }
}

impl Datagrams {
    pub(super) fn push(
        &mut self,
        priority: Priority,
        key: Option<DatagramKey>,
        bytes: Bytes,
        counters: &mut Counters,
    ) {
        if bytes.len() > self.size_max {
            counters.datagrams_too_large += 1;
            return;
        }
        if key.is_some()
            && let Some(older) = self.queue.iter_mut().find(|waiting| waiting.key == key)
        {
            older.bytes = bytes;
            counters.datagrams_replaced += 1;
            return;
        }
        if self.queue.len() == limits::DATAGRAMS_WAITING_MAX {
            self.queue.pop_front();
            counters.datagrams_dropped += 1;
        }
        self.queue.push_back(Waiting { priority, key, bytes });
    }

    pub(super) fn set_path(&mut self, path: Path) {
        self.room = path.datagram_room;
        self.size_max = path.datagram_bytes_max;
        self.window = path.rtt.max(Duration::from_millis(1));
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.queue.iter().map(|waiting| waiting.bytes.len()).sum()
    }

    /// When something may leave that has to wait now.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.is_rationed.then_some(self.window_end)
    }

    /// Bytes of a stream left.
    pub(super) fn stream_left(&mut self, now: Mono, bytes: usize) {
        self.roll(now);
        self.all_sent += bytes;
    }

    /// The next datagram that may leave now; `streams_wait`: a reliable lane has to wait.
    pub(super) fn take(&mut self, now: Mono, streams_wait: bool, counters: &mut Counters) -> Option<Bytes> {
        self.is_rationed = false;
        let at = (0..self.queue.len()).min_by_key(|at| self.queue[*at].priority)?;
        let cost = self.queue[at].bytes.len() + OVERHEAD_BYTES;
        if self.room.is_some_and(|room| room < cost) {
            return None;
        }
        self.roll(now);
        if streams_wait
            && self.sent > 0
            && self.sent + cost > self.all_before * limits::DATAGRAM_SHARE_PERCENT / 100
        {
            self.is_rationed = true;
            counters.datagrams_rationed += 1;
            return None;
        }
        self.room = self.room.map(|room| room - cost);
        self.sent += cost;
        self.all_sent += cost;
        self.queue.remove(at).map(|waiting| waiting.bytes)
    }

    /// Begins a new window when the present one is over.
    fn roll(&mut self, now: Mono) {
        if now < self.window_end {
            return;
        }
        let is_next = now < self.window_end + self.window;
        self.all_before = if is_next { self.all_sent } else { 0 };
        (self.sent, self.all_sent) = (0, 0);
        self.window_end = now + self.window;
    }
}

/// Counts a datagram that leaves.
pub(super) fn left(bytes: &Bytes, counters: &mut Counters) {
    counters.datagrams_out += 1;
    counters.datagram_bytes_out += frame::count(bytes.len());
}
