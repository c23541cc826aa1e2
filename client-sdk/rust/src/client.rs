//! The client's core: one player's connection to a game, over reconnects, without runtime, sockets or clock.
//!
//! *Responsible for*: sessions, reconnecting and going on, calls and answers, the view and its playback clock, events.
//! *Not responsible for*: sockets (drivers), frames (`lightmoon_wire`), bits of state (`lightmoon_replica`).
//!
//! ```text
//! Connecting ──Welcome──► Connected ──break──► Resuming ──Welcome──► Connected …
//!      └── a close that is final, or too many tries ──► Lost ◄────┘
//! ```
//!
//! Invariants:
//! - I1: every request ends exactly once: with an answer or an error. Over reconnects it is served once, as long as its session lives.
//! - I2: the view shows entities of the present session and attachment only.
//! - I3: `Lost` is the last event of the connection; no action follows but the close.

mod arrive;
mod calls;
mod resume;
mod retry;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::codec::{self, DecodeReason, Limits};
use lightmoon_contract::operation::{Link, Target};
use lightmoon_contract::{ActorRef, CallError, Contract, DecodeError, Mono, Operation, Tick};
use lightmoon_replica::{ClientView, Playback};
use lightmoon_wire::{
    Attach, ClientConfig, ClientLink, CloseCode, ClosedBy, Closing, KeptLanes, OutgoingCall, Path, SendError,
    StreamKey, Transmit, Welcome,
};

use crate::event::Event;
use crate::options::ClientOptions;
use crate::stats::ClientStats;

use calls::Calls;
pub use calls::Pending;
use retry::Retry;

/// Longest times from a state packet to the answer, of which each client has one: what lets the transport's acknowledgements ride
/// along, less what a client is woken late.
const INPUT_DELAYS_MS: std::ops::RangeInclusive<u64> = 18..=24;

/// Something for the driver to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open a new connection, forget the one before, and report by [`Client::on_connected`] or
    /// [`Client::on_unreachable`].
    Connect {
        /// The number of the try since the last session, from 1.
        attempt: u32,
    },
    /// Do this on the present connection.
    Transmit(Transmit),
}

/// How a client is connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConnectionState {
    /// Before the first session.
    Connecting,
    /// A session is up.
    Connected,
    /// The connection broke; the client comes back by itself, and requests wait for that.
    Resuming,
    /// Over, for this reason.
    Lost(Closing),
}

/// What the connection underneath is doing.
#[derive(Debug)]
enum Phase {
    /// The next try begins then.
    Waiting { until: Mono },
    /// The driver connects; it has until then. The first tick sets it, since only ticks know the time for sure.
    Dialling { until: Option<Mono> },
    /// There is a connection, and perhaps a session.
    Linked,
    /// Over.
    Lost,
}

/// A client of one server. Each mutation is followed by draining [`Client::poll_transmit`] and [`Client::poll_event`];
/// see the crate's front page.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    state: ConnectionState,
    phase: Phase,
    now: Mono,
    link: Option<ClientLink>,
    /// What the links before kept of the session's lanes, while there is none.
    kept: KeptLanes,
    /// A Connect that the driver has not seen yet.
    connect: Option<u32>,
    retry: Retry,
    calls: Calls,
    session: Option<Welcome>,
    /// The session whose connection broke.
    before: Option<Welcome>,
    /// The session goes on and looked at a zone: an Attach is on its way.
    awaits_attach: bool,
    /// Requests wait for answers to others.
    more_waits: bool,
    /// When the newest session began.
    welcomed: Mono,
    attached: Option<Attach>,
    view: ClientView,
    playback: Playback,
    newest: Option<Tick>,
    events: VecDeque<Event>,
    state_events: bool,
    stats: ClientStats,
}

impl Client {
    /// A client that wants to connect; the first action is [`Action::Connect`]. `seed` spreads the reconnects of many
    /// clients; any number will do.
    #[must_use]
    pub fn new(options: ClientOptions, seed: u64) -> Self {
        let descriptor = Bytes::from(options.descriptor.to_bytes());
        let mut config = ClientConfig::new(options.descriptor.fingerprint(), descriptor, options.token);
        // So that the answers of many clients to one tick do not come together.
        config.input_delay = Duration::from_millis(
            INPUT_DELAYS_MS.start() + seed % (INPUT_DELAYS_MS.end() - INPUT_DELAYS_MS.start() + 1),
        );
        let mut client = Self {
            config,
            state: ConnectionState::Connecting,
            phase: Phase::Waiting { until: Mono(0) },
            now: Mono(0),
            link: None,
            kept: KeptLanes::default(),
            connect: None,
            retry: Retry::new(options.retry, seed),
            calls: Calls::default(),
            session: None,
            before: None,
            awaits_attach: false,
            more_waits: false,
            welcomed: Mono(0),
            attached: None,
            view: ClientView::new(options.schema),
            playback: Playback::new(),
            newest: None,
            events: VecDeque::new(),
            state_events: options.state_events,
            stats: ClientStats::default(),
        };
        client.dial();
        client
    }

    /// The driver's connection is up.
    pub fn on_connected(&mut self, now: Mono) {
        self.now = now;
        if matches!(self.phase, Phase::Dialling { .. }) {
            self.drop_link();
            self.phase = Phase::Linked;
            self.prepare_hello();
            let kept = std::mem::take(&mut self.kept);
            self.link = Some(ClientLink::resuming(self.config.clone(), kept, now));
            self.pump();
        }
    }

    /// Bytes arrived on a stream of the present connection, in its order.
    pub fn on_stream(&mut self, now: Mono, key: StreamKey, bytes: &[u8]) {
        self.now = now;
        if let Some(link) = &mut self.link {
            link.on_stream(now, key, bytes);
            self.pump();
        }
    }

    /// A datagram of the present connection arrived.
    pub fn on_datagram(&mut self, now: Mono, bytes: &[u8]) {
        self.now = now;
        if let Some(link) = &mut self.link {
            link.on_datagram(now, bytes);
            self.pump();
        }
    }

    /// The transport says what the path of the present connection is like.
    pub fn on_path(&mut self, now: Mono, path: Path) {
        if let Some(link) = &mut self.link {
            link.on_path(now, path);
        }
    }

    /// The present connection is gone; `peer` is the code and reason if the server closed it.
    pub fn on_closed(&mut self, now: Mono, peer: Option<(CloseCode, String)>) {
        self.now = now;
        if !matches!(self.phase, Phase::Linked) {
            return;
        }
        if let Some(link) = &mut self.link {
            link.on_closed(now, peer);
        }
        self.pump();
    }

    /// The connection that [`Action::Connect`] asked for could not be made.
    pub fn on_unreachable(&mut self, now: Mono, reason: impl Into<String>) {
        self.now = now;
        if matches!(self.phase, Phase::Dialling { .. }) {
            self.ended(Closing { code: CloseCode::Idle, reason: reason.into(), by: ClosedBy::Transport });
        }
    }

    /// Time passed: sends pings, ends requests that took too long, tries again. Call it at [`Client::next_deadline`],
    /// or once a frame.
    pub fn tick(&mut self, now: Mono) {
        self.now = now;
        match self.phase {
            Phase::Waiting { until } if now >= until && self.connect.is_none() => self.dial(),
            Phase::Dialling { until: None } => {
                self.phase = Phase::Dialling { until: Some(now + self.retry.dial_time_max()) };
            }
            Phase::Dialling { until: Some(until) } if now >= until => self.ended(Closing {
                code: CloseCode::HandshakeTimeout,
                reason: "the server could not be reached in time".to_owned(),
                by: ClosedBy::Us,
            }),
            Phase::Waiting { .. } | Phase::Dialling { .. } | Phase::Linked | Phase::Lost => {}
        }
        if let Some(link) = &mut self.link {
            link.on_deadline(now);
        }
        self.pump();
        while let Some(request) = self.calls.overdue(now) {
            self.stats.requests_timed_out += 1;
            if let Some(link) = &mut self.link {
                link.forget(request);
            }
            self.fail(request, CallError::TimedOut);
        }
    }

    /// When [`Client::tick`] wants to be called; `None`: only after something else happened.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let phase = match self.phase {
            Phase::Waiting { until } => Some(until),
            Phase::Dialling { until } => Some(until.unwrap_or(self.now)),
            Phase::Linked | Phase::Lost => None,
        };
        let link = self.link.as_ref().and_then(ClientLink::next_deadline);
        [phase, link, self.calls.next_deadline()].into_iter().flatten().min()
    }

    /// The next thing for the driver to do.
    pub fn poll_transmit(&mut self) -> Option<Action> {
        if let Some(transmit) = self.link.as_mut().and_then(ClientLink::poll_transmit) {
            return Some(Action::Transmit(transmit));
        }
        if !matches!(self.phase, Phase::Linked) {
            self.drop_link();
        }
        let attempt = self.connect.take()?;
        self.phase = Phase::Dialling { until: None };
        Some(Action::Connect { attempt })
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// A proxy of the session's own player.
    pub fn me<C: Contract>(&mut self) -> C::Proxy<'_, Self> {
        C::proxy(self, Target::Own)
    }

    /// A proxy of the zone the client is attached to.
    pub fn zone<C: Contract>(&mut self) -> C::Proxy<'_, Self> {
        C::proxy(self, Target::Zone)
    }

    /// A proxy of any actor, for operations whose contract allows that.
    pub fn actor<C: Contract>(&mut self, to: ActorRef<C>) -> C::Proxy<'_, Self> {
        C::proxy(self, to.into())
    }

    /// Takes the answer to a request; `None` while there is none, and after it was taken.
    ///
    /// A request outlives its connection: after a reconnect it is sent again, and served once, as long as its session goes on.
    ///
    /// # Errors
    /// Inside: what the server answered, or one of these. Whether the request *may have been served* is what to look at before asking
    /// again under a new number; if it was certainly not, [`Self::take_undelivered`] gives its message back.
    ///
    /// | error | served? |
    /// |---|---|
    /// | `timed-out` | maybe; no, if it never left |
    /// | `gone` | maybe: its session ended, or the server was restarted, before the answer; no, if it never left |
    /// | `answer-forgotten` | yes, and nobody knows the answer any more |
    /// | `panicked` | maybe |
    /// | `bad-arguments` for an answer that cannot be read | yes |
    /// | `busy`, `too-fast`, `not-allowed`, `not-attached` and all others | no |
    pub fn reply<O: Operation>(&mut self, pending: &Pending<O>) -> Option<Result<O::Reply, CallError>> {
        let answer = self.calls.take(pending.request())?;
        Some(answer.and_then(|bytes| codec::decode(&bytes, Limits::NODE).map_err(CallError::BadArguments)))
    }

    /// The message of a request that ended with an error and was certainly not served; `None` for any other, and after it was taken.
    /// The last [`crate::limits::UNDELIVERED_WAITING_MAX`] are kept.
    pub fn take_undelivered<O: Operation>(&mut self, pending: &Pending<O>) -> Option<O> {
        let bytes = self.calls.take_undelivered(pending.request())?;
        codec::decode(&bytes, Limits::NODE).ok()
    }

    /// What the client sees.
    #[must_use]
    pub const fn view(&self) -> &ClientView {
        &self.view
    }

    /// The tick to draw now, for [`lightmoon_replica::Entity::sample`]; `None` before the first state packet. Never lower than
    /// before within one attachment.
    pub fn render_tick(&mut self, now: Mono) -> Option<f64> {
        self.playback.render_tick(now)
    }

    /// How the client is connected.
    #[must_use]
    pub const fn state(&self) -> &ConnectionState {
        &self.state
    }

    /// The present session, with the player's key.
    #[must_use]
    pub const fn session(&self) -> Option<&Welcome> {
        self.session.as_ref()
    }

    /// The zone the client looks at, and the player's entity in it.
    #[must_use]
    pub const fn attached(&self) -> Option<&Attach> {
        self.attached.as_ref()
    }

    /// The smoothed round-trip time of the present connection.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.link.as_ref().and_then(ClientLink::rtt)
    }

    /// Counts so far.
    #[must_use]
    pub fn stats(&self) -> ClientStats {
        let mut stats = self.stats;
        if let Some(link) = &self.link {
            stats.add(link.counters());
        }
        stats
    }

    /// Ends the session in order. `Lost` follows when the server knows, or a moment later.
    pub fn close(&mut self, reason: &str) {
        match (&self.phase, &mut self.link) {
            (Phase::Linked, Some(link)) => {
                link.close(self.now, reason);
                self.pump();
            }
            (Phase::Lost, _) => {}
            (Phase::Waiting { .. } | Phase::Dialling { .. } | Phase::Linked, _) => {
                let closing =
                    Closing { code: CloseCode::Normal, reason: reason.to_owned(), by: ClosedBy::Us };
                self.lose(closing);
            }
        }
    }
}

/// The end of a connection, and the next one.
impl Client {
    fn dial(&mut self) {
        self.stats.tries += 1;
        self.connect = Some(self.retry.begin());
    }

    /// A connection ended, or a try failed.
    fn ended(&mut self, closing: Closing) {
        let asked_for = closing.by == ClosedBy::Us && closing.code == CloseCode::Normal;
        let had_session = self.session.is_some();
        if had_session {
            self.retry.lasted(self.now.since(self.welcomed));
        }
        match self.retry.wait() {
            Some(wait) if closing.code.is_worth_a_retry() && !asked_for => {
                self.session_breaks();
                self.phase = Phase::Waiting { until: self.now + wait };
                if had_session {
                    self.state = ConnectionState::Resuming;
                    self.say(Event::Resuming(closing));
                }
            }
            Some(_) | None => self.lose(closing),
        }
    }

    fn lose(&mut self, closing: Closing) {
        self.session_ends();
        self.phase = Phase::Lost;
        self.connect = None;
        self.state = ConnectionState::Lost(closing.clone());
        self.say(Event::Lost(closing));
    }

    fn drop_link(&mut self) {
        if let Some(mut link) = self.link.take() {
            self.stats.add(link.counters());
            self.kept = link.take_kept();
        }
        if !self.can_resume() {
            self.kept = KeptLanes::default();
        }
    }
}

/// A call as it is sent.
fn outgoing<O: Operation>(to: Target, message: &O, request: Option<u64>) -> OutgoingCall {
    OutgoingCall {
        request,
        lane: O::SPEC.lane,
        target: to,
        kind: O::Contract::KIND,
        number: O::SPEC.number,
        args: codec::encode(message).into(),
    }
}

/// The error of a call that was not sent.
fn why(error: SendError) -> CallError {
    match error {
        SendError::Stale => CallError::NotAttached,
        SendError::TooLarge { max, .. } => {
            CallError::BadArguments(DecodeError::new(max, DecodeReason::TooLong))
        }
        SendError::Busy => CallError::Busy,
        // Whatever else keeps a link from sending: there is none to rely on.
        SendError::NotOpen | SendError::Unasked | _ => CallError::Gone,
    }
}

impl Link for Client {
    /// An error says that the call was not sent and nothing was done: `gone` without a session, `not-attached`, `busy`,
    /// `bad-arguments` if the message is too large.
    type Told = Result<(), CallError>;
    type Asked<O: Operation> = Pending<O>;

    fn tell<O: Operation>(&mut self, to: Target, message: O) -> Self::Told {
        let call = outgoing(to, &message, None);
        match self.link.as_mut().ok_or(SendError::NotOpen).and_then(|link| link.call(call)) {
            Ok(()) => {
                self.stats.calls += 1;
                Ok(())
            }
            Err(error) => {
                self.stats.calls_undelivered += 1;
                // A lane that overflowed has ended the link.
                self.pump();
                Err(why(error))
            }
        }
    }

    fn ask<O: Operation>(&mut self, to: Target, message: O) -> Pending<O> {
        let request = self.calls.number();
        let timeout = Duration::from_millis(u64::from(O::SPEC.timeout_ms));
        self.calls.begin(request, outgoing(to, &message, Some(request)), self.now + timeout);
        self.ask_or_queue(request, to);
        Pending::new(request)
    }
}
