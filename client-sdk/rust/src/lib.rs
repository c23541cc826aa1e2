//! The Rust client of Lightmoon: a core without runtime, and drivers for it.
//!
//! *Responsible for*: connecting and coming back, typed calls and answers, pushes, the view of a zone and its playback clock
//! ([`Client`]); with the feature `tokio` a driver over native QUIC ([`connect`], [`Session`]).
//! *Not responsible for*: drawing, what a game's operations mean.
//!
//! Layer: on `lightmoon-contract`, `lightmoon-wire` and `lightmoon-replica`; no server crate. The core is pure: time, seed and
//! bytes are arguments.
//!
//! # The loop of a driver
//!
//! ```text
//! loop {
//!     // one of                                             // then, until None each
//!     client.on_connected(now) / on_unreachable(now, ..)    client.poll_transmit() -> Connect | Transmit
//!     client.on_closed(now, ..)
//!     client.on_stream(now, key, bytes) / on_datagram(..)   client.poll_event()    -> Event
//!     client.tick(now)                                      // sleep until client.next_deadline()
//!     client.zone::<Space>().steer(..)                      // calls: then poll_transmit too
//! }
//! ```
//!
//! A driver reports about the newest connection only: after `Connect` it forgets the one before, and after it closed a
//! connection by itself (`Transmit::Close`) it need not report that.

#![forbid(unsafe_code)]

pub mod limits;

mod client;
#[cfg(feature = "tokio")]
mod driver;
mod event;
mod options;
mod stats;

pub use client::{Action, Client, ConnectionState, Pending};
#[cfg(feature = "tokio")]
pub use driver::{CertificateHash, ConnectError, ConnectOptions, Endpoint, NoHash, Session, connect};
pub use event::{Connected, Event, PushMessage};
pub use options::{ClientOptions, RetryOptions};
pub use stats::ClientStats;

pub use lightmoon_replica::{ClientView, Entity, Playback, ViewEvent};
pub use lightmoon_wire::{Attach, CloseCode, ClosedBy, Closing, Welcome};
