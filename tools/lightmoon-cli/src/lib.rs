//! The lightmoon command as a library: code generation for clients, the game that is new.
//!
//! *Responsible for*: client code out of a descriptor's JSON, and the files of a new game, as text. *Not responsible for*: files and arguments
//! (`main`), making descriptors (a game's contracts crate does).
//!
//! Layer: a tool, beside the framework; it knows contracts only by their JSON, so it needs no server crate.
//!
//! Invariants:
//! - I1: the same JSON always gives the same text.
//! - I2: generated code is thin: behaviour is in the SDK.

#![forbid(unsafe_code)]

pub mod descriptor;
pub mod template;
pub mod typescript;
