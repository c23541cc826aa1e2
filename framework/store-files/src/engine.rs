//! The engine: fjall's handles and what is asked of them.
//!
//! *Responsible for*: opening with every check, reading records, writing a group as one batch. *Not responsible for*:
//! conditions (`group`), when (`worker`).
//!
//! Invariants:
//! - I1: all handles of the engine live here, on the commit thread: when this is dropped, the folder can be opened again.
//! - I2: each batch carries the number of its commit, one more than the last.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fjall::config::{BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Slice};

use crate::anchor::{Anchor, Known, sync_folder};
use crate::group::Writes;
use crate::inspect::{self, Flaw};
use crate::options::Faults;
use crate::place::{NUMBER, Tag};
use crate::record::{self, Damage};
use crate::{FilesOptions, OpenError, limits};

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is not what was written.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The engine could not read it; a damaged block too.
    #[error("the engine cannot read")]
    Engine(#[from] fjall::Error),
}

/// The open engine.
pub(crate) struct Engine {
    database: Database,
    rows: Keyspace,
    chunks: Keyspace,
    number: u64,
    faults: Faults,
}

/// What opening found besides the engine.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// What an operator should read.
    pub(crate) warnings: Vec<String>,
    /// What the anchor has to know before the next commit.
    pub(crate) known: Known,
}

/// Whether the engine ever finished making its folder: this marker is synced before any commit.
pub(crate) fn is_made(store: &Path) -> bool {
    store.join("version").exists()
}

impl Engine {
    /// Opens the folder, or makes it.
    pub(crate) fn open(
        store: &Path,
        known: Known,
        options: &FilesOptions,
    ) -> Result<(Self, Found), OpenError> {
        let mut found = Found { known, ..Found::default() };
        let is_compared = !options.faults.no_anchor;
        let mut logged = None;
        if is_made(store) {
            check_version(store)?;
            if is_compared {
                logged = look(store, options, &mut found)?;
            }
        } else if known.number > 0 {
            if !options.accept_loss {
                return Err(OpenError::Lost { path: store.to_path_buf(), last: 0, anchor: known.number });
            }
            let missing = format!("all {} commits are missing, as accepted", known.number);
            found.warnings.push(missing);
            found.known.lost_to = known.number;
        } else {
            clear_half_made(store)?;
        }
        let mut engine = catch_unwind(AssertUnwindSafe(|| Self::open_files(store, options)))
            .unwrap_or_else(|_| Err(OpenError::damaged(store, "the engine gave up on its files")))?;
        if logged.is_some_and(|logged| logged != engine.number) {
            return Err(OpenError::damaged(store, "the engine did not read its whole log"));
        }
        if is_compared && engine.number < known.number {
            if !options.accept_loss {
                let (path, last, anchor) = (store.to_path_buf(), engine.number, known.number);
                return Err(OpenError::Lost { path, last, anchor });
            }
            let (last, anchor) = (engine.number, known.number);
            found.warnings.push(format!("commits {} to {anchor} are missing, as accepted", last + 1));
            found.known.lost_to = anchor;
        }
        // Numbers are never given twice, also not those of lost commits.
        engine.number = engine.number.max(found.known.lost_to);
        found.known.number = engine.number;
        Ok((engine, found))
    }

    fn open_files(store: &Path, options: &FilesOptions) -> Result<Self, OpenError> {
        let failed = |error| OpenError::of_engine(store, error);
        let faults = options.faults;
        let table_bytes = match faults.memtable_bytes {
            0 => options.table_bytes.clamp(limits::TABLE_BYTES_MIN, limits::TABLE_BYTES_MAX),
            bytes => bytes,
        };
        let database = Database::builder(store)
            .worker_threads(1)
            .max_journaling_size(limits::LOG_BYTES_MAX)
            .cache_size(options.cache_bytes.clamp(limits::CACHE_BYTES_MIN, limits::CACHE_BYTES_MAX))
            .manual_journal_persist(true)
            .open()
            .map_err(failed)?;
        let filter =
            || FilterPolicy::all(FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0)));
        let rows = || KeyspaceCreateOptions::default().max_memtable_size(table_bytes).filter_policy(filter());
        let separation = KvSeparationOptions::default().separation_threshold(limits::SEPARATED_BYTES_MIN);
        let chunks = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(table_bytes)
                .with_kv_separation(Some(separation))
        };
        let rows = database.keyspace("rows", rows).map_err(failed)?;
        let chunks = database.keyspace("chunks", chunks).map_err(failed)?;
        sync_folders(store).map_err(|source| OpenError::of_io(store, source))?;
        let mut engine = Self { database, rows, chunks, number: 0, faults };
        let number = engine.get(Tag::Rows, NUMBER, record::number);
        engine.number =
            number.map_err(|error| OpenError::damaged(store, error.to_string()))?.unwrap_or_default();
        Ok(engine)
    }

    /// The number of the last commit.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    const fn keyspace(&self, tag: Tag) -> &Keyspace {
        match tag {
            Tag::Heads | Tag::Rows | Tag::Log => &self.rows,
            Tag::Chunks => &self.chunks,
        }
    }

    /// Reads one record.
    pub(crate) fn get<T>(
        &self,
        tag: Tag,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<T, Damage>,
    ) -> Result<Option<T>, ReadError> {
        let Some(record) = self.keyspace(tag).get(key)? else { return Ok(None) };
        Ok(Some(decode(record::open(key, &record, !self.faults.no_crc)?)?))
    }

    /// Reads records in the order of their keys, as far as `each` goes on.
    pub(crate) fn range(
        &self,
        tag: Tag,
        from: Vec<u8>,
        to: Vec<u8>,
        mut each: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), ReadError> {
        if from >= to {
            return Ok(());
        }
        for guard in self.keyspace(tag).range(from..to) {
            let (key, record) = guard.into_inner()?;
            if !each(&key, record::open(&key, &record, !self.faults.no_crc)?) {
                break;
            }
        }
        Ok(())
    }

    /// Reads keys alone.
    pub(crate) fn keys(&self, tag: Tag, from: Vec<u8>, to: Vec<u8>) -> Result<Vec<Slice>, ReadError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let keys = self.keyspace(tag).range(from..to).map(fjall::Guard::key);
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// The first key of a range.
    pub(crate) fn first_key(&self, tag: Tag, from: Vec<u8>, to: Vec<u8>) -> Result<Option<Slice>, ReadError> {
        if from >= to {
            return Ok(None);
        }
        Ok(self.keyspace(tag).range(from..to).next().map(fjall::Guard::key).transpose()?)
    }

    /// Writes everything or nothing, and syncs it.
    ///
    /// # Errors
    /// It may have happened or not: the engine has to be opened again to learn which.
    pub(crate) fn commit(&mut self, writes: Writes) -> Result<(), fjall::Error> {
        let number = self.number + 1;
        let mode = if self.faults.no_sync { PersistMode::Buffer } else { PersistMode::SyncData };
        let mut batch = fjall::OwnedWriteBatch::with_capacity(self.database.clone(), writes.len() + 1)
            .durability(Some(mode));
        batch.insert(&self.rows, NUMBER, record::seal(NUMBER, &number.to_le_bytes()));
        for (key, value) in writes {
            let keyspace = if key.first() == Some(&(Tag::Chunks as u8)) { &self.chunks } else { &self.rows };
            match value {
                Some(value) => batch.insert(keyspace, key, value),
                None => batch.remove(keyspace, key),
            }
        }
        batch.commit()?;
        self.number = number;
        Ok(())
    }

    /// Bytes in memory that the engine could do without: unsorted writes and cached blocks.
    pub(crate) fn buffered_bytes(&self) -> u64 {
        self.database.write_buffer_size() + self.database.cache_size()
    }

    /// Whether the engine still takes commits; its own thread may have failed meanwhile.
    pub(crate) fn probe(&self) -> Result<(), fjall::Error> {
        self.database.persist(PersistMode::Buffer)
    }
}

/// Looks at the files and mends what may be mended. The number of the last batch in the logs.
fn look(store: &Path, options: &FilesOptions, found: &mut Found) -> Result<Option<u64>, OpenError> {
    inspect::lists_of_tables(store)?;
    let logs = inspect::logs(store, found.known)?;
    for flaw in &logs.flaws {
        let anchor = found.known.number;
        // A torn end that reaches the anchor holds nothing that anybody was told of.
        let is_harmless = flaw.is_torn_end && flaw.last.is_none_or(|last| last >= anchor);
        if !is_harmless && !options.accept_loss {
            return Err(refusal(flaw, anchor));
        }
        inspect::cut(flaw).map_err(|source| OpenError::of_io(&flaw.path, source))?;
        found.warnings.push(warning(flaw, is_harmless));
        if !is_harmless {
            found.known.lost_to = anchor.max(flaw.last.unwrap_or_default());
        }
    }
    Ok(logs.last)
}

fn refusal(flaw: &Flaw, anchor: u64) -> OpenError {
    match flaw.last {
        Some(last) if flaw.is_torn_end && last < anchor => {
            OpenError::Lost { path: flaw.path.clone(), last, anchor }
        }
        _ => OpenError::damaged(&flaw.path, format!("{}, at byte {}", flaw.what, flaw.whole_bytes)),
    }
}

fn warning(flaw: &Flaw, is_harmless: bool) -> String {
    let path = flaw.path.display();
    if is_harmless {
        format!("cut off a commit at the end of {path} that a crash had torn; it was never acknowledged")
    } else {
        format!(
            "cut {path} at byte {}, as accepted ({}); the rest lies beside it as .lost",
            flaw.whole_bytes, flaw.what
        )
    }
}

/// Refuses the engine's newer formats before anything is touched.
fn check_version(store: &Path) -> Result<(), OpenError> {
    let path = store.join("version");
    let known = u8::from(fjall::FormatVersion::V3);
    let bytes = std::fs::read(&path).map_err(|source| OpenError::of_io(&path, source))?;
    match bytes.as_slice() {
        [b'F', b'J', b'L', found, ..] if *found > known => {
            Err(OpenError::Newer { path, found: u32::from(*found), known: u32::from(known) })
        }
        [b'F', b'J', b'L', found, ..] if *found == known => Ok(()),
        _ => Err(OpenError::damaged(&path, "it names no known format")),
    }
}

/// Makes the folders of new trees last: the engine syncs what is in them, not their own names.
fn sync_folders(store: &Path) -> std::io::Result<()> {
    let keyspaces = store.join("keyspaces");
    for entry in std::fs::read_dir(&keyspaces)? {
        let tree = entry?.path();
        if tree.is_dir() {
            sync_folder(&tree)?;
        }
    }
    sync_folder(&keyspaces)?;
    sync_folder(store)
}

/// Removes what a crash left of a folder that was never finished.
fn clear_half_made(store: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::of_io(store, source);
    if store.exists() {
        std::fs::remove_dir_all(store).map_err(failed)?;
    }
    std::fs::create_dir_all(store).map_err(failed)?;
    store.parent().map_or(Ok(()), |folder| sync_folder(folder).map_err(failed))
}

/// Opens the anchor of a folder whose engine was or was not made.
pub(crate) fn open_anchor(folder: &Path, store: &Path, options: &FilesOptions) -> Result<Anchor, OpenError> {
    Anchor::open(folder, !is_made(store) || options.faults.no_anchor)
}
