//! The client's side of one connection.
//!
//! *Responsible for*: Hello and Describing, what a server may send when, open requests, the present attachment, pings
//! and the round-trip time, the end. *Not responsible for*: reconnecting, timeouts of requests, views (the clients).
//!
//! Invariants:
//! - I1: `Welcome` is the first event unless the connection ends before; what overtook it waits, within
//!   [`limits::EARLY_BYTES_MAX`].
//! - I2: View and State events belong to the newest Attach event; others are dropped.
//! - I3: an Answer event comes at most once for each request.
//! - I4: `Closed` is the last event, and comes exactly once.

mod arrive;
mod inputs;
mod pace;
mod pulse;
mod solo;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{
    ActorId, CallError, Fingerprint, Kind, Lane, Mono, OperationNumber, Priority, Reliability,
};

use crate::arrived::Arrived;
use crate::close::{CloseCode, ClosedBy, Closing, cut_reason};
use crate::counters::Counters;
use crate::error::SendError;
use crate::frame::{
    self, Aimed, Attach, Call, Goodbye, Hello, Ping, Push, Received, Ticket, UnreliableCall, Welcome,
};
use crate::kept::KeptLanes;
use crate::stream::{IncomingStreams, StreamKey};
use crate::transmit::{DatagramKey, Outbox, Path, Transmit};
use crate::window::{DoublesWindow, NewestOf};
use crate::{MINOR, MINOR_DELTAS, MINOR_LANES, limits, reliable};

use inputs::Inputs;
use pulse::Pulse;
use solo::Solos;

/// What a client tells a server about itself, and its patience.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// Abilities to offer, as bits; default none.
    pub features: u64,
    /// Fingerprint of `descriptor`.
    pub fingerprint: Fingerprint,
    /// The encoded descriptor of the contracts the client was built from, for servers that do not know it; at most
    /// [`limits::DESCRIPTOR_BYTES_MAX`], a longer one is not sent and the server refuses.
    pub descriptor: Bytes,
    /// What the server's authenticator reads; at most [`limits::TOKEN_BYTES_MAX`].
    pub token: Bytes,
    /// What an earlier connection got to resume its session; default empty. At most [`limits::TICKET_BYTES_MAX`].
    pub ticket: Bytes,
    /// The lowest number that no request had before, over all connections; default 1. Lower ones are repeats.
    pub first_request: u64,
    /// Time for the handshake; default [`limits::HANDSHAKE_TIME_MAX`].
    pub handshake_time_max: Duration,
    /// Silence after which the server is given up; default [`limits::SILENCE_TIME_MAX`]. Several times `ping_every`.
    pub silence_time_max: Duration,
    /// Time between two pings; default [`limits::PING_EVERY`].
    pub ping_every: Duration,
    /// Time from a Delta to the Input that answers it, at most and at first; default [`limits::INPUT_DELAY`]. It gets shorter where
    /// the answer reaches an earlier tick of the server by that. Many clients of one server should have different ones, so that
    /// their packets do not come together.
    pub input_delay: Duration,
}

impl ClientConfig {
    /// A config with the defaults.
    #[must_use]
    pub const fn new(fingerprint: Fingerprint, descriptor: Bytes, token: Bytes) -> Self {
        Self {
            features: 0,
            fingerprint,
            descriptor,
            token,
            ticket: Bytes::new(),
            first_request: 1,
            handshake_time_max: limits::HANDSHAKE_TIME_MAX,
            silence_time_max: limits::SILENCE_TIME_MAX,
            ping_every: limits::PING_EVERY,
            input_delay: limits::INPUT_DELAY,
        }
    }
}

impl std::fmt::Debug for ClientConfig {
    /// Leaves out token and ticket: they are secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConfig")
            .field("fingerprint", &self.fingerprint)
            .field("descriptor_bytes", &self.descriptor.len())
            .field("token_bytes", &self.token.len())
            .field("ticket_bytes", &self.ticket.len())
            .field("first_request", &self.first_request)
            .finish_non_exhaustive()
    }
}

/// What a server did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientEvent {
    /// The handshake succeeded; calls may go.
    Welcome(Welcome),
    /// What resumes this session over the next connection; forget the one before.
    Ticket(Ticket),
    /// The answer to a request.
    Answer {
        /// The request's number.
        request: u64,
        /// The encoded value, or why there is none.
        result: Result<Bytes, CallError>,
    },
    /// A message of an actor.
    Push(Push),
    /// The session looks at a zone from here on.
    Attached(Attach),
    /// The session looks at no zone from here on.
    Detached {
        /// The attachment that ended.
        generation: u32,
    },
    /// Reliable part of what the session sees.
    View {
        /// The attachment it belongs to.
        generation: u32,
        /// For the replica.
        payload: Bytes,
    },
    /// Unreliable part of what the session sees.
    State {
        /// The attachment it belongs to.
        generation: u32,
        /// For the replica.
        payload: Bytes,
    },
    /// Unreliable part of what the session sees, against what the client has. What was applied of it has to be told by
    /// [`ClientLink::applied`].
    Delta {
        /// The attachment it belongs to.
        generation: u32,
        /// For the replica.
        payload: Bytes,
    },
    /// The connection is over; nothing else will come.
    Closed(Closing),
}

/// A call to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutgoingCall {
    /// A number for the answer, not used by another open request; `None`: one-way. Never 0.
    pub request: Option<u64>,
    /// The operation's lane.
    pub lane: Lane,
    /// Whom it is for.
    pub target: Target,
    /// The contract.
    pub kind: Kind,
    /// The operation.
    pub number: OperationNumber,
    /// The operation's message.
    pub args: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Hello is out.
    Greeting,
    /// Describing is out too.
    Described,
    /// In play.
    Open,
    /// Goodbye is out.
    Lingering { until: Mono },
    /// Over.
    Closed,
}

/// The client's side of one connection, without sockets, clock or threads. See the crate's front page for its loop.
#[derive(Debug)]
pub struct ClientLink {
    config: ClientConfig,
    phase: Phase,
    opened_at: Mono,
    streams: IncomingStreams,
    /// Bytes of other lanes that overtook the Welcome, in order of arrival.
    early: Vec<(StreamKey, Bytes)>,
    arrived: Arrived,
    /// Of the session, also of one that this connection is to resume.
    kept: KeptLanes,
    /// The version both speak; 0 before the Welcome.
    minor: u16,
    outbox: Outbox,
    events: VecDeque<ClientEvent>,
    requests: BTreeSet<u64>,
    solos: Solos,
    /// The newest attachment, also after its Detach.
    generation: Option<u32>,
    attached: bool,
    sequence: u32,
    /// Unreliable pushes that came.
    doubles: DoublesWindow,
    newest: NewestOf<(ActorId, OperationNumber)>,
    /// When something last came or time passed.
    now: Mono,
    inputs: Inputs,
    pulse: Pulse,
    counters: Counters,
}

impl ClientLink {
    /// A link on a connection that was just opened; its Hello is ready to leave.
    #[must_use]
    pub fn new(config: ClientConfig, now: Mono) -> Self {
        Self::resuming(config, KeptLanes::default(), now)
    }

    /// A link that is to resume the session of the config's ticket, with what an earlier link [kept](Self::take_kept) of its lanes.
    #[must_use]
    pub fn resuming(config: ClientConfig, kept: KeptLanes, now: Mono) -> Self {
        let input_delay = config.input_delay;
        let mut link = Self {
            pulse: Pulse::new(now, config.ping_every, config.silence_time_max),
            config,
            phase: Phase::Greeting,
            opened_at: now,
            streams: IncomingStreams::default(),
            early: Vec::new(),
            arrived: Arrived::default(),
            kept,
            minor: 0,
            outbox: Outbox::default(),
            events: VecDeque::new(),
            requests: BTreeSet::new(),
            solos: Solos::default(),
            generation: None,
            attached: false,
            sequence: 0,
            doubles: DoublesWindow::default(),
            newest: NewestOf::new(),
            now,
            inputs: Inputs::new(input_delay),
            counters: Counters::default(),
        };
        link.greet();
        link
    }

    fn greet(&mut self) {
        let ClientConfig { features, fingerprint, token, ticket, first_request, .. } = self.config.clone();
        let sizes =
            [("token", &token, limits::TOKEN_BYTES_MAX), ("ticket", &ticket, limits::TICKET_BYTES_MAX)];
        for (what, bytes, max) in sizes {
            if bytes.len() > max {
                let reason = format!("a {what} of {} bytes", bytes.len());
                return self.close_now(CloseCode::TooLarge, reason, ClosedBy::Us);
            }
        }
        let held = self.kept.held();
        let hello = Hello { minor: MINOR, features, fingerprint, token, ticket, first_request, held };
        let _ = self.send(Lane::CONTROL, &hello);
    }

    /// Bytes arrived on a stream, in its order.
    pub fn on_stream(&mut self, now: Mono, key: StreamKey, bytes: &[u8]) {
        self.counters.stream_bytes_in += frame::count(bytes.len());
        if self.is_ending() {
            self.counters.ignored += 1;
            return;
        }
        self.now = now;
        self.outbox.advance(now);
        self.pulse.heard(now);
        if let Err(violation) = self.read_stream(now, key, bytes) {
            self.close_now(violation.code, violation.reason, ClosedBy::Us);
        }
        self.acknowledge(now);
    }

    /// A datagram arrived.
    pub fn on_datagram(&mut self, now: Mono, bytes: &[u8]) {
        self.counters.datagrams_in += 1;
        self.counters.datagram_bytes_in += frame::count(bytes.len());
        if self.is_ending() {
            self.counters.ignored += 1;
            return;
        }
        self.now = now;
        self.outbox.advance(now);
        self.pulse.heard(now);
        if let Err(violation) = self.read_datagram(now, bytes) {
            self.close_now(violation.code, violation.reason, ClosedBy::Us);
        }
    }

    /// The connection is gone; `peer` is the code and reason if the server closed it.
    pub fn on_closed(&mut self, _now: Mono, peer: Option<(CloseCode, String)>) {
        self.outbox.discard();
        if self.phase == Phase::Closed {
            return;
        }
        let by = if peer.is_some() { ClosedBy::Peer } else { ClosedBy::Transport };
        let (code, reason) = peer.unwrap_or_else(|| (CloseCode::Idle, "the connection went away".to_owned()));
        let reason = cut_reason(reason);
        self.end(if matches!(self.phase, Phase::Lingering { .. }) {
            Closing { code: CloseCode::Normal, reason, by: ClosedBy::Us }
        } else {
            Closing { code, reason, by }
        });
    }

    /// The transport says what its path is like.
    pub fn on_path(&mut self, now: Mono, path: Path) {
        self.outbox.advance(now);
        self.outbox.set_path(path);
    }

    /// The time of [`Self::next_deadline`] has come. Calling it early does nothing.
    pub fn on_deadline(&mut self, now: Mono) {
        self.now = now;
        self.outbox.advance(now);
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.phase {
            Phase::Greeting | Phase::Described => {
                let reason = "no answer to the handshake in time".to_owned();
                self.close_now(CloseCode::HandshakeTimeout, reason, ClosedBy::Us);
            }
            Phase::Open if self.pulse.is_silent(now) => {
                self.close_now(CloseCode::Idle, "nothing was heard from the server".to_owned(), ClosedBy::Us);
            }
            Phase::Open if self.outbox.is_stalled(now) => {
                let reason = "the server does not read what is sent to it".to_owned();
                self.close_now(CloseCode::Overloaded, reason, ClosedBy::Us);
            }
            Phase::Open => {
                if self.inputs.due().is_some_and(|due| now >= due) {
                    self.send_input();
                }
                self.acknowledge(now);
                if let Some(nonce) = self.pulse.beat(now) {
                    self.outbox.datagram(Priority::Critical, None, &Ping { nonce }, &mut self.counters);
                }
            }
            Phase::Lingering { .. } => {
                self.close_now(CloseCode::Normal, "closed by the client".to_owned(), ClosedBy::Us);
            }
            Phase::Closed => {}
        }
    }

    /// When [`Self::on_deadline`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        match self.phase {
            Phase::Greeting | Phase::Described => Some(self.opened_at + self.config.handshake_time_max),
            Phase::Open => {
                let ack = self.arrived.due().filter(|_| self.keeps_lanes());
                [Some(self.pulse.next_deadline()), ack, self.outbox.next_deadline(), self.inputs.due()]
                    .into_iter()
                    .flatten()
                    .min()
            }
            Phase::Lingering { until } => Some(until),
            Phase::Closed => None,
        }
    }

    /// The next thing for the transport to do.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.poll(&mut self.counters)
    }

    /// The next thing the server did.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// Sends a call: on the stream of a reliable lane, else as a datagram. Reliable-unordered requests go on streams of their own, few and
    /// small ones. Requests on unreliable lanes go on the
    /// reliable-ordered one of their priority, since they are promised an answer.
    ///
    /// # Errors
    /// The call was not sent: [`SendError::NotOpen`], [`SendError::TooLarge`], [`SendError::Stale`] (to the zone while
    /// attached to none), [`SendError::Busy`] (over [`limits::REQUESTS_OPEN_MAX`] open requests, or more reliable calls wait for the
    /// server's acknowledgement than are kept).
    pub fn call(&mut self, call: OutgoingCall) -> Result<(), SendError> {
        if self.phase != Phase::Open {
            return Err(SendError::NotOpen);
        }
        let target = self.aim(call.target)?;
        if call.request.is_none() && !call.lane.reliability.is_reliable() {
            return self.call_unreliably(call, target);
        }
        let OutgoingCall { request, lane, kind, number, args, .. } = call;
        check_size(args.len(), limits::ARGS_BYTES_MAX)?;
        let too_many =
            |request| self.requests.len() >= limits::REQUESTS_OPEN_MAX || self.requests.contains(&request);
        if request.is_some_and(too_many) {
            return Err(SendError::Busy);
        }
        let lane = reliable(lane);
        let call = Call { request: request.unwrap_or(0), target, kind, number, args };
        if let Some(request) = request
            && lane.reliability == Reliability::ReliableUnordered
            && self.keeps_lanes()
            && self.solos.has_room(call.args.len())
            && let Some(bytes) = frame::solo_bytes(lane, &call)
        {
            // Not kept: a request without an answer is repeated over the next connection.
            self.requests.insert(request);
            self.solos.begin(request, bytes.len());
            self.outbox.solo(lane, bytes, &mut self.counters);
            return Ok(());
        }
        if self.keeps_lanes() {
            let frame = self.kept.keep(lane, &call).ok_or(SendError::Busy)?;
            self.requests.extend(request);
            let sent = self.outbox.stream_bytes(lane, frame, &mut self.counters);
            return sent.or_else(|_| self.overflow(lane));
        }
        self.requests.extend(request);
        self.send(lane, &call)
    }

    /// Whether a request is under way over this link: it was called here, or sent again because the server lacked it.
    #[must_use]
    pub fn has_asked(&self, request: u64) -> bool {
        self.requests.contains(&request)
    }

    /// Whether the server acknowledges lanes, and what is kept of them outlives this link.
    #[must_use]
    pub fn keeps_lanes(&self) -> bool {
        self.phase == Phase::Open && self.minor >= MINOR_LANES
    }

    /// What is kept of the session's lanes so far.
    #[must_use]
    pub const fn kept(&self) -> &KeptLanes {
        &self.kept
    }

    /// What is kept of the session's lanes, for the next link; this one keeps nothing any more.
    pub fn take_kept(&mut self) -> KeptLanes {
        std::mem::take(&mut self.kept)
    }

    fn call_unreliably(&mut self, call: OutgoingCall, target: Aimed) -> Result<(), SendError> {
        let OutgoingCall { lane, kind, number, args, .. } = call;
        check_size(args.len(), limits::DATAGRAM_BYTES_MAX - limits::HEADER_BYTES_MAX)?;
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let latest = lane.reliability == Reliability::UnreliableLatest;
        let key = latest.then_some(DatagramKey::Call(target, kind, number));
        let call = UnreliableCall { sequence, lane, target, kind, number, args };
        if !self.inputs.takes() {
            self.outbox.datagram(lane.priority, key, &call, &mut self.counters);
            return Ok(());
        }
        if !self.inputs.has_room(call.args.len()) {
            self.send_input();
        }
        if !self.inputs.has_room(call.args.len()) {
            // So large that it fits beside nothing.
            self.outbox.datagram(lane.priority, key, &call, &mut self.counters);
        } else if self.inputs.call(call, latest, self.now) {
            self.send_input();
        }
        Ok(())
    }

    /// What the view has taken so far, after each payload of [`ClientEvent::Delta`] and [`ClientEvent::View`] of an attachment
    /// that has deltas. The server is told a moment later, together with the unreliable calls of the meantime.
    pub fn applied(&mut self, received: Received) {
        let is_heard = self.phase == Phase::Open && self.minor >= MINOR_DELTAS;
        if is_heard && self.attached() == Some(received.generation) {
            self.inputs.applied(received, self.now);
        }
    }

    /// What a Delta said of the newest Input: how long it had waited for the Delta's tick. `period` is the time between ticks.
    /// To be told before [`Self::applied`] of that Delta; it decides when the next Input leaves.
    pub fn waited(&mut self, period: Duration, waited: Duration) {
        self.inputs.waited(period, waited);
    }

    fn send_input(&mut self) {
        if let Some(input) = self.inputs.take(self.now) {
            self.outbox.datagram(Priority::High, None, &input, &mut self.counters);
        }
    }

    /// The attachment is over: what waits leaves as it is.
    fn end_inputs(&mut self) {
        if let Some(last) = self.inputs.detach(self.now) {
            self.outbox.datagram(Priority::High, None, &last, &mut self.counters);
        }
    }

    /// Forgets a request: its answer, should it come, is dropped.
    pub fn forget(&mut self, request: u64) {
        self.requests.remove(&request);
    }

    /// Ends the connection in order: Goodbye, then the close, when the server closed or a moment later.
    pub fn close(&mut self, now: Mono, reason: impl Into<String>) {
        let reason = cut_reason(reason);
        match self.phase {
            Phase::Open => {
                if self.send(Lane::CONTROL, &Goodbye { code: CloseCode::Normal, reason }).is_ok() {
                    self.phase = Phase::Lingering { until: now + limits::LINGER_TIME_MAX };
                }
            }
            Phase::Greeting | Phase::Described => self.close_now(CloseCode::Normal, reason, ClosedBy::Us),
            Phase::Lingering { .. } | Phase::Closed => {}
        }
    }

    /// Ends the connection at once because of what the server sent: for faults that only a reader of payloads can see.
    pub fn abort(&mut self, code: CloseCode, reason: impl Into<String>) {
        if !self.is_ending() {
            self.close_now(code, reason.into(), ClosedBy::Us);
        }
    }

    /// The smoothed round-trip time; `None` before the first pong.
    #[must_use]
    pub const fn rtt(&self) -> Option<Duration> {
        self.pulse.rtt()
    }

    /// Counts so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether calls can go.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// The present attachment.
    #[must_use]
    pub fn attached(&self) -> Option<u32> {
        self.generation.filter(|_| self.attached)
    }

    /// Bytes held for this server: unfinished and early frames, undelivered events, unsent writes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let early: usize = self.early.iter().map(|(_, bytes)| bytes.len()).sum();
        let events: usize = self.events.iter().map(event_bytes).sum();
        let waiting = self.outbox.waiting_bytes() + self.inputs.waiting_bytes();
        self.streams.kept_bytes() + early + self.kept.held_bytes() + waiting + events
    }
}

/// What leaves, and the end.
impl ClientLink {
    /// Where a call goes, as it travels.
    fn aim(&self, target: Target) -> Result<Aimed, SendError> {
        match target {
            Target::Own => Ok(Aimed::Own),
            Target::Zone => {
                self.attached().map(|generation| Aimed::Zone { generation }).ok_or(SendError::Stale)
            }
            Target::Actor(actor) => Ok(Aimed::Actor { key: actor.key }),
        }
    }

    fn send<F: frame::Layout>(&mut self, lane: Lane, frame: &F) -> Result<(), SendError> {
        if self.outbox.stream(lane, frame, &mut self.counters).is_err() {
            return self.overflow(lane);
        }
        Ok(())
    }

    fn send_bytes(&mut self, lane: Lane, frame: &[u8]) -> Result<(), SendError> {
        if self.outbox.stream_bytes(lane, frame, &mut self.counters).is_err() {
            return self.overflow(lane);
        }
        Ok(())
    }

    fn overflow(&mut self, lane: Lane) -> Result<(), SendError> {
        self.close_now(CloseCode::Overloaded, format!("too much waits on lane {lane}"), ClosedBy::Us);
        Err(SendError::NotOpen)
    }

    /// Tells the server what arrived, if that is due.
    fn acknowledge(&mut self, now: Mono) {
        if !self.keeps_lanes() {
            return;
        }
        if self.arrived.acknowledge(now, &self.kept, &mut self.outbox, &mut self.counters).is_err() {
            let _ = self.overflow(Lane::CONTROL);
        }
    }

    const fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Lingering { .. } | Phase::Closed)
    }

    fn close_now(&mut self, code: CloseCode, reason: String, by: ClosedBy) {
        let reason = cut_reason(reason);
        self.outbox.close(code, reason.clone());
        self.end(Closing { code, reason, by });
    }

    fn end(&mut self, closing: Closing) {
        self.phase = Phase::Closed;
        self.streams.clear();
        self.early.clear();
        self.requests.clear();
        self.events.push_back(ClientEvent::Closed(closing));
    }
}

fn check_size(bytes: usize, max: usize) -> Result<(), SendError> {
    if bytes > max { Err(SendError::TooLarge { bytes, max }) } else { Ok(()) }
}

fn event_bytes(event: &ClientEvent) -> usize {
    let payload = match event {
        ClientEvent::Ticket(ticket) => ticket.bytes.len(),
        ClientEvent::Welcome(_) | ClientEvent::Attached(_) | ClientEvent::Detached { .. } => 0,
        ClientEvent::Answer { result, .. } => result.as_ref().map_or(0, Bytes::len),
        ClientEvent::Push(push) => push.args.len(),
        ClientEvent::View { payload, .. }
        | ClientEvent::State { payload, .. }
        | ClientEvent::Delta { payload, .. } => payload.len(),
        ClientEvent::Closed(closing) => closing.reason.len(),
    };
    payload + size_of::<ClientEvent>()
}
