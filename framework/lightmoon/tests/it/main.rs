//! Promises of a game's program, kept by real processes: the example `tiny` of this crate.

mod console;
mod errors;
#[path = "../../examples/tiny/game.rs"]
mod game;
mod harness;
mod lifecycle;
mod play;
