//! Requests under way on streams of their own.
//!
//! *Responsible for*: how many there may be, in number and bytes. *Not responsible for*: their answers, other requests.
//!
//! A lost packet keeps back what is behind it on its stream and nothing else. A stream costs its peer a slot and both a microsecond or two, so
//! they are for requests that somebody waits for, never for floods.
//!
//! Invariants:
//! - I1: at most [`limits::SOLO_STREAMS_MAX`] with at most [`limits::SOLO_BYTES_MAX`] together are under way. One is until it is answered, since
//!   the answer is the sign that it arrived.

use std::collections::BTreeMap;

use crate::limits;

#[derive(Debug, Default)]
pub(super) struct Solos {
    /// The size of each.
    open: BTreeMap<u64, usize>,
    bytes: usize,
}

impl Solos {
    /// Whether one with so many bytes of arguments may go, else it has to go on its lane's stream.
    pub(super) fn has_room(&self, args_bytes: usize) -> bool {
        let size = args_bytes + limits::HEADER_BYTES_MAX;
        self.open.len() < limits::SOLO_STREAMS_MAX && self.bytes + size <= limits::SOLO_BYTES_MAX
    }

    /// A request of this size leaves.
    pub(super) fn begin(&mut self, request: u64, size: usize) {
        self.bytes += size;
        // The number of a request that was forgotten and is not answered yet may be in use again.
        self.bytes -= self.open.insert(request, size).unwrap_or(0);
    }

    /// Its answer came.
    pub(super) fn end(&mut self, request: u64) {
        self.bytes -= self.open.remove(&request).unwrap_or(0);
    }
}
