//! How long things may take, how much a server may grow, and how many attackers there are.
//!
//! *Responsible for*: the figures that a run is held to, with reasons. *Not responsible for*: judging.

use std::time::Duration;

/// From the start of the server until it is ready: a tenth of a second, and several times that on a busy machine.
pub(crate) const READY_WITHIN: Duration = Duration::from_secs(15);
/// From SIGTERM to its end: its own bound is two seconds.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks at a file that will be written.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(5);
/// All honest bots have a ship after this.
pub(crate) const BEGIN_WITHIN: Duration = Duration::from_secs(30);
/// Who comes during an attack is in play after this, with its client's own tries: tens of milliseconds where the machine is free, some
/// seconds where attackers and builds share its cores.
pub(crate) const NEWCOMER_WITHIN: Duration = Duration::from_secs(20);
/// A connection that the server should close is closed after this: silence of five seconds, and what follows.
pub(crate) const CLOSED_WITHIN: Duration = Duration::from_secs(9);
/// A client that does not read is thrown out after this.
pub(crate) const SLOW_CLOSED_WITHIN: Duration = Duration::from_secs(10);
/// A server that is asked for its metrics answers in a millisecond.
pub(crate) const METRICS_WITHIN: Duration = Duration::from_secs(5);
/// Longest answer of the console that is read.
pub(crate) const METRICS_BYTES_MAX: u64 = 1024 * 1024;

/// Between two connections of one attacker: a node takes 100 a second from one address.
pub(crate) const CONNECT_EVERY: Duration = Duration::from_millis(11);

/// Bytes that a server may grow by one attack: a thousand connections of 40 KiB, a hundred full queues of 256 KiB.
pub(crate) const GROWTH_MAX: u64 = 96 * 1024 * 1024;
/// Of a server without optimisation: its frames and tasks are several times larger.
pub(crate) const GROWTH_DEBUG_MAX: u64 = 192 * 1024 * 1024;
/// What a session that waits for its client takes, with its player's world: 47 KiB and 63 KiB (`cargo xtask bench load`), and some air.
pub(crate) const SESSION_BYTES: u64 = 128 * 1024;
/// How often its memory is looked at.
pub(crate) const MEMORY_EVERY: Duration = Duration::from_millis(200);

/// Between two requests of an honest bot: just within the rate of the operation, four in a second.
pub(crate) const ASK_EVERY: Duration = Duration::from_millis(260);
/// By how much an attack may raise the 99th percentile of honest clients' answers, in percent.
pub(crate) const P99_RISE_MAX: f64 = 10.0;
/// Answers of less than this are as good as at once: one tick later than another is no harm that a player feels.
pub(crate) const P99_FLOOR_US: u64 = 5_000;

/// Connections that attack at a time where they are few.
pub(crate) const FEW: usize = 20;
/// Half-open handshakes, and silent connections, of the full run.
pub(crate) const MANY: usize = 1_000;
/// The same of a short run.
pub(crate) const SOME: usize = 300;
/// Connections a second of those that come and go: as many as one thread of an attacker makes.
pub(crate) const CHURN_PER_SECOND: u32 = 1_000;
