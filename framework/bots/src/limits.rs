//! How much there may be of what.

use std::time::Duration;

/// Most bots of one run: a connection costs some 60 KiB and a core carries a few thousand. Over it: the run is refused.
pub const BOTS_MAX: usize = 5_000;

/// Sockets that bots share. A tick's packets for all bots come within a millisecond, and a socket of a system left as it is holds
/// some 150 of them; the rest would be lost before anybody could read.
pub const ENDPOINTS_MAX: usize = 32;

/// Bots of one socket, until there are as many sockets as there may be.
pub const BOTS_PER_ENDPOINT: usize = 32;

/// Time between two bots that begin, so that their handshakes do not arrive at one moment.
pub const BEGIN_EVERY: Duration = Duration::from_millis(15);

/// All bots have begun after this, however many they are.
pub const BEGIN_WITHIN: Duration = Duration::from_secs(10);

/// Longest run, seconds: a week. Over it: the run is refused; who wants more starts it again.
pub const SECONDS_MAX: u64 = 7 * 24 * 60 * 60;

/// The shortest pause that a bot may ask for: people are slower. Shorter ones are lengthened to it.
pub const PAUSE_MIN: Duration = Duration::from_millis(10);

/// The longest pause that a bot may ask for. Longer ones are cut.
pub const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Error texts that a report keeps; the first ones usually name the cause.
pub const ERRORS_KEPT: usize = 8;

/// Certificates that a server may announce: the present one and the next. More are not looked at.
pub const HASHES_MAX: usize = 8;

/// Longest answer of a web server that is read; a real one has some hundred bytes.
pub const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Patience with a web server, which answers in a millisecond or not at all.
pub const WEB_PATIENCE: Duration = Duration::from_secs(5);

/// Longest latency that a histogram tells apart from longer ones, microseconds: one minute, the longest time-out of a call.
pub const LATENCY_US_MAX: u64 = 60_000_000;
