//! Every bound of this crate, with its reason and what happens when it is reached.

use std::time::Duration;

/// From a start, or a kill, to a server that is ready: a tenth of a second, several times that on a busy machine, and after several
/// deaths in a row the parent pauses for a few seconds. Reached: an error.
pub const READY_WITHIN: Duration = Duration::from_secs(20);
/// From SIGTERM to the end of a server: its own bound is two seconds, on a busy machine more. Reached: killed, and an error.
pub const STOP_WITHIN: Duration = Duration::from_secs(20);
/// From SIGTERM to the end of bots: closing thousands of sessions in order takes a while on a full core. Reached: as above.
pub const BOTS_STOP_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at a file or a child while something is waited for.
pub const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The console answers in milliseconds, on a full core later. Reached: an error.
pub const CONSOLE_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of the console's answer: 200 sessions and all counters are some 40 KiB. Reached: it is cut off, which is an error.
pub const CONSOLE_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of a UDP packet, the most there can be.
pub const PACKET_BYTES_MAX: usize = 64 * 1024;
/// Between two looks of the proxy's threads whether to stop.
pub const PROXY_LOOK_EVERY: Duration = Duration::from_millis(200);
/// Addresses that a proxy serves: bots share sockets, and come back from the same ones. Over it: packets of others are lost.
pub const PROXY_ADDRESSES_MAX: usize = 4_096;
