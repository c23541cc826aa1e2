//! One link: a connection that is open.
//!
//! *Responsible for*: `Opened` and `Closed`, passing events to streams and datagrams, ending in order. *Not responsible for*: what waits to be
//! sent ([`Outbox`]), reading ([`Inbox`]), the path ([`Watch`]), HTTP ([`Browser`]).
//!
//! ```text
//! Open ──close──► Lingering: what was queued leaves ──► Saying: a browser reads why ──► `Closed`
//!   └──the peer closed, or is gone──► Draining: what came is reported ──────────────────►┘
//! ```
//!
//! Invariants:
//! - I1: `Opened` is reported first, `Closed` last and once (crate invariant I1).
//! - I2: after a close nothing more is sent than what was queued before; the first close counts.
//! - I3: each stage of an ending has a time after which it is over.

use super::Shared;
use super::browser::{Browser, Said};
use super::inbox::Inbox;
use super::outbox::{self, Outbox, Overload};
use super::path::Watch;
use crate::admission::Place;
use crate::event::{LinkId, NetEvent, Transport};
use crate::limits;
use bytes::{Buf as _, Bytes};
use lightmoon_wire::{CloseCode, Transmit};
use quinn_proto::{Connection, ConnectionError, Dir, Event, StreamEvent, VarInt};
use std::time::Instant;
use web_transport_proto::{error_from_http3, error_to_http3};

/// An open link.
pub(super) struct Link {
    id: LinkId,
    /// Held until the end is reported.
    place: Option<Place>,
    outbox: Outbox,
    inbox: Inbox,
    watch: Watch,
    browser: Option<Box<Browser>>,
    ending: Ending,
}

enum Ending {
    /// It is open.
    No,
    Lingering {
        farewell: Farewell,
        until: Instant,
    },
    Saying {
        farewell: Farewell,
        until: Instant,
    },
    Draining {
        end: End,
        until: Instant,
    },
}

/// How we end a link.
#[derive(Clone, Debug)]
struct Farewell {
    code: u32,
    reason: String,
}

/// How a link ended.
#[derive(Debug)]
struct End {
    code: Option<u32>,
    reason: String,
}

impl Link {
    /// One that nobody knows of yet.
    pub(super) fn new(id: LinkId, place: Place, browser: Option<Box<Browser>>, shared: &Shared) -> Self {
        let session = browser.as_ref().and_then(|browser| browser.session().cloned());
        let (streams, datagrams) =
            session.map(|session| (session.stream_header, session.datagram_header)).unwrap_or_default();
        Self {
            id,
            place: Some(place),
            outbox: Outbox::new(shared.queue_bytes_max, streams),
            inbox: Inbox::new(id, shared),
            watch: Watch::new(id, datagrams),
            browser,
            ending: Ending::No,
        }
    }

    pub(super) const fn id(&self) -> LinkId {
        self.id
    }

    /// When an ending is over.
    pub(super) const fn until(&self) -> Option<Instant> {
        match &self.ending {
            Ending::No => None,
            Ending::Lingering { until, .. }
            | Ending::Saying { until, .. }
            | Ending::Draining { until, .. } => Some(*until),
        }
    }

    pub(super) const fn is_draining(&self) -> bool {
        matches!(self.ending, Ending::Draining { .. })
    }

    /// Carries out what the node sends.
    pub(super) fn send(&mut self, conn: &mut Connection, transmit: Transmit, now: Instant, shared: &Shared) {
        if !matches!(self.ending, Ending::No) {
            return;
        }
        let tally = &shared.tally;
        let pushed = match transmit {
            Transmit::Stream { lane, bytes } => self.outbox.push_stream(conn, lane, bytes, tally),
            Transmit::Solo { lane, bytes } => self.outbox.push_solo(conn, lane, bytes, tally),
            Transmit::Datagram(bytes) => {
                self.watch.send(conn, bytes, shared);
                Ok(())
            }
            Transmit::Close { code, reason } => {
                self.outbox.end(conn, tally);
                let farewell = Farewell { code: code.number(), reason };
                self.ending = Ending::Lingering { farewell, until: now + limits::LINGER };
                Ok(())
            }
        };
        if pushed == Err(Overload) {
            tally.overloaded.add(1);
            let reason = "the client does not read what is sent to it".to_owned();
            let farewell = Farewell { code: CloseCode::Overloaded.number(), reason };
            // What is queued is what the client does not read; sending it first would only take longer.
            self.ending = Ending::Lingering { farewell, until: now };
        }
    }

    /// The node gave back what it held.
    pub(super) fn resume(&mut self, conn: &mut Connection, shared: &Shared) {
        let header = self.datagram_header();
        self.inbox.resume(conn, |bytes| strip(bytes, &header), shared);
    }

    /// Reports that it is there, and takes the streams that came before; whether it is gone.
    pub(super) fn open(&mut self, conn: &mut Connection, now: Instant, shared: &Shared) -> bool {
        let transport = if self.browser.is_some() { Transport::WebTransport } else { Transport::Native };
        shared.commands.insert(self.id);
        (shared.sink)(NetEvent::Opened {
            link: self.id,
            remote: conn.remote_address().to_string(),
            transport,
        });
        self.watch.look(conn, shared);
        let gone = self.on_opened(conn, Dir::Uni, now, shared);
        self.on_datagrams(conn, shared);
        gone
    }

    /// Something happened; whether the link is gone.
    pub(super) fn on_event(
        &mut self,
        conn: &mut Connection,
        event: Event,
        now: Instant,
        shared: &Shared,
    ) -> bool {
        match event {
            Event::ConnectionLost { reason } => return self.on_lost(conn, &reason, now, shared),
            Event::DatagramReceived => self.on_datagrams(conn, shared),
            Event::Stream(StreamEvent::Opened { dir }) => return self.on_opened(conn, dir, now, shared),
            Event::Stream(StreamEvent::Readable { id }) => {
                self.inbox.on_readable(conn, id, shared);
                if let Some(browser) = &mut self.browser {
                    let said = browser.on_readable(conn, id);
                    return self.on_said(conn, said, now, shared);
                }
            }
            Event::Stream(StreamEvent::Writable { id }) => self.outbox.on_writable(conn, id, &shared.tally),
            Event::Stream(StreamEvent::Available { dir: Dir::Uni }) => {
                self.outbox.on_streams_available(conn, &shared.tally);
            }
            Event::Stream(StreamEvent::Finished { id }) => self.outbox.on_end(id),
            Event::Stream(StreamEvent::Stopped { id, error_code }) => {
                outbox::reset(conn, id, error_code);
                self.outbox.on_end(id);
            }
            Event::Stream(StreamEvent::Available { dir: Dir::Bi })
            | Event::HandshakeDataReady
            | Event::Connected
            | Event::DatagramsUnblocked => {}
        }
        false
    }

    /// Packets left.
    pub(super) fn on_sent(&mut self, conn: &mut Connection, shared: &Shared) {
        self.watch.on_sent(conn, shared);
    }

    /// Goes on with an ending; whether the link is gone.
    pub(super) fn go_on(&mut self, conn: &mut Connection, now: Instant, shared: &Shared) -> bool {
        match std::mem::replace(&mut self.ending, Ending::No) {
            Ending::No => false,
            Ending::Lingering { farewell, until } if now < until && !self.outbox.is_done() => {
                self.ending = Ending::Lingering { farewell, until };
                false
            }
            Ending::Lingering { farewell, .. } => self.say(conn, farewell, now, shared),
            Ending::Saying { farewell, until } if now < until => {
                self.ending = Ending::Saying { farewell, until };
                false
            }
            Ending::Saying { farewell, .. } => {
                self.close(conn, farewell.code, &farewell.reason, now);
                self.over(End { code: None, reason: farewell.reason }, shared)
            }
            Ending::Draining { end, until } if now < until && self.inbox.is_stalled() => {
                self.ending = Ending::Draining { end, until };
                false
            }
            Ending::Draining { end, .. } => self.over(end, shared),
        }
    }

    /// Ends it at once.
    pub(super) fn cut(
        mut self: Box<Self>,
        conn: &mut Connection,
        code: CloseCode,
        reason: &str,
        now: Instant,
        shared: &Shared,
    ) {
        self.close(conn, code.number(), reason, now);
        self.over(End { code: None, reason: reason.to_owned() }, shared);
    }

    /// Reports the end of a link whose connection is not usable any more.
    pub(super) fn lost(mut self: Box<Self>, shared: &Shared) {
        self.over(End { code: None, reason: "a fault of the server".to_owned() }, shared);
    }

    fn on_opened(&mut self, conn: &mut Connection, dir: Dir, now: Instant, shared: &Shared) -> bool {
        let Some(browser) = &mut self.browser else {
            // Clients open none of the other kind; what they send on them stays with quinn, whose windows bound it.
            while let Some(stream) = conn.streams().accept(Dir::Uni) {
                self.inbox.add(conn, stream, shared);
            }
            return false;
        };
        let said = browser.on_opened(conn, dir);
        self.on_said(conn, said, now, shared)
    }

    fn on_datagrams(&mut self, conn: &mut Connection, shared: &Shared) {
        let header = self.datagram_header();
        self.inbox.on_datagrams(conn, |bytes| strip(bytes, &header), shared);
    }

    fn datagram_header(&self) -> Bytes {
        let session = self.browser.as_ref().and_then(|browser| browser.session());
        session.map(|session| session.datagram_header.clone()).unwrap_or_default()
    }

    /// What a browser said; whether the link is gone.
    fn on_said(
        &mut self,
        conn: &mut Connection,
        said: Result<Said, String>,
        now: Instant,
        shared: &Shared,
    ) -> bool {
        let streams = self.browser.as_mut().map(|browser| browser.take_streams()).unwrap_or_default();
        for stream in streams {
            self.inbox.add(conn, stream, shared);
        }
        let end = match said {
            Ok(Said::Nothing | Said::Open) => return false,
            Ok(Said::Closed(Some((code, reason)))) => End { code: Some(code), reason: cut(&reason) },
            Ok(Said::Closed(None)) => End { code: None, reason: "the session was closed".to_owned() },
            Err(fault) => End { code: None, reason: cut(&fault) },
        };
        self.close(conn, end.code.unwrap_or(0), &end.reason, now);
        self.drain(conn, end, now, shared)
    }

    /// The connection is gone; whether the link is.
    fn on_lost(
        &mut self,
        conn: &mut Connection,
        reason: &ConnectionError,
        now: Instant,
        shared: &Shared,
    ) -> bool {
        let is_browser = self.browser.is_some();
        let code_of = |code: VarInt| match is_browser {
            true => error_from_http3(code.into_inner()),
            false => u32::try_from(code.into_inner()).ok(),
        };
        let end = match reason {
            ConnectionError::ApplicationClosed(close) if code_of(close.error_code).is_some() => {
                End { code: code_of(close.error_code), reason: cut(&String::from_utf8_lossy(&close.reason)) }
            }
            ConnectionError::ApplicationClosed(_)
            | ConnectionError::VersionMismatch
            | ConnectionError::TransportError(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::Reset
            | ConnectionError::TimedOut
            | ConnectionError::LocallyClosed
            | ConnectionError::CidsExhausted => End { code: None, reason: cut(&reason.to_string()) },
        };
        self.drain(conn, end, now, shared)
    }

    /// Reports what came before the end, as far as credit allows it; whether the link is gone.
    fn drain(&mut self, conn: &mut Connection, end: End, now: Instant, shared: &Shared) -> bool {
        let end = match std::mem::replace(&mut self.ending, Ending::No) {
            Ending::No => end,
            // We were closing: that is why it ended.
            Ending::Lingering { farewell, .. } | Ending::Saying { farewell, .. } => {
                End { code: None, reason: farewell.reason }
            }
            Ending::Draining { end, until } => {
                self.ending = Ending::Draining { end, until };
                return false;
            }
        };
        self.resume(conn, shared);
        if self.inbox.is_stalled() {
            self.ending = Ending::Draining { end, until: now + limits::DRAIN };
            return false;
        }
        self.over(end, shared)
    }

    /// Closes with code and reason; whether the link is gone.
    fn say(&mut self, conn: &mut Connection, farewell: Farewell, now: Instant, shared: &Shared) -> bool {
        if let Some(browser) = &self.browser
            && browser.close(conn, farewell.code, &farewell.reason).is_ok()
        {
            // The browser closes the connection once it read the reason.
            let patience = (conn.rtt() * 3).clamp(limits::FAREWELL_MIN, limits::FAREWELL_MAX);
            self.ending = Ending::Saying { farewell, until: now + patience };
            return false;
        }
        self.close(conn, farewell.code, &farewell.reason, now);
        self.over(End { code: None, reason: farewell.reason }, shared)
    }

    fn close(&self, conn: &mut Connection, code: u32, reason: &str, now: Instant) {
        let code = match &self.browser {
            // Numbers of applications begin at an offset there, and fit into the 62 bits of a code.
            Some(_) => VarInt::from_u64(error_to_http3(code)).unwrap_or(VarInt::MAX),
            None => VarInt::from_u32(code),
        };
        conn.close(now, code, reason.as_bytes().to_vec().into());
    }

    /// The last event; the answer is that the link is gone.
    fn over(&mut self, end: End, shared: &Shared) -> bool {
        shared.commands.remove(self.id);
        // Who hears of the end may let another one in at once.
        self.place = None;
        (shared.sink)(NetEvent::Closed { link: self.id, code: end.code, reason: end.reason });
        true
    }
}

/// Takes off what is before a datagram; `None`: it is none of this session.
fn strip(mut bytes: Bytes, header: &[u8]) -> Option<Bytes> {
    if !bytes.starts_with(header) {
        return None;
    }
    bytes.advance(header.len());
    Some(bytes)
}

fn cut(reason: &str) -> String {
    reason.chars().take(limits::REASON_CHARS_MAX).collect()
}
