//! Promises of a game's program, kept by real processes: the example `tiny` of this crate.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may; clippy knows only the tests themselves")]

mod console;
mod errors;
#[path = "../../examples/tiny/game.rs"]
mod game;
mod harness;
mod lifecycle;
mod login;
mod play;
mod storage;
mod supervise;
