//! Contracts of the sample game.
