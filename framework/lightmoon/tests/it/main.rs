//! Promises of a game's program, kept by real processes: the example `tiny` of this crate.

mod console;
mod errors;
mod harness;
mod lifecycle;
