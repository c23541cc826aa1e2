//! kill -9 at random moments: what was acknowledged is there.

use crate::child::{self, Orders};
use crate::ledger::{self, Note};
use crate::{folder, from_environment, open, waiting};

#[test]
fn what_was_acknowledged_outlives_kill_9() {
    let rounds = from_environment("LIGHTMOON_KILLS", 10);
    let root = folder("kill");
    let (data, notes) = (root.join("data"), root.join("notes"));
    let mut random = fastrand::Rng::with_seed(from_environment("LIGHTMOON_SEED", 1));
    let mut total = 0;
    for round in 0..rounds {
        // Every other round makes tables all the time.
        let memtable_bytes = if round % 2 == 0 { 0 } else { 64 * 1024 };
        let mut child = child::start(&data, &notes, Orders { memtable_bytes, ..Orders::default() });
        let before = std::fs::metadata(&notes).map_or(0, |metadata| metadata.len());
        let wanted = before + random.u64(1..3_000) * Note::BYTES as u64;
        waiting::until("the child's notes", || {
            std::fs::metadata(&notes).is_ok_and(|file| file.len() >= wanted)
        });
        child.kill().unwrap();
        child.wait().unwrap();

        let kept = Note::all(&std::fs::read(&notes).unwrap());
        let (mut store, opened) = open(&data).unwrap_or_else(|error| panic!("round {round}: {error}"));
        ledger::audit(&mut store, &kept, 8 * 1024).unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert!(opened.last_commit > 0);
        total = kept.len();
    }
    println!("{rounds} kills, {total} acknowledged, 0 lost");
    std::fs::remove_dir_all(root).unwrap();
}
