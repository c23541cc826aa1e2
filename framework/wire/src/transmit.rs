//! What leaves a link: gathered writes per lane, datagrams, the close.
//!
//! *Responsible for*: queueing frames per lane, the lane's first byte, order of urgency, bounds.
//! *Not responsible for*: sockets, stream priorities and flow control (`net`, the client's driver).
//!
//! Invariants:
//! - I1: bytes of one lane leave in the order they were written; the more urgent lane leaves first.
//! - I2: the first byte of a lane's first write is the lane's number.
//! - I3: the close leaves after everything that was written before it, and nothing leaves after the close.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use lightmoon_contract::Lane;

use crate::close::CloseCode;
use crate::counters::Counters;
use crate::frame::{self, Layout};
use crate::limits;

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

/// More waits in a lane than may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Backlog;

#[derive(Debug, Default)]
struct LaneOut {
    opened: bool,
    waiting: Vec<u8>,
    /// Bytes of `waiting` that already left.
    left: usize,
}

/// Everything of one link that waits to leave.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    lanes: BTreeMap<Lane, LaneOut>,
    datagrams: VecDeque<Bytes>,
    close: Option<(CloseCode, String)>,
    closed: bool,
}

impl Outbox {
    /// Writes `frame` to the stream of `lane`.
    pub(crate) fn stream<F: Layout>(
        &mut self,
        lane: Lane,
        frame: &F,
        counters: &mut Counters,
    ) -> Result<(), Backlog> {
        if self.closed {
            return Ok(());
        }
        let out = self.lanes.entry(lane).or_default();
        if !out.opened {
            out.opened = true;
            out.waiting.push(lane.number());
        }
        frame::write_stream(frame, &mut out.waiting);
        counters.frames_out += 1;
        if out.waiting.len() - out.left > limits::LANE_BACKLOG_BYTES_MAX { Err(Backlog) } else { Ok(()) }
    }

    /// Queues `frame` as a datagram; the oldest goes when too many wait.
    pub(crate) fn datagram<F: Layout>(&mut self, frame: &F, counters: &mut Counters) {
        if self.closed {
            return;
        }
        if self.datagrams.len() == limits::DATAGRAMS_WAITING_MAX {
            self.datagrams.pop_front();
            counters.datagrams_dropped += 1;
        }
        self.datagrams.push_back(frame::write_datagram(frame));
        counters.frames_out += 1;
    }

    /// Ends the outbox: what waits in lanes still leaves, then the close. Only the first close counts.
    pub(crate) fn close(&mut self, code: CloseCode, reason: String) {
        if !self.closed {
            self.closed = true;
            self.datagrams.clear();
            self.close = Some((code, reason));
        }
    }

    /// Ends the outbox without a close: the transport is gone.
    pub(crate) fn discard(&mut self) {
        self.closed = true;
        self.lanes.clear();
        self.datagrams.clear();
        self.close = None;
    }

    /// The next thing to do.
    pub(crate) fn poll(&mut self, counters: &mut Counters) -> Option<Transmit> {
        if let Some((lane, bytes)) = self.lanes.iter_mut().find_map(|(lane, out)| Some((*lane, out.take()?)))
        {
            counters.stream_bytes_out += frame::count(bytes.len());
            return Some(Transmit::Stream { lane, bytes });
        }
        if let Some(datagram) = self.datagrams.pop_front() {
            counters.datagrams_out += 1;
            counters.datagram_bytes_out += frame::count(datagram.len());
            return Some(Transmit::Datagram(datagram));
        }
        self.close.take().map(|(code, reason)| Transmit::Close { code, reason })
    }

    /// Bytes that wait.
    pub(crate) fn waiting_bytes(&self) -> usize {
        let lanes: usize = self.lanes.values().map(|out| out.waiting.len() - out.left).sum();
        lanes + self.datagrams.iter().map(Bytes::len).sum::<usize>()
    }
}

impl LaneOut {
    /// One gathered write, if anything waits.
    fn take(&mut self) -> Option<Bytes> {
        let waiting = self.waiting.len() - self.left;
        if waiting == 0 {
            return None;
        }
        if self.left == 0 && waiting <= limits::WRITE_BYTES_MAX {
            return Some(std::mem::take(&mut self.waiting).into());
        }
        let end = self.left + waiting.min(limits::WRITE_BYTES_MAX);
        let bytes = Bytes::copy_from_slice(&self.waiting[self.left..end]);
        self.left = end;
        if self.left == self.waiting.len() {
            self.waiting = Vec::new();
            self.left = 0;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use lightmoon_contract::{Priority, Reliability};

    use super::*;
    use crate::frame::{Detach, Ping, View};

    const LOW: Lane = Lane { priority: Priority::Low, reliability: Reliability::ReliableOrdered };

    #[test]
    fn urgent_lanes_leave_first_and_the_close_last() {
        let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
        outbox.stream(LOW, &Detach { generation: 1 }, &mut counters).unwrap();
        outbox.stream(Lane::CONTROL, &Detach { generation: 2 }, &mut counters).unwrap();
        outbox.close(CloseCode::Normal, String::new());
        outbox.stream(LOW, &Detach { generation: 3 }, &mut counters).unwrap();
        let order: Vec<_> = std::iter::from_fn(|| outbox.poll(&mut counters)).collect();
        assert!(matches!(&order[0], Transmit::Stream { lane: Lane::CONTROL, bytes } if bytes[0] == 0x03));
        assert!(matches!(&order[1], Transmit::Stream { lane: LOW, bytes } if bytes[0] == 0x33));
        assert!(matches!(&order[2], Transmit::Close { code: CloseCode::Normal, .. }));
        assert_eq!(order.len(), 3);
    }

    #[test]
    fn a_backlog_leaves_in_writes_of_bounded_size_and_in_order() {
        let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
        let mut expected = vec![LOW.number()];
        for generation in 0..10 {
            let view = View { generation, payload: vec![7; 30_000].into() };
            frame::write_stream(&view, &mut expected);
            outbox.stream(LOW, &view, &mut counters).unwrap();
        }
        let mut written = Vec::new();
        while let Some(Transmit::Stream { bytes, .. }) = outbox.poll(&mut counters) {
            assert!(bytes.len() <= limits::WRITE_BYTES_MAX);
            written.extend_from_slice(&bytes);
        }
        assert_eq!(written, expected);
        assert_eq!(outbox.waiting_bytes(), 0);
    }

    #[test]
    fn too_many_datagrams_drop_the_oldest() {
        let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
        for nonce in 0..70 {
            outbox.datagram(&Ping { nonce }, &mut counters);
        }
        assert_eq!(counters.datagrams_dropped, 6);
        let first = outbox.poll(&mut counters).unwrap();
        assert_eq!(first, Transmit::Datagram(frame::write_datagram(&Ping { nonce: 6 })));
    }

    #[test]
    fn a_lane_that_nobody_drains_reports_its_backlog() {
        let (mut outbox, mut counters) = (Outbox::default(), Counters::default());
        let view = View { generation: 1, payload: vec![0; limits::VIEW_BYTES_MAX].into() };
        let fits = limits::LANE_BACKLOG_BYTES_MAX / (limits::VIEW_BYTES_MAX + 16);
        for _ in 0..fits {
            outbox.stream(LOW, &view, &mut counters).unwrap();
        }
        assert_eq!(outbox.stream(LOW, &view, &mut counters), Err(Backlog));
    }
}
