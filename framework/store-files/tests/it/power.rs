//! Cuts of power: what was acknowledged is there, nothing is torn.
//!
//! A child writes a ledger with `power/shim.c` in front of the C library, which records what it does to its files. The
//! record is cut at random moments, and for each the folder is built as a disk may leave it ([`disk`]).
//!
//! `LIGHTMOON_POWER_TRIALS=200 LIGHTMOON_SEED=7 cargo test -p lightmoon-store-files power -- --nocapture` does more.

mod disk;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::child::{self, Orders};
use crate::ledger::{self, Note};
use lightmoon_store_files::{Faults, FilesOptions, FilesStore};

use crate::{folder, from_environment, open, options};
use disk::{Disk, Leaves};

/// What the trials of one child showed.
#[derive(Debug, Default)]
struct Trials {
    whole: u64,
    /// The audit found something missing.
    lost: Vec<String>,
    refused: Vec<String>,
    notes_seen: usize,
}

/// The shim, built; `None`, loudly, where that cannot be done.
fn shim(root: &Path) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        println!("SKIPPED: cuts of power are recorded on Linux only");
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power/shim.c");
    let built = root.join("shim.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&built).arg(source).args(["-ldl", "-lpthread"]);
    match cc.status() {
        Ok(status) => assert!(status.success(), "power/shim.c does not build"),
        Err(error) => {
            println!("SKIPPED: no C compiler `cc` for cuts of power ({error})");
            return None;
        }
    }
    Some(built)
}

/// Runs a child under the shim and cuts its record `count` times.
fn trials(root: &Path, shim: &Path, orders: Orders, count: u64, random: &mut Rng) -> Trials {
    let (data, notes, record) = (root.join("data"), root.join("notes"), root.join("record"));
    for path in [&notes, &record] {
        let _ = fs::remove_file(path);
    }
    let _ = fs::remove_dir_all(&data);
    fs::create_dir_all(&data).unwrap();
    let mut command = child::command(&data, &notes, orders);
    command.env("LD_PRELOAD", shim);
    command.envs([("SHIM_FOLDER", &data), ("SHIM_NOTES", &notes), ("SHIM_RECORD", &record)]);
    assert!(command.status().unwrap().success(), "the child failed");

    let recorded = fs::read(&record).unwrap();
    let entries = disk::entries(&recorded);
    let mut cuts: Vec<usize> = (0..count).map(|_| random.usize(..entries.len())).collect();
    cuts.sort_unstable();
    let (mut disk, mut played, mut trials) = (Disk::default(), 0, Trials::default());
    let from = data.to_str().unwrap();
    for cut in cuts {
        entries[played..cut].iter().for_each(|entry| disk.play(entry));
        played = cut;
        let built = root.join("built");
        disk.build(from, &built, Leaves::Some, random);
        let noted = Note::all(&disk.notes);
        trials.notes_seen += noted.len();
        let mut opened = open(&built);
        if let Err(error) = &opened {
            let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            trials.refused.push(format!("cut {cut}: {error}: {source}"));
            // What a refusal keeps from us is looked at as an operator may.
            let accepting = FilesOptions { accept_loss: true, ..options(Faults::default()) };
            opened = FilesStore::open(&built, accepting, || {});
        }
        match opened.map(|(mut store, _)| ledger::audit(&mut store, &noted, orders.chunk_bytes)) {
            Ok(Ok(())) => trials.whole += 1,
            Ok(Err(what)) => trials.lost.push(format!("cut {cut}: {what}")),
            Err(error) => trials.lost.push(format!("cut {cut}: {error}")),
        }
        fs::remove_dir_all(built).unwrap();
    }
    // What was recorded is what happened: played to its end, with nothing taken, it is the folder.
    entries[played..].iter().for_each(|entry| disk.play(entry));
    let whole = root.join("whole");
    disk.build(from, &whole, Leaves::All, random);
    assert_same(&data, &whole);
    fs::remove_dir_all(whole).unwrap();
    trials
}

fn assert_same(one: &Path, other: &Path) {
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(one), names(other), "names in {}", one.display());
    for name in names(one) {
        let (one, other) = (one.join(&name), other.join(&name));
        if one.is_dir() {
            assert_same(&one, &other);
        } else {
            assert!(fs::read(&one).unwrap() == fs::read(&other).unwrap(), "{} differs", one.display());
        }
    }
}

/// Cuts for each child: a new child costs as much as a few cuts.
const CUTS_PER_CHILD: u64 = 10;
/// No child begins after this, unless somebody asked for a count.
const TIME_MAX: Duration = Duration::from_secs(60);

#[test]
fn what_was_acknowledged_outlives_a_cut_of_power() {
    let (count, seed) =
        (from_environment("LIGHTMOON_POWER_TRIALS", 20), from_environment("LIGHTMOON_SEED", 1));
    let is_bounded = std::env::var_os("LIGHTMOON_POWER_TRIALS").is_none();
    let root = folder("power");
    let Some(shim) = shim(&root) else { return };
    let (began, mut done) = (Instant::now(), 0);
    let mut random = Rng::with_seed(seed);
    let mut sum = Trials::default();
    for round in 0..count.div_ceil(CUTS_PER_CHILD) {
        if is_bounded && began.elapsed() > TIME_MAX {
            break;
        }
        done += CUTS_PER_CHILD;
        // One child in two makes tables and compacts all the time, one in eight also fills more than one log.
        let orders = Orders {
            steps: random.u64(200..2_000),
            memtable_bytes: [0, 32 * 1024][usize::from(round % 2 == 1)],
            chunk_bytes: if round % 8 == 7 { 90_000 } else { 8 * 1024 },
            ..Orders::default()
        };
        let orders = if orders.chunk_bytes > 8 * 1024 { Orders { steps: 30_000, ..orders } } else { orders };
        let trials = trials(&root, &shim, orders, CUTS_PER_CHILD, &mut random);
        sum.whole += trials.whole;
        sum.notes_seen += trials.notes_seen;
        sum.lost.extend(trials.lost);
        sum.refused.extend(trials.refused);
    }
    println!(
        "{done} cuts of power, seed {seed}: {} whole, {} refused, {} lost; {} acknowledged looked for",
        sum.whole,
        sum.refused.len(),
        sum.lost.len(),
        sum.notes_seen
    );
    assert!(sum.lost.is_empty(), "seed {seed}: {:#?}", sum.lost);
    assert!(sum.refused.is_empty(), "seed {seed}: {:#?}", sum.refused);
    fs::remove_dir_all(root).unwrap();
}

/// The proof that the trials see losses.
#[test]
fn without_syncs_a_cut_of_power_is_seen_to_lose() {
    let root = folder("power-control");
    let Some(shim) = shim(&root) else { return };
    let orders = Orders { steps: 500, no_sync: true, ..Orders::default() };
    let trials = trials(&root, &shim, orders, 12, &mut Rng::with_seed(3));
    println!(
        "without syncs: {} whole, {} refused, {} lost of 12",
        trials.whole,
        trials.refused.len(),
        trials.lost.len()
    );
    assert!(!trials.lost.is_empty(), "{trials:?}");
    fs::remove_dir_all(root).unwrap();
}
