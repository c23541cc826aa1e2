//! A Lightmoon node without threads, clock or sockets: the definition of a game, its sessions, its actors.
//!
//! *Responsible for*: [`Game`], letting clients in, routing between sessions, actors and store, the order within a turn.
//! *Not responsible for*: bytes of frames (`wire`), running actors (`actor`) and zones (`zone`), commits (`durable`), sockets
//! (`net`), threads, files and options (`lightmoon`).
//!
//! Layer: above `wire`, `actor`, `durable` and `zone`; below `lightmoon` and `sim`, which both drive it. Pure.
//!
//! # The loop
//!
//! ```text
//! let mut node = Node::new(game(), NodeOptions::default(), seed, now)?;
//! loop {
//!     inputs: whatever arrived since the last turn, in its order
//!     let next = node.turn(now, &mut inputs, &mut outputs);
//!     outputs: hand Transmit to the links, Store to the store, Encode to another thread; Stopped and Fenced end the loop
//!     sleep until next.deadline or the next input; not at all if next.more
//! }
//! ```

mod chronicle;
pub mod error;
mod game;
mod gateway;
mod hub;
mod identity;
mod keeping;
pub mod limits;
mod node;
pub mod report;
mod survey;

use bytes::Bytes;
use lightmoon_actor::Inspect;
use lightmoon_contract::{ActorId, Mono, Utc};
use lightmoon_store::{Outcome, Request, Ticket};
use lightmoon_wire::{CloseCode, ServerConfig, StreamKey, Transmit};
use lightmoon_zone::{Probe, ZoneOptions};
use std::time::Duration;

pub use chronicle::{Event, Happened};
pub use error::Error;
pub use game::Game;
pub use gateway::operator::{Command, Operated, Refused};
pub use gateway::ticket::TicketKey;
pub use hub::{Hub, WorkerPlan, split};
pub use identity::{Authenticate, Denied, Guests, Identity};
pub use keeping::{EncodeJob, Encoded};
pub use lightmoon_durable::{DeadLetter, Posted};
pub use node::Node;
pub use report::{NodeReport, WorkerReport};
pub use survey::{Survey, Wanted};

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
    /// Workers that run the actors, from 1 to [`limits::WORKERS_MAX`]. Default 0: as the assembly likes, which is 1 for a [`Node`] and
    /// chosen by the seed in a simulator. [`Node`] runs them one after the other; [`split`] gives them to threads.
    pub workers: u16,
    /// How long an orderly stop waits for a store that says nothing. Default 1 s: a commit takes milliseconds, and a store
    /// that is away must not keep a node from ending.
    pub stop_patience: Duration,
    /// How long it waits for one that takes what changed, and has more to take. Default 30 s: the worlds of some thousand players on a slow
    /// disk. What is not stored then is lost as by a crash: nothing that was acknowledged.
    pub stop_time_max: Duration,
    /// How long a session waits for its client after the connection broke. Default [`limits::RESUME_TIME`]; zero: it ends with
    /// its connection. Until then its player's body stays in the world, and the session has its place in
    /// [`limits::SESSIONS_MAX`]. Since `lightmoon/1` minor 1.
    pub resume_time: Duration,
    /// Sessions of one source, an IPv4 address or an IPv6 network of 64 bits. Default [`limits::SESSIONS_PER_SOURCE_MAX`]; 1 to
    /// [`limits::SESSIONS_MAX`]. Raise it where many players come from one address: behind a proxy, or in a hall.
    pub sessions_per_source_max: usize,
    /// Signs tickets. Default all zero, which everybody knows: fit for simulators only. A real node gives 32 secret bytes that outlive
    /// its process. Since `lightmoon/1` minor 1.
    pub ticket_key: TicketKey,
    /// The calendar time at `Mono(0)`, for what outlives a process: when tickets expire, which login was later. Default 1970, so that
    /// runs from one seed are equal.
    pub utc_at_zero: Utc,
    /// A deliberately wrong keeper.
    #[cfg(feature = "flaws")]
    pub keeper_flaw: Option<lightmoon_durable::Flaw>,
    /// A deliberately wrong worker.
    #[cfg(feature = "flaws")]
    pub worker_flaw: Option<lightmoon_actor::Flaw>,
    /// Deliberately wrong replication.
    #[cfg(feature = "flaws")]
    pub replica_flaw: Option<lightmoon_zone::ReplicaFlaw>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            wire: ServerConfig::default(),
            probe: ZoneOptions::default().probe,
            workers: 0,
            stop_patience: Duration::from_secs(1),
            stop_time_max: Duration::from_secs(30),
            resume_time: limits::RESUME_TIME,
            sessions_per_source_max: limits::SESSIONS_PER_SOURCE_MAX,
            ticket_key: TicketKey::default(),
            utc_at_zero: Utc(0),
            #[cfg(feature = "flaws")]
            keeper_flaw: None,
            #[cfg(feature = "flaws")]
            worker_flaw: None,
            #[cfg(feature = "flaws")]
            replica_flaw: None,
        }
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
    /// The network measured the path of a connection anew.
    Path {
        /// The connection.
        link: LinkId,
        /// What it is like.
        path: lightmoon_wire::Path,
    },
    /// A connection is gone.
    Closed {
        /// The connection.
        link: LinkId,
        /// The code that the client closed it with; `None`: it broke, or we closed it.
        peer: Option<CloseCode>,
    },
    /// The store answered a request of [`Output::Store`]. One that it did not take is `Unavailable`.
    Stored {
        /// The request's.
        ticket: Ticket,
        /// What came of it.
        outcome: Outcome,
    },
    /// Somebody wants a dead letter ([`Node::dead_letters`]) sent again. It goes behind what its sender sent since. Nothing
    /// happens if there is none of this name.
    Replay {
        /// Who sent it.
        from: ActorId,
        /// Its number among those of its sender.
        number: u64,
    },
    /// Somebody looks at this actor: if it does not live, [`Node::survey`] is to show what is stored of it. To be said again to see what
    /// changed.
    Peek(Inspect),
    /// An operator wants something; what comes of it is said by [`Output::Operated`].
    Operate {
        /// Names the command.
        token: u64,
        /// What.
        command: Command,
    },
    /// A copy of [`Output::Encode`] is encoded.
    Encoded(Encoded),
    /// The node is to stop; clients are told the reason.
    Stop {
        /// For people.
        reason: String,
    },
}

/// Something for the shell to do.
#[derive(Debug)]
pub enum Output {
    /// Ask the store; its outcome comes back as [`Input::Stored`]. Requests of one node may be under way at the same time.
    Store {
        /// Names the request.
        ticket: Ticket,
        /// What to ask.
        request: Request,
    },
    /// Encode a copy of a world, not on this thread; it comes back as [`Input::Encoded`].
    Encode(EncodeJob),
    /// A newer generation owns what is stored: the node does nothing more. End the process, and start a new one.
    Fenced {
        /// For people.
        reason: String,
    },
    /// Transmit on a link.
    Transmit {
        /// The connection.
        link: LinkId,
        /// What.
        transmit: Transmit,
    },
    /// A command of [`Input::Operate`] was carried out, or not.
    Operated {
        /// The command's.
        token: u64,
        /// What came of it: of a call its encoded answer.
        result: Operated,
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
