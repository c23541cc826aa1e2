//! Server and client of replication against each other.

mod cost;
mod delta;
mod hostile;
mod link;
mod server;
mod vectors;

pub(crate) use cost::tally;
