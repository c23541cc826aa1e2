//! The endpoint: one UDP port and its driver.
//!
//! *Responsible for*: binding, starting the driver, certificates, stopping. *Not responsible for*: packets (`driver`), connections (`peer`), who is
//! let in (`gate`).
//!
//! Invariants:
//! - I1: dropping the endpoint closes its port's connections at once; [`Endpoint::stop`] does it politely.

use crate::admission::{Admission, Bounds};
use crate::commands::{Commands, Order};
use crate::counters::{Counters, Tally};
use crate::driver::Driver;
use crate::event::NetEvent;
use crate::gate::Gate;
use crate::peer::Shared;
use crate::socket::{Socket, SocketBuffers};
use crate::source::Bucket;
use crate::{Error, NetOptions, TlsIdentity, limits, settings, socket};
use lightmoon_wire::CloseCode;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A UDP port that accepts native clients and browsers.
pub struct Endpoint {
    address: SocketAddr,
    buffers: SocketBuffers,
    options: NetOptions,
    commands: Commands,
    tally: Arc<Tally>,
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
        let socket = Socket::new(socket).map_err(bind_error)?;
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
        let pace = Bucket::full(limits::HANDSHAKES_BURST, options.handshakes_per_second, Instant::now());
        let admission = Admission::new(bounds(&options), Arc::clone(&tally));
        let gate = Gate::new(admission, pace, options.handshakes_max);
        let config = Arc::new(settings::endpoint(&options));
        let endpoint =
            quinn_proto::Endpoint::new(config, Some(Arc::new(server)), !socket.may_fragment(), None);
        let shared = Shared {
            sink: Box::new(sink),
            tally: Arc::clone(&tally),
            commands: commands.clone(),
            queue_bytes_max: options.queue_bytes_max,
        };
        tokio::spawn(Driver::new(endpoint, socket, gate, shared).run());
        Ok(Self { address, buffers, options, commands, tally })
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
        let config = Arc::new(settings::server(&self.options, identity)?);
        self.commands.order(Order::Serve(Some(config)));
        Ok(())
    }

    /// Takes no more clients, closes the open links with `code` and `reason` (those that are closing already keep
    /// theirs), and returns when all are gone or after `patience`, whichever is first. Links still open then are cut.
    ///
    /// # Cancel safety
    /// When dropped, the endpoint takes no more clients and its links may or may not be closed.
    pub async fn stop(self, code: CloseCode, reason: &str, patience: Duration) {
        self.commands.order(Order::Serve(None));
        self.commands.close_all(code, reason);
        let _ = timeout(patience, async {
            // A stop happens once; asking again is simpler than a wake-up that every link would carry.
            while !self.commands.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.commands.order(Order::End { code, reason: reason.to_owned() });
            while !self.commands.is_over() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        self.commands.order(Order::End { code, reason: reason.to_owned() });
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let reason = "the server stops".to_owned();
        self.commands.order(Order::End { code: CloseCode::ShuttingDown, reason });
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
