//! Promises of the network shell, kept over real sockets on the loopback interface.

mod harness;
mod limits;
mod links;
mod restart;
