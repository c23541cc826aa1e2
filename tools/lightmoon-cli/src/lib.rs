//! The lightmoon command as a library: code generation for clients.
//!
//! *Responsible for*: client code out of a descriptor's JSON, as text. *Not responsible for*: files and arguments
//! (`main`), making descriptors (a game's contracts crate does).
//!
//! Layer: a tool, beside the framework; it knows contracts only by their JSON, so it needs no server crate.
//!
//! Invariants:
//! - I1: the same JSON always gives the same text.
//! - I2: generated code is thin: behaviour is in the SDK.

#![forbid(unsafe_code)]

pub mod descriptor;
pub mod typescript;
