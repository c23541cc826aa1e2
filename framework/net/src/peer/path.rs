//! Datagrams of one link on their way out, and what is reported of its path.
//!
//! *Responsible for*: handing quinn what fits now, noticing when its buffer is tight and when the path changes. *Not responsible for*: which
//! datagram is worth sending (`wire`, which hears of the path and holds back).
//!
//! Invariants:
//! - I1: nothing is handed to quinn that would push an older datagram out of its buffer.
//! - I2: a path that was reported as tight is reported again when it is not.

use super::Shared;
use crate::event::{LinkId, NetEvent};
use crate::limits;
use bytes::Bytes;
use lightmoon_wire::Path;
use quinn_proto::Connection;
use std::time::Duration;

/// What was reported of a path.
#[derive(Debug)]
pub(super) struct Watch {
    link: LinkId,
    /// What is before each datagram: a browser's says which session it belongs to.
    header: Bytes,
    rtt: Duration,
    size_max: usize,
    is_tight: bool,
    /// Datagrams since the path was looked at.
    since: u32,
}

impl Watch {
    pub(super) const fn new(link: LinkId, header: Bytes) -> Self {
        Self { link, header, rtt: Duration::ZERO, size_max: 0, is_tight: false, since: 0 }
    }

    /// Hands a datagram over if there is room for it.
    pub(super) fn send(&mut self, conn: &mut Connection, bytes: Bytes, shared: &Shared) {
        self.since += 1;
        if self.since >= limits::PATH_EVERY_DATAGRAMS {
            self.look(conn, shared);
        }
        if bytes.len() > self.size_max {
            shared.tally.datagrams_too_large.add(1);
            return;
        }
        let bytes =
            if self.header.is_empty() { bytes } else { [&self.header[..], &bytes[..]].concat().into() };
        let size = bytes.len();
        let mut datagrams = conn.datagrams();
        let room = datagrams.send_buffer_space();
        if size > room {
            shared.tally.datagrams_dropped.add(1);
        } else if datagrams.send(bytes, true).is_ok() {
            shared.tally.datagrams_sent.add(1);
        } else {
            // The path shrank.
            shared.tally.datagrams_too_large.add(1);
            self.look(conn, shared);
        }
        let left = room.saturating_sub(size);
        if !self.is_tight && left < limits::DATAGRAM_ROOM_TIGHT {
            self.is_tight = true;
            self.report(Some(left), shared);
        }
    }

    /// Packets left, so a path that was tight may not be any more.
    pub(super) fn on_sent(&mut self, conn: &mut Connection, shared: &Shared) {
        if self.is_tight && conn.datagrams().send_buffer_space() >= limits::DATAGRAM_ROOM_FREE {
            self.is_tight = false;
            self.report(None, shared);
        }
    }

    /// Looks at the path, and reports it if it changed by much, as it has when the link opens.
    pub(super) fn look(&mut self, conn: &mut Connection, shared: &Shared) {
        self.since = 0;
        let rtt = conn.rtt();
        let size_max = conn.datagrams().max_size().unwrap_or(0).saturating_sub(self.header.len());
        if size_max == self.size_max && rtt.abs_diff(self.rtt) <= self.rtt / 4 {
            return;
        }
        (self.rtt, self.size_max) = (rtt, size_max);
        let room = self.is_tight.then(|| conn.datagrams().send_buffer_space());
        self.report(room, shared);
    }

    fn report(&self, datagram_room: Option<usize>, shared: &Shared) {
        let path = Path { rtt: self.rtt, datagram_bytes_max: self.size_max, datagram_room };
        (shared.sink)(NetEvent::Path { link: self.link, path });
    }
}
