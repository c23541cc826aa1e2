//! The simulator with a small game: worlds repeat, right clients pass, wrong ones are caught.

mod fair;
mod faults;
mod flaws;
mod game;
mod herd;
#[cfg(feature = "flaws")]
mod hunt;
mod kept;
mod panics;
mod repeat;
