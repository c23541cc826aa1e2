//! Looking at the engine's files before the engine does.
//!
//! *Responsible for*: damage that the engine would pass over by silently shortening its log, or would not look for.
//! *Not responsible for*: tables and values, whose checksums are compared whenever they are read.
//!
//! The engine (fjall 3.1.13) stops reading a log at the first byte it does not understand and cuts the file there. After
//! a crash that is right for the end of the last log, which nobody was told of; anywhere else it loses what was
//! acknowledged. It also does not compare the checksum of a tree's list of tables. Both are made good here.
//!
//! Invariants:
//! - I1: a log that is not the last is whole: batches to its end or to zeros (the engine syncs it before it begins the
//!   next).
//! - I2: the numbers in all logs are dense, but for what an operator gave up.
//! - I3: only the last batch of the last log may be torn: each is synced before the next begins.
//! - I4: time is bounded: logs are at most a few times [`limits::LOG_BYTES_MAX`], lists of tables are small.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::limits;
use crate::place::NUMBER;
use crate::record;
use crate::{OpenError, anchor::Known};

/// What the logs hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Logs {
    /// The number of the last whole batch; `None`: the logs are empty.
    pub(crate) last: Option<u64>,
    /// What was wrong and may be mended, in the order of the files.
    pub(crate) flaws: Vec<Flaw>,
}

/// A place in the logs behind which they cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Flaw {
    /// The file.
    pub(crate) path: PathBuf,
    /// Bytes of it that are whole.
    pub(crate) whole_bytes: u64,
    /// The last number before it.
    pub(crate) last: Option<u64>,
    /// What is wrong.
    pub(crate) what: &'static str,
    /// Whether it can be the end that a crash left: nothing behind it was ever acknowledged.
    pub(crate) is_torn_end: bool,
    /// Logs behind it.
    pub(crate) later: Vec<PathBuf>,
}

/// Reads all logs in the engine's folder, and changes nothing.
pub(crate) fn logs(folder: &Path, known: Known) -> Result<Logs, OpenError> {
    let paths = log_paths(folder)?;
    let mut logs = Logs::default();
    let mut reader = Reader { known, last: None, sequence: None };
    for (index, (_, path)) in paths.iter().enumerate() {
        let is_last = index + 1 == paths.len();
        let bytes = fs::read(path).map_err(|source| OpenError::of_io(path, source))?;
        if let Err((whole, what)) = reader.read(&bytes) {
            let is_torn_end =
                is_last && what == TORN && !any_batch(bytes.get(whole + 1..).unwrap_or_default());
            let later = paths.iter().skip(index + 1).map(|(_, path)| path.clone()).collect();
            let (path, whole_bytes) = (path.clone(), whole as u64);
            logs.flaws.push(Flaw { path, whole_bytes, last: reader.last, what, is_torn_end, later });
            break;
        }
    }
    logs.last = reader.last;
    Ok(logs)
}

/// The logs, oldest first; without gaps between their numbers.
fn log_paths(folder: &Path) -> Result<Vec<(u64, PathBuf)>, OpenError> {
    let failed = |source| OpenError::of_io(folder, source);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            let number = stem.ok_or_else(|| OpenError::damaged(&path, "a log without a number"))?;
            paths.push((number, path));
        }
    }
    paths.sort();
    for pair in paths.windows(2) {
        if let [(one, _), (other, path)] = pair
            && one + 1 != *other
        {
            return Err(OpenError::damaged(path, "the log before it is missing"));
        }
    }
    if paths.is_empty() {
        return Err(OpenError::damaged(folder, "it has no log"));
    }
    Ok(paths)
}

/// Bytes that are no batch: at the end of the last log, what a crash leaves.
const TORN: &str = "a batch in the log is not whole";

struct Reader {
    known: Known,
    last: Option<u64>,
    sequence: Option<u64>,
}

impl Reader {
    /// Reads one log; otherwise how many of its bytes are whole, and what is wrong behind them.
    fn read(&mut self, bytes: &[u8]) -> Result<(), (usize, &'static str)> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if is_zero(rest) {
                return Ok(());
            }
            let batch = batch(rest).ok_or((at, TORN))?;
            self.take(&batch).map_err(|what| (at, what))?;
            at += batch.bytes;
        }
    }

    fn take(&mut self, batch: &Batch) -> Result<(), &'static str> {
        let rises = self.sequence.is_none_or(|last| {
            batch.sequence > last && batch.sequence - last <= limits::ENGINE_SEQUENCE_JUMP_MAX
        });
        if !rises {
            return Err("the engine's sequence numbers jump");
        }
        let number = batch.number.ok_or("a batch has no commit number")?;
        let is_dense = self.last.is_none_or(|last| {
            number == last + 1 || (number > last && number <= self.known.lost_to.saturating_add(1))
        });
        if !is_dense {
            return Err("commit numbers are not dense");
        }
        self.sequence = Some(batch.sequence);
        self.last = Some(number);
        Ok(())
    }
}

/// One batch of a log.
struct Batch {
    bytes: usize,
    sequence: u64,
    number: Option<u64>,
}

const START: u8 = 1;
const ITEM: u8 = 2;
const FINISH: u8 = 3;
const TRAILER: &[u8] = b"FJL\x03";

/// The batch at the beginning of these bytes, if there is a whole one.
fn batch(bytes: &[u8]) -> Option<Batch> {
    let mut cursor = Cursor { bytes, at: 0 };
    let [START] = *cursor.take::<1>()? else { return None };
    let count = u32::from_le_bytes(*cursor.take()?);
    let sequence = u64::from_le_bytes(*cursor.take()?);
    let items_from = cursor.at;
    let mut number = None;
    for _ in 0..count {
        let [ITEM, kind, compression] = *cursor.take::<3>()? else { return None };
        let _keyspace = cursor.take::<8>()?;
        let key_bytes = u16::from_le_bytes(*cursor.take()?);
        let value_bytes = u32::from_le_bytes(*cursor.take()?);
        let stored_bytes = u32::from_le_bytes(*cursor.take()?);
        if kind > 2 || compression != 0 || value_bytes != stored_bytes {
            return None;
        }
        let key = cursor.slice(usize::from(key_bytes))?;
        let value = cursor.slice(usize::try_from(value_bytes).ok()?)?;
        if key == NUMBER {
            number = record::open(key, value, true).and_then(record::number).ok();
        }
    }
    let items = bytes.get(items_from..cursor.at)?;
    let [FINISH] = *cursor.take::<1>()? else { return None };
    let checksum = u64::from_le_bytes(*cursor.take()?);
    if cursor.slice(TRAILER.len())? != TRAILER || xxhash_rust::xxh3::xxh3_64(items) != checksum {
        return None;
    }
    Some(Batch { bytes: cursor.at, sequence, number })
}

/// Whether a whole batch stands anywhere in these bytes.
fn any_batch(bytes: &[u8]) -> bool {
    let zeros: usize = bytes.rchunks(4096).take_while(|chunk| is_zero(chunk)).map(<[u8]>::len).sum();
    (0..bytes.len() - zeros).any(|at| bytes.get(at..).and_then(batch).is_some())
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(taken)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }
}

/// By blocks: the logs are made with tens of MiB of zeros.
fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| ZEROS.starts_with(chunk))
}

/// Compares each tree's list of tables with its checksum.
pub(crate) fn lists_of_tables(folder: &Path) -> Result<(), OpenError> {
    let keyspaces = folder.join("keyspaces");
    let failed = |source| OpenError::of_io(&keyspaces, source);
    for entry in fs::read_dir(&keyspaces).map_err(failed)? {
        let tree = entry.map_err(failed)?.path();
        let current = tree.join("current");
        let named = match fs::read(&current) {
            Ok(named) => named,
            // A tree that was being made when the crash came; the engine removes it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(OpenError::of_io(&current, error)),
        };
        let mut cursor = Cursor { bytes: &named, at: 0 };
        let (id, checksum, kind) = (cursor.take::<8>(), cursor.take::<16>(), cursor.take::<1>());
        let (Some(id), Some(checksum), Some([0])) = (id, checksum, kind) else {
            return Err(OpenError::damaged(&current, "it does not name a list of tables"));
        };
        let list = tree.join(format!("v{}", u64::from_le_bytes(*id)));
        let bytes = fs::read(&list).map_err(|_| OpenError::damaged(&list, "it cannot be read"))?;
        if xxhash_rust::xxh3::xxh3_128(&bytes) != u128::from_le_bytes(*checksum) {
            return Err(OpenError::damaged(&list, "its checksum does not fit"));
        }
    }
    Ok(())
}

/// Cuts the log at a flaw; keeps a copy of the file and of later ones beside, named `.lost`.
pub(crate) fn cut(flaw: &Flaw) -> io::Result<()> {
    for path in std::iter::once(&flaw.path).chain(&flaw.later) {
        let beside = path.with_extension("jnl.lost");
        if *path == flaw.path {
            if !flaw.is_torn_end {
                fs::copy(path, &beside)?;
            }
        } else {
            fs::rename(path, &beside)?;
        }
    }
    let file = fs::OpenOptions::new().write(true).open(&flaw.path)?;
    file.set_len(flaw.whole_bytes)?;
    file.sync_all()?;
    flaw.path.parent().map_or(Ok(()), crate::anchor::sync_folder)
}
