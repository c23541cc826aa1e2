//! Every bound of this store, with its reason and what happens when it is reached.
//!
//! *Responsible for*: constants that are not options. *Not responsible for*: bounds of requests (`lightmoon_store::limits`).

use std::time::Duration;

/// Requests that wait for the commit thread. Reached: [`Why::Busy`](lightmoon_store::Why::Busy). A second's worth on a
/// slow disk; more would only grow the wait.
pub const QUEUE_REQUESTS_MAX: usize = 16 * 1024;

/// Bytes of keys and values that wait for the commit thread. Reached: `Busy`. Two seconds' worth on a slow disk.
pub const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Outcomes that wait to be polled, with the requests under way. Reached: `Busy`; it means that nobody polls.
pub const IN_FLIGHT_MAX: usize = lightmoon_store::limits::IN_FLIGHT_MAX;

/// Requests in one group. Reached: the rest goes into the next group. Beyond a thousand a larger group saves nothing
/// (the sync is then a small part), and every caller waits for the whole group.
pub const GROUP_REQUESTS_MAX: usize = 4 * 1024;

/// Bytes in one group: a few of the largest commits. Reached: the rest goes into the next group.
pub const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a request costs of the byte limits besides its keys and values: small ones are bounded in number too.
pub const REQUEST_COST_BYTES: usize = 128;

/// Heads kept decoded, in each of two generations. Reached: the older generation is dropped. 64 Ki actors at work in one
/// node; about 10 MB.
pub const HEADS_CACHED_MAX: usize = 64 * 1024;

/// How often the anchor is synced, free space is looked at and a fenced store is opened again: the second that a power
/// cut may take from the anchor's knowledge.
pub const TICK: Duration = Duration::from_secs(1);

/// Bytes of all logs of the engine. Its floor (it asserts this); more would make opening after a crash slower.
pub const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes of the engine's memory table of rows, and of that of chunks, unless the options say otherwise. What is in them is replayed when a node that
/// was killed opens the store again, while its players wait: so they are small, and written out more often. Reached: written out.
pub const TABLE_BYTES: u64 = 16 * 1024 * 1024;

/// The least that the options may say: below it a busy store makes a table for each second's commits.
pub const TABLE_BYTES_MIN: u64 = 1024 * 1024;

/// The most that the options may say: all of a log that is full ([`LOG_BYTES_MAX`]), several times over.
pub const TABLE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Bytes of the engine's cache of blocks, unless the options say otherwise: it fills as players come back and are read. Over it: the blocks
/// that were read longest ago go.
pub const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// The least that the options may say: a few tables' indexes and filters, which every read looks at.
pub const CACHE_BYTES_MIN: u64 = 1024 * 1024;

/// The most that the options may say: beyond it the system's own cache of files does as well.
pub const CACHE_BYTES_MAX: u64 = 16 * 1024 * 1024 * 1024;

/// Values of chunks from this size on lie in files of their own, which compaction does not copy again and again.
pub const SEPARATED_BYTES_MIN: u32 = 4 * 1024;

/// Free bytes that a new folder needs besides its ballast: anchor, log and a first table.
pub const FIRST_FOLDER_BYTES: u64 = 16 * 1024 * 1024;

/// The jump of the engine's own sequence number between two batches. It takes a few for its own work; a larger jump is a
/// flipped bit.
pub const ENGINE_SEQUENCE_JUMP_MAX: u64 = 1 << 20;
