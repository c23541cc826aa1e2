//! Server and client of replication against each other.

mod hostile;
mod link;
mod server;
mod vectors;
