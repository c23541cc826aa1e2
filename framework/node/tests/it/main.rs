//! A node from outside: client links on one side, the sans-io node on the other, a transport that loses nothing between.
//!
//! One file per promise area; the world they share is in `world`, the game in `game`.

#![expect(clippy::unwrap_used, reason = "a test may; clippy knows test functions, not their helpers")]

mod calls;
mod game;
mod idle;
mod kept;
mod letters;
mod login;
mod operator;
mod peek;
mod repeats;
mod resume;
mod stop;
mod visits;
mod workers;
mod world;
mod zones;
