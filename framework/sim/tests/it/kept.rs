//! What a node keeps, over crashes, a store that lies, and former nodes that go on: nothing acknowledged is lost.

mod audit;
mod client;
#[cfg(feature = "flaws")]
mod flaws;
mod game;
mod storm;

use storm::{Storm, storm};

/// Seeds that failed once.
const CORPUS: [u64; 3] = [1_009, 1_023, 1_113];

/// Seeds of the everyday run; each takes a second or two without optimisation.
const SEEDS: std::ops::Range<u64> = 0..2;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let mut sum = storm::Seen::default();
    for seed in CORPUS.into_iter().chain(SEEDS) {
        let seen = storm(seed).unwrap_or_else(|found| panic!("seed {seed}: {found}"));
        sum = sum.and(seen);
    }
    println!("{sum:?}");
    assert!(sum.told > 500 && sum.compared > 1_000, "little was promised: {sum:?}");
    assert!(sum.snapshots > 50 && sum.crashes > 20 && sum.unknown > 20, "little went wrong: {sum:?}");
}

/// By hand: `cargo test --release -p lightmoon-sim -- --ignored --nocapture many_storms`.
#[test]
#[ignore = "takes minutes; `cargo xtask soak` is for the long run"]
fn many_storms() {
    for seed in 1_000..1_400 {
        let seen = storm(seed).unwrap_or_else(|found| panic!("seed {seed}: {found}"));
        println!("seed {seed}: {seen:?}");
    }
}

#[test]
fn one_seed_is_one_storm() {
    const SEED: u64 = 4;
    let run = || {
        let mut storm = Storm::new(SEED, Storm::options());
        storm.rage().unwrap_or_else(|found| panic!("seed {SEED}: {found}"));
        storm.hashes()
    };
    assert_eq!(run(), run(), "seed {SEED}");
}
