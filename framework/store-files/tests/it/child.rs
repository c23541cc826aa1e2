//! A process that writes a ledger until it is told to stop or is killed: this test binary once more.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use lightmoon_store_files::{Faults, FilesStore};

use crate::{from_environment, ledger, options};

/// What a child is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orders {
    pub(crate) steps: u64,
    pub(crate) chunk_bytes: usize,
    pub(crate) no_sync: bool,
    pub(crate) memtable_bytes: u64,
}

impl Default for Orders {
    fn default() -> Self {
        Self { steps: u64::MAX, chunk_bytes: 8 * 1024, no_sync: false, memtable_bytes: 0 }
    }
}

/// The command that starts a child on a folder; its notes go to the file `notes`.
pub(crate) fn command(folder: &Path, notes: &Path, orders: Orders) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test has a file"));
    command
        .args(["--exact", "child::writes_as_it_is_told", "--ignored", "--nocapture", "--test-threads=1"])
        .env("CHILD_FOLDER", folder)
        .env("CHILD_NOTES", notes)
        .env("CHILD_STEPS", orders.steps.to_string())
        .env("CHILD_CHUNK_BYTES", orders.chunk_bytes.to_string())
        .env("CHILD_NO_SYNC", u8::from(orders.no_sync).to_string())
        .env("CHILD_MEMTABLE_BYTES", orders.memtable_bytes.to_string())
        .stdout(Stdio::null());
    command
}

pub(crate) fn start(folder: &Path, notes: &Path, orders: Orders) -> Child {
    command(folder, notes, orders).spawn().expect("a child starts")
}

#[test]
#[ignore = "runs as a process of other tests"]
fn writes_as_it_is_told() {
    let Some(folder) = std::env::var_os("CHILD_FOLDER") else { return };
    let notes = std::env::var_os("CHILD_NOTES").unwrap();
    let faults = Faults {
        no_sync: from_environment("CHILD_NO_SYNC", 0) == 1,
        memtable_bytes: from_environment("CHILD_MEMTABLE_BYTES", 0),
        ..Faults::default()
    };
    let mut store = FilesStore::open(Path::new(&folder), options(faults), || {}).unwrap().0;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(notes).unwrap();
    let chunk_bytes = usize::try_from(from_environment("CHILD_CHUNK_BYTES", 8192)).unwrap();
    let steps = from_environment("CHILD_STEPS", 1);
    ledger::write(&mut store, steps, chunk_bytes, |note| file.write_all(&note.to_bytes()).unwrap()).unwrap();
}
