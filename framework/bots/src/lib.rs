//! Bots for any game: many clients in one thread, what they do, and what they measured.
//!
//! *Responsible for*: finding a server ([`Location`]), running many clients of it to an end ([`fleet`]), bots that a game writes
//! ([`Bot`], [`Bots`]) and their report; with the feature `program` the verb `bots` and bots beside a server. *Not responsible for*:
//! what bots want; that is the game's.
//!
//! Layer: on `lightmoon-client` and `lightmoon-contract`, like any client; with the feature `program` also on `lightmoon`. A bot knows
//! only what its client shows, and comes over UDP as players do.
//!
//! ```
//! use std::time::Duration;
//! use lightmoon_bots::{Bot, Bots, Client, Rng};
//! use lightmoon_contract::{contract, contracts};
//!
//! #[contract(ticking)]
//! pub trait Meadow {
//!     #[operation(client = zone)]
//!     fn jump(height: f32);
//! }
//!
//! contracts! { game = "meadow", contracts = [Meadow], components = [], lock = none }
//!
//! struct Jumper;
//!
//! impl Bot for Jumper {
//!     fn act(&mut self, client: &mut Client, random: &mut Rng) -> Duration {
//!         // If it cannot be sent now, it jumps again soon.
//!         let _unsent = client.zone::<MeadowContract>().jump(random.f32());
//!         Duration::from_millis(random.u64(500..2000))
//!     }
//! }
//!
//! # fn main() {
//! let bots = Bots::new(descriptor(), &[]).script("jump", || Jumper);
//! assert_eq!(bots.scripts(), ["jump"]);
//! # }
//! ```

#![forbid(unsafe_code)]

mod bot;
mod error;
pub mod fleet;
pub mod limits;
mod location;
#[cfg(feature = "program")]
pub mod program;
mod report;

pub use bot::{Bot, Bots, RunOptions};
pub use error::Error;
pub use fleet::Stop;
pub use location::Location;
#[cfg(feature = "program")]
pub use program::{BotsBeside, BotsVerb};
pub use report::{Latency, Percentiles, Report};

pub use fastrand::Rng;
pub use lightmoon_client::{Client, Event};
