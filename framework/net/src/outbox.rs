//! What waits to be sent on one link.
//!
//! *Responsible for*: a queue per reliable lane, one for datagrams, the wish to close, and their bounds. *Not
//! responsible for*: sending (`link`). Filled by any thread, emptied by the tasks of the link.
//!
//! Invariants:
//! - I1: bytes of streams that wait here or are being handed over are at most `queue_bytes_max`; the push that would
//!   exceed it closes the link as overloaded and empties the queues.
//! - I2: after a close nothing more is taken in.
//! - I3: a lane's bytes leave in the order they came.

use crate::counters::Tally;
use crate::limits::{DATAGRAM_QUEUE_BYTES_MAX, GATHER_BELOW_BYTES, GATHER_BYTES_MAX};
use bytes::{Bytes, BytesMut};
use lightmoon_contract::Lane;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

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
    pub(crate) new_lanes: Vec<(Lane, Arc<Notify>)>,
    pub(crate) datagrams: VecDeque<Bytes>,
    pub(crate) farewell: Option<Farewell>,
}

/// The queues of one link.
#[derive(Debug)]
pub(crate) struct Outbox {
    queues: Mutex<Queues>,
    /// Wakes the link's own task: a new lane, a datagram, a close.
    pub(crate) errand: Notify,
    queue_bytes_max: usize,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
struct Queues {
    /// At most one entry per lane; lanes are few, so a list is the fastest map.
    lanes: Vec<LaneQueue>,
    stream_bytes: usize,
    datagrams: VecDeque<Bytes>,
    datagram_bytes: usize,
    farewell: Option<Farewell>,
}

#[derive(Debug)]
struct LaneQueue {
    lane: Lane,
    is_open: bool,
    waiting: VecDeque<Bytes>,
    wake: Arc<Notify>,
}

impl Outbox {
    pub(crate) fn new(queue_bytes_max: usize, tally: Arc<Tally>) -> Self {
        Self { queues: Mutex::default(), errand: Notify::new(), queue_bytes_max, tally }
    }

    /// Queues bytes for a lane's stream; too many close the link with `overload`.
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
        let wake = if queue.is_open { Arc::clone(&queue.wake) } else { Arc::default() };
        let is_open = queue.is_open;
        drop(queues);
        if is_open {
            wake.notify_one();
        } else {
            self.errand.notify_one();
        }
    }

    /// Queues a datagram; the oldest give way.
    pub(crate) fn push_datagram(&self, bytes: Bytes) {
        let mut queues = self.lock();
        if queues.farewell.is_some() {
            return;
        }
        queues.datagram_bytes += bytes.len();
        queues.datagrams.push_back(bytes);
        while queues.datagram_bytes > DATAGRAM_QUEUE_BYTES_MAX {
            let Some(old) = queues.datagrams.pop_front() else { break };
            queues.datagram_bytes -= old.len();
            self.tally.datagrams_dropped.add(1);
        }
        drop(queues);
        self.errand.notify_one();
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
        for queue in queues.lanes.iter_mut().filter(|queue| !queue.is_open) {
            queue.is_open = true;
            errands.new_lanes.push((queue.lane, Arc::clone(&queue.wake)));
        }
        errands.datagrams = std::mem::take(&mut queues.datagrams);
        queues.datagram_bytes = 0;
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
            self.lanes.push(LaneQueue {
                lane,
                is_open: false,
                waiting: VecDeque::new(),
                wake: Arc::default(),
            });
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
        for queue in &mut self.lanes {
            if !linger {
                self.stream_bytes -= queue.waiting.iter().map(Bytes::len).sum::<usize>();
                queue.waiting.clear();
            }
            queue.wake.notify_one();
        }
    }
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
