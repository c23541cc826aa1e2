//! What can be chosen about the store.
//!
//! *Responsible for*: the options and their defaults. *Not responsible for*: where they come from (the binary reads them).

use crate::limits;

/// Options of a store in files.
#[derive(Clone, Debug)]
pub struct FilesOptions {
    /// Open although acknowledged commits are missing or the log is damaged, and go on without them. Default: no. Set it
    /// for one start, after reading the error that asks for it; what was cut off is kept beside, named `.lost`.
    pub accept_loss: bool,
    /// Bytes of the ballast, a file that is given back when the disk is full. Default: 64 MiB, range 0 (none) and up. It
    /// has to hold what the engine writes to come up again.
    pub ballast_bytes: u64,
    /// Free bytes below which [`State::LowSpace`](crate::State::LowSpace) is reported. Default: 256 MiB.
    pub free_low_bytes: u64,
    /// Bytes of what was committed but is not yet sorted into tables, of rows and of chunks each; memory takes two to three times as many.
    /// Default [`TABLE_BYTES`](crate::limits::TABLE_BYTES), 1 to 256 MiB; other values are taken as the nearest of these. Fewer are written out more
    /// often, and replayed sooner after a crash. The engine keeps what a folder was made with.
    pub table_bytes: u64,
    /// Bytes of blocks that were read and are kept. Default [`CACHE_BYTES`](crate::limits::CACHE_BYTES), 1 MiB to 16 GiB; other values are taken as
    /// the nearest of these. It fills as far as something is read.
    pub cache_bytes: u64,
    /// For tests of this crate: what is left out, to prove that its absence is found.
    #[doc(hidden)]
    pub faults: Faults,
}

impl Default for FilesOptions {
    fn default() -> Self {
        Self {
            accept_loss: false,
            ballast_bytes: 64 * 1024 * 1024,
            free_low_bytes: 256 * 1024 * 1024,
            table_bytes: limits::TABLE_BYTES,
            cache_bytes: limits::CACHE_BYTES,
            faults: Faults::default(),
        }
    }
}

/// What a test leaves out.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// Acknowledges without a sync.
    pub no_sync: bool,
    /// Neither writes the anchor nor compares with it, nor looks at the log before the engine does.
    pub no_anchor: bool,
    /// Does not compare checksums of records.
    pub no_crc: bool,
    /// Bytes of the engine's memory tables; 0: those of the options. Small ones make many files.
    pub memtable_bytes: u64,
    /// Waits before it writes a group: a slow disk.
    pub delay_ms: u64,
}
