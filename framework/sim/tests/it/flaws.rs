//! A checker that finds nothing wrong in a wrong client is no checker.

use lightmoon_sim::Flaw;
use lightmoon_sim::link::LinkOptions;

use crate::game::{run, world};

#[test]
fn every_flaw_is_caught() {
    for flaw in Flaw::ALL {
        let found = (0..3).find_map(|seed| {
            let (mut world, judge) = world(seed, LinkOptions::LOSSY, 3);
            let mut judge = judge.with_flaw(flaw);
            judge.heal(world.now());
            run(&mut world, &mut judge, 45).err()
        });
        assert!(found.is_some(), "{flaw:?} was not caught");
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
