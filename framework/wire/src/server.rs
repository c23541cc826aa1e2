//! The server's side of one connection.
//!
//! *Responsible for*: the handshake, what a client may send when, open requests, doubled and stale calls, the end.
//! *Not responsible for*: who the player is, whether an operation may be called (the node asks contract and
//! authenticator), sockets (`net`).
//!
//! ```text
//! Hello ──event──► Deciding ──settle: unknown──► Describing ──event──► Deciding ──welcome──► Open ──► Closed
//!                     └──────────refuse──────────► Lingering (Refuse or Goodbye is on its way) ─────────┘
//! ```
//!
//! Invariants:
//! - I1: before the Welcome nothing is taken but [`limits::HANDSHAKE_BYTES_MAX`] on the control lane.
//! - I2: every request gets at most one answer, and only while it is open.
//! - I3: `Closed` is the last event, and comes exactly once.
//! - I4: what one link holds is bounded, whatever its peer sends.

mod arrive;
mod handshake;
#[cfg(test)]
mod lane_tests;
#[cfg(test)]
mod solo_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Kind, Lane, Mono, OperationNumber, Priority, Reliability};

use crate::arrived::Arrived;
use crate::close::{CloseCode, ClosedBy, Closing, Violation, cut, cut_reason};
use crate::counters::Counters;
use crate::error::SendError;
use crate::frame::{
    self, Answer, Attach, Delta, Detach, Fault, Goodbye, Hello, Push, Received, State, Ticket,
    UnreliablePush, View,
};
use crate::kept::KeptLanes;
use crate::stream::{IncomingStreams, StreamKey};
use crate::transmit::{DatagramKey, Outbox, Path, Transmit};
use crate::window::{DoublesWindow, NewestOf, is_newer_than};
use crate::{MINOR_DELTAS, MINOR_LANES, MINOR_TICKETS, VIEW_LANE, limits, reliable};

pub use handshake::{Grant, Settled};

/// What a server tells its links. The same for all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ServerConfig {
    /// Abilities to offer in the Welcome, as bits; default none. Since `lightmoon/1` minor 0.
    pub features: u64,
    /// Time for a handshake; default [`limits::HANDSHAKE_TIME_MAX`]. Longer ones let strangers hold memory longer.
    pub handshake_time_max: std::time::Duration,
    /// Silence after which a client is given up; default [`limits::IDLE_TIME_MAX`]. It has to be longer
    /// than the minute between two pings of a page in the background.
    pub idle_time_max: std::time::Duration,
    /// How long the last frames of an orderly end may take; default [`limits::LINGER_TIME_MAX`].
    pub linger_time_max: std::time::Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            features: 0,
            handshake_time_max: limits::HANDSHAKE_TIME_MAX,
            idle_time_max: limits::IDLE_TIME_MAX,
            linger_time_max: limits::LINGER_TIME_MAX,
        }
    }
}

/// What a client did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerEvent {
    /// Somebody wants in. Answer with [`ServerLink::settle`], then [`ServerLink::welcome`] or [`ServerLink::refuse`].
    /// Comes a second time, with the descriptor at hand, if `settle` had to ask for it.
    Hello(Hello),
    /// A call. A request has to be answered once, with [`ServerLink::answer`].
    Call(IncomingCall),
    /// What arrived of the present attachment; for who writes its deltas.
    Received(Received),
    /// The connection is over; nothing else will come. The link may be dropped once its transmits are drained.
    Closed(Closing),
}

/// A call of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingCall {
    /// The number to answer to; `None`: one-way.
    pub request: Option<u64>,
    /// The lane it came on; compare it with the operation's.
    pub lane: Lane,
    /// Whom it is for.
    pub target: Target,
    /// The contract it names; compare it with what the target is.
    pub kind: Kind,
    /// The operation.
    pub number: OperationNumber,
    /// The operation's message.
    pub args: Bytes,
}

/// How a request came, and its answer goes.
#[derive(Clone, Copy, Debug)]
struct Way {
    lane: Lane,
    is_solo: bool,
}

#[derive(Debug)]
enum Phase {
    /// Waits for Hello.
    Fresh,
    /// Hello is there; the node decides.
    Deciding(Hello),
    /// Waits for the descriptor.
    Describing(Hello),
    /// In play.
    Open,
    /// Refuse or Goodbye is on its way; nothing is taken any more.
    Lingering { until: Mono, closing: Closing },
    /// Over.
    Closed,
}

/// The server's side of one connection, without sockets, clock or threads. See the crate's front page for its loop.
#[derive(Debug)]
pub struct ServerLink {
    config: ServerConfig,
    phase: Phase,
    opened_at: Mono,
    heard_at: Mono,
    handshake_bytes: usize,
    /// The minor version that both speak; 0 before the Welcome.
    minor: u16,
    /// The descriptor that the client sent.
    described: Option<Bytes>,
    streams: IncomingStreams,
    arrived: Arrived,
    /// Of the session; empty below minor 2.
    kept: KeptLanes,
    outbox: Outbox,
    path: Path,
    events: VecDeque<ServerEvent>,
    /// Requests without an answer yet, and where it goes.
    requests: BTreeMap<u64, Way>,
    /// The newest attachment, also after its end.
    generation: Option<u32>,
    attached: bool,
    /// Of the next unreliable push.
    sequence: u32,
    doubles: DoublesWindow,
    newest: NewestOf<(Target, Kind, OperationNumber)>,
    counters: Counters,
}

impl ServerLink {
    /// A link on a connection that was just opened.
    #[must_use]
    pub fn new(config: ServerConfig, now: Mono) -> Self {
        Self {
            config,
            phase: Phase::Fresh,
            opened_at: now,
            heard_at: now,
            handshake_bytes: 0,
            minor: 0,
            described: None,
            streams: IncomingStreams::default(),
            arrived: Arrived::default(),
            kept: KeptLanes::default(),
            outbox: Outbox::default(),
            path: Path::default(),
            events: VecDeque::new(),
            requests: BTreeMap::new(),
            generation: None,
            attached: false,
            sequence: 0,
            doubles: DoublesWindow::default(),
            newest: NewestOf::new(),
            counters: Counters::default(),
        }
    }

    /// Bytes arrived on a stream, in its order.
    pub fn on_stream(&mut self, now: Mono, key: StreamKey, bytes: &[u8]) {
        self.counters.stream_bytes_in += frame::count(bytes.len());
        if self.is_ending() {
            self.counters.ignored += 1;
            return;
        }
        self.advance(now);
        self.heard_at = now;
        if let Err(violation) = self.read_stream(now, key, bytes) {
            self.violated(violation);
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
        self.advance(now);
        self.heard_at = now;
        if let Err(violation) = self.read_datagram(bytes) {
            self.violated(violation);
        }
    }

    /// The connection is gone; `peer` is the code if the client closed it, else it broke.
    pub fn on_closed(&mut self, _now: Mono, peer: Option<CloseCode>) {
        self.outbox.discard();
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Closed => {}
            Phase::Lingering { closing, .. } => self.end(closing),
            Phase::Fresh | Phase::Deciding(_) | Phase::Describing(_) | Phase::Open => {
                let (code, by) = match peer {
                    Some(code) => (code, ClosedBy::Peer),
                    None => (CloseCode::Idle, ClosedBy::Transport),
                };
                self.end(Closing { code, reason: "the connection went away".to_owned(), by });
            }
        }
    }

    /// The time is now; the same as any other input, for a link that had none this turn and is drained nevertheless.
    pub fn advance(&mut self, now: Mono) {
        self.outbox.advance(now);
    }

    /// The transport says what its path is like.
    pub fn on_path(&mut self, now: Mono, path: Path) {
        self.advance(now);
        self.path = path;
        self.outbox.set_path(path);
    }

    /// Most bytes of a State payload that the path carries, at most [`limits::STATE_BYTES_MAX`].
    #[must_use]
    pub fn state_bytes_max(&self) -> usize {
        self.path.datagram_bytes_max.saturating_sub(limits::STATE_HEADER_BYTES).min(limits::STATE_BYTES_MAX)
    }

    /// The time of [`Self::next_deadline`] has come. Calling it early does nothing.
    pub fn on_deadline(&mut self, now: Mono) {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        self.advance(now);
        if self.is_open() && now < self.heard_at + self.config.idle_time_max {
            return self.on_lane_deadline(now);
        }
        match std::mem::replace(&mut self.phase, Phase::Closed) {
            Phase::Fresh | Phase::Deciding(_) | Phase::Describing(_) => {
                self.close_now(
                    CloseCode::HandshakeTimeout,
                    "no complete handshake in time".to_owned(),
                    ClosedBy::Us,
                );
            }
            Phase::Open => self.close_now(CloseCode::Idle, "nothing was heard".to_owned(), ClosedBy::Us),
            Phase::Lingering { closing, .. } => {
                self.outbox.close(closing.code, closing.reason.clone());
                self.end(closing);
            }
            Phase::Closed => {}
        }
    }

    /// When [`Self::on_deadline`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        match &self.phase {
            Phase::Fresh | Phase::Deciding(_) | Phase::Describing(_) => {
                Some(self.opened_at + self.config.handshake_time_max)
            }
            Phase::Open => {
                let idle = self.heard_at + self.config.idle_time_max;
                let ack = self.arrived.due().filter(|_| self.keeps_lanes());
                [Some(idle), ack, self.outbox.next_deadline()].into_iter().flatten().min()
            }
            Phase::Lingering { until, .. } => Some(*until),
            Phase::Closed => None,
        }
    }

    /// The next thing for the transport to do.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.outbox.poll(&mut self.counters)
    }

    /// The next thing the client did.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// Answers an open request.
    ///
    /// # Errors
    /// [`SendError::Unasked`]: no such request is open (answered before, or never made); the answer is dropped.
    /// [`SendError::TooLarge`]: the value is over [`limits::ANSWER_BYTES_MAX`]; the request stays open.
    pub fn answer(&mut self, request: u64, result: Result<Bytes, CallError>) -> Result<(), SendError> {
        self.check_open()?;
        let Way { lane, is_solo } = *self.requests.get(&request).ok_or(SendError::Unasked)?;
        if let Ok(value) = &result {
            check_size(value.len(), limits::ANSWER_BYTES_MAX)?;
        }
        self.requests.remove(&request);
        let answer = Answer { request, result: result.map_err(|error| fault(&error)) };
        if is_solo && let Some(bytes) = frame::solo_bytes(lane, &answer) {
            self.outbox.solo(lane, bytes, &mut self.counters);
            return Ok(());
        }
        self.send(lane, &answer)
    }

    /// Sends a message of an actor. On an unreliable lane it is a datagram, and may be lost; for a client below minor 2, and if it is too large for
    /// one, it goes on the reliable-ordered lane of its priority.
    ///
    /// # Errors
    /// [`SendError::TooLarge`]: the arguments are over [`limits::PUSH_BYTES_MAX`].
    pub fn push(
        &mut self,
        lane: Lane,
        from: ActorId,
        number: OperationNumber,
        args: Bytes,
    ) -> Result<(), SendError> {
        self.check_open()?;
        check_size(args.len(), limits::PUSH_BYTES_MAX)?;
        let datagram_max = self.path.datagram_bytes_max.min(limits::DATAGRAM_BYTES_MAX);
        let fits = args.len() + limits::HEADER_BYTES_MAX <= datagram_max;
        if !lane.reliability.is_reliable() && fits && self.keeps_lanes() {
            self.push_unreliably(lane, from, number, args);
            return Ok(());
        }
        let (lane, push) = (reliable(lane), Push { from, number, args });
        if !self.keeps_lanes() {
            return self.send(lane, &push);
        }
        if let Some(frame) = self.kept.keep(lane, &push)
            && self.outbox.stream_bytes(lane, frame, &mut self.counters).is_ok()
        {
            return Ok(());
        }
        self.overflow(lane);
        Err(SendError::NotOpen)
    }

    /// Whether the client acknowledges lanes, and what is kept of them outlives this link.
    #[must_use]
    pub const fn keeps_lanes(&self) -> bool {
        self.is_open() && self.minor >= MINOR_LANES
    }

    /// What the frames cost that the client has not acknowledged: a producer of bulk stops well below [`limits::KEPT_BYTES_MAX`] a lane.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.kept.held_bytes()
    }

    /// What is kept of the session's lanes; the link keeps nothing any more, so it has to be over or closing.
    pub fn take_kept(&mut self) -> KeptLanes {
        std::mem::take(&mut self.kept)
    }

    /// Whether the client knows what a ticket is, and keeps the numbers of its requests over reconnects.
    #[must_use]
    pub const fn takes_tickets(&self) -> bool {
        self.is_open() && self.minor >= MINOR_TICKETS
    }

    /// Gives the client what resumes its session; it forgets the one before. Does nothing for a client of minor 0.
    ///
    /// # Errors
    /// [`SendError::TooLarge`]: over [`limits::TICKET_BYTES_MAX`].
    pub fn ticket(&mut self, bytes: Bytes) -> Result<(), SendError> {
        self.check_open()?;
        check_size(bytes.len(), limits::TICKET_BYTES_MAX)?;
        if self.takes_tickets() { self.send(Lane::CONTROL, &Ticket { bytes }) } else { Ok(()) }
    }

    /// Lets the session look at a zone.
    ///
    /// # Errors
    /// [`SendError::Stale`]: the generation is not newer (wrapping) than the last one.
    pub fn attach(&mut self, attach: Attach) -> Result<(), SendError> {
        self.check_open()?;
        if self.generation.is_some_and(|newest| !is_newer_than(attach.generation, newest)) {
            return Err(SendError::Stale);
        }
        self.generation = Some(attach.generation);
        self.attached = true;
        self.send(VIEW_LANE, &attach)
    }

    /// Lets the session look at no zone.
    ///
    /// # Errors
    /// [`SendError::Stale`]: this is not the present attachment.
    pub fn detach(&mut self, generation: u32) -> Result<(), SendError> {
        self.check_attached(generation)?;
        self.attached = false;
        self.send(VIEW_LANE, &Detach { generation })
    }

    /// Sends the reliable part of what the session sees.
    ///
    /// # Errors
    /// [`SendError::Stale`]: of another attachment than the present one; dropped.
    /// [`SendError::TooLarge`]: over [`limits::VIEW_BYTES_MAX`].
    pub fn view(&mut self, generation: u32, payload: Bytes) -> Result<(), SendError> {
        self.check_attached(generation)?;
        check_size(payload.len(), limits::VIEW_BYTES_MAX)?;
        self.send(VIEW_LANE, &View { generation, payload })
    }

    /// Sends the unreliable part of what the session sees.
    ///
    /// # Errors
    /// As [`Self::view`], with [`limits::STATE_BYTES_MAX`].
    pub fn state(&mut self, generation: u32, payload: Bytes) -> Result<(), SendError> {
        self.check_attached(generation)?;
        check_size(payload.len(), limits::STATE_BYTES_MAX)?;
        let state = State { generation, payload };
        self.outbox.datagram(Priority::High, Some(DatagramKey::State), &state, &mut self.counters);
        Ok(())
    }

    /// Whether the client reads Delta and answers by Input; then it is sent no State.
    #[must_use]
    pub const fn takes_deltas(&self) -> bool {
        self.is_open() && self.minor >= MINOR_DELTAS
    }

    /// Sends the unreliable part of what the session sees, against what it said it has. Does nothing for a client of a minor
    /// below 2.
    ///
    /// # Errors
    /// As [`Self::state`].
    pub fn delta(&mut self, generation: u32, payload: Bytes) -> Result<(), SendError> {
        self.check_attached(generation)?;
        check_size(payload.len(), limits::STATE_BYTES_MAX)?;
        if self.takes_deltas() {
            let delta = Delta { generation, payload };
            self.outbox.datagram(Priority::High, Some(DatagramKey::State), &delta, &mut self.counters);
        }
        Ok(())
    }

    /// Ends the connection in order: Goodbye, then the close, when the client closed or a moment later. Nothing the
    /// client sends is taken from now on. Before the Welcome it closes at once.
    pub fn close(&mut self, now: Mono, code: CloseCode, reason: impl Into<String>) {
        let reason = cut_reason(reason);
        match &self.phase {
            Phase::Open => self.linger(now, Goodbye { code, reason: reason.clone() }, code, reason),
            Phase::Fresh | Phase::Deciding(_) | Phase::Describing(_) => {
                self.close_now(code, reason, ClosedBy::Us)
            }
            Phase::Lingering { .. } | Phase::Closed => {}
        }
    }

    /// Counts so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether calls can come and pushes can go.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Bytes that wait in each lane that has a stream, the most urgent first.
    pub fn waiting_bytes(&self) -> impl Iterator<Item = (Lane, usize)> + '_ {
        self.outbox.waiting_bytes_by_lane()
    }

    /// Bytes held for this client: unfinished frames, undelivered events, unsent writes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let events: usize = self.events.iter().map(event_bytes).sum();
        self.streams.kept_bytes() + self.kept.held_bytes() + self.outbox.waiting_bytes() + events
    }
}

/// What leaves, and the end.
impl ServerLink {
    fn send<F: frame::Layout>(&mut self, lane: Lane, frame: &F) -> Result<(), SendError> {
        if self.outbox.stream(lane, frame, &mut self.counters).is_err() {
            self.overflow(lane);
            return Err(SendError::NotOpen);
        }
        Ok(())
    }

    fn push_unreliably(&mut self, lane: Lane, from: ActorId, number: OperationNumber, args: Bytes) {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let latest = lane.reliability == Reliability::UnreliableLatest;
        let key = latest.then_some(DatagramKey::Push(from, number));
        let push = UnreliablePush { sequence, lane, from, number, args };
        self.outbox.datagram(lane.priority, key, &push, &mut self.counters);
    }

    /// More waits than may.
    fn overflow(&mut self, lane: Lane) {
        self.cut_off(format!("too much waits on lane {lane}: the client reads slower than it is written to"));
    }

    /// Ends the link of a client that does not read, without what waits.
    fn cut_off(&mut self, reason: String) {
        self.outbox.close_without_rest(CloseCode::Overloaded, cut_reason(reason.clone()));
        self.close_now(CloseCode::Overloaded, reason, ClosedBy::Us);
    }

    /// Tells the client what arrived, if that is due.
    fn acknowledge(&mut self, now: Mono) {
        if !self.keeps_lanes() {
            return;
        }
        if self.arrived.acknowledge(now, &self.kept, &mut self.outbox, &mut self.counters).is_err() {
            self.overflow(Lane::CONTROL);
        }
    }

    /// Something of the lanes is due.
    fn on_lane_deadline(&mut self, now: Mono) {
        self.acknowledge(now);
        if self.outbox.is_stalled(now) {
            self.cut_off("the client does not read what is sent to it".to_owned());
        }
    }

    fn check_open(&self) -> Result<(), SendError> {
        if self.is_open() { Ok(()) } else { Err(SendError::NotOpen) }
    }

    fn check_attached(&mut self, generation: u32) -> Result<(), SendError> {
        self.check_open()?;
        if self.is_attached(generation) {
            return Ok(());
        }
        self.counters.stale += 1;
        Err(SendError::Stale)
    }

    fn is_attached(&self, generation: u32) -> bool {
        self.attached && self.generation == Some(generation)
    }

    const fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Lingering { .. } | Phase::Closed)
    }

    fn linger<F: frame::Layout>(&mut self, now: Mono, last: F, code: CloseCode, reason: String) {
        if self.send(Lane::CONTROL, &last).is_err() {
            return;
        }
        let until = now + self.config.linger_time_max;
        self.phase = Phase::Lingering { until, closing: Closing { code, reason, by: ClosedBy::Us } };
        self.streams.clear();
        self.requests.clear();
    }

    fn violated(&mut self, violation: Violation) {
        self.close_now(violation.code, violation.reason, ClosedBy::Us);
    }

    fn close_now(&mut self, code: CloseCode, reason: String, by: ClosedBy) {
        let reason = cut_reason(reason);
        self.phase = Phase::Closed;
        self.outbox.close(code, reason.clone());
        self.end(Closing { code, reason, by });
    }

    /// Says the last word. It is not counted against the bound of events.
    fn end(&mut self, closing: Closing) {
        self.streams.clear();
        self.requests.clear();
        self.described = None;
        self.events.push_back(ServerEvent::Closed(closing));
    }
}

fn check_size(bytes: usize, max: usize) -> Result<(), SendError> {
    if bytes > max { Err(SendError::TooLarge { bytes, max }) } else { Ok(()) }
}

fn fault(error: &CallError) -> Fault {
    Fault { code: error.code(), text: cut(error.text(), limits::ERROR_TEXT_BYTES_MAX) }
}

fn event_bytes(event: &ServerEvent) -> usize {
    let payload = match event {
        ServerEvent::Hello(hello) => hello.token.len() + hello.ticket.len(),
        ServerEvent::Call(call) => call.args.len(),
        ServerEvent::Received(_) => 0,
        ServerEvent::Closed(closing) => closing.reason.len(),
    };
    payload + size_of::<ServerEvent>()
}
