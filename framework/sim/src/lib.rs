//! Deterministic simulation of a Lightmoon node and its clients: one thread, one seed, one world.
//!
//! *Responsible for*: virtual time, a model of the network and one of the store with their faults, running node and clients turn by turn, and
//! checkers that compare what clients hold with what is there. *Not responsible for*: scenarios of a game (its trials),
//! real sockets and threads (`net`, `lightmoon`).
//!
//! Layer: above `node` and the Rust client's core; never depends on `lightmoon`. Pure.
//!
//! ```text
//! let mut world = World::new(game, seed, LinkOptions::CLEAN)?;      // the user's own `fn game() -> Game`
//! world.join(client_options, player);                               // a client core with a bot before it
//! let mut judge = Judge::new(&[Pose::SPEC, Label::SPEC], rules);
//! world.run_until(end, |world| judge.look(world))?;                 // the first violation ends the run
//! world.trace_hash();                                               // equal for equal seeds
//! ```

pub mod checker;
mod flaw;
mod host;
mod judge;
pub mod limits;
pub mod link;
mod store;
pub mod truth;
mod world;

pub use checker::{ClientNumber, Rules, Sight, Staleness, Violation};
pub use flaw::Flaw;
pub use judge::Judge;
pub use link::LinkOptions;
pub use store::{SimStore, StoreOptions};
pub use world::{CallNews, Player, World};

/// The examples of the book's page on testing are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/book/src/testing.md")]
struct Book;
