//! A checker that finds nothing wrong in a wrong client is no checker.

use lightmoon_sim::Flaw;
use lightmoon_sim::link::LinkOptions;

use crate::game::{run, world};

/// The checkers that a flaw is for. Those that time decides between may each be first.
const fn caught_by(flaw: Flaw) -> &'static [&'static str] {
    match flaw {
        Flaw::KeepsLeft | Flaw::AppliesOldGenerations => &["ghost"],
        Flaw::ReusesIndexes | Flaw::FreezesSticky | Flaw::AppliesLatePackets => &["value"],
        Flaw::GoesBack => &["order"],
        Flaw::MissesEnters => &["presence"],
        Flaw::AnswersTwice | Flaw::LosesAnswers => &["answers"],
        Flaw::Freezes => &["liveness", "ghost", "presence", "value", "stale"],
        Flaw::StaysBehind | Flaw::MissesLast => &["stale"],
    }
}

#[test]
fn every_flaw_is_caught() {
    for flaw in Flaw::ALL {
        let found = (0..3).find_map(|seed| {
            let (mut world, judge) = world(seed, LinkOptions::LOSSY, 3);
            let mut judge = judge.with_flaw(flaw);
            judge.heal(world.now());
            run(&mut world, &mut judge, 45).err()
        });
        let found = found.unwrap_or_else(|| panic!("{flaw:?} was not caught"));
        assert!(caught_by(flaw).contains(&found.checker), "{flaw:?} was caught by another checker: {found}");
    }
}

#[test]
fn without_a_flaw_nothing_is_found() {
    for seed in 0..2 {
        let (mut world, mut judge) = world(seed, LinkOptions::LOSSY, 3);
        judge.heal(world.now());
        run(&mut world, &mut judge, 45).unwrap_or_else(|found| panic!("seed {seed}: {found}"));
    }
}
