//! The network shell: QUIC and WebTransport clients on one UDP port.
//!
//! *Responsible for*: sockets, TLS, the QUIC settings of client links, accepting (and bounding) handshakes, moving bytes
//! between streams, datagrams and the two queues of a link, closing with a code and a reason.
//! *Not responsible for*: what the bytes mean, and how much of a lane may be under way (`wire`), who is behind a link (`node`), node links,
//! WebSocket.
//!
//! Layer: a shell above `contract` and `wire`; the owner of quinn-proto, rustls and web-transport-proto. None of their types,
//! and none of tokio's, is in a public signature.
//!
//! The loop: [`Endpoint::bind`] is given a sink. Each link begins with [`NetEvent::Opened`], ends with
//! [`NetEvent::Closed`], and speaks through [`Commands::send_all`] in between. The sink is called on the runtime's threads
//! and must return at once; `Commands` may be called from any thread and never blocks for longer than a short lock.
//!
//! ```text
//!            UDP port                       sink(NetEvent)
//!  client --------------> driver (quinn-proto) ------------> node thread
//!         <--------------                     <------------
//!                                            Commands::send_all
//! ```
//!
//! Invariants:
//! - I1: after `Closed` of a link comes no event of that link; before `Opened` neither.
//! - I2: bytes of one stream arrive in order; nothing is promised between streams.
//! - I3: what the receiver of events holds is bounded per link by [`Credit`]; beyond it the link is not read, so that
//!   QUIC's flow control stops the sender.
//! - I4: what waits for a client is bounded by [`limits::QUEUE_BYTES_MAX`]; beyond it the link is closed as overloaded.
//! - I5: `send_fairness` of quinn stays on: without it one cut-off stream starves every lane above it.

mod admission;
mod commands;
mod counters;
mod credit;
mod deadlines;
mod driver;
mod endpoint;
mod error;
mod event;
mod gate;
mod identity;
pub mod limits;
mod options;
mod pacing;
mod peer;
mod settings;
mod socket;
mod source;

pub use commands::Commands;
pub use counters::Counters;
pub use credit::Credit;
pub use endpoint::Endpoint;
pub use error::Error;
pub use event::{LinkId, NetEvent, Transport};
pub use identity::TlsIdentity;
pub use lightmoon_wire::{CloseCode, Path, Transmit};
pub use options::NetOptions;
pub use socket::SocketBuffers;
