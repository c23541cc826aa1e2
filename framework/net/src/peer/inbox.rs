//! What a client sends: streams and datagrams.
//!
//! *Responsible for*: reading them as events, no faster than credit allows. *Not responsible for*: their meaning (`wire`), which streams
//! are a game's and which HTTP's ([`super::browser`]).
//!
//! Invariants:
//! - I1: bytes reported and not given back are at most [`CREDIT_BYTES`](limits::CREDIT_BYTES) for streams, and as much and one datagram
//!   for datagrams; what is beyond stays with quinn, whose windows bound it.

use super::Shared;
use crate::credit::Pool;
use crate::event::{LinkId, NetEvent};
use crate::limits;
use bytes::Bytes;
use lightmoon_wire::StreamKey;
use quinn_proto::{Connection, ReadError, StreamId};
use std::sync::Arc;

/// The streams and datagrams into one link.
pub(super) struct Inbox {
    link: LinkId,
    /// Those that are open.
    streams: Vec<StreamId>,
    stream_credit: Arc<Pool>,
    datagram_credit: Arc<Pool>,
    /// Whether something was left for want of credit.
    is_stalled: bool,
}

/// How reading a stream ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Read {
    /// All that came.
    All,
    /// Too much is held.
    Stalled,
    /// It has ended, or the client reset it.
    Ended,
}

impl Inbox {
    pub(super) fn new(link: LinkId, shared: &Shared) -> Self {
        let pool = || Pool::new(link, shared.commands.clone());
        Self { link, streams: Vec::new(), stream_credit: pool(), datagram_credit: pool(), is_stalled: false }
    }

    /// A stream of the game's: read from now on.
    pub(super) fn add(&mut self, conn: &mut Connection, stream: StreamId, shared: &Shared) {
        self.streams.push(stream);
        self.on_readable(conn, stream, shared);
    }

    /// Whether something waits for credit.
    pub(super) const fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    /// Reports what came on a stream.
    pub(super) fn on_readable(&mut self, conn: &mut Connection, stream: StreamId, shared: &Shared) {
        let Some(index) = self.streams.iter().position(|open| *open == stream) else { return };
        match self.read(conn, stream, shared) {
            Read::All => {}
            Read::Stalled => self.stall(shared),
            Read::Ended => {
                self.streams.swap_remove(index);
            }
        }
    }

    /// Reports the datagrams that came. `strip` takes off what is before each; `None`: it is no datagram of the game's.
    pub(super) fn on_datagrams(
        &mut self,
        conn: &mut Connection,
        strip: impl Fn(Bytes) -> Option<Bytes>,
        shared: &Shared,
    ) {
        loop {
            if self.datagram_credit.room().is_none() {
                return self.stall(shared);
            }
            let Some(bytes) = conn.datagrams().recv() else { return };
            let Some(bytes) = strip(bytes) else { continue };
            shared.tally.datagrams_received.add(1);
            let credit = self.datagram_credit.take(bytes.len());
            (shared.sink)(NetEvent::Datagram { link: self.link, bytes, credit });
        }
    }

    /// Reads again what was left.
    pub(super) fn resume(
        &mut self,
        conn: &mut Connection,
        strip: impl Fn(Bytes) -> Option<Bytes>,
        shared: &Shared,
    ) {
        self.is_stalled = false;
        for stream in self.streams.clone() {
            self.on_readable(conn, stream, shared);
        }
        self.on_datagrams(conn, strip, shared);
    }

    fn stall(&mut self, shared: &Shared) {
        if !self.is_stalled {
            shared.tally.read_stalls.add(1);
        }
        self.is_stalled = true;
    }

    fn read(&self, conn: &mut Connection, stream: StreamId, shared: &Shared) -> Read {
        let mut stream_in = conn.recv_stream(stream);
        // Fails for a stream that has ended.
        let Ok(mut chunks) = stream_in.read(true) else { return Read::Ended };
        loop {
            let Some(room) = self.stream_credit.room() else { return Read::Stalled };
            match chunks.next(room.min(limits::CHUNK_BYTES_MAX)) {
                Ok(Some(chunk)) if chunk.bytes.is_empty() => {}
                Ok(Some(chunk)) => {
                    shared.tally.stream_bytes_received.add(chunk.bytes.len());
                    let credit = self.stream_credit.take(chunk.bytes.len());
                    let event = NetEvent::Stream {
                        link: self.link,
                        stream: StreamKey(stream.index()),
                        bytes: chunk.bytes,
                        credit,
                    };
                    (shared.sink)(event);
                }
                Err(ReadError::Blocked) => return Read::All,
                // `wire` needs to know of neither: a lane's stream lives as long as its link, and a link's end has an event of its own.
                Ok(None) | Err(ReadError::Reset(_)) => return Read::Ended,
            }
        }
    }
}
