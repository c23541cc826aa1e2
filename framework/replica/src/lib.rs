//! Replication: the bytes in which a zone tells clients of its entities, and the client's copy of them.
//!
//! *Responsible for*: bit packing, View payloads (enter, leave, sticky values), state packets under a byte budget, the
//! client's view with its history, interpolation and the playback clock.
//! *Not responsible for*: who sees what (`zone`), frames and datagrams (`wire`), components of an ECS (`zone`).
//!
//! Layer: above `contract` alone. Pure: time and bytes are arguments. `docs/wire-state.md` is the format for strangers.
//!
//! ```text
//! zone:    StateTable (encode each entity once) ──► StateWriter (gather per client, under its budget) ──► datagram
//!          ViewWriter (enter, leave, sticky)  ──────────────────────────────────────────────────────► reliable lane
//!          DeltaTable (each entity once per baseline) ──► DeltaWriter (gather per client)        ──► datagram
//! client:  ClientView::attach ──► apply_view / apply_state / apply_delta ──► entities(), drain_events(), sample(Playback::render_tick)
//!          ClientView::receipt ──────────────────────────────────────────────────────────────────────► datagram
//! ```
//!
//! Invariants:
//! - I1: an entity is in a client's view exactly between its Enter and its Leave; no state packet, however late, lost
//!   or doubled, makes, keeps or revives one.
//! - I2: each value that a client holds is the server's quantised value of the tick it is said to be of.
//! - I3: reading any bytes ends with a value or an error, in bounded memory, without a panic.
//! - I4: a record is written against a value only if the client said that it has it.
//! - I5: of entities that do not fit a packet, those left out come first in the next: nobody starves.

mod bits;
mod client;
mod delta_table;
mod delta_writer;
mod error;
#[cfg(test)]
mod examples;
mod field_code;
#[cfg(feature = "flaws")]
mod flaw;
mod holdings;
mod index;
mod interpolate;
pub mod limits;
mod playback;
mod schema;
mod state_table;
mod state_writer;
#[cfg(test)]
mod tests;
mod view_writer;

pub use bits::{BitReader, BitWriter};
pub use client::{Applied, ClientView, DeltaHeader, Entity, LeaveReason, Receipt, StateHeader, ViewEvent};
pub use delta_table::{Baseline, BaselineSlot, DeltaTable};
pub use delta_writer::{DeltaHead, DeltaWriter};
pub use error::{ReplicaError, SchemaError};
#[cfg(feature = "flaws")]
pub use flaw::Flaw;
pub use holdings::{Gather, Gathered, Gatherer, Holdings};
pub use index::IndexCounter;
pub use playback::Playback;
pub use schema::{Component, Schema};
pub use state_table::{Packed, StateTable};
pub use state_writer::{StateHead, StateWriter};
pub use view_writer::{EntityValues, ViewWriter};
