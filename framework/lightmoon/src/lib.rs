//! Lightmoon: a framework for game servers, from one process to many nodes.
//!
//! *Responsible for*: the program around a game: verbs, settings, data folder, threads, web page, console; and one crate
//! from which games take the whole API. *Not responsible for*: contracts (`lightmoon-contract`, which contracts crates
//! use directly), actors, zones, the node, the network; they are crates of their own, re-exported here.
//!
//! Layer: the top; above `node`, `net` and `store-files`. The only crate that reads the environment, starts threads for the node and
//! owns a data folder.
//!
//! ```text
//! parent process       holds the data folder, starts the node's process again when it dies (`--supervise off`: none)
//! main thread          waits for signals, starts and stops
//! lightmoon-node       the game: node.turn(now, events) -> outputs, one pinned core; with several workers the hub only
//! lightmoon-work-N     with several workers: the actors of one of them, one pinned core each
//! lightmoon-store      commits to files: one group, one sync
//! lightmoon-encode     encodes copies of zones for their snapshots
//! lightmoon-io         tokio: QUIC and WebTransport, page, console
//! ```

mod app;
pub mod archive;
pub mod auth;
mod board;
mod clock;
mod config;
mod console;
mod cores;
mod encoder;
mod extension;
mod failure;
mod flaws;
mod folder;
mod io;
mod keys;
mod limits;
mod node_thread;
mod options;
mod pace;
pub mod prelude;
#[cfg(test)]
mod scratch;
mod serve;
mod setting;
mod storage;
mod supervise;
mod watch;
mod web;
mod workers;

pub use app::App;
pub use console::{ConsolePage, Glance, ZoneGlance};
pub use extension::{Extension, Ready, Verb};
pub use failure::Failure;
pub use serve::Running;
pub use setting::{Origin, Setting, Settings};
pub use web::Assets;

pub use lightmoon_actor as actor;
pub use lightmoon_contract as contract;
pub use lightmoon_node as node;
pub use lightmoon_node::Game;
pub use lightmoon_zone as zone;
/// Puts a page's files into the binary: derive `lightmoon::rust_embed::RustEmbed` with
/// `#[crate_path = "lightmoon::rust_embed"]` and `#[folder = "page"]`.
pub use rust_embed;

/// The deterministic simulator, for tests of games.
#[cfg(feature = "testing")]
pub use lightmoon_sim as testing;
