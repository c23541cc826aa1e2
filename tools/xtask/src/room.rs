//! Room on the disk for a run of all tests.
//!
//! *Responsible for*: saying before anything is built that it will not fit, and what to do. *Not responsible for*: making
//! room: what else lies on the disk is not ours.
//!
//! A full disk shows itself late and elsewhere: a server refuses to start, and the tests that wait for it run into their limits.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a build of everything with its tests takes: after all suites `du -h -d 1 target` says 8.6 GiB for the workspace with
/// its lints (`debug`; 1.1 of them incremental), 0.4 for wrong variants (`flaws`), 0.6 for the new game (`new`), 0.4 for
/// programs that are fetched (`tests`). The rest is for what the linker writes on the way, and for growth.
const BUILD_BYTES: u64 = 12 * GIB;
/// Without the wrong variants, the new game and what is fetched.
const BUILD_BYTES_QUICK: u64 = 10 * GIB;
/// What tests write beside their programs: pages, pictures, stores.
const TARGET_BYTES: u64 = GIB;
/// Data folders of servers: 80 MiB each, a dozen at a time, more while a store is copied in each of its states.
const TEMPORARY_BYTES: u64 = 2 * GIB;
/// Files that are looked at to see what is built already: a target folder after all suites has some ten thousand.
const FILES_MAX: usize = 200_000;

/// What is about to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Plan {
    /// Everything.
    All,
    /// The quick suites.
    Quick,
    /// Suites that were named: what they need has been built.
    Some,
}

/// A folder that needs room.
#[derive(Debug)]
struct Wish {
    folder: PathBuf,
    /// The file system it lies on.
    device: u64,
    /// What is still to come.
    bytes: u64,
}

/// Whether all that is planned fits on the file systems of the target folder and of the temporary folder.
///
/// # Errors
/// It does not: the sentence says how much is missing, where, and what to do.
pub(crate) fn check(target: &Path, plan: Plan) -> Result<(), String> {
    let build = match plan {
        Plan::All => BUILD_BYTES,
        Plan::Quick => BUILD_BYTES_QUICK,
        Plan::Some => 0,
    };
    let built = if build == 0 { 0 } else { held(target) };
    let wishes = [
        wish(target, build.saturating_sub(built) + TARGET_BYTES)?,
        wish(&std::env::temp_dir(), TEMPORARY_BYTES)?,
    ];
    for wish in &wishes {
        let on_it = wishes.iter().filter(|other| other.device == wish.device);
        let needed = on_it.map(|wish| wish.bytes).sum();
        let stat = rustix::fs::statvfs(&wish.folder)
            .map_err(|error| format!("cannot see the room in {}: {error}", wish.folder.display()))?;
        enough(&wish.folder, stat.f_bavail * stat.f_frsize, needed)?;
    }
    Ok(())
}

fn enough(folder: &Path, free: u64, needed: u64) -> Result<(), String> {
    if free >= needed {
        return Ok(());
    }
    let gib = |bytes: u64| format!("{:.1} GiB", bytes.div_ceil(MIB) as f64 / 1024.0);
    Err(format!(
        "the disk of {} has {} free, and this run needs {}: free {} (`cargo clean` removes what older builds left)",
        folder.display(),
        gib(free),
        gib(needed),
        gib(needed - free),
    ))
}

/// A wish for a folder, or for the one above it that exists.
fn wish(folder: &Path, bytes: u64) -> Result<Wish, String> {
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or_else(|| Path::new("/"));
    let device =
        fs::metadata(there).map_err(|error| format!("cannot look at {}: {error}", there.display()))?.dev();
    Ok(Wish { folder: there.to_owned(), device, bytes })
}

/// What a build has put there already, of which it will write most only once. Optimised programs are no part of a run.
fn held(target: &Path) -> u64 {
    let mut folders: Vec<PathBuf> = ["debug", "flaws", "new", "tests"].map(|name| target.join(name)).into();
    let (mut bytes, mut files) = (0, 0);
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        for entry in entries.take(FILES_MAX - files) {
            files += 1;
            match entry.metadata() {
                // Links count where they lead to.
                Ok(found) if found.is_dir() => folders.push(entry.path()),
                // One file may have several names; cargo gives programs two.
                Ok(found) if found.is_file() => bytes += found.blocks() * 512 / found.nlink().max(1),
                Ok(_) | Err(_) => {}
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{BUILD_BYTES, GIB, Plan, check, enough, held};
    use crate::fixture::Fixture;

    #[test]
    fn a_disk_without_room_is_named_with_what_to_do() {
        assert_eq!(enough(Path::new("/x"), 3 * GIB, 3 * GIB), Ok(()));
        let sentence = enough(Path::new("/x"), 3 * GIB, BUILD_BYTES).unwrap_err();
        for part in ["/x", "3.0 GiB free", "needs 12.0 GiB", "free 9.0 GiB", "cargo clean"] {
            assert!(sentence.contains(part), "{sentence}");
        }
    }

    #[test]
    fn what_is_built_already_needs_no_room_again() {
        let fixture = Fixture::new().file("debug/deps/a", &"a".repeat(3 << 20)).file("release/b", "b");
        let held = held(fixture.root());
        assert!((3 << 20..4 << 20).contains(&held), "{held}");
        std::fs::hard_link(fixture.root().join("debug/deps/a"), fixture.root().join("debug/a")).unwrap();
        assert_eq!(super::held(fixture.root()), held, "a second name takes no room");
    }

    #[test]
    fn a_target_folder_that_is_not_made_yet_is_looked_for_above() {
        let fixture = Fixture::new();
        let target = fixture.root().join("not/made");
        // Where this machine has no room, the sentence says so; either way it was found.
        if let Err(sentence) = check(&target, Plan::Some) {
            assert!(sentence.contains("free"), "{sentence}");
        }
    }
}
