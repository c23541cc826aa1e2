//! Every maximum of the client, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers. *Not responsible for*: limits of the protocol (`lightmoon_wire::limits`).

use std::time::Duration;

/// Answers that wait to be taken. A game that asks and never looks would keep them for ever. Over it: the oldest answer
/// is dropped and counted.
pub const ANSWERS_WAITING_MAX: usize = 1_024;

/// Requests that wait for a connection or an attachment after a break: as many as may be open at the server, so that all of them can go at
/// once when it is back. Over it: the request ends with `busy`, and its message can be taken back.
pub const REQUESTS_WAITING_MAX: usize = lightmoon_wire::limits::REQUESTS_OPEN_MAX;

/// Bytes of messages that are sent again, or waited, and have no answer yet: half of what a lane takes. Over it: the next ones go as answers
/// come.
pub const REPEATED_BYTES_MAX: usize = lightmoon_wire::limits::LANE_BACKLOG_BYTES_MAX / 2;

/// Messages that were not delivered and wait to be taken back: all that can wait for a connection. 4 MiB at worst. Over it: the
/// oldest is dropped.
pub const UNDELIVERED_WAITING_MAX: usize = 256;

/// Events that wait to be polled: leaving one full zone (4,096 entities) for another, and pushes besides. Over it: the oldest is
/// dropped and counted.
pub const EVENTS_WAITING_MAX: usize = 16_384;

/// The wait before the first try to reconnect: less than a player notices.
pub const RETRY_FIRST: Duration = Duration::from_millis(100);

/// The longest wait between two tries: a server that comes back is found within two seconds, and one that is down is
/// asked by each client at most about once a second.
pub const RETRY_LONGEST: Duration = Duration::from_secs(2);

/// Time for a transport to connect, before the try counts as failed. A QUIC handshake takes two round trips, and half a
/// second more for each flight that is lost; one whose server was killed in the middle is never told so.
pub const DIAL_TIME_MAX: Duration = Duration::from_secs(2);

/// Bytes that wait for the network in one lane of the driver. Over it: the connection is closed as overloaded, since
/// what is promised reliably may not be dropped.
#[cfg(feature = "tokio")]
pub const UNSENT_BYTES_MAX: usize = 1_024 * 1_024;

/// Reads of the driver between two rounds of the core, so that a flood cannot keep it from its deadlines.
#[cfg(feature = "tokio")]
pub const READS_PER_ROUND_MAX: usize = 64;
