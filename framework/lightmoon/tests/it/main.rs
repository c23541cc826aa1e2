//! Promises of a game's program, kept by real processes: the example `tiny` of this crate.

#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may, clippy knows only the tests themselves; what is skipped is said"
)]

mod console;
mod cuts;
mod errors;
#[path = "../../examples/tiny/game.rs"]
mod game;
mod halls;
mod harness;
mod lifecycle;
mod login;
mod panics;
mod play;
mod prelude;
mod resume;
mod storage;
mod supervise;
mod workers;
