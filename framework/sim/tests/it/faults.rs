//! Whatever the network and the node do, right clients pass every checker, and come back to play.

use std::time::Duration;

use lightmoon_sim::ClientNumber;
use lightmoon_sim::link::LinkOptions;

use crate::game::{rules, run, world};

#[test]
fn a_lost_packet_shows_no_ghost_no_hole_and_no_wrong_value() {
    for seed in 0..6 {
        let links = LinkOptions::drawn(&mut fastrand::Rng::with_seed(seed));
        let (mut world, mut judge) = world(seed, links, 3);
        run(&mut world, &mut judge, 12).unwrap_or_else(|found| panic!("seed {seed}, {links:?}: {found}"));
        let (compared, answered) = judge.seen();
        assert!(compared > 1_000 && answered >= 3, "seed {seed}: only {compared} values, {answered} answers");
    }
}

#[test]
fn cut_connections_come_back() {
    let (mut world, mut judge) = world(3, LinkOptions::CLEAN, 3);
    for second in 0..10 {
        run(&mut world, &mut judge, 1).unwrap();
        world.cut(ClientNumber(second % 3));
    }
    judge.heal(world.now());
    run(&mut world, &mut judge, 35).unwrap();
    assert!(world.clients().all(|(_, client, _)| client.attached().is_some()));
    let stats = |client: &lightmoon_client::Client| (client.stats().sessions, client.stats().resumes);
    assert!(world.clients().all(|(_, client, _)| stats(client).0 == 1), "each keeps its one session");
    assert!(world.clients().any(|(_, client, _)| stats(client).1 > 2), "nothing was cut");
}

#[test]
fn a_node_that_pauses_or_starts_anew_is_found_again() {
    let (mut world, mut judge) = world(5, LinkOptions::CLEAN, 2);
    run(&mut world, &mut judge, 3).unwrap();
    world.pause(Duration::from_secs(8));
    judge.disturbed(rules(LinkOptions::CLEAN));
    run(&mut world, &mut judge, 12).unwrap();
    world.restart();
    judge.disturbed(rules(LinkOptions::CLEAN));
    judge.heal(world.now());
    run(&mut world, &mut judge, 35).unwrap();
    assert!(world.clients().all(|(_, client, _)| client.attached().is_some()));
}
