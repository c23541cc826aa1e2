//! A full disk: the store fences itself, loses nothing that it acknowledged, and goes on in the same process.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use lightmoon_store::{Outcome, Store as _};
use lightmoon_store_files::{FilesOptions, FilesStore, State};

use crate::ledger::{self, Note};
use crate::{folder, waiting};

const MIB: u64 = 1024 * 1024;

#[test]
fn a_full_disk_fences_the_store_and_room_brings_it_back() {
    let root = folder("full");
    // A small disk of our own, in a mount namespace that needs no privileges where the system lets users have one.
    let script = "mount -t tmpfs -o size=64m tmpfs \"$DISK\" && exec \"$@\"";
    let run = |program: &[&std::ffi::OsStr]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).args(program);
        command.env("DISK", &root).status()
    };
    if !run(&["true".as_ref()]).is_ok_and(|status| status.success()) {
        println!(
            "SKIPPED: a full disk needs `unshare` and a tmpfs of one's own, and this system refuses them"
        );
        return;
    }
    let test = std::env::current_exe().unwrap();
    let mut program = vec![test.as_os_str()];
    program.extend(["--exact", "full::fills_its_disk", "--ignored", "--nocapture"].map(std::ffi::OsStr::new));
    assert!(run(&program).unwrap().success(), "see above");
    fs::remove_dir_all(root).unwrap();
}

/// Takes all room but about `left` bytes.
fn fill(filler: &Path, left: u64) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(filler).unwrap();
    let free = || {
        let stat = rustix::fs::statvfs(filler.parent().unwrap()).unwrap();
        stat.f_bavail * stat.f_frsize
    };
    while free() > left && file.write_all(&[1; 64 * 1024]).is_ok() {}
}

#[test]
#[ignore = "runs in a mount namespace of another test"]
fn fills_its_disk() {
    let Some(disk) = std::env::var_os("DISK") else { return };
    let (data, filler) = (Path::new(&disk).join("data"), Path::new(&disk).join("filler"));
    let options =
        FilesOptions { ballast_bytes: 8 * MIB, free_low_bytes: 16 * MIB, ..FilesOptions::default() };
    let (mut store, _) = FilesStore::open(&data, options, || {}).unwrap();
    assert!(store.report().has_ballast);
    let mut notes: Vec<Note> = Vec::new();
    ledger::write(&mut store, 100, 1_000, |note| notes.push(note)).unwrap();

    fill(&filler, 2 * MIB);
    waiting::until("the alarm", || store.report().state == State::LowSpace);
    let failed =
        ledger::write(&mut store, 100_000, 1_000, |note| notes.push(note)).expect_err("the disk is full");
    assert_eq!(failed, Outcome::Unknown, "the group under way");
    let report = store.report();
    assert!(report.fences == 1 && !report.has_ballast, "{report:?}");
    // The ballast is room enough to come up; what was acknowledged is there.
    waiting::until("the store", || store.report().state == State::LowSpace);
    ledger::audit(&mut store, &notes, 1_000).unwrap();
    ledger::write(&mut store, 100, 1_000, |note| notes.push(note)).unwrap();

    // Now not even that.
    fill(&filler, 0);
    let failed = ledger::write(&mut store, 100_000, 1_000, |note| notes.push(note)).expect_err("full again");
    assert_eq!(failed, Outcome::Unknown);
    assert!(matches!(store.report().state, State::Fenced { .. }));
    assert_eq!(waiting::call(&mut store, ledger::chunk(1, 10)), Outcome::Unavailable);
    assert!(store.poll(lightmoon_contract::Mono(0)).is_none());

    fs::remove_file(&filler).unwrap();
    waiting::until("the store", || store.report().state == State::Up);
    ledger::audit(&mut store, &notes, 1_000).unwrap();
    ledger::write(&mut store, 100, 1_000, |note| notes.push(note)).unwrap();
    waiting::until("a new ballast", || store.report().has_ballast);
    store.close();
    let (mut store, opened) = FilesStore::open(&data, FilesOptions::default(), || {}).unwrap();
    assert!(opened.warnings.len() <= 1, "{opened:?}");
    ledger::audit(&mut store, &notes, 1_000).unwrap();
    println!("full disk: {} acknowledged, 0 lost, 2 fences", notes.len());
}
