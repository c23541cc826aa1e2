//! The keeper against stores that lie about outcomes, from outside.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod desk;
mod outcomes;
mod owners;
mod snapshots;
