//! What can go wrong when an endpoint is made.
//!
//! *Responsible for*: the errors of [`Endpoint`](crate::Endpoint). *Not responsible for*: what ends a single link; that
//! is an event.

use std::net::SocketAddr;

/// Why an endpoint could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the UDP port. Choose another or stop that process; a retry does not help.
    #[error("UDP port {0} is in use")]
    PortInUse(SocketAddr),
    /// The system does not let us have this address. The caller should name one of this machine.
    #[error("cannot listen on UDP {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate or its key is not usable. The caller should make new ones.
    #[error("the TLS certificate or key is not usable: {0}")]
    Identity(String),
    /// Called outside a tokio runtime with I/O and time. A mistake of the caller.
    #[error("an endpoint needs a running tokio runtime")]
    NoRuntime,
}
