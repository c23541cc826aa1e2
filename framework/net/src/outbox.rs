//! What waits to be sent on one link.
//!
//! *Responsible for*: a queue per reliable lane, writing what quinn takes at once, the wish to close, and bounds. *Not responsible for*:
//! datagrams ([`crate::datagram`]), lanes that are blocked (`link::lane`). Filled by the dispatcher, emptied by it or by a task of the lane.
//!
//! ```text
//! New ──errand──► a task opens the stream and writes ──nothing waits──► Idle ──bytes──► written at once
//!                    ▲                                                               quinn takes no more
//!                    └───────────────errand──────────────── Blocked ◄────────────────────────┘
//! ```
//!
//! Invariants:
//! - I1: bytes of streams that wait here or are being handed over are at most `queue_bytes_max`; the push that would
//!   exceed it closes the link as overloaded and empties the queues.
//! - I2: after a close nothing more is taken in.
//! - I3: a lane's bytes leave in the order they came.
//! - I4: at most [`SOLOS_MAX`] streams of their own wait or are under way; the push of one more closes the link as overloaded.

use crate::counters::Tally;
use crate::limits::{GATHER_BELOW_BYTES, GATHER_BYTES_MAX, SOLOS_MAX};
use bytes::{Bytes, BytesMut};
use lightmoon_contract::Lane;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;
use web_transport_quinn::SendStream;

/// How a link is to end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Farewell {
    pub(crate) code: u32,
    pub(crate) reason: String,
    /// Whether to send what was queued before.
    pub(crate) linger: bool,
}

/// What a lane's writer does next.
#[derive(Debug)]
pub(crate) enum Batch {
    Bytes(Bytes),
    Empty,
    /// The link closes and the lane is empty.
    Finish,
}

/// What the link's own task does next.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    /// Lanes that want a task, with their stream if that is open.
    pub(crate) lanes: Vec<(Lane, Option<SendStream>)>,
    /// What is to leave on streams of its own.
    pub(crate) solos: Vec<(Lane, Bytes)>,
    pub(crate) farewell: Option<Farewell>,
}

/// The queues of one link.
#[derive(Debug)]
pub(crate) struct Outbox {
    queues: Mutex<Queues>,
    /// Wakes the link's own task: a lane that wants a task, a close.
    pub(crate) errand: Notify,
    queue_bytes_max: usize,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
struct Queues {
    /// At most one entry per lane; lanes are few, so a list is the fastest map.
    lanes: Vec<LaneQueue>,
    /// What waits for a stream of its own.
    solos: Vec<(Lane, Bytes)>,
    /// How many of these wait or are under way.
    solo_count: usize,
    stream_bytes: usize,
    farewell: Option<Farewell>,
}

#[derive(Debug)]
struct LaneQueue {
    lane: Lane,
    state: LaneState,
    waiting: VecDeque<Bytes>,
}

#[derive(Debug)]
enum LaneState {
    /// Wants a task that opens it.
    New,
    /// A task has it, and looks into the queue before it gives it back.
    Handed,
    /// Nothing waits, and quinn may take more.
    Idle(SendStream),
    /// Quinn takes no more: wants a task that waits.
    Blocked(SendStream),
    /// The peer stopped it, or the connection ended.
    Broken,
}

impl Outbox {
    pub(crate) fn new(queue_bytes_max: usize, tally: Arc<Tally>) -> Self {
        Self { queues: Mutex::default(), errand: Notify::new(), queue_bytes_max, tally }
    }

    /// Takes bytes for a lane's stream, and writes them if the lane is idle; too many close the link with `overload`.
    pub(crate) fn push_stream(&self, lane: Lane, bytes: Bytes, overload: impl FnOnce() -> Farewell) {
        if bytes.is_empty() {
            return;
        }
        let mut queues = self.lock();
        if queues.farewell.is_some() {
            return;
        }
        if queues.stream_bytes + bytes.len() > self.queue_bytes_max {
            self.tally.overloaded.add(1);
            queues.close(overload());
            drop(queues);
            self.errand.notify_one();
            return;
        }
        queues.stream_bytes += bytes.len();
        let queue = queues.lane_mut(lane);
        queue.waiting.push_back(bytes);
        let written = queue.write_now();
        let wants_task = matches!(queue.state, LaneState::New | LaneState::Blocked(_));
        queues.stream_bytes -= written;
        drop(queues);
        self.tally.stream_bytes_sent.add(written);
        if wants_task {
            self.errand.notify_one();
        }
    }

    /// Takes bytes for a stream of their own; too many close the link with `overload`.
    pub(crate) fn push_solo(&self, lane: Lane, bytes: Bytes, overload: impl FnOnce() -> Farewell) {
        let mut queues = self.lock();
        if queues.farewell.is_some() {
            return;
        }
        if queues.solo_count == SOLOS_MAX || queues.stream_bytes + bytes.len() > self.queue_bytes_max {
            self.tally.overloaded.add(1);
            queues.close(overload());
        } else {
            queues.stream_bytes += bytes.len();
            queues.solo_count += 1;
            queues.solos.push((lane, bytes));
        }
        drop(queues);
        self.errand.notify_one();
    }

    /// The client has a stream of its own with so many bytes, or does not want it.
    pub(crate) fn solo_done(&self, bytes: usize) {
        let mut queues = self.lock();
        queues.stream_bytes -= bytes;
        queues.solo_count -= 1;
    }

    /// Gives an open stream back whose lane's queue is empty; gets it back if there is more to do.
    pub(crate) fn rest(&self, lane: Lane, stream: SendStream) -> Option<SendStream> {
        let mut queues = self.lock();
        if queues.farewell.is_some() {
            return Some(stream);
        }
        let queue = queues.lane_mut(lane);
        if !queue.waiting.is_empty() {
            return Some(stream);
        }
        queue.state = LaneState::Idle(stream);
        None
    }

    /// Ends the link; the first close counts.
    pub(crate) fn close(&self, farewell: Farewell) {
        self.lock().close(farewell);
        self.errand.notify_one();
    }

    /// What the link's own task has to do now.
    pub(crate) fn take_errands(&self) -> Errands {
        let mut queues = self.lock();
        let mut errands = Errands { farewell: queues.farewell.clone(), ..Errands::default() };
        errands.solos = std::mem::take(&mut queues.solos);
        let is_closing = errands.farewell.is_some();
        for queue in &mut queues.lanes {
            let stream = match std::mem::replace(&mut queue.state, LaneState::Handed) {
                LaneState::New => None,
                LaneState::Blocked(stream) => Some(stream),
                // To be ended in order.
                LaneState::Idle(stream) if is_closing => Some(stream),
                state @ (LaneState::Idle(_) | LaneState::Handed | LaneState::Broken) => {
                    queue.state = state;
                    continue;
                }
            };
            errands.lanes.push((queue.lane, stream));
        }
        errands
    }

    /// The next write of a lane: what waits, gathered up to a bound.
    pub(crate) fn take_batch(&self, lane: Lane) -> Batch {
        let mut queues = self.lock();
        let closing = queues.farewell.is_some();
        let waiting = &mut queues.lane_mut(lane).waiting;
        match gather(waiting) {
            Some(bytes) => Batch::Bytes(bytes),
            None if closing => Batch::Finish,
            None => Batch::Empty,
        }
    }

    /// A batch of this many bytes is with quinn now.
    pub(crate) fn written(&self, bytes: usize) {
        self.lock().stream_bytes -= bytes;
    }

    fn lock(&self) -> MutexGuard<'_, Queues> {
        // Nothing in here panics between two consistent states, so a poisoned lock still guards good queues.
        self.queues.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Queues {
    fn lane_mut(&mut self, lane: Lane) -> &mut LaneQueue {
        let index = self.lanes.iter().position(|queue| queue.lane == lane).unwrap_or_else(|| {
            self.lanes.push(LaneQueue { lane, state: LaneState::New, waiting: VecDeque::new() });
            self.lanes.len() - 1
        });
        &mut self.lanes[index]
    }

    fn close(&mut self, farewell: Farewell) {
        if self.farewell.is_some() {
            return;
        }
        let linger = farewell.linger;
        self.farewell = Some(farewell);
        if !linger {
            self.solo_count -= self.solos.len();
            self.stream_bytes -= self.solos.drain(..).map(|(_, bytes)| bytes.len()).sum::<usize>();
        }
        for queue in &mut self.lanes {
            if !linger {
                self.stream_bytes -= queue.waiting.iter().map(Bytes::len).sum::<usize>();
                queue.waiting.clear();
            }
        }
    }
}

/// How writing at once ended.
enum AtOnce {
    Done,
    Blocked,
    Broken,
}

impl LaneQueue {
    /// Hands quinn what it takes at once; the bytes of it.
    fn write_now(&mut self) -> usize {
        let mut stream = match std::mem::replace(&mut self.state, LaneState::Broken) {
            LaneState::Idle(stream) => stream,
            state @ (LaneState::New | LaneState::Handed | LaneState::Blocked(_) | LaneState::Broken) => {
                self.state = state;
                return 0;
            }
        };
        let (written, end) = write_at_once(&mut stream, &mut self.waiting);
        self.state = match end {
            AtOnce::Done => LaneState::Idle(stream),
            AtOnce::Blocked => LaneState::Blocked(stream),
            // The queue fills now, and the link is closed as overloaded if it does not end before.
            AtOnce::Broken => LaneState::Broken,
        };
        written
    }
}

/// Writes what waits until quinn takes no more; the bytes that it took.
fn write_at_once(stream: &mut SendStream, waiting: &mut VecDeque<Bytes>) -> (usize, AtOnce) {
    let mut written = 0;
    while let Some(bytes) = gather(waiting) {
        let mut bytes = [bytes];
        // A task that waits asks again, with a waker of its own.
        let polled = pin!(stream.write_chunks(&mut bytes)).poll(&mut Context::from_waker(Waker::noop()));
        // What quinn did not take is still in there.
        let [rest] = bytes;
        if !rest.is_empty() {
            waiting.push_front(rest);
        }
        match polled {
            Poll::Ready(Ok(done)) => written += done.bytes,
            Poll::Ready(Err(_)) => return (written, AtOnce::Broken),
            Poll::Pending => return (written, AtOnce::Blocked),
        }
    }
    (written, AtOnce::Done)
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

#[cfg(test)]
mod tests;
