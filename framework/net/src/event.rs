//! What the network reports: links opening, bytes arriving, links closing.
//!
//! *Responsible for*: the types of events. *Not responsible for*: where events go, the credit that they carry ([`Credit`]).

use crate::credit::Credit;
use bytes::Bytes;
use lightmoon_wire::{Path, StreamKey};
use std::fmt;

/// The number of a link within its endpoint; counted from 1, never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How a client speaks to us. Above this crate both behave alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// QUIC with our own ALPN.
    Native,
    /// A WebTransport session over HTTP/3, from a browser.
    WebTransport,
}

/// One thing that happened on a link.
#[derive(Debug)]
pub enum NetEvent {
    /// A client finished its handshake.
    Opened {
        /// Its link.
        link: LinkId,
        /// Its address, for logs; it may change while the link lives.
        remote: String,
        /// How it speaks.
        transport: Transport,
    },
    /// Bytes of an incoming stream, the next in order; 1 to [`CHUNK_BYTES_MAX`](crate::limits::CHUNK_BYTES_MAX).
    Stream {
        /// The link.
        link: LinkId,
        /// Which of the link's streams.
        stream: StreamKey,
        /// The bytes.
        bytes: Bytes,
        /// Drop this when the bytes are dealt with.
        credit: Credit,
    },
    /// One datagram.
    Datagram {
        /// The link.
        link: LinkId,
        /// The whole datagram.
        bytes: Bytes,
        /// Drop this when the bytes are dealt with.
        credit: Credit,
    },
    /// What the path of a link is like: after its opening, and when that changes by much.
    Path {
        /// The link.
        link: LinkId,
        /// What it is like.
        path: Path,
    },
    /// The link is gone; its last event.
    Closed {
        /// The link.
        link: LinkId,
        /// The code the peer closed with; `None` when it did not, or we closed.
        code: Option<u32>,
        /// The peer's reason or what ended the link; at most 256 characters.
        reason: String,
    },
}
