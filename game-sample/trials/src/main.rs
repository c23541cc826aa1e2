//! Trials of the sample game.
fn main() {}
