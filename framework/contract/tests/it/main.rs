//! What this crate promises, seen from outside, as a game sees it.
//!
//! *Responsible for*: the byte format against its oracle, growing, hostile input, macros, descriptors, the lock.
//! *Not responsible for*: memory (`tests/allocation.rs`), what must not compile (`tests/compile.rs`).

#![forbid(unsafe_code)]

mod arbitrary;
mod descriptor;
mod dispatch;
mod growing;
mod hostile;
mod lock;
mod oracle;
mod replicate;
mod vectors;
