//! Room on the disk: free bytes and the ballast.
//!
//! *Responsible for*: looking at free space, making and giving back the file `ballast`. *Not responsible for*: when
//! (`worker`).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The ballast of a data folder.
#[derive(Debug)]
pub(crate) struct Ballast {
    path: PathBuf,
    bytes: u64,
}

impl Ballast {
    pub(crate) fn new(folder: &Path, bytes: u64) -> Self {
        Self { path: folder.join("ballast"), bytes }
    }

    /// Bytes it has when whole.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it is there, whole.
    pub(crate) fn is_whole(&self) -> bool {
        fs::metadata(&self.path).map_or(self.bytes == 0, |metadata| metadata.len() >= self.bytes)
    }

    /// Makes it, of real blocks, unless it is whole.
    pub(crate) fn make(&self) -> io::Result<()> {
        if self.is_whole() {
            return Ok(());
        }
        let made = self.write();
        if made.is_err() {
            // Half a ballast takes room and is taken for none.
            self.give_back();
        }
        made
    }

    fn write(&self) -> io::Result<()> {
        let mut file = File::create(&self.path)?;
        if !reserve(&file, self.bytes) {
            // A pattern: zeros may be kept as a hole.
            let block = [0xA5; 64 * 1024];
            let mut left = usize::try_from(self.bytes).unwrap_or(usize::MAX);
            while left > 0 {
                let part = block.get(..left.min(block.len())).unwrap_or_default();
                file.write_all(part)?;
                left -= part.len();
            }
        }
        file.sync_all()
    }

    /// Gives its blocks back.
    pub(crate) fn give_back(&self) {
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "the ballast cannot be given back");
        }
    }
}

/// Reserves blocks without writing them; `false` where that cannot be done.
#[cfg(target_os = "linux")]
fn reserve(file: &File, bytes: u64) -> bool {
    rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn reserve(_file: &File, _bytes: u64) -> bool {
    false
}

/// Bytes free for us where a folder lies; `None`: the system does not say.
#[cfg(unix)]
pub(crate) fn free(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes free for us where a folder lies; `None`: the system does not say.
#[cfg(not(unix))]
pub(crate) fn free(_folder: &Path) -> Option<u64> {
    None
}
