//! What an operator may change about an endpoint.
//!
//! *Responsible for*: the options and their defaults. *Not responsible for*: where their values come from (`lightmoon`).

use crate::limits;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Options of an [`Endpoint`](crate::Endpoint).
#[derive(Clone)]
pub struct NetOptions {
    /// UDP address to listen on. Default 127.0.0.1:4433. Port 0 lets the system choose. `[::]` takes IPv4 too.
    pub listen: SocketAddr,
    /// Secret from which stateless resets and connection ids are derived, so that a restarted process can tell clients
    /// of its predecessor to come again. At least 16 random bytes, kept over restarts. Default empty: a random one, and
    /// old clients wait for their time-out instead.
    pub reset_secret: Vec<u8>,
    /// Handshakes in progress at once; 1–65,536, default 1,024. From half of it on, clients must first show that they
    /// own their address; at the limit the oldest of the source that holds the most gives way. One costs about 0.4 ms of CPU and
    /// 28 KiB.
    pub handshakes_max: usize,
    /// Of them those of one source, an IPv4 address or an IPv6 network of 64 bits; 1–65,536, default
    /// [`limits::SOURCE_HANDSHAKES_MAX`]. Beyond it further ones of that source are refused.
    pub source_handshakes_max: usize,
    /// Handshakes that begin in a second, beyond a burst of [`limits::HANDSHAKES_BURST`]; 1–100,000, default 200. Further attempts wait, one of
    /// each source after the other, and count among `handshakes_max`. More lets a crowd in sooner, and makes those at play wait for it.
    pub handshakes_per_second: u32,
    /// Links at once; 1–1,000,000, default 10,000. Beyond it connections are refused. One costs about 28 KiB.
    pub links_max: usize,
    /// Of them those of one source, with its handshakes; 1–1,000,000, default [`limits::SOURCE_LINKS_MAX`]. Beyond it further ones of
    /// that source are refused. Raise it where many players come from one address: behind a proxy, or in a hall.
    pub source_links_max: usize,
    /// A link without any packet for this long is closed. Default 10 s; 1–60 s. Shorter finds dead clients sooner and
    /// loses those with gaps in their network.
    pub idle_timeout: Duration,
    /// After this long without a packet we ask for one. Default 4 s; less than a half of `idle_timeout`. Pages in the
    /// background may not run a timer for a minute, but their browser answers.
    pub keep_alive: Duration,
    /// Bytes waiting for one client before it is disconnected as overloaded. Default 256 KiB; 64 KiB–4 MiB.
    pub queue_bytes_max: usize,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 4433)),
            reset_secret: Vec::new(),
            handshakes_max: limits::HANDSHAKES_MAX,
            source_handshakes_max: limits::SOURCE_HANDSHAKES_MAX,
            handshakes_per_second: limits::HANDSHAKES_PER_SECOND,
            links_max: limits::LINKS_MAX,
            source_links_max: limits::SOURCE_LINKS_MAX,
            idle_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(4),
            queue_bytes_max: limits::QUEUE_BYTES_MAX,
        }
    }
}

impl std::fmt::Debug for NetOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The secret never reaches a log.
        f.debug_struct("NetOptions")
            .field("listen", &self.listen)
            .field("handshakes_max", &self.handshakes_max)
            .field("source_handshakes_max", &self.source_handshakes_max)
            .field("handshakes_per_second", &self.handshakes_per_second)
            .field("links_max", &self.links_max)
            .field("source_links_max", &self.source_links_max)
            .field("idle_timeout", &self.idle_timeout)
            .field("keep_alive", &self.keep_alive)
            .field("queue_bytes_max", &self.queue_bytes_max)
            .finish_non_exhaustive()
    }
}
