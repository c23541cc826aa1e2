//! The rig on which the sample game's programs are tried: kill trials, the siege, the figures of load.
//!
//! *Responsible for*: the server and the bots as processes ([`server`], [`bots`]), what the server's console tells ([`console`]), what
//! the system tells of a process ([`process`]), a bad network between the two ([`proxy`]). *Not responsible for*: what is tried, and
//! what it is held to.
//!
//! Layer: beside the game, on none of our crates: it starts programs and reads what they write. Linux only, as the servers it tries.
//!
//! ```text
//! Place (binary, folder) ──► Server ──ready.json──► Console: status, metrics
//!                       └──► Bots  ──► Proxy ──► the server
//! ```
//!
//! Invariants:
//! - I1: only processes that were started here are ever killed, and none outlives the value that stands for it.
//! - I2: everything is on this machine's loopback.

pub mod bots;
pub mod console;
pub mod limits;
pub mod place;
pub mod process;
pub mod proxy;
pub mod server;

pub use bots::Bots;
pub use console::{Console, Metrics};
pub use place::Place;
pub use process::Cores;
pub use proxy::{Proxy, Weather};
pub use server::Server;
