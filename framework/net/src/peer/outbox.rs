//! What waits to be sent on the streams of one link.
//!
//! *Responsible for*: a queue and a stream per reliable lane, streams of one message, bounds, ending all of them in order. *Not
//! responsible for*: datagrams ([`super::path`]), when the link ends ([`super::ending`]).
//!
//! ```text
//! New ──opened──► Idle ──bytes that quinn does not take──► Blocked ──writable──► Idle ──nothing waits, the link ends──► Finishing ──► Over
//! ```
//!
//! Invariants:
//! - I1: bytes that wait here are at most `bytes_max`; the push that would exceed it is refused as overload.
//! - I2: a lane's bytes leave in the order they came.
//! - I3: at most [`SOLOS_MAX`] streams of one message wait or are on their way; one more is refused as overload.

use crate::counters::Tally;
use crate::limits::{GATHER_BELOW_BYTES, GATHER_BYTES_MAX, SOLOS_MAX};
use bytes::{Bytes, BytesMut};
use lightmoon_contract::{Lane, Priority};
use quinn_proto::{Connection, Dir, StreamId, VarInt, WriteError};
use std::collections::VecDeque;

/// More waits for the client than it may be owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overload;

/// The streams out of one link.
#[derive(Debug)]
pub(super) struct Outbox {
    /// At most one entry per lane; lanes are few, so a list is the fastest map.
    lanes: Vec<LaneQueue>,
    /// Messages that wait for a stream of their own.
    solos: VecDeque<(Lane, Bytes)>,
    /// Those on the way.
    flying: Vec<Flying>,
    /// Bytes that wait, and those of messages on the way.
    bytes: usize,
    bytes_max: usize,
    /// What each stream begins with: a browser's is told which session it belongs to.
    header: Bytes,
    is_ending: bool,
}

#[derive(Debug)]
struct LaneQueue {
    lane: Lane,
    state: State,
    waiting: VecDeque<Bytes>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Not open: the first bytes are still to come, or the client allows no further stream.
    New,
    /// Quinn may take more.
    Idle(StreamId),
    /// Quinn takes no more until it says so.
    Blocked(StreamId),
    /// All is written, and the client does not have all of it yet.
    Finishing(StreamId),
    /// The client has all of it, or stopped it.
    Over,
}

/// A message on a stream of its own.
#[derive(Debug)]
struct Flying {
    stream: StreamId,
    /// What quinn did not take yet.
    rest: Bytes,
    size: usize,
}

/// How writing ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrote {
    All,
    Blocked,
    Broken,
}

impl Outbox {
    pub(super) const fn new(bytes_max: usize, header: Bytes) -> Self {
        Self {
            lanes: Vec::new(),
            solos: VecDeque::new(),
            flying: Vec::new(),
            bytes: 0,
            bytes_max,
            header,
            is_ending: false,
        }
    }

    /// Takes bytes for a lane's stream, and writes what quinn takes.
    pub(super) fn push_stream(
        &mut self,
        conn: &mut Connection,
        lane: Lane,
        bytes: Bytes,
        tally: &Tally,
    ) -> Result<(), Overload> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.bytes + bytes.len() > self.bytes_max {
            return Err(Overload);
        }
        self.bytes += bytes.len();
        let index = self.lanes.iter().position(|queue| queue.lane == lane).unwrap_or_else(|| {
            self.lanes.push(LaneQueue { lane, state: State::New, waiting: VecDeque::new() });
            self.lanes.len() - 1
        });
        self.lanes[index].waiting.push_back(bytes);
        self.write_lane(conn, index, tally);
        Ok(())
    }

    /// Takes a message for a stream of its own.
    pub(super) fn push_solo(
        &mut self,
        conn: &mut Connection,
        lane: Lane,
        bytes: Bytes,
        tally: &Tally,
    ) -> Result<(), Overload> {
        if self.solos.len() + self.flying.len() == SOLOS_MAX || self.bytes + bytes.len() > self.bytes_max {
            return Err(Overload);
        }
        self.bytes += bytes.len();
        self.solos.push_back((lane, bytes));
        self.open_solos(conn, tally);
        Ok(())
    }

    /// Quinn takes more on this stream.
    pub(super) fn on_writable(&mut self, conn: &mut Connection, stream: StreamId, tally: &Tally) {
        if let Some(index) = self.lanes.iter().position(|queue| queue.state == State::Blocked(stream)) {
            self.lanes[index].state = State::Idle(stream);
            self.write_lane(conn, index, tally);
        } else if let Some(index) = self.flying.iter().position(|flying| flying.stream == stream) {
            self.write_solo(conn, index, tally);
        }
    }

    /// The client allows further streams: lanes come first, whatever their priority, since their bytes are in order and hold up others.
    pub(super) fn on_streams_available(&mut self, conn: &mut Connection, tally: &Tally) {
        for index in 0..self.lanes.len() {
            if self.lanes[index].state == State::New {
                self.write_lane(conn, index, tally);
            }
        }
        self.open_solos(conn, tally);
    }

    /// The client has all of this stream, or does not want it.
    pub(super) fn on_end(&mut self, stream: StreamId) {
        let is_it =
            |state| [State::Idle(stream), State::Blocked(stream), State::Finishing(stream)].contains(&state);
        if let Some(queue) = self.lanes.iter_mut().find(|queue| is_it(queue.state)) {
            // One that was stopped fills now, and the link is closed as overloaded if it does not end before.
            queue.state = State::Over;
        } else if let Some(index) = self.flying.iter().position(|flying| flying.stream == stream) {
            self.bytes -= self.flying.swap_remove(index).size;
        }
    }

    /// Nothing more is taken in; what waits is written, and every stream ended.
    pub(super) fn end(&mut self, conn: &mut Connection, tally: &Tally) {
        self.is_ending = true;
        for index in 0..self.lanes.len() {
            self.write_lane(conn, index, tally);
        }
    }

    /// After [`Self::end`]: whether the client has all.
    pub(super) fn is_done(&self) -> bool {
        let is_done = |queue: &LaneQueue| match queue.state {
            State::New => queue.waiting.is_empty(),
            State::Idle(_) | State::Blocked(_) | State::Finishing(_) => false,
            State::Over => true,
        };
        self.lanes.iter().all(is_done) && self.solos.is_empty() && self.flying.is_empty()
    }

    /// Opens a lane's stream if it is not open, and writes what waits.
    fn write_lane(&mut self, conn: &mut Connection, index: usize, tally: &Tally) {
        let queue = &mut self.lanes[index];
        if queue.state == State::New && !queue.waiting.is_empty() {
            let Some(stream) = open(conn, queue.lane) else { return };
            queue.state = State::Idle(stream);
            if !self.header.is_empty() {
                self.bytes += self.header.len();
                queue.waiting.push_front(self.header.clone());
            }
        }
        let State::Idle(stream) = queue.state else { return };
        let (written, end) = write_all(conn, stream, &mut queue.waiting);
        self.bytes -= written;
        tally.stream_bytes_sent.add(written);
        queue.state = match end {
            Wrote::All if self.is_ending => finish(conn, stream),
            Wrote::All => State::Idle(stream),
            Wrote::Blocked => State::Blocked(stream),
            Wrote::Broken => State::Over,
        };
    }

    fn open_solos(&mut self, conn: &mut Connection, tally: &Tally) {
        while let Some((lane, _)) = self.solos.front() {
            let Some(stream) = open(conn, *lane) else { return };
            let Some((_, bytes)) = self.solos.pop_front() else { return };
            let size = bytes.len();
            let rest =
                if self.header.is_empty() { bytes } else { [&self.header[..], &bytes[..]].concat().into() };
            self.flying.push(Flying { stream, rest, size });
            self.write_solo(conn, self.flying.len() - 1, tally);
        }
    }

    fn write_solo(&mut self, conn: &mut Connection, index: usize, tally: &Tally) {
        let flying = &mut self.flying[index];
        if flying.rest.is_empty() {
            return;
        }
        let mut waiting = VecDeque::from([std::mem::take(&mut flying.rest)]);
        let (written, end) = write_all(conn, flying.stream, &mut waiting);
        tally.stream_bytes_sent.add(written);
        flying.rest = waiting.pop_front().unwrap_or_default();
        let is_over = match end {
            Wrote::All => finish(conn, flying.stream) == State::Over,
            Wrote::Blocked => false,
            Wrote::Broken => true,
        };
        if is_over {
            self.bytes -= self.flying.swap_remove(index).size;
        }
    }
}

/// A new stream with the lane's priority; `None`: the client allows none now, and quinn tells when it does.
fn open(conn: &mut Connection, lane: Lane) -> Option<StreamId> {
    let stream = conn.streams().open(Dir::Uni)?;
    // Fails only for a stream that is closed.
    let _ = conn.send_stream(stream).set_priority(stream_priority(lane));
    Some(stream)
}

/// Writes what waits until quinn takes no more; the bytes that it took.
fn write_all(conn: &mut Connection, stream: StreamId, waiting: &mut VecDeque<Bytes>) -> (usize, Wrote) {
    let mut written = 0;
    while let Some(bytes) = gather(waiting) {
        let mut bytes = [bytes];
        let wrote = conn.send_stream(stream).write_chunks(&mut bytes);
        // What quinn did not take is still in there.
        let [rest] = bytes;
        if !rest.is_empty() {
            waiting.push_front(rest);
        }
        match wrote {
            Ok(done) => written += done.bytes,
            Err(WriteError::Blocked) => return (written, Wrote::Blocked),
            Err(WriteError::Stopped(_) | WriteError::ClosedStream) => return (written, Wrote::Broken),
        }
    }
    (written, Wrote::All)
}

fn finish(conn: &mut Connection, stream: StreamId) -> State {
    match conn.send_stream(stream).finish() {
        Ok(()) => State::Finishing(stream),
        // The client stopped it.
        Err(_) => State::Over,
    }
}

/// Tells the client that a stream which it stopped has ended.
pub(super) fn reset(conn: &mut Connection, stream: StreamId, code: VarInt) {
    // Fails for a stream that has ended already.
    let _ = conn.send_stream(stream).reset(code);
}

/// The front of a queue as one piece: a large message alone, or small ones joined.
fn gather(waiting: &mut VecDeque<Bytes>) -> Option<Bytes> {
    let first = waiting.pop_front()?;
    let joins = |bytes: &Bytes| bytes.len() < GATHER_BELOW_BYTES;
    if !joins(&first) || !waiting.front().is_some_and(joins) {
        return Some(first);
    }
    let mut joined = BytesMut::with_capacity(GATHER_BELOW_BYTES);
    joined.extend_from_slice(&first);
    while let Some(next) = waiting.front().filter(|next| joins(next)) {
        if joined.len() + next.len() > GATHER_BYTES_MAX {
            break;
        }
        joined.extend_from_slice(next);
        waiting.pop_front();
    }
    Some(joined.freeze())
}

/// quinn serves higher numbers first.
const fn stream_priority(lane: Lane) -> i32 {
    match lane.priority {
        Priority::Critical => 3,
        Priority::High => 2,
        Priority::Normal => 1,
        Priority::Low => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::Reliability;

    #[test]
    fn more_urgent_lanes_are_served_first() {
        let priorities = Priority::ALL.map(|p| stream_priority(Lane::new(p, Reliability::ReliableOrdered)));
        assert!(priorities.is_sorted_by(|a, b| a > b), "{priorities:?}");
    }

    #[test]
    fn small_messages_leave_together_and_in_order_and_one_write_is_bounded() {
        let mut waiting: VecDeque<Bytes> = (0..200).map(|byte| Bytes::copy_from_slice(&[byte; 3])).collect();
        let expected: Vec<u8> = (0..200).flat_map(|byte| [byte; 3]).collect();
        assert_eq!(gather(&mut waiting).unwrap(), expected);
        assert!(gather(&mut waiting).is_none());
        waiting.extend((0..100).map(|_| Bytes::from(vec![1; 1_000])));
        assert!(gather(&mut waiting).unwrap().len() <= GATHER_BYTES_MAX);
    }

    #[test]
    fn a_large_message_is_handed_over_without_a_copy() {
        let large = Bytes::from(vec![7; GATHER_BELOW_BYTES]);
        let mut waiting = VecDeque::from([large.clone(), Bytes::from_static(b"small")]);
        assert_eq!(gather(&mut waiting).unwrap().as_ptr(), large.as_ptr());
        assert_eq!(gather(&mut waiting).unwrap(), b"small".as_slice());
    }
}
