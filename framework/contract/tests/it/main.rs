//! What this crate promises, seen from outside, as a game sees it.
//!
//! *Responsible for*: the byte format against its oracle, growing, hostile input, macros, descriptors, the lock.
//! *Not responsible for*: memory (`tests/allocation.rs`), what must not compile (`tests/compile.rs`).

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may; clippy knows only the tests themselves")]

mod arbitrary;
#[path = "../../../../fuzz/bodies/contract.rs"]
mod bodies;
mod descriptor;
mod dispatch;
mod growing;
mod hostile;
mod lock;
mod oracle;
mod replicate;
mod vectors;
