//! The wire protocol of Lightmoon between a client and a server, without input and output.
//!
//! *Responsible for*: frames and their bytes, the handshake, lanes as streams, datagrams, doubled and stale calls, limits,
//! close codes: the server's side ([`ServerLink`]) and the client's ([`ClientLink`]) of one connection.
//! *Not responsible for*: sockets, streams and their priorities (`net`, the client's driver), what calls mean (`node`),
//! what is inside View and State (`replica`).
//!
//! Layer: above `contract`, below `net`, `node` and the clients. Depends on no other crate of ours. Pure: no clock, random
//! source, thread, file, socket or environment. `docs/wire.md` says the same byte for byte, for strangers.
//!
//! # The loop
//!
//! A link is a state machine with one caller. Each round is **one mutation, then drain**:
//!
//! ```text
//! loop {
//!     // 1. one of
//!     link.on_stream(now, key, bytes)   link.on_datagram(now, bytes)
//!     link.on_closed(now, ..)           link.on_deadline(now)
//!     link.call(..) / link.push(..) / link.close(..) / ...
//!     // 2. until None
//!     while let Some(transmit) = link.poll_transmit() { the transport does it, in this order }
//!     // 3. until None; answering an event is a mutation, so go on with 2
//!     while let Some(event) = link.poll_event() { .. }
//!     // 4. sleep until link.next_deadline() or the next input
//! }
//! ```
//!
//! Nothing happens between two calls. `on_deadline` may be called early and then does nothing. After the event `Closed` and
//! the last transmit, the link may be dropped.
//!
//! Of a transport a link wants: streams whose bytes arrive in order and once ([`StreamKey`] tells them apart), datagrams
//! that arrive at most a few times or never, and word when the connection is gone.
//!
//! Invariants of the crate:
//! - I1: how a transport cuts a stream changes no event.
//! - I2: no bytes of a peer panic a link or make it hold more than its limits ([`limits`]).
//! - I3: Attach, Detach and View ride one lane ([`VIEW_LANE`]), so their order holds.

pub mod frame;
pub mod limits;

mod arrived;
mod client;
mod close;
mod compatibility;
mod counters;
mod error;
mod kept;
mod server;
mod stream;
mod transmit;
mod window;

#[cfg(test)]
mod model;
#[cfg(test)]
mod pair;

use lightmoon_contract::{Lane, Priority, Reliability};

pub use client::{ClientConfig, ClientEvent, ClientLink, OutgoingCall};
pub use close::{CloseCode, ClosedBy, Closing};
pub use compatibility::{Compatibility, Verdict};
pub use counters::Counters;
pub use error::SendError;
pub use frame::{Attach, Fault, Held, Hello, Push, Welcome};
pub use kept::KeptLanes;
pub use server::{Grant, IncomingCall, ServerConfig, ServerEvent, ServerLink, Settled};
pub use stream::StreamKey;
pub use transmit::{Path, Transmit};

/// The QUIC application protocol; its number is the major version.
pub const ALPN: &[u8] = b"lightmoon/1";

/// The minor version spoken here. 1: tickets, and requests that are repeated over reconnects. 2: acknowledged lanes, and frames that
/// survive a reconnect.
pub const MINOR: u16 = 2;

/// The oldest minor version that is still understood.
pub const MINOR_OLDEST: u16 = 0;

/// The first minor version of tickets: a Hello may carry one, and a server hands them out.
pub const MINOR_TICKETS: u16 = 1;

/// The first minor version of acknowledged lanes: both sides send LaneAck, and say in the handshake what they hold.
pub const MINOR_LANES: u16 = 2;

/// Where Attach, Detach and View travel.
pub const VIEW_LANE: Lane = Lane { priority: Priority::High, reliability: Reliability::ReliableOrdered };

/// Whether frames of a minor version can be read: newer ones can, since they answer to the older of the two.
fn is_understood(minor: u16) -> bool {
    (MINOR_OLDEST..=u16::MAX).contains(&minor)
}

/// The lane itself if it is reliable, else the reliable-ordered one of its priority: a stronger promise than asked for.
const fn reliable(lane: Lane) -> Lane {
    if lane.reliability.is_reliable() {
        lane
    } else {
        Lane { priority: lane.priority, reliability: Reliability::ReliableOrdered }
    }
}
