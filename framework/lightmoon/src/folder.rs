//! The data folder: one server at a time, ports that stay.
//!
//! *Responsible for*: making and locking the folder, writing files whole, remembering chosen ports. *Not responsible
//! for*: keys (`keys`), stored state.
//!
//! Invariants:
//! - I1: while a [`Folder`] lives, no other server has the same folder: its lock is taken as long as any process has it
//!   open, the one that took it or the one that was given it. The kernel ends that with the processes, so a kill leaves
//!   nothing to clean up.
//! - I2: a file in the folder is either the old one or the new one, never a part: written beside, then renamed.

use crate::{Failure, clock, limits};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A data folder that is ours.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Holds the lock; the kernel lets go when it is closed.
    lock: File,
}

/// The ports in use, so that "pick one" picks the same again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ports {
    /// UDP, the game.
    pub(crate) listen: u16,
    /// TCP, the page.
    pub(crate) web: u16,
    /// TCP, the console.
    pub(crate) console: u16,
}

const PORTS: &str = "ports.json";
const LOCK: &str = "lock";

impl Folder {
    /// Makes the folder if there is none, and takes it. Waits a moment for a process that is about to end.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        make(path).map_err(|e| cannot_write(path, &e))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(|e| cannot_write(path, &e))?;
        let patience = clock::mono() + limits::LOCK_PATIENCE;
        let mut taken = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        while taken == Err(Errno::WOULDBLOCK) && clock::mono() < patience {
            std::thread::sleep(limits::LOCK_LOOK_EVERY);
            taken = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        }
        match taken {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(Errno::WOULDBLOCK) => Err(Failure::new(
                format!("another server is running in {}", path.display()),
                "stop it, or choose another folder with --data",
            )),
            Err(e) => Err(cannot_write(path, &e.into())),
        }
    }

    /// The folder whose lock this process was given by the one that took it.
    pub(crate) fn adopt(path: &Path, lock: BorrowedFd<'_>) -> Result<Self, Failure> {
        let check = || {
            let lock = File::from(lock.try_clone_to_owned()?);
            let (given, there) = (lock.metadata()?, std::fs::metadata(path.join(LOCK))?);
            let is_same = (given.dev(), given.ino()) == (there.dev(), there.ino());
            // Taken already by whoever gave it, since the two are one open file; otherwise it is taken here.
            let is_ours = is_same && flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
            Ok((lock, is_ours))
        };
        let (lock, is_ours) = check().map_err(|e: std::io::Error| cannot_write(path, &e))?;
        if !is_ours {
            return Err(Failure::new(
                format!("the parent process does not hold the lock of {}", path.display()),
                "leave the file `lock` alone, and --data as it was when the server started; stop the server and start it again",
            ));
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// What to give to a child that works in this folder.
    pub(crate) fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// The folder `name` within, made if missing, for our user only.
    pub(crate) fn private(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        make(&path).map_err(|e| cannot_write(&path, &e))?;
        Ok(path)
    }

    /// The ports of the last run; zeros when there was none or its file is damaged, which only costs new ports.
    pub(crate) fn ports(&self) -> Ports {
        let text = std::fs::read_to_string(self.path.join(PORTS)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Remembers the ports in use.
    pub(crate) fn set_ports(&self, ports: Ports) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(&ports).expect("numbers can be written as JSON");
        write_whole(&self.path.join(PORTS), &text)
    }
}

fn make(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Removes a file that an earlier run wrote, so that its existence means that a server of now wrote it.
pub(crate) fn forget(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot replace {}: {e}", path.display()), "name another file"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file that only our user can read, whole or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let write = || {
        // What a killed process left there may have other permissions.
        match std::fs::remove_file(&beside) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return Failure::new(format!("no room in {}: {error}", path.display()), "free some and start again");
    }
    Failure::new(
        format!("cannot write to {}: {error}", path.display()),
        "make it writable for this user, or choose another place",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_second_server_does_not_get_the_folder_until_the_first_is_gone() {
        let scratch = Scratch::new();
        let first = Folder::open(scratch.path()).unwrap();
        let failure = Folder::open(scratch.path()).unwrap_err().to_string();
        assert!(failure.contains("another server is running"), "{failure}");
        drop(first);
        Folder::open(scratch.path()).unwrap();
    }

    #[test]
    fn a_lock_that_was_given_keeps_the_folder_when_the_giver_is_gone() {
        let scratch = Scratch::new();
        let parent = Folder::open(scratch.path()).unwrap();
        let child = Folder::adopt(scratch.path(), parent.lock()).unwrap();
        drop(parent);
        assert!(Folder::open(scratch.path()).is_err(), "the child has it");
        drop(child);
        Folder::open(scratch.path()).unwrap();
    }

    #[test]
    fn the_lock_of_another_folder_is_no_lock() {
        let scratch = Scratch::new();
        let one = Folder::open(&scratch.path().join("one")).unwrap();
        drop(Folder::open(&scratch.path().join("two")).unwrap());
        let failure = Folder::adopt(&scratch.path().join("two"), one.lock()).unwrap_err().to_string();
        assert!(failure.contains("two"), "{failure}");
        std::fs::remove_file(scratch.path().join("one/lock")).unwrap();
        let _thief = Folder::open(&scratch.path().join("one")).unwrap();
        assert!(Folder::adopt(&scratch.path().join("one"), one.lock()).is_err(), "it was replaced");
    }

    #[test]
    fn chosen_ports_are_remembered_and_damage_is_no_obstacle() {
        let scratch = Scratch::new();
        let folder = Folder::open(scratch.path()).unwrap();
        assert_eq!(folder.ports(), Ports::default());
        let ports = Ports { listen: 1, web: 2, console: 3 };
        folder.set_ports(ports).unwrap();
        assert_eq!(folder.ports(), ports);
        std::fs::write(scratch.path().join(PORTS), "{\"listen\":").unwrap();
        assert_eq!(folder.ports(), Ports::default());
    }

    #[test]
    fn a_place_that_cannot_be_a_folder_is_named() {
        let scratch = Scratch::new();
        std::fs::write(scratch.path().join("file"), "").unwrap();
        let failure = Folder::open(&scratch.path().join("file/data")).unwrap_err().to_string();
        assert!(failure.contains("file/data"), "{failure}");
    }
}
