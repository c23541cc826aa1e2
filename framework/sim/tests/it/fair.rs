//! What is sent exactly once, over everything that goes wrong: no coin and no item is lost or there twice.

mod audit;
mod client;
#[cfg(feature = "flaws")]
mod flaws;
mod game;
mod poison;
mod storm;
mod watch;

use storm::{Seen, Storm, storm};

/// Seeds that failed once.
const CORPUS: [u64; 1] = [1_102];

/// Seeds of the everyday run.
const SEEDS: std::ops::Range<u64> = 0..20;

#[test]
fn no_coin_and_no_item_is_lost_or_there_twice() {
    let mut sum = Seen::default();
    for seed in CORPUS.into_iter().chain(SEEDS) {
        let seen = storm(seed).unwrap_or_else(|found| panic!("seed {seed}: {found}"));
        sum = sum.and(seen);
    }
    println!("{sum:?}");
    assert!(sum.told > 2_000 && sum.sent > 1_000 && sum.items > 200, "little was promised: {sum:?}");
    assert!(sum.crashes > 100 && sum.unknown > 100 && sum.known > 20, "little went wrong: {sum:?}");
    assert!(sum.decided > 60 && sum.undecided < 8, "histories prove little: {sum:?}");
}

/// By hand: `cargo test --release -p lightmoon-sim -- --ignored --nocapture many_fair_storms`.
#[test]
#[ignore = "takes minutes; `cargo xtask soak` is for the long run"]
fn many_fair_storms() {
    let mut sum = Seen::default();
    for seed in 1_000..1_200 {
        let seen = storm(seed).unwrap_or_else(|found| panic!("seed {seed}: {found}"));
        println!("seed {seed}: {seen:?}");
        sum = sum.and(seen);
    }
    println!("{sum:?}");
}

#[test]
fn one_seed_is_one_fair_storm() {
    const SEED: u64 = 4;
    let run = || {
        let mut storm = Storm::new(SEED, Storm::options());
        storm.rage().unwrap_or_else(|found| panic!("seed {SEED}: {found}"));
        storm.trace_hash()
    };
    assert_eq!(run(), run(), "seed {SEED}");
}
