//! What a store tells about itself.
//!
//! *Responsible for*: counters and the state, as data. *Not responsible for*: where they are shown.

use std::time::Duration;

use lightmoon_contract::Times;

/// How a store is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// It takes everything.
    #[default]
    Up,
    /// It takes everything, but the disk is nearly full: callers should write less, operators make room.
    LowSpace,
    /// A write failed: it answers `Unavailable` and tries each second to come up again.
    Fenced {
        /// What failed, in words.
        reason: String,
    },
}

/// Counters since opening; cheap to take.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// How it is.
    pub state: State,
    /// The number of the last acknowledged group.
    pub last_commit: u64,
    /// Groups written, each with one sync.
    pub groups: u64,
    /// Requests answered, of every sort.
    pub requests: u64,
    /// Commits whose condition did not hold.
    pub refused: u64,
    /// Rows, heads and deletions written.
    pub rows: u64,
    /// Bytes of keys and values that were asked to be written or read.
    pub bytes: u64,
    /// Syncs of the log and of the anchor.
    pub syncs: u64,
    /// Requests whose records could not be read: damage. Anything but 0 needs an operator.
    pub unreadable: u64,
    /// How often a write failed and the store was fenced.
    pub fences: u64,
    /// Requests in the last group, and in the largest.
    pub group_last: usize,
    /// Requests in the largest group.
    pub group_max: usize,
    /// Time of the last group with a write, from its beginning to its acknowledgement.
    pub latency_last: Duration,
    /// Time of the slowest such group.
    pub latency_max: Duration,
    /// Times of all such groups.
    pub latencies: Times,
    /// Requests that wait.
    pub queue_requests: usize,
    /// Bytes that wait.
    pub queue_bytes: usize,
    /// Bytes free where the folder lies; `None`: the system does not say.
    pub free_bytes: Option<u64>,
    /// Bytes in memory that are in the log or the tables too: what was written and not yet sorted into tables, and what was read.
    /// It grows up to its limits and falls back; who looks for leaks takes it off.
    pub buffered_bytes: u64,
    /// Whether the ballast is whole.
    pub has_ballast: bool,
}
