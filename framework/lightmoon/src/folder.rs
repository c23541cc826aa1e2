//! The data folder: one process at a time, ports that stay.
//!
//! *Responsible for*: making and locking the folder, writing files whole, remembering chosen ports. *Not responsible
//! for*: keys (`keys`), stored state.
//!
//! Invariants:
//! - I1: while a [`Folder`] lives, no other process has the same folder; the kernel ends that with the process, so a
//!   kill leaves nothing to clean up.
//! - I2: a file in the folder is either the old one or the new one, never a part: written beside, then renamed.

use crate::Failure;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A data folder that is ours.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Holds the lock; the kernel lets go when it is closed.
    _lock: File,
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

impl Folder {
    /// Makes the folder if there is none, and takes it.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        make(path).map_err(|e| cannot_write(path, &e))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(|e| cannot_write(path, &e))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|e| {
            if e == rustix::io::Errno::WOULDBLOCK {
                return Failure::new(
                    format!("another server is running in {}", path.display()),
                    "stop it, or choose another folder with --data",
                );
            }
            cannot_write(path, &e.into())
        })?;
        Ok(Self { path: path.to_owned(), _lock: lock })
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
