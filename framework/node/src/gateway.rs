//! The gateway: links and sessions of clients, between the wire and the actors.
//!
//! *Responsible for*: letting clients in, binding a session to its player, keeping it over reconnects, taking their calls, bringing
//! answers, pushes and state back. *Not responsible for*: bytes of frames (`wire`), sockets (`net`), running actors (`actor`).
//!
//! Invariants:
//! - I1: a player has at most one session; a second login ends the first, which is told why.
//! - I2: `Connected` and `Disconnected` of a session reach its player once each, in this order.
//! - I3: every request handed to an actor is answered or dropped with its session; the count in flight is exact.
//! - I4: a number of a request is handed over once in the life of a session, as far as this process knows.
//! - I5: nothing here depends on the order of a hash map.

mod calls;
mod crowd;
mod delivery;
mod ended;
mod login;
pub(crate) mod operator;
mod rate;
mod repeats;
mod resume;
mod routing;
mod session;
mod table;
pub(crate) mod ticket;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use bytes::Bytes;
use lightmoon_actor::Envelope;
use lightmoon_contract::operation::Rate;
use lightmoon_contract::{Kind, Mono, SessionId, Utc};
use lightmoon_wire::{CloseCode, Compatibility, ServerConfig, ServerEvent, ServerLink, StreamKey};

use crate::chronicle::Chronicle;
use crate::game::Operations;
use crate::identity::Authenticate;
use crate::limits;
use crate::report::{Counters, SessionReport};
use crate::{LinkId, Output, Transport};
use crowd::{Counts, Silent, Source};
use ended::Ended;
use operator::{Operated, Refused};
use rate::Bucket;
use session::{Session, Way};
use table::Table;
use ticket::TicketKey;

/// Why nobody is let in who has no session.
const FULL: &str = "this node takes no more players now; try again later";

/// Why nobody is let in who is not here already.
const DRAINS: &str = "this node is being emptied and takes no new players; try another, or again later";

/// Why a link gives way to another.
const GAVE_WAY: &str = "others want to come in, and nothing was said here; try again later";

/// Bytes that a link may bring.
const BYTES: Rate = Rate { per_second: limits::LINK_BYTES_PER_SECOND, burst: limits::LINK_BYTES_BURST };

/// What the gateway is built from.
pub(crate) struct GatewayParts {
    pub(crate) operations: Operations,
    pub(crate) player: Kind,
    pub(crate) authenticate: Box<dyn Authenticate>,
    pub(crate) compatibility: Compatibility,
    pub(crate) wire: ServerConfig,
    pub(crate) resume_time: Duration,
    pub(crate) sessions_per_source_max: usize,
    pub(crate) ticket_key: TicketKey,
    pub(crate) utc_at_zero: Utc,
    pub(crate) seed: u64,
}

/// One connection.
#[derive(Debug)]
struct Entry {
    server: ServerLink,
    remote: String,
    transport: Transport,
    session: Option<SessionId>,
    /// What its client may still send.
    bytes: Bucket,
    /// It sent more.
    is_over_bytes: bool,
    /// The deadline that stands in the heap for this link.
    armed: Option<Mono>,
    /// It stands among those to be drained.
    is_touched: bool,
}

/// A request that an actor was asked to answer.
#[derive(Clone, Copy, Debug)]
struct PendingCall {
    session: SessionId,
    request: u64,
    /// A process before this one may have served it.
    is_of_before: bool,
}

/// All links and sessions of a node.
#[derive(Debug)]
pub(crate) struct Gateway {
    operations: Operations,
    player: Kind,
    authenticate: Box<dyn Authenticate>,
    compatibility: Compatibility,
    wire: ServerConfig,
    resume_time: Duration,
    sessions_per_source_max: usize,
    ticket_key: TicketKey,
    utc_at_zero: Utc,
    random: fastrand::Rng,
    /// The time of the newest call.
    now: Mono,
    links: Table<LinkId, Entry>,
    /// Those of them that are not let in, refused or gone yet.
    silent: Silent,
    sessions: Table<SessionId, Session>,
    /// Where they came from last.
    sources: Counts,
    players: BTreeMap<u64, SessionId>,
    /// Sessions with something to do at a time.
    due: BTreeSet<(Mono, SessionId)>,
    ended: Ended,
    /// The newest serial of a login.
    last_login: u64,
    pending: BTreeMap<u64, PendingCall>,
    /// Requests of operators that wait for their answers, with the names of their commands.
    asked: BTreeMap<u64, u64>,
    /// What came of commands.
    operated: Vec<(u64, Operated)>,
    next_token: u64,
    /// Nobody is let in who is not here already.
    pub(crate) is_draining: bool,
    /// Nobody is let in any more.
    is_stopping: bool,
    /// Links with something to transmit or a new deadline, each once; one may be over meanwhile.
    touched: Vec<LinkId>,
    /// Deadlines, lazily: an entry may be earlier than its link's true deadline, never later.
    deadlines: BinaryHeap<Reverse<(Mono, LinkId)>>,
    /// Messages for actors, in the order they came about.
    to_actors: Vec<Envelope>,
    pub(crate) chronicle: Chronicle,
    pub(crate) counters: Counters,
}

impl Gateway {
    pub(crate) fn new(parts: GatewayParts) -> Self {
        Self {
            operations: parts.operations,
            player: parts.player,
            authenticate: parts.authenticate,
            compatibility: parts.compatibility,
            wire: parts.wire,
            resume_time: parts.resume_time,
            sessions_per_source_max: parts.sessions_per_source_max,
            ticket_key: parts.ticket_key,
            utc_at_zero: parts.utc_at_zero,
            random: fastrand::Rng::with_seed(parts.seed),
            now: Mono(0),
            links: Table::default(),
            silent: Silent::default(),
            sessions: Table::default(),
            sources: Counts::default(),
            players: BTreeMap::new(),
            due: BTreeSet::new(),
            ended: Ended::default(),
            last_login: 0,
            pending: BTreeMap::new(),
            asked: BTreeMap::new(),
            operated: Vec::new(),
            next_token: 1,
            is_draining: false,
            is_stopping: false,
            touched: Vec::new(),
            deadlines: BinaryHeap::new(),
            to_actors: Vec::new(),
            chronicle: Chronicle::default(),
            counters: Counters::default(),
        }
    }

    /// A connection was opened.
    pub(crate) fn opened(&mut self, now: Mono, link: LinkId, remote: String, transport: Transport) {
        self.counters.links_opened += 1;
        let mut server = ServerLink::new(self.wire, now);
        if self.is_stopping {
            // A client that comes again at once would otherwise be let in, and the node would never be empty.
            self.counters.links_refused += 1;
            server.close(now, CloseCode::ShuttingDown, "the server stops");
        } else if self.silent.len() >= limits::LINKS_IN_HANDSHAKE_MAX {
            self.make_way(now);
        }
        self.silent.add(link, Source::of(&remote));
        let bytes = Bucket::full(BYTES, now);
        let entry = Entry {
            server,
            remote,
            transport,
            session: None,
            bytes,
            is_over_bytes: false,
            armed: None,
            is_touched: false,
        };
        self.links.insert(link, entry);
        self.after(now, link);
    }

    /// Ends the link that holds a place of a handshake with the least right to it.
    fn make_way(&mut self, now: Mono) {
        let Some(link) = self.silent.gives_way() else { return };
        self.counters.handshakes_evicted += 1;
        if let Some(entry) = self.links.get_mut(&link) {
            entry.server.close(now, CloseCode::Overloaded, GAVE_WAY);
            self.after(now, link);
        }
        // Closing it says so by an event; should it ever not, there is still room.
        self.silent.remove(link);
    }

    /// Whether a link may bring so many bytes more; else it is closed.
    fn takes(&mut self, now: Mono, link: LinkId, bytes: &Bytes) -> bool {
        let Some(entry) = self.links.get_mut(&link) else { return false };
        if entry.bytes.take_many(BYTES, now, bytes.len()) {
            return true;
        }
        // What was already read when it was closed is dropped, and counts once.
        self.counters.links_closed_for_bytes += u64::from(!std::mem::replace(&mut entry.is_over_bytes, true));
        entry.server.close(now, CloseCode::RateExceeded, "more bytes kept coming than a client may send");
        self.after(now, link);
        false
    }

    /// Bytes of a stream arrived.
    pub(crate) fn stream(&mut self, now: Mono, link: LinkId, stream: StreamKey, bytes: &Bytes) {
        if self.takes(now, link, bytes)
            && let Some(entry) = self.links.get_mut(&link)
        {
            entry.server.on_stream(now, stream, bytes);
            self.after(now, link);
        }
    }

    /// A datagram arrived.
    pub(crate) fn datagram(&mut self, now: Mono, link: LinkId, bytes: &Bytes) {
        if self.takes(now, link, bytes)
            && let Some(entry) = self.links.get_mut(&link)
        {
            entry.server.on_datagram(now, bytes);
            self.after(now, link);
        }
    }

    /// The network measured the path of a connection anew.
    pub(crate) fn path(&mut self, now: Mono, link: LinkId, path: lightmoon_wire::Path) {
        let Some(entry) = self.links.get_mut(&link) else { return };
        entry.server.on_path(now, path);
        let session = entry.session;
        if let Some(session) = session {
            self.fit_budget(session);
        }
        self.after(now, link);
    }

    /// The connection is gone; `peer` is the code if the client closed it.
    pub(crate) fn closed(&mut self, now: Mono, link: LinkId, peer: Option<CloseCode>) {
        if let Some(entry) = self.links.get_mut(&link) {
            entry.server.on_closed(now, peer);
            self.after(now, link);
        }
    }

    /// Lets links and sessions act whose time has come.
    pub(crate) fn on_deadlines(&mut self, now: Mono) {
        self.now = now;
        self.on_sessions_due(now);
        while let Some(Reverse((at, link))) = self.deadlines.peek().copied() {
            if at > now {
                return;
            }
            self.deadlines.pop();
            let Some(entry) = self.links.get_mut(&link) else { continue };
            if entry.armed != Some(at) {
                continue;
            }
            entry.armed = None;
            entry.server.on_deadline(now);
            self.after(now, link);
        }
    }

    /// When [`Self::on_deadlines`] wants to be called; perhaps too early, never too late.
    pub(crate) fn next_deadline(&self) -> Option<Mono> {
        let link = self.deadlines.peek().map(|Reverse((at, _))| *at);
        let session = self.due.first().map(|(at, _)| *at);
        link.into_iter().chain(session).min()
    }

    /// Tells every client that the node stops, and those that come from now on.
    pub(crate) fn stop(&mut self, now: Mono, reason: &str) {
        self.is_stopping = true;
        self.end_waiting();
        let links: Vec<LinkId> = self.links.keys().collect();
        for link in links {
            if let Some(entry) = self.links.get_mut(&link) {
                entry.server.close(now, CloseCode::ShuttingDown, reason);
                self.after(now, link);
            }
        }
    }

    /// Whether no link is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Takes the messages for actors. Their list is given back by [`Self::give_back`], empty, so that it need not grow anew in each
    /// turn.
    pub(crate) fn take_messages(&mut self) -> Vec<Envelope> {
        std::mem::take(&mut self.to_actors)
    }

    /// Takes an empty list back.
    pub(crate) fn give_back(&mut self, list: Vec<Envelope>) {
        if self.to_actors.capacity() < list.capacity() {
            let waiting = std::mem::replace(&mut self.to_actors, list);
            self.to_actors.extend(waiting);
        }
    }

    /// Whether messages for actors wait.
    pub(crate) fn has_messages(&self) -> bool {
        !self.to_actors.is_empty()
    }

    /// Hands out what links transmit, and forgets links that are over, with their sessions: messages for actors may wait
    /// afterwards.
    pub(crate) fn transmit(&mut self, out: &mut Vec<Output>) {
        let mut touched = std::mem::take(&mut self.touched);
        // In an order that does not depend on what touched them.
        touched.sort_unstable();
        for link in touched.drain(..) {
            let Some(entry) = self.links.get_mut(&link) else { continue };
            entry.is_touched = false;
            entry.server.advance(self.now);
            while let Some(transmit) = entry.server.poll_transmit() {
                out.push(Output::Transmit { link, transmit });
            }
            match entry.server.next_deadline() {
                None => {
                    // A link that ended because of what an actor sent, such as a lane that overflowed, said so by an
                    // event that nobody took.
                    self.after(self.now, link);
                    if let Some(over) = self.links.remove(&link) {
                        self.counters.calls_doubled += over.server.counters().doubled;
                    }
                }
                Some(at) if entry.armed.is_none_or(|armed| at < armed) => {
                    entry.armed = Some(at);
                    self.deadlines.push(Reverse((at, link)));
                }
                Some(_) => {}
            }
        }
        if self.touched.is_empty() {
            // Its room is used on.
            self.touched = touched;
        }
    }

    /// What was counted, also of the links that are open.
    pub(crate) fn counters(&self) -> Counters {
        let of_links: u64 = self.links.iter().map(|(_, entry)| entry.server.counters().doubled).sum();
        let events_dropped = self.chronicle.dropped;
        Counters { calls_doubled: self.counters.calls_doubled + of_links, events_dropped, ..self.counters }
    }

    /// Sessions and links as the console shows them.
    pub(crate) fn report(&self) -> (usize, Vec<SessionReport>) {
        let sessions = self.sessions.iter().map(|(id, session)| SessionReport {
            session: id,
            player: session.player,
            remote: session.remote.clone(),
            transport: session.transport,
            is_waiting: session.way == Way::Waits,
            zone: session.attached.map(|attached| attached.zone),
            requests_in_flight: session.pending.len(),
        });
        (self.silent.len(), sessions.collect())
    }

    /// Notes what came of a command.
    pub(crate) fn answer_operator(&mut self, token: u64, result: Operated) {
        self.counters.operator_calls_refused += u64::from(result == Err(Refused::Busy));
        self.operated.push((token, result));
    }

    /// Hands out what came of commands.
    pub(crate) fn operated(&mut self, out: &mut Vec<Output>) {
        out.extend(self.operated.drain(..).map(|(token, result)| Output::Operated { token, result }));
    }

    /// A link was let in, or is over.
    fn handshake_ends(&mut self, link: LinkId) {
        self.silent.remove(link);
    }

    /// Puts a link among those to be drained.
    fn touch(&mut self, link: LinkId) {
        if let Some(entry) = self.links.get_mut(&link)
            && !std::mem::replace(&mut entry.is_touched, true)
        {
            self.touched.push(link);
        }
    }

    /// After each mutation of a link: its events, then its place among those to be drained.
    fn after(&mut self, now: Mono, link: LinkId) {
        self.now = now;
        self.touch(link);
        while let Some(event) = self.links.get_mut(&link).and_then(|entry| entry.server.poll_event()) {
            match event {
                ServerEvent::Hello(hello) => self.hello(now, link, &hello),
                ServerEvent::Call(call) => self.call(now, link, call),
                ServerEvent::Received(received) => self.received(link, received),
                ServerEvent::Closed(closing) => self.link_over(link, &closing),
            }
        }
    }
}
