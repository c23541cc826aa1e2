//! The endpoint: one UDP port, its accept loop and handshakes.
//!
//! *Responsible for*: binding, accepting within limits, telling native clients from browsers, stopping. *Not responsible
//! for*: links once they are open (`link`).
//!
//! Invariants:
//! - I1: a handshake that is not done after [`limits::HANDSHAKE_TIMEOUT`], or that had to give way, holds nothing any more.
//! - I2: between two handshakes that are begun the tasks of open links have their turn; how many begin is paced ([`Pacing`]).
//! - I3: dropping the endpoint closes its port's connections at once; [`Endpoint::stop`] does it politely.

use crate::admission::{Admission, Bounds, Place, Verdict};
use crate::commands::Commands;
use crate::counters::{Counters, Tally};
use crate::datagram::Watch;
use crate::event::{LinkId, NetEvent, Transport};
use crate::link::{self, Shared, Sink};
use crate::outbox::Outbox;
use crate::pacing::Pacing;
use crate::socket::SocketBuffers;
use crate::source::{Bucket, Source};
use crate::{Error, NetOptions, TlsIdentity, limits, settings, socket};
use lightmoon_wire::CloseCode;
use quinn::crypto::rustls::HandshakeData;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{sleep_until, timeout};
use web_transport_quinn::{Request, Session};

/// A UDP port that accepts native clients and browsers.
pub struct Endpoint {
    endpoint: quinn::Endpoint,
    address: SocketAddr,
    buffers: SocketBuffers,
    options: NetOptions,
    commands: Commands,
    tally: Arc<Tally>,
}

/// What the accept loop and its handshakes share.
struct Gate {
    admission: Arc<Admission>,
    commands: Commands,
    tally: Arc<Tally>,
    sink: Sink,
    queue_bytes_max: usize,
    handshakes_max: usize,
    next_link: AtomicU64,
}

impl Endpoint {
    /// Listens on `options.listen` and reports everything to `sink`, which is called on the runtime's threads and must
    /// return at once.
    ///
    /// Call it within a tokio runtime with I/O and time; a current-thread runtime on a thread of its own costs the least
    /// CPU.
    ///
    /// # Errors
    /// The port is in use, the address is not ours, the certificate is not usable, or there is no runtime.
    pub fn bind(
        options: NetOptions,
        identity: &TlsIdentity,
        sink: impl Fn(NetEvent) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::NoRuntime);
        }
        let server = settings::server(&options, identity)?;
        let (socket, buffers) = socket::bind(options.listen)?;
        let bind_error = |source| Error::Bind { address: options.listen, source };
        let address = socket.local_addr().map_err(bind_error)?;
        let runtime = Arc::new(quinn::TokioRuntime);
        let endpoint = quinn::Endpoint::new(settings::endpoint(&options), Some(server), socket, runtime)
            .map_err(bind_error)?;
        if !buffers.are_enough() {
            tracing::warn!(
                target: "lightmoon::net",
                receive = buffers.receive,
                send = buffers.send,
                "the kernel gives UDP sockets small buffers; bursts will be lost. Raise net.core.rmem_max and \
                 net.core.wmem_max to {}",
                limits::SOCKET_BUFFER_BYTES
            );
        }
        let (commands, tally) = (Commands::default(), Arc::new(Tally::default()));
        let gate = Arc::new(Gate {
            admission: Admission::new(bounds(&options), Arc::clone(&tally)),
            commands: commands.clone(),
            tally: Arc::clone(&tally),
            sink: Arc::new(sink),
            queue_bytes_max: options.queue_bytes_max,
            handshakes_max: options.handshakes_max,
            next_link: AtomicU64::new(1),
        });
        let pace = Bucket::full(limits::HANDSHAKES_BURST, options.handshakes_per_second, Instant::now());
        let (accepting, dispatching) = (accept(endpoint.clone(), gate, pace), commands.clone().dispatch());
        tokio::spawn(async move {
            // Accepting ends when the endpoint is closed, and then nothing leaves any more.
            tokio::select! {
                () = accepting => {}
                () = dispatching => {}
            }
        });
        Ok(Self { endpoint, address, buffers, options, commands, tally })
    }

    /// Where it listens; with the port that the system chose, if it did.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle that sends on its links.
    #[must_use]
    pub fn commands(&self) -> Commands {
        self.commands.clone()
    }

    /// The kernel's buffers of the port.
    #[must_use]
    pub fn socket_buffers(&self) -> SocketBuffers {
        self.buffers
    }

    /// What was counted until now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.tally.snapshot()
    }

    /// Shows `identity` to clients that connect from now on; open links go on.
    ///
    /// # Errors
    /// The certificate or key is not usable; the old one stays.
    pub fn set_identity(&self, identity: &TlsIdentity) -> Result<(), Error> {
        self.endpoint.set_server_config(Some(settings::server(&self.options, identity)?));
        Ok(())
    }

    /// Takes no more clients, closes the open links with `code` and `reason` (those that are closing already keep
    /// theirs), and returns when all are gone or after `patience`, whichever is first. Links still open then are cut.
    ///
    /// # Cancel safety
    /// When dropped, the endpoint takes no more clients and its links may or may not be closed.
    pub async fn stop(self, code: CloseCode, reason: &str, patience: Duration) {
        self.endpoint.set_server_config(None);
        self.commands.close_all(code, reason);
        let _ = timeout(patience, async {
            while !self.commands.is_empty() {
                // A stop happens once; asking again is simpler than a wake-up that every link would carry.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.endpoint.wait_idle().await;
        })
        .await;
        self.endpoint.close(quinn::VarInt::from_u32(code.number()), reason.as_bytes());
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.endpoint.close(quinn::VarInt::from_u32(CloseCode::ShuttingDown.number()), b"the server stops");
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("address", &self.address).finish_non_exhaustive()
    }
}

fn bounds(options: &NetOptions) -> Bounds {
    Bounds {
        handshakes_max: options.handshakes_max,
        links_max: options.links_max,
        source_handshakes_max: options.source_handshakes_max,
        source_links_max: options.source_links_max,
    }
}

/// An attempt that was let in.
struct Attempt {
    incoming: quinn::Incoming,
    place: Place,
}

/// Decides on every connection attempt at once, and begins the handshakes of those that are let in at their pace, until the endpoint closes.
async fn accept(endpoint: quinn::Endpoint, gate: Arc<Gate>, pace: Bucket) {
    let mut pacing = Pacing::new(pace);
    loop {
        let next = pacing.next(Instant::now());
        tokio::select! {
            incoming = endpoint.accept() => match incoming {
                Some(incoming) => gate.decide(incoming, &mut pacing),
                None => return,
            },
            () = sleep_until(next.unwrap_or_else(Instant::now).into()), if next.is_some() => {}
        }
        if let Some(attempt) = pacing.pop(Instant::now()) {
            if attempt.place.is_evicted() {
                pacing.give_back();
                gate.gave_way(attempt);
            } else {
                gate.begin(attempt);
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Gate {
    fn decide(&self, incoming: quinn::Incoming, pacing: &mut Pacing<Attempt>) {
        let (remote, is_proved) = (incoming.remote_address(), incoming.remote_address_validated());
        match self.admission.decide(remote, is_proved, Instant::now()) {
            Verdict::Accept(place) => {
                if pacing.len() >= self.handshakes_max {
                    let gone = pacing.take_where(|attempt| attempt.place.is_evicted());
                    gone.into_iter().for_each(|attempt| self.gave_way(attempt));
                }
                pacing.push(Source::of(remote), is_proved, Attempt { incoming, place });
            }
            Verdict::Retry => {
                // Cannot fail: an address that is not validated may always be asked to.
                let _ = incoming.retry();
            }
            Verdict::Refuse => incoming.refuse(),
        }
    }

    /// The costly step of a handshake. Here and not in its task: a hundred tasks that take it would all come before the next packet of a client at
    /// play.
    fn begin(self: &Arc<Self>, Attempt { incoming, place }: Attempt) {
        let remote = incoming.remote_address();
        match incoming.accept() {
            Ok(connecting) => {
                tokio::spawn(Arc::clone(self).serve(connecting, remote, place));
            }
            Err(error) => self.failed(remote, &error.to_string()),
        }
    }

    /// One client from its first packet to its last.
    async fn serve(self: Arc<Self>, connecting: quinn::Connecting, remote: SocketAddr, place: Place) {
        let evicted = place.evicted();
        let handshake = tokio::select! {
            done = timeout(limits::HANDSHAKE_TIMEOUT, handshake(connecting)) => done,
            () = evicted => return self.failed(remote, "gave way to another"),
        };
        let (session, transport) = match handshake {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => return self.failed(remote, &error),
            Err(_) => return self.failed(remote, "took too long"),
        };
        let Some(place) = place.into_link() else { return self.failed(remote, "gave way to another") };
        // Relaxed: only uniqueness matters.
        let link = LinkId(self.next_link.fetch_add(1, Ordering::Relaxed));
        let shared = Arc::new(Shared {
            link,
            session,
            outbox: Outbox::new(self.queue_bytes_max, Arc::clone(&self.tally)),
            watch: Watch::default(),
            sink: Arc::clone(&self.sink),
            tally: Arc::clone(&self.tally),
        });
        self.commands.insert(Arc::clone(&shared));
        link::run(shared, transport, place).await;
        self.commands.remove(link);
    }

    /// An attempt that waited, and whose place another one took.
    fn gave_way(&self, attempt: Attempt) {
        self.failed(attempt.incoming.remote_address(), "gave way to another");
        attempt.incoming.refuse();
    }

    fn failed(&self, remote: SocketAddr, why: &str) {
        self.tally.handshakes_failed.add(1);
        tracing::debug!(target: "lightmoon::net", %remote, why, "handshake failed");
    }
}

/// TLS, then for browsers the request for a WebTransport session. Its path and origin are not looked at: a port serves
/// one game, and who may play is decided by the token in the first frame.
async fn handshake(mut connecting: quinn::Connecting) -> Result<(Session, Transport), String> {
    let data = connecting.handshake_data().await.map_err(|e| e.to_string())?;
    let protocol = data.downcast::<HandshakeData>().ok().and_then(|data| data.protocol);
    let connection = connecting.await.map_err(|e| e.to_string())?;
    if protocol.as_deref() == Some(limits::ALPN_WEB_TRANSPORT) {
        let request = Request::accept(connection).await.map_err(|e| e.to_string())?;
        let session = request.ok().await.map_err(|e| e.to_string())?;
        return Ok((session, Transport::WebTransport));
    }
    if protocol.as_deref() == Some(limits::ALPN_NATIVE) {
        return Ok((Session::raw(connection), Transport::Native));
    }
    // TLS agrees on one of our two protocols or fails, so this is a fault of the TLS library.
    Err("no protocol agreed on".to_owned())
}
