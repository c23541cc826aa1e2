//! What leaves a link: gathered writes per lane, datagrams, the close.
//!
//! *Responsible for*: queueing frames per lane, windows of what is under way, order of urgency, bounds.
//! *Not responsible for*: sockets, stream priorities and flow control (`net`, the client's driver), what survives a connection
//! ([`crate::kept`]).
//!
//! Invariants:
//! - I1: bytes of one lane leave in the order they were written; the more urgent lane leaves first.
//! - I2: the first byte of a lane's first write is the lane's number.
//! - I3: what leaves on a stream of its own leaves before lanes of its priority, and waits for none of them.
//! - I4: the close leaves after everything that was written before it, and nothing leaves after the close.

mod datagrams;
mod lane;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::{Lane, Mono, Priority};

use crate::close::{CloseCode, Violation};
use crate::counters::Counters;
use crate::frame::{self, LaneAck, Layout};
use crate::limits;

use datagrams::Datagrams;
use lane::LaneOut;

pub(crate) use datagrams::DatagramKey;

/// Something the transport has to do, in the order polled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transmit {
    /// Write `bytes` to the one outgoing stream of `lane`; open it at the first write, with the lane's priority.
    Stream {
        /// The lane, always a reliable one.
        lane: Lane,
        /// What to write; at most [`limits::WRITE_BYTES_MAX`].
        bytes: Bytes,
    },
    /// Open a stream of its own, with the lane's priority, write `bytes` to it and end it. At most [`limits::SOLO_STREAMS_MAX`] of them are under
    /// way with a peer that answers.
    Solo {
        /// The lane, always a reliable-unordered one.
        lane: Lane,
        /// All of the stream.
        bytes: Bytes,
    },
    /// Send one datagram, or drop it if there is no room now.
    Datagram(Bytes),
    /// Close the connection once the writes before this are on their way.
    Close {
        /// The application error code.
        code: CloseCode,
        /// Text for people.
        reason: String,
    },
}

/// What a transport says of its path. Its link assumes [`Path::default`] until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Path {
    /// The round trip, as the transport measured it.
    pub rtt: Duration,
    /// The largest datagram it carries now.
    pub datagram_bytes_max: usize,
    /// Bytes that its buffer for datagrams takes now; `None`: enough for a few. A transport that said a number has to say so again when
    /// that changes: until then no more than this is handed over.
    pub datagram_room: Option<usize>,
}

impl Default for Path {
    fn default() -> Self {
        Self { rtt: limits::RTT_ASSUMED, datagram_bytes_max: limits::DATAGRAM_BYTES_MAX, datagram_room: None }
    }
}

/// More waits in a lane than may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Backlog;

/// More urgent lanes let a starved one through.
#[derive(Clone, Copy, Debug)]
struct Pause {
    /// Set once they have nothing more under way: before that the transport goes on with them.
    until: Option<Mono>,
    /// The starved lane's; what is more urgent pauses, but for critical lanes.
    priority: Priority,
}

impl Pause {
    fn concerns(self, lane: Lane) -> bool {
        lane.priority < self.priority && lane.priority != Priority::Critical
    }
}

/// Everything of one link that waits to leave.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Most urgent first; at most one for each reliable lane.
    lanes: Vec<LaneOut>,
    /// What leaves on streams of its own; bounded by who writes it.
    solos: VecDeque<(Lane, Bytes)>,
    datagrams: Datagrams,
    /// The time of the newest input, for what depends on time while it is drained.
    now: Mono,
    /// Whether the peer acknowledges lanes.
    acknowledges: bool,
    /// Until when lanes above a starved one pause.
    pause: Option<Pause>,
    close: Option<(CloseCode, String)>,
    closed: bool,
}

impl Outbox {
    /// The time is now.
    pub(crate) fn advance(&mut self, now: Mono) {
        self.now = self.now.max(now);
    }

    /// The peer speaks a version that acknowledges lanes.
    pub(crate) const fn expect_acknowledgements(&mut self) {
        self.acknowledges = true;
    }

    /// Writes `frame` to the stream of `lane`.
    pub(crate) fn stream<F: Layout>(
        &mut self,
        lane: Lane,
        frame: &F,
        counters: &mut Counters,
    ) -> Result<(), Backlog> {
        self.write(lane, counters, |out| out.write(frame))
    }

    /// The same with a frame's bytes.
    pub(crate) fn stream_bytes(
        &mut self,
        lane: Lane,
        frame: &[u8],
        counters: &mut Counters,
    ) -> Result<(), Backlog> {
        self.write(lane, counters, |out| out.write_bytes(frame))
    }

    fn write(
        &mut self,
        lane: Lane,
        counters: &mut Counters,
        write: impl FnOnce(&mut LaneOut),
    ) -> Result<(), Backlog> {
        if self.closed {
            return Ok(());
        }
        let at = self.lanes.binary_search_by_key(&lane, |out| out.lane).unwrap_or_else(|at| {
            self.lanes.insert(at, LaneOut::new(lane));
            at
        });
        let out = &mut self.lanes[at];
        write(out);
        counters.frames_out += 1;
        let is_over = out.waiting_bytes() > limits::LANE_BACKLOG_BYTES_MAX
            || self.acknowledges && self.excess_bytes() > limits::LINK_BACKLOG_BYTES_MAX;
        if is_over { Err(Backlog) } else { Ok(()) }
    }

    /// Hands out a stream of one frame.
    pub(crate) fn solo(&mut self, lane: Lane, bytes: Bytes, counters: &mut Counters) {
        if !self.closed {
            counters.frames_out += 1;
            counters.solos_out += 1;
            self.solos.push_back((lane, bytes));
        }
    }

    /// Queues `frame` as a datagram: in place of an older one of its key, and instead of the oldest when too many wait.
    pub(crate) fn datagram<F: Layout>(
        &mut self,
        priority: Priority,
        key: Option<DatagramKey>,
        frame: &F,
        counters: &mut Counters,
    ) {
        if !self.closed {
            counters.frames_out += 1;
            self.datagrams.push(priority, key, frame::write_datagram(frame), counters);
        }
    }

    /// The transport says what its path is like.
    pub(crate) fn set_path(&mut self, path: Path) {
        self.datagrams.set_path(path);
    }

    /// The peer says what it has.
    pub(crate) fn acknowledged(&mut self, ack: LaneAck) -> Result<(), Violation> {
        match self.lanes.iter_mut().find(|out| out.lane == ack.lane) {
            Some(out) => out.acknowledged(self.now, ack.bytes),
            None if self.closed || ack.bytes == 0 => Ok(()),
            None => Err(Violation::protocol(format!("lane {} acknowledged before it began", ack.lane))),
        }
    }

    /// Ends the outbox: what waits in lanes still leaves, then the close. Only the first close counts.
    pub(crate) fn close(&mut self, code: CloseCode, reason: String) {
        if !self.closed {
            self.closed = true;
            // The last words need not wait for acknowledgements that nobody reads any more.
            self.acknowledges = false;
            self.datagrams.clear();
            self.close = Some((code, reason));
        }
    }

    /// Ends the outbox with a close at once: nothing that waits leaves.
    pub(crate) fn close_without_rest(&mut self, code: CloseCode, reason: String) {
        if !self.closed {
            self.lanes.clear();
            self.solos.clear();
            self.close(code, reason);
        }
    }

    /// Ends the outbox without a close: the transport is gone.
    pub(crate) fn discard(&mut self) {
        self.closed = true;
        self.lanes.clear();
        self.solos.clear();
        self.datagrams.clear();
        self.close = None;
    }

    /// The next thing to do.
    pub(crate) fn poll(&mut self, counters: &mut Counters) -> Option<Transmit> {
        let (now, acknowledges) = (self.now, self.acknowledges);
        let pause = self.pause_for_starved(counters);
        let held_back = &mut counters.lanes_held_back;
        let is_paused = |lane| pause.is_some_and(|pause| pause.concerns(lane));
        let solo = self.next_solo(is_paused);
        let before = solo.map(|at| self.solos[at].0.priority);
        let mut open = self
            .lanes
            .iter_mut()
            .filter(|out| !is_paused(out.lane) && before.is_none_or(|before| out.lane.priority < before));
        let taken = open.find_map(|out| Some((out.lane, out.take(now, acknowledges, held_back)?)));
        if let Some((lane, bytes)) = taken {
            counters.stream_bytes_out += frame::count(bytes.len());
            self.datagrams.stream_left(now, bytes.len());
            return Some(Transmit::Stream { lane, bytes });
        }
        if let Some((lane, bytes)) = solo.and_then(|at| self.solos.remove(at)) {
            counters.stream_bytes_out += frame::count(bytes.len());
            self.datagrams.stream_left(now, bytes.len());
            return Some(Transmit::Solo { lane, bytes });
        }
        let streams_wait = acknowledges && self.lanes.iter().any(|out| out.has_to_wait(acknowledges));
        if let Some(datagram) = self.datagrams.take(now, streams_wait, counters) {
            datagrams::left(&datagram, counters);
            return Some(Transmit::Datagram(datagram));
        }
        self.close.take().map(|(code, reason)| Transmit::Close { code, reason })
    }

    /// The most urgent of those that leave on streams of their own, the oldest first.
    fn next_solo(&self, is_paused: impl Fn(Lane) -> bool) -> Option<usize> {
        let open = self.solos.iter().enumerate().filter(|(_, (lane, _))| !is_paused(*lane));
        open.min_by_key(|(at, (lane, _))| (*lane, *at)).map(|(at, _)| at)
    }

    /// The pause that goes on now, or begins: transports serve a more urgent stream first for as long as it has anything, so a lane below one
    /// that always has would never move.
    fn pause_for_starved(&mut self, counters: &mut Counters) -> Option<Pause> {
        if !self.acknowledges {
            return None;
        }
        if let Some(pause) = &mut self.pause {
            if pause.until.is_none_or(|until| self.now < until) {
                let is_drained = self.lanes.iter().all(|out| !pause.concerns(out.lane) || out.is_drained());
                if is_drained {
                    pause.until.get_or_insert(self.now + limits::PAUSE_TIME);
                }
                return self.pause;
            }
            self.pause = None;
        }
        let starved = self.lanes.iter().rposition(|out| out.is_starved(self.now))?;
        let pause = Pause { until: None, priority: self.lanes[starved].lane.priority };
        if self.lanes.iter().any(|out| pause.concerns(out.lane) && out.held_since().is_some()) {
            // The next pause comes no sooner than this one did.
            self.lanes[starved].moves(self.now);
            counters.lanes_let_through += 1;
            self.pause = Some(pause);
        }
        self.pause
    }

    /// When something happens by time alone: a stalled lane, the end of a pause, the next ration of datagrams.
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        if self.closed {
            return None;
        }
        let stalled = self.stalled_since().map(|since| since + limits::STALL_TIME_MAX);
        let pause = self.pause.and_then(|pause| pause.until);
        stalled.into_iter().chain(pause).chain(self.datagrams.next_deadline()).min()
    }

    /// Whether the peer acknowledges nothing of a lane that waits for it, for too long.
    pub(crate) fn is_stalled(&self, now: Mono) -> bool {
        self.stalled_since().is_some_and(|since| now >= since + limits::STALL_TIME_MAX)
    }

    /// Bytes that wait.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let lanes: usize = self.lanes.iter().map(LaneOut::waiting_bytes).sum();
        let solos: usize = self.solos.iter().map(|(_, bytes)| bytes.len()).sum();
        lanes + solos + self.datagrams.waiting_bytes()
    }

    /// Bytes that wait in each lane.
    pub(crate) fn waiting_bytes_by_lane(&self) -> impl Iterator<Item = (Lane, usize)> + '_ {
        self.lanes.iter().map(|out| (out.lane, out.waiting_bytes()))
    }

    /// Bytes that wait in one lane.
    #[cfg(test)]
    pub(crate) fn waiting_bytes_of(&self, lane: Lane) -> usize {
        self.lanes.iter().find(|out| out.lane == lane).map_or(0, LaneOut::waiting_bytes)
    }

    fn excess_bytes(&self) -> usize {
        self.lanes.iter().map(LaneOut::excess_bytes).sum()
    }

    fn stalled_since(&self) -> Option<Mono> {
        self.lanes.iter().filter_map(LaneOut::held_since).min()
    }
}
