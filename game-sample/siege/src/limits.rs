//! How long things may take, how much a server may grow, and how many attackers there are.
//!
//! *Responsible for*: the figures that a run is held to, with reasons. *Not responsible for*: judging.

use std::time::Duration;

/// Between two looks at something that is waited for.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(5);
/// All honest bots have a ship after this.
pub(crate) const BEGIN_WITHIN: Duration = Duration::from_secs(60);
/// Who comes during an attack is in play after this, with its client's own tries: tens of milliseconds where the machine is free, some
/// seconds where attackers and builds share its cores.
pub(crate) const NEWCOMER_WITHIN: Duration = Duration::from_secs(20);
/// A connection that the server should close is closed after this: silence of five seconds, and what follows.
pub(crate) const CLOSED_WITHIN: Duration = Duration::from_secs(9);
/// A client that does not read is thrown out after this: eight seconds of a lane that stands still, and what filled it.
pub(crate) const SLOW_CLOSED_WITHIN: Duration = Duration::from_secs(12);
/// What was done is counted after this: a handshake waits for its turn for up to five seconds, and one that never ends is given up after five more.
pub(crate) const COUNTED_WITHIN: Duration = Duration::from_secs(15);
/// No session but those of honest bots is there after this: the 15 s in which one waits for its client, and the 30 s until the transport
/// gives up a connection that ended without a word.
pub(crate) const REST_WITHIN: Duration = Duration::from_secs(50);

/// Between two connections of one attacker: a node takes 100 a second from one address.
pub(crate) const CONNECT_EVERY: Duration = Duration::from_millis(11);

/// Bytes that a server may grow by one attack: a thousand connections of 40 KiB, a hundred full queues of 256 KiB.
pub(crate) const GROWTH_MAX: u64 = 96 * 1024 * 1024;
/// Of a server without optimisation: its frames and tasks are several times larger.
pub(crate) const GROWTH_DEBUG_MAX: u64 = 192 * 1024 * 1024;
/// What a crowd that comes and goes may leave behind: players that stay in memory for when they come back, 1,024 with a world of
/// 63 KiB (`cargo xtask bench load`), and some air.
pub(crate) const DEPARTED_BYTES: u64 = 1_024 * 96 * 1024;
/// What the second of two equal crowds may add: nothing but how the allocator's pieces happen to lie.
pub(crate) const SECOND_WAVE_MAX: u64 = 12 * 1024 * 1024;
/// How often its memory is looked at.
pub(crate) const MEMORY_EVERY: Duration = Duration::from_millis(200);

/// Between two requests of an honest bot: just within the rate of the operation, four in a second.
pub(crate) const ASK_EVERY: Duration = Duration::from_millis(260);
/// By how much an attack may raise the 99th percentile of honest clients' answers, in percent.
pub(crate) const P99_RISE_MAX: f64 = 10.0;
/// Answers of less than this are as good as at once: one tick later than another is no harm that a player feels.
pub(crate) const P99_FLOOR_US: u64 = 5_000;
/// Windows of an attack, and quiet ones before it: so many that one hiccup of the machine decides nothing.
pub(crate) const WINDOWS: usize = 5;
/// Answers in a window: twenty of them lie above the 99th percentile.
pub(crate) const ANSWERS_MIN: usize = 2_000;
/// The same of a short run, in one window.
pub(crate) const ANSWERS_SHORT_MIN: usize = 60;
/// A window without enough answers ends after this, and the run says so.
pub(crate) const WINDOW_WITHIN: Duration = Duration::from_secs(15);

/// Connections that attack at a time where they are few.
pub(crate) const FEW: usize = 20;
/// Half-open handshakes, and silent connections, of the full run.
pub(crate) const MANY: usize = 1_000;
/// The same of a short run.
pub(crate) const SOME: usize = 300;
/// Servers of a short run: with more of them two cores are the limit instead of what the server waits for.
pub(crate) const FRONTS_SHORT: usize = 4;
/// Connections a second of those that come and go.
pub(crate) const CHURN_PER_SECOND: u32 = 1_000;
/// Of them at a time: no more than one machine would try.
pub(crate) const CHURN_AT_ONCE: usize = 200;
/// Clients of one of two waves that come and go: more than the players that stay in memory.
pub(crate) const WAVE: u32 = 3_000;
/// The same of a short run.
pub(crate) const WAVE_SHORT: u32 = 1_500;
/// Addresses they come from, each well within its share.
pub(crate) const WAVE_ADDRESSES: u8 = 10;

/// Percent of packets that the bad network loses, each way.
pub(crate) const LOST: f64 = 20.0;
/// Least time on the bad network: some hundred state packets, a dozen lines of talk.
pub(crate) const LOST_TIME_MIN: Duration = Duration::from_secs(8);
/// How much older than without loss the state that a client shows may be at the median, in ticks: one of five packets is lost, so in four
/// of five ticks the newest one is there.
pub(crate) const AGE_RISE_TICKS_MAX: f64 = 1.0;
/// What was asked over the bad network is answered after this: several losses in a row at timeouts that double.
pub(crate) const LOST_ANSWERS_WITHIN: Duration = Duration::from_secs(15);
