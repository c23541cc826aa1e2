//! The store in files: the conformance suite, and what a machine does to it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    reason = "only tests are in here; those that try chance say how much was tried; counts are far below 2^32"
)]

mod child;
mod conformance;
mod flips;
mod full;
mod kill;
mod ledger;
mod opening;
mod power;
mod waiting;

use std::path::PathBuf;

use lightmoon_store_files::{Faults, FilesOptions, FilesStore, OpenError, Opened};

/// An empty folder for one test; it stays behind when the test fails.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Options for tests: no ballast, and no opinion about the room of this machine.
fn options(faults: Faults) -> FilesOptions {
    FilesOptions { ballast_bytes: 0, free_low_bytes: 0, faults, ..FilesOptions::default() }
}

fn open(folder: &std::path::Path) -> Result<(FilesStore, Opened), OpenError> {
    FilesStore::open(folder, options(Faults::default()), || {})
}

/// A number out of the environment: how much a randomised test does, and from which seed.
fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}
