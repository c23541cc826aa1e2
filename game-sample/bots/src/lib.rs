//! Bots of the sample game: pilots that play through the public Rust client.
//!
//! *Responsible for*: what bots want ([`brain`], [`miner`], [`trader`], [`crowd`]), how one plays ([`bot`]), running many of them ([`harness`]), what
//! that measured ([`report`]) and what was acknowledged ([`ledger`]). *Not responsible for*: the game's rules; a bot knows only what its client shows.
//!
//! Layer: on `lightmoon-client` and the contracts, like any client. The server starts some in-process for a first look,
//! the verb `bots` runs them from outside, the trials put the same bots into the simulator.

pub mod bot;
pub mod brain;
pub mod crowd;
pub mod harness;
pub mod ledger;
pub mod miner;
pub mod report;
pub mod trader;

pub use bot::Bot;
pub use harness::{BotsOptions, Script, run};
pub use ledger::{LedgerLine, TrailLine};
pub use lightmoon_bots::{Location, Stop};
pub use report::Report;
