//! Stores: the trait, a memory store, and the suite that says whether a store is right.
//!
//! *Responsible for*: what a store is asked and answers, [`MemoryStore`], [`conformance`]. *Not responsible for*: what is
//! stored (`durable`, `cluster`), files and databases (`store-files`, `store-scylla`), when to repeat a request.
//!
//! Layer: above `contract` only. Pure. A store that blocks or awaits has a thread or a task of its shell behind it.
//!
//! # The loop
//!
//! ```text
//! store.submit(ticket, request)?;         // never blocks
//! while let Some((ticket, outcome)) = store.poll(now) { … }
//! ```
//!
//! # What is stored
//!
//! Rows, in [`Area`]s, each in partitions of a space. In the area of commits a partition has a *head*, a few numbers, and
//! is changed by [`Request::Commit`] only: all of it or nothing, if the condition on the head holds. Everything that must
//! not be torn apart or written by a former owner stands there. The other two areas are plain: chunks never change, the
//! log takes the same row twice without harm.
//!
//! # What is promised
//!
//! - I1: a commit is all or nothing, and decided by the head as it stands at that moment. Of two commits on one head, one
//!   wins.
//! - I2: after [`Outcome::Done`] and [`Outcome::Refused`] a serial read shows it; after [`Outcome::Unknown`] the first
//!   serial read decides: what it does not show never happens later.
//! - I3: every request taken gets one outcome. Nothing is promised about the order of outcomes, nor of effects of
//!   requests that are under way at the same time.
//! - I4: a value read is the value written; a store that finds that it is not answers [`Outcome::Damaged`].
//! - I5: rows and partitions are listed in the order of their keys' bytes.

pub mod conformance;
pub mod limits;
mod memory;
mod outcome;
mod request;

use lightmoon_contract::Mono;

pub use memory::MemoryStore;
pub use outcome::{Done, Outcome, Page, Rejected, Why};
pub use request::{
    Area, Change, Condition, Field, Head, Is, KeyRange, Partition, Request, Row, Scan, Space, Test,
};

/// A request under way, named by who submits it. Not used again before its outcome has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub u64);

/// Something that keeps rows. [`conformance`] says what is expected of it.
pub trait Store {
    /// Takes a request; its outcome comes from [`Self::poll`]. Never blocks.
    ///
    /// # Errors
    /// Nothing was sent; the request is handed back. See [`Why`].
    fn submit(&mut self, ticket: Ticket, request: Request) -> Result<(), Rejected>;

    /// The next outcome, if there is one. Never blocks. `now` lets a store give up what takes too long
    /// ([`Outcome::Unknown`]).
    fn poll(&mut self, now: Mono) -> Option<(Ticket, Outcome)>;
}
