//! The sans-io node: the game definition, sessions, routing.
