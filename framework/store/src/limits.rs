//! Every maximum of a store, with its reason. A request over one is handed back by [`crate::Store::submit`].
//!
//! *Responsible for*: the numbers that hold for every store. *Not responsible for*: counting; the error says which one.

/// Bytes of a partition's or row's key: a few numbers and a name.
pub const KEY_BYTES_MAX: usize = 256;

/// Bytes of one value: ScyllaDB logs allocations above 128 KiB, so larger state is cut into rows.
pub const VALUE_BYTES_MAX: usize = 96 * 1024;

/// Changes in one commit: an actor's state, its durable entities and its outbox of one interval.
pub const CHANGES_PER_COMMIT_MAX: usize = 16 * 1024;

/// Bytes of keys and values in one commit: four times the state an actor may have, a quarter of what Cassandra takes as
/// one mutation with default settings.
pub const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Fields of a head: epoch, sequence, schema, snapshot, and as many to spare.
pub const HEAD_FIELDS_MAX: usize = 8;

/// Rows in one page of a read, keys in one page or removal of a scan.
pub const PAGE_ROWS_MAX: usize = 1_000;

/// Rows in one append, and their bytes: an unlogged batch of one partition that a database takes without a warning.
pub const APPEND_ROWS_MAX: usize = 100;

/// Bytes of keys and values in one append.
pub const APPEND_BYTES_MAX: usize = 64 * 1024;

/// Requests under way in a [`crate::MemoryStore`]: more means that nobody polls.
pub const IN_FLIGHT_MAX: usize = 64 * 1024;
