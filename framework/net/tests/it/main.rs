//! Promises of the network shell, kept over real sockets on the loopback interface.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may; clippy knows only the tests themselves")]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test fails at whatever it did not expect")]

mod harness;
mod limits;
mod links;
mod restart;
