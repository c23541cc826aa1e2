//! Bounds of the simulator.
//!
//! *Responsible for*: every maximum of this crate, with its reason. *Not responsible for*: the limits of what is simulated.

/// Bytes of a stream in one packet: what QUIC puts into a packet of common size.
pub const PACKET_BYTES: usize = 1_200;

/// Losses in a row of one packet: at 30 % loss the ninth has a chance of 1 in 50,000; a connection would be given up.
pub const RETRANSMISSIONS_MAX: u32 = 8;

/// Ticks kept of each zone: 30 s at 20 Hz, longer than the slowest packet the link model can make.
pub const TICKS_KEPT: usize = 600;

/// Removed entities remembered of each zone; more would have left every client long ago.
pub const REMOVALS_KEPT: usize = 10_000;
