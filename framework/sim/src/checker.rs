//! Checkers: what must be true of every client at every moment, whatever the network does, and of the store after any crash.
//!
//! *Responsible for*: judging views, calls and progress against [`crate::truth`], and what is stored against what clients were
//! told. Each checker is a module that other
//! assemblies can use alone. *Not responsible for*: running the world (`world`).
//!
//! Invariants:
//! - I1: a checker only observes; the world goes the same way with or without it.
//! - I2: a violation names the client, the entity or call, and the numbers that contradict each other.

use std::fmt;
use std::time::Duration;

pub mod answers;
pub mod bank;
pub mod forward;
pub mod ghost;
pub mod history;
pub mod items;
pub mod ledger;
pub mod liveness;
pub mod order;
pub mod presence;
pub mod quiet;
pub mod sight;
pub mod stale;
pub mod stored;
pub mod value;

pub use answers::Answers;
pub use bank::Bank;
pub use forward::Forward;
pub use ghost::Ghosts;
pub use history::History;
pub use items::Items;
pub use ledger::Ledger;
pub use liveness::Liveness;
pub use order::Order;
pub use presence::Presence;
pub use quiet::Quiet;
pub use sight::Sight;
pub use stale::{Stale, Staleness};
pub use stored::StoredActor;
pub use value::Values;

/// A client of the simulated world, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientNumber(pub u32);

impl fmt::Display for ClientNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client {}", self.0)
    }
}

/// Something that must never be true was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The checker that found it.
    pub checker: &'static str,
    /// What is wrong, in a sentence.
    pub what: String,
}

impl Violation {
    /// A violation found by `checker`.
    #[must_use]
    pub fn new(checker: &'static str, what: String) -> Self {
        Self { checker, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.checker, self.what)
    }
}

impl std::error::Error for Violation {}

/// What is right in a world: its game's sight, how long the truth may take to arrive, and how old it may become.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// From a change in a zone until the slowest packet told a client of it.
    pub in_flight: Duration,
    /// Who sees what.
    pub sight: Sight,
    /// How old values may be.
    pub staleness: Staleness,
}

#[cfg(test)]
mod tests;
