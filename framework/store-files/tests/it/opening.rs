//! What opening refuses, and says; and what it lets pass when a check is left out.

use std::fs;
use std::path::{Path, PathBuf};

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use lightmoon_store::Outcome;
use lightmoon_store_files::{Faults, FilesOptions, FilesStore, OpenError};

use crate::flips::{copy, used};
use crate::ledger::{self, Note};
use crate::{folder, open, options, waiting};

const CHUNK_BYTES: usize = 1_000;

/// A closed store with a ledger in it.
fn filled(root: &Path, steps: u64) -> (PathBuf, Vec<Note>) {
    let (data, mut notes) = (root.join("data"), Vec::new());
    let (mut store, opened) = open(&data).unwrap();
    assert!(opened.is_new && opened.last_commit == 0, "{opened:?}");
    ledger::write(&mut store, steps, CHUNK_BYTES, |note| notes.push(note)).unwrap();
    store.close();
    (data, notes)
}

fn log(data: &Path) -> PathBuf {
    data.join("store/0.jnl")
}

/// Ends of the batches in a log, by their trailers.
fn batch_ends(log: &[u8]) -> Vec<usize> {
    log.windows(4).enumerate().filter(|(_, bytes)| bytes == b"FJL\x03").map(|(at, _)| at + 4).collect()
}

fn truncate(path: &Path, length: usize) {
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length as u64).unwrap();
}

#[test]
fn a_shortened_log_is_refused_until_the_loss_is_accepted() {
    let root = folder("shortened");
    let (data, notes) = filled(&root, 400);
    let whole = fs::read(log(&data)).unwrap();
    let ends = batch_ends(&whole);
    let mut random = fastrand::Rng::with_seed(5);
    for turn in 0..8 {
        let cut =
            if turn % 2 == 0 { ends[random.usize(..ends.len() - 1)] } else { random.usize(1..used(&whole)) };
        let spoilt = root.join("spoilt");
        copy(&data, &spoilt);
        truncate(&log(&spoilt), cut);
        let error = open(&spoilt).map(drop).expect_err("it lost acknowledged commits");
        assert!(matches!(error, OpenError::Lost { .. }), "cut at {cut}: {error}");
        assert!(error.to_string().contains("--accept-loss"), "{error}");
        assert_eq!(fs::metadata(log(&spoilt)).unwrap().len(), cut as u64, "refused means untouched");

        let accepting = FilesOptions { accept_loss: true, ..options(Faults::default()) };
        let (mut store, opened) = FilesStore::open(&spoilt, accepting, || {}).unwrap();
        assert!(opened.warnings.iter().any(|warning| warning.contains("as accepted")), "{opened:?}");
        ledger::audit(&mut store, &[], CHUNK_BYTES).unwrap();
        let mut later = Vec::new();
        ledger::write(&mut store, 50, CHUNK_BYTES, |note| later.push(note)).unwrap();
        store.close();
        let (mut store, opened) = open(&spoilt).expect("accepted once is accepted");
        assert!(opened.warnings.is_empty(), "{opened:?}");
        ledger::audit(&mut store, &later, CHUNK_BYTES).unwrap();
        drop(store);
        fs::remove_dir_all(spoilt).unwrap();
    }
    ledger::audit(&mut open(&data).unwrap().0, &notes, CHUNK_BYTES).unwrap();
    fs::remove_dir_all(root).unwrap();
}

/// The proof that the anchor is what finds a log cut between two commits.
#[test]
fn without_the_anchor_a_shortened_log_goes_unseen() {
    let root = folder("anchorless");
    let (data, notes) = filled(&root, 200);
    let ends = batch_ends(&fs::read(log(&data)).unwrap());
    truncate(&log(&data), ends[ends.len() / 2]);
    assert!(open(&data).is_err());
    let faults = Faults { no_anchor: true, ..Faults::default() };
    let (mut store, opened) = FilesStore::open(&data, options(faults), || {}).expect("nothing is compared");
    assert!(opened.warnings.is_empty());
    let audit = ledger::audit(&mut store, &notes, CHUNK_BYTES);
    assert!(audit.is_err_and(|what| what.contains("acknowledged")), "the control has to lose");
    drop(store);
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn what_is_kept_unsorted_is_as_much_as_was_chosen() {
    let root = folder("buffer");
    let mib = 1_024 * 1_024;
    for (chosen, written_out) in [(1, true), (64, false)] {
        let choice = FilesOptions { table_bytes: chosen * mib, ..options(Faults::default()) };
        let (mut store, _) = FilesStore::open(&root.join(chosen.to_string()), choice, || {}).unwrap();
        // A chunk with each 32 of them: 6 MB.
        ledger::write(&mut store, 3_200, 60_000, |_| ()).unwrap();
        let buffered = || store.report().buffered_bytes;
        if written_out {
            waiting::until("a buffer that is written out", || (1..3 * mib).contains(&buffered()));
        } else {
            waiting::until("a buffer that holds all", || buffered() > 5 * mib);
        }
        store.close();
    }
    fs::remove_dir_all(root).unwrap();
}

/// Writes rows beneath the store, with all of the engine's checksums right.
fn forge(data: &Path, number: u64, change: impl Fn(&mut Vec<u8>)) {
    let database = Database::builder(data.join("store")).open().unwrap();
    let rows = database.keyspace("rows", KeyspaceCreateOptions::default).unwrap();
    let (key, record) = rows.range([2_u8]..[3_u8]).next().unwrap().into_inner().unwrap();
    let mut record = record.to_vec();
    change(&mut record);
    let checksum = crc32c::crc32c_append(1, &[&[0][..], &number.to_le_bytes()].concat());
    let sealed = [&[1][..], &checksum.to_le_bytes(), &number.to_le_bytes()].concat();
    let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
    batch.insert(&rows, [0], sealed);
    batch.insert(&rows, key, record);
    batch.commit().unwrap();
}

/// The proof that the checksum of the record is what finds a value that the engine takes for right.
#[test]
fn without_checksums_a_changed_value_goes_unseen() {
    let root = folder("checksums");
    let (data, notes) = filled(&root, 100);
    let last = open(&data).unwrap().1.last_commit;
    forge(&data, last + 1, |record| *record.last_mut().unwrap() ^= 1);

    let (mut store, _) = open(&data).unwrap();
    let audit = ledger::audit(&mut store, &notes, CHUNK_BYTES).expect_err("it is damaged");
    assert!(audit.contains(&format!("{:?}", Outcome::Damaged)), "{audit}");
    assert_eq!(store.report().unreadable, 1);
    drop(store);

    let faults = Faults { no_crc: true, ..Faults::default() };
    let (mut store, _) = FilesStore::open(&data, options(faults), || {}).unwrap();
    let audit = ledger::audit(&mut store, &notes, CHUNK_BYTES).expect_err("the control has to be wrong");
    assert!(audit.contains("other entries") && store.report().unreadable == 0, "{audit}");
    drop(store);
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_gap_between_commit_numbers_is_refused() {
    let root = folder("gap");
    let (data, _) = filled(&root, 20);
    let last = open(&data).unwrap().1.last_commit;
    forge(&data, last + 2, |_| {});
    let error = open(&data).map(drop).expect_err("a number is missing");
    assert!(error.to_string().contains("not dense"), "{error}");
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn what_is_missing_or_newer_or_in_use_is_refused_and_named() {
    let root = folder("refused");
    let (data, _) = filled(&root, 20);
    let held = open(&data).unwrap().0;
    let error = open(&data).map(drop).expect_err("it is held");
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    held.close();

    let spoilt = root.join("spoilt");
    let refused = |spoil: &dyn Fn()| {
        let _ = fs::remove_dir_all(&spoilt);
        copy(&data, &spoilt);
        spoil();
        let before = fs::read(log(&spoilt)).ok();
        let error = open(&spoilt).map(drop).expect_err("it is spoilt");
        assert_eq!(before, fs::read(log(&spoilt)).ok(), "refused means untouched");
        error
    };
    let error = refused(&|| fs::write(spoilt.join("store/version"), b"FJL\x04").unwrap());
    assert!(matches!(error, OpenError::Newer { found: 4, known: 3, .. }), "{error}");
    let error = refused(&|| fs::remove_file(spoilt.join("anchor")).unwrap());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    let error = refused(&|| fs::remove_dir_all(spoilt.join("store")).unwrap());
    assert!(matches!(error, OpenError::Lost { last: 0, .. }), "{error}");
    let error = refused(&|| fs::remove_file(log(&spoilt)).unwrap());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");

    let file = root.join("file");
    fs::write(&file, b"not a folder").unwrap();
    let error = open(&file.join("data")).map(drop).expect_err("there is a file in the way");
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error}");
    let most = FilesOptions { ballast_bytes: u64::MAX / 2, ..FilesOptions::default() };
    let error =
        FilesStore::open(&root.join("large"), most, || {}).map(drop).expect_err("no disk is so large");
    assert!(matches!(error, OpenError::NoSpace { .. }), "{error}");
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_folder_half_made_by_a_crash_is_made_again() {
    let root = folder("half-made");
    let (data, _) = filled(&root, 1);
    let half = root.join("half");
    fs::create_dir_all(half.join("store/keyspaces/0")).unwrap();
    fs::copy(log(&data), log(&half)).unwrap();
    let (store, opened) = open(&half).unwrap();
    assert!(opened.is_new && opened.last_commit == 0, "{opened:?}");
    drop(store);
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn groups_share_one_sync_and_the_report_counts_them() {
    let root = folder("report");
    let (mut store, _) = open(&root.join("data")).unwrap();
    let mut acknowledged = 0;
    ledger::write(&mut store, 500, CHUNK_BYTES, |_| acknowledged += 1).unwrap();
    let report = store.report();
    assert!(report.groups < acknowledged && report.group_max > 1, "{report:?}");
    assert_eq!(report.last_commit, report.groups);
    waiting::until("a tick", || store.report().free_bytes.is_some());
    drop(store);
    fs::remove_dir_all(root).unwrap();
}
