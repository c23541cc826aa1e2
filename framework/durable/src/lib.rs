//! What of an actor survives: fenced commits, records, snapshots, operation logs.
//!
//! *Responsible for*: generations, claiming an actor, its commits one after the other, outcomes that are not known, the
//! manifest of a zone's snapshots, messages that take effect exactly once, the layout of rows. *Not responsible for*: keeping rows (`store` and its shells), what a
//! state or a chunk holds (`zone`, the kinds of actors), when to save and what waits for it (`actor`).
//!
//! Layer: above `contract` and `store`. Pure: requests and outcomes are data.
//!
//! # The loop
//!
//! ```text
//! mutate:  load · commit · encoded · delivered · replay · outcome · on_deadline
//! drain:   poll_request → the store    poll_encode → another thread    poll_event → the worker
//! sleep until next_deadline or the next outcome
//! ```
//!
//! # What is promised
//!
//! - I1: a commit of an actor happens only if nobody else claimed the actor since it was loaded, and only right after the
//!   commit before it: `IF epoch = E AND seq = n` → `seq = n + 1`.
//! - I2: a commit whose outcome is not known is never repeated before a serial read said that it did not happen.
//! - I3: a snapshot is published by a commit, after all of its chunks are there; half of one is never loaded.
//! - I4: a message in a commit is delivered until a commit of its receiver holds its mark, and never before its own is durable.
//! - I5: a durable entity's row is deleted only when the oldest kept snapshot shows it.

pub mod audit;
pub mod generation;
mod keeper;
pub mod layout;
pub mod limits;
mod mail;
mod manifest;
pub mod record;
mod saved;

#[cfg(feature = "flaws")]
pub use keeper::Flaw;
pub use keeper::{Commit, Counters, Encode, Event, Keeper, LoadFailure, Undelivered, log_entry};
pub use mail::{Letter, Mail, Posted, Reply};
pub use record::{Record, RecordError};
pub use saved::{DeadLetter, Loaded, LogEntry, Saved, Snapshot, SnapshotJob};
