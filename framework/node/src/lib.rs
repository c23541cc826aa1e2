//! A Lightmoon node without threads, clock or sockets: the definition of a game, its sessions, its actors.
//!
//! *Responsible for*: [`Game`], letting clients in, routing between sessions and actors, the order within a turn.
//! *Not responsible for*: bytes of frames (`wire`), running actors (`actor`) and zones (`zone`), sockets (`net`), threads
//! and options (`lightmoon`).
//!
//! Layer: above `wire`, `actor` and `zone`; below `lightmoon` and `sim`, which both drive it. Pure.
//!
//! # The loop
//!
//! ```text
//! let mut node = Node::new(game(), NodeOptions::default(), seed, now)?;
//! loop {
//!     inputs: whatever arrived since the last turn, in its order
//!     let next = node.turn(now, &mut inputs, &mut outputs);
//!     outputs: hand Transmit to the links; Stopped ends the loop
//!     sleep until next.deadline or the next input; not at all if next.more
//! }
//! ```

pub mod error;
mod game;
mod gateway;
mod identity;
pub mod limits;
mod node;
pub mod report;

use bytes::Bytes;
use lightmoon_contract::Mono;
use lightmoon_wire::{ServerConfig, StreamKey, Transmit};
use lightmoon_zone::{Probe, ZoneOptions};

pub use error::Error;
pub use game::Game;
pub use identity::{Authenticate, Denied, Guests, Identity};
pub use node::Node;
pub use report::NodeReport;

/// A connection, named by the shell; never used twice by one node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(pub u64);

/// By what a connection came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Transport {
    /// QUIC with our own application protocol.
    Native,
    /// A browser's WebTransport.
    WebTransport,
}

/// How a node behaves. `Default` is fit for play.
#[derive(Clone, Copy, Debug)]
pub struct NodeOptions {
    /// Times and abilities of links; see [`ServerConfig`].
    pub wire: ServerConfig,
    /// Reads a clock between the phases of a zone's tick, for reports only. Default: always 0, so that runs from one
    /// seed are equal; a real node gives its clock. Overrides the one in `ZoneOptions`.
    pub probe: Probe,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { wire: ServerConfig::default(), probe: ZoneOptions::default().probe }
    }
}

/// Something that happened outside.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// A connection was opened.
    Opened {
        /// Its name from now on.
        link: LinkId,
        /// Where it comes from, for people.
        remote: String,
        /// By what.
        transport: Transport,
    },
    /// Bytes of one stream arrived, in its order.
    Stream {
        /// The connection.
        link: LinkId,
        /// The stream.
        stream: StreamKey,
        /// The bytes.
        bytes: Bytes,
    },
    /// A datagram arrived.
    Datagram {
        /// The connection.
        link: LinkId,
        /// Its payload.
        bytes: Bytes,
    },
    /// A connection is gone.
    Closed {
        /// The connection.
        link: LinkId,
    },
    /// The node is to stop; clients are told the reason.
    Stop {
        /// For people.
        reason: String,
    },
}

/// Something for the shell to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Transmit on a link.
    Transmit {
        /// The connection.
        link: LinkId,
        /// What.
        transmit: Transmit,
    },
    /// The node has stopped: no link is left, no actor runs.
    Stopped,
}

/// When the next turn is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// At the latest then; `None`: when something happens.
    pub deadline: Option<Mono>,
    /// At once: the turn ended at its budget with work left.
    pub more: bool,
}
