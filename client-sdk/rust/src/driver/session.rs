//! A client with its connection: what applications and bots hold.
//!
//! *Responsible for*: running the core against sockets and clock within the caller's task.
//! *Not responsible for*: anything the core decides.
//!
//! Invariants:
//! - I1: all that is under way is in the session, nothing in its futures: dropping one of them loses nothing.
//! - I2: the core hears of the newest connection only.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use lightmoon_contract::Mono;
use lightmoon_wire::Closing;
use tokio::time::{Instant, sleep_until};

use super::endpoint::{ConnectOptions, Endpoint, quic_config};
use super::socket::{Arrival, Socket};
use crate::client::{Action, Client, ConnectionState};
use crate::event::Event;
use crate::limits;

/// Longest time between two ticks of the core, for clocks that ran while it had no deadline.
const TICK_EVERY_MAX: Duration = Duration::from_secs(1);

/// How long [`Session::close`] waits for the server.
const CLOSE_TIME_MAX: Duration = Duration::from_millis(1_500);

/// Why there is no session.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server does not want this client, or all tries failed. The code says whether it makes sense to ask again.
    #[error("no session: {} ({})", .0.reason, .0.code)]
    Lost(Closing),
}

/// Connects and waits for the session to begin, as long as [`crate::RetryOptions`] allow.
///
/// ```no_run
/// # async fn play(options: lightmoon_client::ConnectOptions) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// let endpoint = lightmoon_client::Endpoint::new()?;
/// let mut session = lightmoon_client::connect(&endpoint, options).await?;
/// loop {
///     for event in session.turn(Duration::from_millis(50)).await {
///         println!("{event:?}");
///     }
///     // session.client().zone::<SpaceContract>().steer(..)?;
/// }
/// # }
/// ```
///
/// # Errors
/// [`ConnectError::Lost`].
///
/// # Cancel safety
/// The connection under way is given up.
pub async fn connect(endpoint: &Endpoint, options: ConnectOptions) -> Result<Session, ConnectError> {
    let mut session = Session::new(endpoint, options);
    while let Some(event) = session.next_event().await {
        match event {
            Event::Connected(_) => return Ok(session),
            Event::Lost(closing) => return Err(ConnectError::Lost(closing)),
            Event::Resuming(_)
            | Event::Attached(_)
            | Event::Detached
            | Event::View(_)
            | Event::State(_)
            | Event::Answered { .. }
            | Event::Push(_) => {}
        }
    }
    unreachable!("a client without a session ends with Lost")
}

/// The connection underneath.
enum Connection {
    None,
    Dialling(Pin<Box<dyn Future<Output = Result<quinn::Connection, String>> + Send>>),
    Open(Box<Socket>),
}

/// A client with its connection. It runs while one of its futures is awaited; in between, arriving data waits in bounded
/// buffers, and calls wait for the next one.
pub struct Session {
    client: Client,
    endpoint: Endpoint,
    server: String,
    config: quinn::ClientConfig,
    connection: Connection,
    started: Instant,
    /// Events of a turn that is not over.
    collected: Vec<Event>,
    /// Datagrams dropped by connections before the present one.
    datagrams_dropped: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("server", &self.server)
            .field("state", self.client.state())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session that connects as soon as it is awaited.
    #[must_use]
    pub fn new(endpoint: &Endpoint, options: ConnectOptions) -> Self {
        let ConnectOptions { server, certificates, client, seed } = options;
        Self {
            client: Client::new(client, seed),
            endpoint: endpoint.clone(),
            server,
            config: quic_config(certificates),
            connection: Connection::None,
            started: Instant::now(),
            collected: Vec::new(),
            datagrams_dropped: 0,
        }
    }

    /// The core: calls, answers, the view.
    pub const fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Connects to another `host:port` from the next try on: for servers that moved.
    pub fn set_server(&mut self, server: impl Into<String>) {
        self.server = server.into();
    }

    /// The time as the core sees it, for [`Client::render_tick`].
    #[must_use]
    pub fn now(&self) -> Mono {
        // Not from 0, so that no deadline lies before the start.
        Mono::from_millis(1_000) + self.started.elapsed()
    }

    /// Datagrams that the network had no room for, over all connections: lost as if on the way.
    #[must_use]
    pub fn datagrams_dropped(&self) -> u64 {
        let present = match &self.connection {
            Connection::Open(socket) => socket.datagrams_dropped(),
            Connection::None | Connection::Dialling(_) => 0,
        };
        self.datagrams_dropped + present
    }

    /// Runs for `time` and gives all events of it. Returns early only when the session is lost.
    ///
    /// # Cancel safety
    /// Events so far are given by the next call.
    pub async fn turn(&mut self, time: Duration) -> Vec<Event> {
        let until = Instant::now() + time;
        loop {
            while let Some(event) = self.client.poll_event() {
                let lost = matches!(event, Event::Lost(_));
                self.collected.push(event);
                if lost {
                    self.flush();
                    return std::mem::take(&mut self.collected);
                }
            }
            if Instant::now() >= until {
                self.flush();
                return std::mem::take(&mut self.collected);
            }
            self.round(until).await;
        }
    }

    /// Runs until something happens; `None` once the session is lost and all its events were given.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.client.poll_event() {
                return Some(event);
            }
            if matches!(self.client.state(), ConnectionState::Lost(_)) {
                self.flush();
                return None;
            }
            self.round(Instant::now() + TICK_EVERY_MAX).await;
        }
    }

    /// Ends the session in order and waits until the server knows, at most 1.5 s.
    pub async fn close(mut self, reason: &str) {
        self.client.close(reason);
        let until = Instant::now() + CLOSE_TIME_MAX;
        while Instant::now() < until && !matches!(self.client.state(), ConnectionState::Lost(_)) {
            self.round(until).await;
        }
        self.flush();
    }

    /// Breaks the present connection, as a network does: without a goodbye, at once. The core comes back by itself, as after any
    /// loss. For tests and trials of games.
    pub fn cut(&mut self) {
        if let Connection::Open(socket) = &self.connection {
            socket.cut();
        }
    }

    /// Hands what waits to the connection, once, without waiting for anything.
    fn flush(&mut self) {
        let mut context = Context::from_waker(std::task::Waker::noop());
        self.act(&mut context);
    }

    /// Until something arrived, the core's next deadline, or `until`.
    async fn round(&mut self, until: Instant) {
        let deadline = self.client.next_deadline().map_or(until, |at| until.min(self.instant(at)));
        let mut sleep = pin!(sleep_until(deadline));
        poll_fn(|cx| {
            // The timer first: it also takes part in tokio's budget, so that a flood of data lets other tasks run.
            let due = sleep.as_mut().poll(cx);
            if self.poll(cx) { Poll::Ready(()) } else { due }
        })
        .await;
        self.client.tick(self.now());
    }

    fn instant(&self, at: Mono) -> Instant {
        self.started + at.since(Mono::from_millis(1_000))
    }

    /// Does what can be done now; true if something arrived.
    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.now();
        if let Connection::Open(socket) = &self.connection {
            self.client.on_path(now, socket.path());
        }
        self.act(cx);
        let mut arrived = false;
        for _ in 0..limits::READS_PER_ROUND_MAX {
            let progress = match &mut self.connection {
                Connection::None => false,
                Connection::Dialling(dialling) => match dialling.as_mut().poll(cx) {
                    Poll::Ready(dialled) => {
                        self.on_dialled(now, dialled);
                        true
                    }
                    Poll::Pending => false,
                },
                Connection::Open(socket) => match socket.poll_read(cx) {
                    Poll::Ready(arrival) => {
                        self.on_arrival(now, arrival);
                        true
                    }
                    Poll::Pending => false,
                },
            };
            if !progress {
                break;
            }
            arrived = true;
            self.act(cx);
        }
        arrived
    }

    /// Does what the core wants.
    fn act(&mut self, cx: &mut Context<'_>) {
        while let Some(action) = self.client.poll_transmit() {
            match (action, &mut self.connection) {
                (Action::Connect { attempt }, _) => {
                    tracing::debug!(target: "lightmoon::client", server = %self.server, attempt, "connecting");
                    let dial = self.endpoint.clone().dial(self.server.clone(), self.config.clone(), attempt);
                    self.replace(Connection::Dialling(Box::pin(dial)));
                }
                (Action::Transmit(transmit), Connection::Open(socket)) => {
                    if !socket.transmit(transmit) {
                        self.replace(Connection::None);
                    }
                }
                (Action::Transmit(_), Connection::None | Connection::Dialling(_)) => {}
            }
        }
        match &mut self.connection {
            Connection::Open(socket) => socket.poll_write(cx),
            // The application gave up before the server answered.
            Connection::Dialling(_) if matches!(self.client.state(), ConnectionState::Lost(_)) => {
                self.replace(Connection::None);
            }
            Connection::Dialling(_) | Connection::None => {}
        }
    }

    fn replace(&mut self, connection: Connection) {
        if let Connection::Open(before) = std::mem::replace(&mut self.connection, connection) {
            self.datagrams_dropped += before.datagrams_dropped();
        }
    }

    fn on_dialled(&mut self, now: Mono, dialled: Result<quinn::Connection, String>) {
        match dialled {
            Ok(connection) => {
                self.replace(Connection::Open(Box::new(Socket::new(connection))));
                self.client.on_connected(now);
            }
            Err(reason) => {
                tracing::debug!(target: "lightmoon::client", reason, "no connection");
                self.replace(Connection::None);
                self.client.on_unreachable(now, reason);
            }
        }
    }

    fn on_arrival(&mut self, now: Mono, arrival: Arrival) {
        match arrival {
            Arrival::Stream(key, bytes) => self.client.on_stream(now, key, &bytes),
            Arrival::Datagram(bytes) => self.client.on_datagram(now, &bytes),
            Arrival::Closed(peer) => {
                self.replace(Connection::None);
                self.client.on_closed(now, peer);
            }
        }
    }
}
