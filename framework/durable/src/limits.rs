//! Every maximum of stored actors, with its reason and what happens when it is reached.
//!
//! *Responsible for*: the numbers. *Not responsible for*: limits of single requests (`lightmoon_store::limits`).

use std::time::Duration;

/// Bytes of the whole state of an actor without ticks: more belongs into several actors. Over it: the commit is refused,
/// the activation ends, its caller gets an error that names the type.
pub const STATE_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one row: what every store takes, less the frame of a record.
pub const PART_BYTES_MAX: usize = lightmoon_store::limits::VALUE_BYTES_MAX;

/// Bytes of one durable entity: one row.
pub const ENTITY_BYTES_MAX: usize = PART_BYTES_MAX - 64;

/// Parts of one snapshot: 25 MB, what a database takes as one partition without complaint. Over it: the snapshot is not
/// published and an error is logged; the one before stays.
pub const SNAPSHOT_PARTS_MAX: usize = 256;

/// Snapshots that are kept, so that a damaged one does not end a zone.
pub const SNAPSHOTS_KEPT: usize = 3;

/// Ids reserved at each claim and commit beyond those given: what a zone may give between two commits, at a hundred
/// thousand a second for ten seconds.
pub const IDS_RESERVED: u64 = 1 << 20;

/// Chunks of one snapshot that are being written at the same time: enough to keep a disk busy, 400 KB.
pub const CHUNKS_IN_FLIGHT_MAX: usize = 4;

/// Rows in one page while an actor is loaded: at most 6 MB in memory at a time.
pub const LOAD_PAGE_ROWS: usize = 64;

/// Rows that are loaded for one actor: snapshots cover older entities and outboxes are bounded, so more means that none was written
/// for days. Over it: the load fails with a report.
pub const ENTITY_ROWS_MAX: usize = 1 << 20;

/// Tries of a claim against others that claim at the same time. Over it: the load fails and is tried again later.
pub const CLAIMS_MAX: u32 = 8;

/// Requests of one node under way in its store: what a commit thread takes in one group. Over it: they wait here, those of
/// `sync` operations first.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 512;

/// Time between two tries while the store is away: what an operator sees as "at once", and little load for a store that
/// struggles.
pub const PROBE_EVERY: Duration = Duration::from_millis(250);

/// Commits of one actor that wait behind the one under way: its last one when it ends, and a manifest.
pub const COMMITS_QUEUED_MAX: usize = 4;

/// Messages of an actor are numbered by the commit that sends them, shifted by this, and by their place in it: more than a
/// commit may have changes.
pub const LETTER_SHIFT: u32 = 16;

/// Generations and activations share an epoch: so many activations of one actor fit one generation.
pub const EPOCH_SHIFT: u32 = 20;

/// Messages of one pair of actors under way at a time: what the receiver can take in one commit, and what it sees of a gap
/// at most.
pub const WINDOW: usize = 64;

/// Failures after which a message is a dead letter: a fault that passes has passed by then, within three seconds.
pub const TRIES_MAX: u32 = 5;

/// Rest of a pair whose receiver could not serve now; it doubles each time.
pub const REST_FIRST: Duration = Duration::from_millis(50);

/// The longest such rest.
pub const REST_LONGEST: Duration = Duration::from_secs(5);

/// Rest of a pair after a message came too early: the one before it rests for longer.
pub const GAP_REST: Duration = Duration::from_millis(10);

/// How long rows of messages that were taken wait for a commit that takes them along. Until then a crash leads to one more
/// delivery, which is known.
pub const SETTLE_AFTER: Duration = Duration::from_secs(2);

/// Time between two looks at the list of outboxes of earlier generations.
pub const OUTBOXES_AGAIN_AFTER: Duration = Duration::from_secs(20);

/// A node that was replaced has noticed by then; until then nobody is taken out of the list of outboxes.
pub const FORMER_GONE_AFTER: Duration = Duration::from_secs(60);

/// Dead letters in one listing, for people.
pub const DEAD_LETTERS_LISTED_MAX: usize = 1_000;

/// Bytes of letters that one commit writes again, since they failed or are replayed: beside a whole state and as much that is
/// sent, an eighth of what a store takes in one. Over it: the rest is in the next commit.
pub const SETTLED_BYTES_MAX: usize = 512 * 1024;
