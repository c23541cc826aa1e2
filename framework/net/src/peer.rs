//! One connection, from its first packet to its last.
//!
//! *Responsible for*: passing on what quinn says to the handshake or the link that a connection is, and sending its packets. *Not responsible
//! for*: the handshake ([`handshake`]), the link ([`link`]), when a connection is looked at (`driver`).
//!
//! ```text
//! Handshake ──TLS, for a browser its request──► Link ──`Closed`──► Over ──drained──► gone
//!     └───────────too slow, gave way, failed───────────────────────►┘
//! ```
//!
//! Invariants:
//! - I1: whoever changes a connection serves it in the same round, so that nothing waits for a packet or a timer of chance.
//! - I2: a connection's number is given back to quinn after its last event was reported, not before.
//! - I3: a panic ends the connection that it is about, and no other: what it left is only dropped.

pub(crate) mod browser;
mod handshake;
mod inbox;
mod link;
mod outbox;
mod path;

use crate::admission::Place;
use crate::commands::Commands;
use crate::counters::Tally;
use crate::event::{LinkId, NetEvent};
use crate::limits;
use crate::socket::Socket;
use handshake::{Done, Handshake};
use lightmoon_wire::{CloseCode, Transmit};
use link::Link;
use quinn_proto::{Connection, ConnectionEvent, ConnectionHandle, Endpoint, EndpointEvent, Event, VarInt};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

/// Where events go. Called on the runtime's threads; must not wait.
pub(crate) type Sink = Box<dyn Fn(NetEvent) + Send + Sync>;

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) sink: Sink,
    pub(crate) tally: Arc<Tally>,
    pub(crate) commands: Commands,
    pub(crate) queue_bytes_max: usize,
}

/// What a connection works with while it is served.
pub(crate) struct Round<'a> {
    pub(crate) now: Instant,
    pub(crate) endpoint: &'a mut Endpoint,
    pub(crate) socket: &'a Socket,
    /// Room for packets, kept from one to the next.
    pub(crate) scratch: &'a mut Vec<u8>,
    /// The number of the next link.
    pub(crate) next_link: &'a mut u64,
    pub(crate) shared: &'a Shared,
}

/// What came of serving a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Served {
    /// It has nothing to do until something happens or its deadline passes.
    Resting,
    /// It has more to send than its share of a round.
    More,
    /// The kernel takes no more.
    Blocked,
    /// It is gone: quinn has given its number back.
    Gone,
}

/// A connection.
pub(crate) struct Peer {
    handle: ConnectionHandle,
    conn: Connection,
    phase: Phase,
    /// What the kernel did not take.
    unsent: Option<(quinn_proto::Transmit, Vec<u8>)>,
    /// Whether it is in the list of those that are served in this round.
    pub(crate) is_touched: bool,
    /// Whether it is in the list of those that the kernel took no packets of.
    pub(crate) is_blocked: bool,
    /// Whether something panicked: nothing is done with it any more.
    is_broken: bool,
}

enum Phase {
    Handshake(Box<Handshake>),
    Link(Box<Link>),
    /// Nothing is reported of it any more.
    Over,
}

impl Peer {
    pub(crate) fn new(handle: ConnectionHandle, conn: Connection, place: Place, now: Instant) -> Self {
        let phase = Phase::Handshake(Box::new(Handshake::new(place, now)));
        Self { handle, conn, phase, unsent: None, is_touched: false, is_blocked: false, is_broken: false }
    }

    /// The link that it is, if it is one.
    pub(crate) fn link(&self) -> Option<LinkId> {
        match &self.phase {
            Phase::Link(link) => Some(link.id()),
            Phase::Handshake(_) | Phase::Over => None,
        }
    }

    /// The place of a handshake.
    pub(crate) fn place(&self) -> Option<&Place> {
        match &self.phase {
            Phase::Handshake(handshake) => Some(handshake.place()),
            Phase::Link(_) | Phase::Over => None,
        }
    }

    /// A packet came.
    pub(crate) fn on_packet(&mut self, event: ConnectionEvent) {
        self.guard(|peer| peer.conn.handle_event(event));
    }

    /// Carries out what the node sends.
    pub(crate) fn send(&mut self, transmit: Transmit, now: Instant, shared: &Shared) {
        self.guard(|peer| {
            if let Phase::Link(link) = &mut peer.phase {
                link.send(&mut peer.conn, transmit, now, shared);
            }
        });
    }

    /// The node gave back what it held.
    pub(crate) fn resume(&mut self, shared: &Shared) {
        self.guard(|peer| {
            if let Phase::Link(link) = &mut peer.phase {
                link.resume(&mut peer.conn, shared);
            }
        });
    }

    /// Ends a handshake whose place another one took; does nothing to a link.
    pub(crate) fn evict(&mut self, now: Instant, shared: &Shared) {
        self.guard(|peer| peer.fail("gave way to another", now, shared));
    }

    fn fail(&mut self, why: &str, now: Instant, shared: &Shared) {
        if let Phase::Handshake(_) = &self.phase {
            self.give_up(why, now, shared);
        }
    }

    fn give_up(&mut self, why: &str, now: Instant, shared: &Shared) {
        failed(self.conn.remote_address(), why, shared);
        self.conn.close(now, VarInt::from_u32(0), why.as_bytes().to_vec().into());
        self.phase = Phase::Over;
    }

    /// Ends it at once, whatever it is.
    pub(crate) fn cut(&mut self, code: CloseCode, reason: &str, now: Instant, shared: &Shared) {
        self.guard(|peer| match std::mem::replace(&mut peer.phase, Phase::Over) {
            Phase::Link(link) => link.cut(&mut peer.conn, code, reason, now, shared),
            Phase::Handshake(_) | Phase::Over => {
                peer.conn.close(now, VarInt::from_u32(code.number()), reason.as_bytes().to_vec().into());
            }
        });
    }

    /// When to look at it at the latest; at once if something panicked, so that it is broken up.
    pub(crate) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let deadline = self.guard(|peer| {
            let own = match &peer.phase {
                Phase::Handshake(handshake) => Some(handshake.until()),
                Phase::Link(link) => link.until(),
                Phase::Over => None,
            };
            [peer.conn.poll_timeout(), own].into_iter().flatten().min()
        });
        deadline.unwrap_or(Some(now))
    }

    /// Does what is to be done: timers, events, packets.
    pub(crate) fn serve(&mut self, round: &mut Round<'_>) -> Served {
        self.guard(|peer| peer.do_serve(round)).unwrap_or_else(|| {
            self.break_up(round);
            Served::Gone
        })
    }

    /// Does it unless something panicked, now or before.
    fn guard<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> Option<R> {
        if self.is_broken {
            return None;
        }
        // What a panic leaves is only dropped (I3), so nobody sees it.
        let done = catch_unwind(AssertUnwindSafe(|| act(self)));
        self.is_broken = done.is_err();
        done.ok()
    }

    /// Reports the end of a connection that panicked, and gives its number back. The client hears of it by a reset of its next packet.
    fn break_up(&mut self, round: &mut Round<'_>) {
        let shared = round.shared;
        shared.tally.panicked.add(1);
        tracing::error!(
            target: "lightmoon::net",
            remote = %self.conn.remote_address(),
            "serving a connection panicked; it is dropped. This is a fault of the server: report it"
        );
        let phase = std::mem::replace(&mut self.phase, Phase::Over);
        // What reports may be what panicked.
        let _ = catch_unwind(AssertUnwindSafe(|| match phase {
            Phase::Link(link) => link.lost(shared),
            Phase::Handshake(_) => failed(self.conn.remote_address(), "a fault of the server", shared),
            Phase::Over => {}
        }));
        round.endpoint.handle_event(self.handle, EndpointEvent::drained());
    }

    fn do_serve(&mut self, round: &mut Round<'_>) -> Served {
        let now = round.now;
        if self.conn.poll_timeout().is_some_and(|timeout| timeout <= now) {
            self.conn.handle_timeout(now);
        }
        loop {
            while let Some(event) = self.conn.poll() {
                self.on_event(event, round);
            }
            self.go_on(round);
            if self.pass_to_endpoint(round.endpoint) {
                return Served::Gone;
            }
            let served = self.flush(round);
            // What was just handed over may have made room, and room may be what a closing link waits for.
            let Some(event) = self.conn.poll() else { return served };
            self.on_event(event, round);
        }
    }

    fn on_event(&mut self, event: Event, round: &mut Round<'_>) {
        match &mut self.phase {
            Phase::Handshake(handshake) => {
                let done = handshake.on_event(&mut self.conn, event);
                self.on_handshake(done, round);
            }
            Phase::Link(link) => {
                if link.on_event(&mut self.conn, event, round.now, round.shared) {
                    self.phase = Phase::Over;
                }
            }
            Phase::Over => {}
        }
    }

    /// What time alone changes.
    fn go_on(&mut self, round: &Round<'_>) {
        match &mut self.phase {
            Phase::Handshake(handshake) if handshake.until() <= round.now => {
                self.fail("took too long", round.now, round.shared);
            }
            Phase::Link(link) => {
                if link.go_on(&mut self.conn, round.now, round.shared) {
                    self.phase = Phase::Over;
                }
            }
            Phase::Handshake(_) | Phase::Over => {}
        }
    }

    fn on_handshake(&mut self, done: Done, round: &mut Round<'_>) {
        let browser = match done {
            Done::NotYet => return,
            Done::Failed(why) => return self.fail(&why, round.now, round.shared),
            Done::Native => None,
            Done::Browser(browser) => Some(browser),
        };
        let Phase::Handshake(handshake) = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        let Some(place) = handshake.into_place().into_link() else {
            return self.give_up("gave way to another", round.now, round.shared);
        };
        let id = LinkId(*round.next_link);
        *round.next_link += 1;
        // Before it is reported: after a panic there it is a link whose end is to be reported.
        self.phase = Phase::Link(Box::new(Link::new(id, place, browser, round.shared)));
        if let Phase::Link(link) = &mut self.phase
            && link.open(&mut self.conn, round.now, round.shared)
        {
            self.phase = Phase::Over;
        }
    }

    /// Tells quinn's endpoint what it has to know; whether the connection is gone.
    fn pass_to_endpoint(&mut self, endpoint: &mut Endpoint) -> bool {
        if matches!(&self.phase, Phase::Link(link) if link.is_draining()) {
            // What came before the end is still to be reported (I2).
            return false;
        }
        while let Some(event) = self.conn.poll_endpoint_events() {
            let is_gone = event.is_drained();
            if let Some(answer) = endpoint.handle_event(self.handle, event) {
                self.conn.handle_event(answer);
            }
            if is_gone {
                return true;
            }
        }
        false
    }

    /// Sends what there is to send, up to its share of a round.
    fn flush(&mut self, round: &mut Round<'_>) -> Served {
        if let Some((transmit, bytes)) = self.unsent.take()
            && !round.socket.send(&transmit, &bytes)
        {
            self.unsent = Some((transmit, bytes));
            return Served::Blocked;
        }
        let segments_max = round.socket.segments_max().min(limits::SEGMENTS_MAX);
        let mut packets = 0;
        let served = loop {
            if packets >= limits::PACKETS_AT_ONCE {
                break Served::More;
            }
            round.scratch.clear();
            let Some(transmit) = self.conn.poll_transmit(round.now, segments_max, round.scratch) else {
                break Served::Resting;
            };
            packets += transmit.segment_size.map_or(1, |segment| transmit.size.div_ceil(segment));
            let bytes = &round.scratch[..transmit.size];
            if !round.socket.send(&transmit, bytes) {
                self.unsent = Some((transmit, bytes.to_vec()));
                break Served::Blocked;
            }
        };
        if packets > 0
            && let Phase::Link(link) = &mut self.phase
        {
            link.on_sent(&mut self.conn, round.shared);
        }
        served
    }
}

/// Counts a handshake that came to nothing.
pub(crate) fn failed(remote: SocketAddr, why: &str, shared: &Shared) {
    shared.tally.handshakes_failed.add(1);
    tracing::debug!(target: "lightmoon::net", %remote, why, "handshake failed");
}
