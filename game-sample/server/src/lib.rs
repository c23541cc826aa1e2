//! The sample game: a small open world in space.
