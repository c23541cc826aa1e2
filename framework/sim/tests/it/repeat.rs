//! One seed is one world.

use lightmoon_sim::link::LinkOptions;

use crate::game::{run, world};

fn hashes(seed: u64) -> (u64, u64) {
    let (mut world, mut judge) = world(seed, LinkOptions::LOSSY, 3);
    run(&mut world, &mut judge, 5).expect("right clients pass");
    (world.trace_hash(), world.state_hash())
}

#[test]
fn one_seed_is_one_world_and_another_seed_another() {
    assert_eq!(hashes(1), hashes(1));
    assert_ne!(hashes(1), hashes(2));
}

#[test]
fn a_judge_changes_nothing() {
    let (mut watched, mut judge) = world(4, LinkOptions::LOSSY, 2);
    run(&mut watched, &mut judge, 3).unwrap();
    let (mut alone, _) = world(4, LinkOptions::LOSSY, 2);
    let until = watched.now();
    alone.run_until(until, |_| Ok::<(), ()>(())).unwrap();
    assert_eq!(watched.trace_hash(), alone.trace_hash());
}
