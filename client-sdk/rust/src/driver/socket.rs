//! One QUIC connection as the core's transport.
//!
//! *Responsible for*: lanes, and requests that travel alone, as unidirectional streams with priorities, reading, writing what the network takes, the close.
//! *Not responsible for*: frames, deadlines, the next connection.
//!
//! Everything is polled, so that dropping the caller's future loses nothing.
//!
//! Invariants:
//! - I1: bytes of one lane are written in the order given.
//! - I2: at most [`limits::UNSENT_BYTES_MAX`] wait in one lane.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use lightmoon_contract::{Lane, Priority};
use lightmoon_wire::{CloseCode, Path, StreamKey, Transmit};
use quinn::{Connection, ConnectionError, RecvStream, SendStream, VarInt, WriteError};

use crate::limits;

/// Bytes taken from a stream at once: what a link carries in about a round trip of a slow one.
const READ_BYTES: usize = 16 * 1_024;

type Later<T> = Pin<Box<dyn Future<Output = Result<T, ConnectionError>> + Send>>;

/// Something that arrived.
#[derive(Debug)]
pub(super) enum Arrival {
    Stream(StreamKey, Bytes),
    Datagram(Bytes),
    /// The connection is gone; code and reason if the server closed it.
    Closed(Option<(CloseCode, String)>),
}

/// An open connection.
pub(super) struct Socket {
    connection: Connection,
    accept: Later<RecvStream>,
    datagram: Later<Bytes>,
    incoming: Vec<(StreamKey, RecvStream)>,
    outgoing: BTreeMap<Lane, LaneWriter>,
    /// Streams that hold one request each, until the network took it.
    alone: Vec<LaneWriter>,
    buffer: Box<[u8]>,
    /// Whether streams are read before datagrams, turn by turn, so that neither keeps the other waiting.
    streams_first: bool,
    datagrams_dropped: u64,
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Socket").field("incoming", &self.incoming.len()).finish_non_exhaustive()
    }
}

impl Socket {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            accept: accept(&connection),
            datagram: read_datagram(&connection),
            connection,
            incoming: Vec::new(),
            outgoing: BTreeMap::new(),
            alone: Vec::new(),
            buffer: vec![0; READ_BYTES].into(),
            streams_first: false,
            datagrams_dropped: 0,
        }
    }

    /// Takes one thing to do. False: the connection was closed, the socket is of no use any more.
    pub(super) fn transmit(&mut self, transmit: Transmit) -> bool {
        match transmit {
            Transmit::Stream { lane, bytes } => {
                let connection = &self.connection;
                let writer = self.outgoing.entry(lane).or_insert_with(|| LaneWriter::new(connection, lane));
                writer.push(bytes);
                if writer.waiting_bytes > limits::UNSENT_BYTES_MAX {
                    self.close(CloseCode::Overloaded, "too much waits for the network");
                }
                true
            }
            Transmit::Solo { lane, bytes } => {
                // As many at most as requests may travel so.
                let mut writer = LaneWriter::new(&self.connection, lane);
                writer.push(bytes);
                self.alone.push(writer);
                true
            }
            Transmit::Datagram(bytes) => {
                // One that is too large for the path, or comes too late, is a lost datagram.
                self.datagrams_dropped += u64::from(self.connection.send_datagram(bytes).is_err());
                true
            }
            Transmit::Close { code, reason } => {
                self.close(code, &reason);
                false
            }
        }
    }

    /// What the path is like now.
    pub(super) fn path(&self) -> Path {
        Path {
            rtt: self.connection.rtt(),
            datagram_bytes_max: self.connection.max_datagram_size().unwrap_or(0),
            datagram_room: Some(self.connection.datagram_send_buffer_space()),
        }
    }

    /// Datagrams that found no room or no path.
    pub(super) const fn datagrams_dropped(&self) -> u64 {
        self.datagrams_dropped
    }

    /// Ends the connection as a broken network would: nothing that waits is sent, no goodbye is said.
    pub(super) fn cut(&self) {
        self.close(CloseCode::Idle, "the connection was cut");
    }

    fn close(&self, code: CloseCode, reason: &str) {
        self.connection.close(VarInt::from_u32(code.number()), reason.as_bytes());
    }

    /// Writes what the network takes.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) {
        for writer in self.outgoing.values_mut() {
            // An error here is the end of the connection, which reading reports with its reason.
            let _ = writer.poll(cx);
        }
        self.alone.retain_mut(|writer| match writer.poll(cx) {
            Poll::Pending => true,
            Poll::Ready(written) => {
                if written.is_ok() {
                    writer.finish();
                }
                false
            }
        });
    }

    /// The next thing that arrived.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Arrival> {
        while let Poll::Ready(accepted) = self.accept.as_mut().poll(cx) {
            match accepted {
                Ok(stream) => {
                    self.incoming.push((StreamKey(stream.id().index()), stream));
                    self.accept = accept(&self.connection);
                }
                Err(error) => return Poll::Ready(Arrival::Closed(peer_of(error))),
            }
        }
        self.streams_first = !self.streams_first;
        if self.streams_first {
            let arrival = self.poll_streams(cx);
            if arrival.is_ready() { arrival } else { self.poll_datagram(cx) }
        } else {
            let arrival = self.poll_datagram(cx);
            if arrival.is_ready() { arrival } else { self.poll_streams(cx) }
        }
    }

    fn poll_datagram(&mut self, cx: &mut Context<'_>) -> Poll<Arrival> {
        let datagram = ready!(self.datagram.as_mut().poll(cx));
        self.datagram = read_datagram(&self.connection);
        Poll::Ready(match datagram {
            Ok(bytes) => Arrival::Datagram(bytes),
            Err(error) => Arrival::Closed(peer_of(error)),
        })
    }

    fn poll_streams(&mut self, cx: &mut Context<'_>) -> Poll<Arrival> {
        let mut at = 0;
        while let Some((key, stream)) = self.incoming.get_mut(at) {
            match stream.poll_read(cx, &mut self.buffer) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    return Poll::Ready(Arrival::Stream(*key, Bytes::copy_from_slice(&self.buffer[..count])));
                }
                // The server ended a lane: nothing more comes there.
                Poll::Ready(Ok(_) | Err(_)) => {
                    self.incoming.swap_remove(at);
                }
                Poll::Pending => at += 1,
            }
        }
        Poll::Pending
    }
}

impl Drop for Socket {
    /// Tells the server, if nobody did: dropping a session is an end too.
    fn drop(&mut self) {
        self.close(CloseCode::Normal, "");
    }
}

fn accept(connection: &Connection) -> Later<RecvStream> {
    let connection = connection.clone();
    Box::pin(async move { connection.accept_uni().await })
}

fn read_datagram(connection: &Connection) -> Later<Bytes> {
    let connection = connection.clone();
    Box::pin(async move { connection.read_datagram().await })
}

/// Code and reason, if it was the server that closed.
fn peer_of(error: ConnectionError) -> Option<(CloseCode, String)> {
    let ConnectionError::ApplicationClosed(close) = error else { return None };
    // Codes are 32 bits; a larger one is of something that is no Lightmoon server.
    let number = u32::try_from(close.error_code.into_inner()).unwrap_or(u32::MAX);
    Some((CloseCode::from_number(number), String::from_utf8_lossy(&close.reason).into_owned()))
}

/// The outgoing stream of one lane.
struct LaneWriter {
    lane: Lane,
    opening: Later<SendStream>,
    stream: Option<SendStream>,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
}

impl LaneWriter {
    fn new(connection: &Connection, lane: Lane) -> Self {
        let connection = connection.clone();
        Self {
            lane,
            opening: Box::pin(async move { connection.open_uni().await }),
            stream: None,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
        }
    }

    fn push(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(bytes);
    }

    /// Nothing more comes on it.
    fn finish(&mut self) {
        if let Some(stream) = &mut self.stream {
            // The server may have stopped it, and knows then.
            let _ = stream.finish();
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        while let Some(bytes) = self.waiting.front_mut() {
            let stream = match &mut self.stream {
                Some(stream) => stream,
                None => {
                    let stream =
                        ready!(self.opening.as_mut().poll(cx)).map_err(WriteError::ConnectionLost)?;
                    // It cannot be closed already: it was just opened.
                    let _ = stream.set_priority(quic_priority(self.lane.priority));
                    self.stream.insert(stream)
                }
            };
            let written = ready!(Pin::new(stream).poll_write(cx, bytes))?;
            bytes.advance(written);
            self.waiting_bytes -= written;
            if bytes.is_empty() {
                self.waiting.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// QUIC serves higher numbers first.
const fn quic_priority(priority: Priority) -> i32 {
    match priority {
        Priority::Critical => 3,
        Priority::High => 2,
        Priority::Normal => 1,
        Priority::Low => 0,
    }
}
