//! The client against a host: the core by itself, and the driver over real sockets.

mod game;
#[cfg(feature = "tokio")]
mod native;
mod resume;
mod sans_io;
mod world;
