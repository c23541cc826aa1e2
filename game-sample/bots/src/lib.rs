//! Bots that play the sample game through the Rust client.
