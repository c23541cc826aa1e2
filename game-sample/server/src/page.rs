//! The game's page: the files of `game-sample/page`, in the binary of a release build, read from disk in a debug build.
//!
//! *Responsible for*: naming the folder. *Not responsible for*: what the page does; it is a client like any other.

use lightmoon::rust_embed::RustEmbed;

/// The files of the page.
#[derive(RustEmbed, Clone, Copy, Debug)]
#[crate_path = "lightmoon::rust_embed"]
#[folder = "../page"]
pub struct Page;
