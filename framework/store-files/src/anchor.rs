//! The anchor: the number of the last acknowledged commit, in a file of its own.
//!
//! *Responsible for*: the file `anchor`, the lock on the folder. *Not responsible for*: what is compared with it
//! (`engine`, `inspect`).
//!
//! Invariants:
//! - I1: it is written after the sync of its commit and before any acknowledgement of it: never ahead of the log, never
//!   behind what was acknowledged, as long as the system lives.
//! - I2: slots are written in turn: a torn one leaves the other.
//! - I3: whoever has it open has locked it, so one process has the store.
//!
//! ```text
//! page 0: magic, 8 bytes | format u32 | CRC-32C u32
//! page 1, page 2: number u64 | lost up to u64 | CRC-32C u32       all little-endian
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::OpenError;

/// Newest format that this build reads. 1: the first.
pub(crate) const FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"LMANCHOR";
/// A page each, so that one torn page harms one of them.
const PAGE_BYTES: usize = 4096;
const HEADER_BYTES: usize = 16;
const SLOT_BYTES: usize = 20;

/// What the anchor knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Known {
    /// The last commit that is acknowledged.
    pub(crate) number: u64,
    /// Commits up to this number may be missing: an operator went on without them.
    pub(crate) lost_to: u64,
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Anchor {
    file: File,
    known: Known,
    /// Whether the newest is in the first slot.
    slot: bool,
    is_synced: bool,
}

impl Anchor {
    /// The file in a data folder.
    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join("anchor")
    }

    /// Opens and locks it; makes it if `may_make`.
    pub(crate) fn open(folder: &Path, may_make: bool) -> Result<Self, OpenError> {
        let path = Self::path(folder);
        let failed = |source| OpenError::of_io(&path, source);
        if !path.try_exists().map_err(failed)? {
            if !may_make {
                return Err(OpenError::damaged(&path, "it is missing beside a store"));
            }
            make(folder, &path).map_err(failed)?;
        }
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: folder.to_path_buf() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        check_header(&path, &bytes)?;
        let slots = [slot(&bytes, 1), slot(&bytes, 2)];
        let newest = slots.iter().flatten().max_by_key(|known| known.number);
        let known = *newest.ok_or_else(|| OpenError::damaged(&path, "no slot has a fitting checksum"))?;
        Ok(Self { file, known, slot: slots[0] == Some(known), is_synced: false })
    }

    pub(crate) const fn known(&self) -> Known {
        self.known
    }

    /// Writes what is known, into the slot that is not the newest.
    pub(crate) fn write(&mut self, known: Known) -> io::Result<()> {
        self.slot = !self.slot;
        write_at(&self.file, &slot_bytes(known), if self.slot { PAGE_BYTES } else { 2 * PAGE_BYTES })?;
        self.known = known;
        self.is_synced = false;
        Ok(())
    }

    /// Makes it last through a power cut.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if !self.is_synced {
            self.file.sync_data()?;
            self.is_synced = true;
        }
        Ok(())
    }
}

/// Makes a whole file under another name first: a crash leaves it all or nothing.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    let header = [MAGIC.as_slice(), &FORMAT.to_le_bytes()].concat();
    let mut pages = [header.as_slice(), &crc32c::crc32c(&header).to_le_bytes()].concat();
    for _ in 0..2 {
        pages.resize(pages.len().next_multiple_of(PAGE_BYTES), 0);
        pages.extend(slot_bytes(Known::default()));
    }
    let new = folder.join(format!("anchor.{}", std::process::id()));
    std::fs::write(&new, &pages)?;
    File::open(&new)?.sync_all()?;
    // A link, not a renaming: of two processes that make it at once, both then lock the same file.
    match std::fs::hard_link(&new, path) {
        Ok(()) => std::fs::remove_file(&new)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => std::fs::remove_file(&new)?,
        Err(_) => std::fs::rename(&new, path)?,
    }
    sync_folder(folder)
}

fn slot_bytes(known: Known) -> Vec<u8> {
    let mut bytes = [known.number.to_le_bytes(), known.lost_to.to_le_bytes()].concat();
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn check_header(path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
    let damaged = || OpenError::damaged(path, "its first bytes are not those of an anchor");
    let header = bytes.first_chunk::<HEADER_BYTES>().ok_or_else(damaged)?;
    let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = *header;
    let is_whole = crc32c::crc32c(&header[..12]) == u32::from_le_bytes([e, f, g, h]);
    if !header.starts_with(MAGIC) || !is_whole {
        return Err(damaged());
    }
    match u32::from_le_bytes([a, b, c, d]) {
        FORMAT => Ok(()),
        found => Err(OpenError::Newer { path: path.to_path_buf(), found, known: FORMAT }),
    }
}

fn slot(bytes: &[u8], page: usize) -> Option<Known> {
    let slot = bytes.get(page * PAGE_BYTES..)?.first_chunk::<SLOT_BYTES>()?;
    let (numbers, checksum) = slot.split_at(16);
    let word = |at: usize| numbers.get(at..)?.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
    let is_whole = crc32c::crc32c(numbers).to_le_bytes() == checksum;
    if is_whole { Some(Known { number: word(0)?, lost_to: word(8)? }) } else { None }
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: usize) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at as u64)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], at: usize) -> io::Result<()> {
    use std::io::{Seek as _, Write as _};
    file.seek(io::SeekFrom::Start(at as u64))?;
    file.write_all(bytes)
}

/// Makes new names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
