//! One flipped bit in any file, after a clean close and after kill -9: found, or without effect. Never a value that is
//! silently wrong or missing.

use std::fs;
use std::path::{Path, PathBuf};

use lightmoon_store_files::{Faults, FilesStore};

use crate::child::{self, Orders};
use crate::ledger::{self, Note};
use crate::{folder, from_environment, open, options, waiting};

const CHUNK_BYTES: usize = 8 * 1024;

/// What came of the flips.
#[derive(Debug, Default)]
struct Found {
    refused: u64,
    unreadable: u64,
    harmless: u64,
    silent: Vec<String>,
}

/// Copies a folder. Files of zeros to their end stay short on the disk.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            let bytes = fs::read(&from).unwrap();
            fs::write(&to, &bytes[..used(&bytes)]).unwrap();
            fs::OpenOptions::new().write(true).open(&to).unwrap().set_len(bytes.len() as u64).unwrap();
        }
    }
}

/// Bytes up to the last that is not zero.
pub(crate) fn used(bytes: &[u8]) -> usize {
    let zeros = bytes.rchunks(4096).take_while(|chunk| chunk.iter().all(|byte| *byte == 0));
    let end = bytes.len() - zeros.map(<[u8]>::len).sum::<usize>();
    bytes[..end].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, found);
        } else if path.metadata().unwrap().len() > 0 {
            found.push(path);
        }
    }
}

/// Flips a bit in each file, `count` in all, each in a copy of its own.
fn flip(root: &Path, data: &Path, notes: &[Note], count: u64) -> Found {
    let mut random = fastrand::Rng::with_seed(from_environment("LIGHTMOON_SEED", 1));
    let mut paths = Vec::new();
    files(data, &mut paths);
    let (mut found, spoilt) = (Found::default(), root.join("spoilt"));
    for turn in 0..count {
        // All files in turn; the logs, which hold most, every third time.
        let logs: Vec<&PathBuf> =
            paths.iter().filter(|path| path.extension().is_some_and(|e| e == "jnl")).collect();
        let path = if turn % 3 == 0 {
            logs[random.usize(..logs.len())]
        } else {
            &paths[random.usize(..paths.len())]
        };
        copy(data, &spoilt);
        let place = spoilt.join(path.strip_prefix(data).unwrap());
        let mut bytes = fs::read(&place).unwrap();
        let end = if random.u8(..8) == 0 { bytes.len() } else { used(&bytes).max(1) };
        let (at, bit) = (random.usize(..end), random.u8(..8));
        bytes[at] ^= 1 << bit;
        fs::write(&place, &bytes).unwrap();
        judge(&spoilt, notes, &format!("bit {bit} of byte {at} in {}", place.display()), &mut found);
        fs::remove_dir_all(&spoilt).unwrap();
    }
    found
}

fn judge(folder: &Path, notes: &[Note], flip: &str, found: &mut Found) {
    let Ok((mut store, _)) = open(folder) else {
        found.refused += 1;
        return;
    };
    match ledger::audit(&mut store, notes, CHUNK_BYTES) {
        Ok(()) => found.harmless += 1,
        Err(_) if store.report().unreadable > 0 => found.unreadable += 1,
        Err(what) => found.silent.push(format!("{flip}: {what}")),
    }
}

fn report(when: &str, found: &Found) {
    let Found { refused, unreadable, harmless, silent } = found;
    println!(
        "flipped bits {when}: {refused} refused at opening, {unreadable} found at reading, {harmless} without effect, \
         {} silent",
        silent.len()
    );
    assert!(silent.is_empty(), "{silent:#?}");
    assert!(refused + unreadable > 0, "no flip was found: were there any?");
}

#[test]
fn a_flipped_bit_after_a_clean_close_is_never_silent() {
    let root = folder("flips-closed");
    let data = root.join("data");
    let faults = Faults { memtable_bytes: 48 * 1024, ..Faults::default() };
    let (mut store, _) = FilesStore::open(&data, options(faults), || {}).unwrap();
    let mut notes = Vec::new();
    ledger::write(&mut store, 1_500, CHUNK_BYTES, |note| notes.push(note)).unwrap();
    store.close();
    report("after a clean close", &flip(&root, &data, &notes, from_environment("LIGHTMOON_FLIPS", 30)));
    fs::remove_dir_all(root).unwrap();
}

#[test]
fn a_flipped_bit_after_kill_9_is_never_silent() {
    let root = folder("flips-killed");
    let (data, notes) = (root.join("data"), root.join("notes"));
    let mut child = child::start(&data, &notes, Orders { memtable_bytes: 48 * 1024, ..Orders::default() });
    let wanted = 1_200 * Note::BYTES as u64;
    waiting::until("the child's notes", || fs::metadata(&notes).is_ok_and(|file| file.len() >= wanted));
    child.kill().unwrap();
    child.wait().unwrap();
    let notes = Note::all(&fs::read(&notes).unwrap());
    report("after kill -9", &flip(&root, &data, &notes, from_environment("LIGHTMOON_FLIPS", 30)));
    fs::remove_dir_all(root).unwrap();
}
