//! The driver over native QUIC: sockets and clock for the core, on tokio.
//!
//! *Responsible for*: connecting by certificate hash, lanes as QUIC streams, datagrams, the clock, reconnecting when the core
//! says so. *Not responsible for*: what is sent, or when to try again (`client`).
//!
//! A [`Session`] runs within the task that awaits it: it spawns nothing by itself. quinn runs one task for each connection and
//! one for each [`Endpoint`], which any number of sessions can share.

mod endpoint;
mod pin;
mod session;
mod socket;

pub use endpoint::{ConnectOptions, Endpoint};
pub use pin::{CertificateHash, NoHash};
pub use session::{ConnectError, Session, connect};
