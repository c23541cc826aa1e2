//! What can go wrong when a store is opened.
//!
//! *Responsible for*: one clear sentence for each, with what to do. *Not responsible for*: outcomes of requests
//! (`lightmoon_store`).

use std::io;
use std::path::{Path, PathBuf};

/// Why a store could not be opened. Nothing was changed unless the variant says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made or written. Choose another, or give the right to write; a retry does not help.
    #[error("cannot write to {}: choose another data folder or let this user write to it", path.display())]
    Unwritable {
        /// What could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full. Make room, then retry.
    #[error("no room in {}: it needs about {need} more bytes; free some and start again", path.display())]
    NoSpace {
        /// The data folder.
        path: PathBuf,
        /// About how many bytes are needed.
        need: u64,
    },
    /// Another process has this store open. Stop it, or choose another folder; a retry helps once it has ended.
    #[error("{} is in use by another process: stop that one or choose another data folder", path.display())]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The folder was written by a newer version. Start that version, or restore a copy from before.
    #[error("{} has format {found}, this build reads up to {known}: start the newer version", path.display())]
    Newer {
        /// What was found.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this build reads.
        known: u32,
    },
    /// Acknowledged commits are not there. Restore a copy, or go on without them.
    #[error(
        "the log in {} ends at commit {last}, but commit {anchor} was acknowledged: {REMEDY}", path.display()
    )]
    Lost {
        /// The data folder.
        path: PathBuf,
        /// The last commit that is there.
        last: u64,
        /// The last commit that is known to have been acknowledged.
        anchor: u64,
    },
    /// A file is damaged or missing. Restore a copy, or, if it is a part of the log, go on without what it held.
    #[error("{} is damaged ({what}): {REMEDY}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The engine cannot open its files. Restore a copy; if the source is a passing fault of the system, retry.
    #[error("the engine cannot open {}: restore a copy of the folder", path.display())]
    Engine {
        /// The engine's folder.
        path: PathBuf,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

const REMEDY: &str =
    "restore a copy of the folder, or start once with --accept-loss to go on without what is missing";

impl OpenError {
    /// What an error of the system at `path` means.
    pub(crate) fn of_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        if is_full(&source) {
            return Self::NoSpace { path, need: crate::limits::FIRST_FOLDER_BYTES };
        }
        Self::Unwritable { path, source }
    }

    /// What an error of the engine in `path` means.
    pub(crate) fn of_engine(path: &Path, error: fjall::Error) -> Self {
        let known = u32::from(u8::from(fjall::FormatVersion::V3));
        if matches!(error, fjall::Error::Locked) {
            return Self::InUse { path: path.to_path_buf() };
        }
        if let fjall::Error::InvalidVersion(Some(found)) = error {
            return Self::Newer { path: path.to_path_buf(), found: u32::from(u8::from(found)), known };
        }
        if let fjall::Error::Io(source) | fjall::Error::Storage(fjall::LsmError::Io(source)) = &error
            && is_full(source)
        {
            return Self::NoSpace { path: path.to_path_buf(), need: crate::limits::FIRST_FOLDER_BYTES };
        }
        Self::Engine { path: path.to_path_buf(), source: Box::new(error) }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), what: what.into() }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
