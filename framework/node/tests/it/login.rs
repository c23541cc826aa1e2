//! Letting clients in and out.

use lightmoon_contract::operation::Target;
use lightmoon_node::{Input, limits};
use lightmoon_wire::{CloseCode, StreamKey};

use crate::game::pilot;
use crate::world::World;

#[test]
fn a_client_is_bound_to_its_player() {
    let mut world = World::new(1);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 21 }), Ok(42));
    assert_eq!(world.answer(bob, Target::Own, &pilot::Visits {}), Ok(1_000));
    let report = world.node.report();
    assert_eq!(report.sessions.len(), 2);
    assert_ne!(report.sessions[0].player, report.sessions[1].player);
}

#[test]
fn a_second_login_replaces_the_first_and_tells_it_why() {
    let mut world = World::new(2);
    let first = world.enter("ann");
    let second = world.enter("ann");
    world.settle();
    assert_eq!(world.closing(first).map(|closing| closing.code), Some(CloseCode::Replaced));
    assert_eq!(world.answer(second, Target::Own, &pilot::Visits {}), Ok(2_001), "two came, one went");
    assert_eq!(world.node.report().sessions.len(), 1);
    assert_eq!(world.node.report().counters.sessions_replaced, 1);
}

#[test]
fn a_client_that_goes_is_gone_for_its_player_once() {
    let mut world = World::new(3);
    let first = world.enter("ann");
    world.input(Input::Closed { link: first, peer: None });
    world.input(Input::Closed { link: first, peer: None });
    world.peers.remove(&first);
    world.settle();
    let second = world.enter("ann");
    assert_eq!(world.answer(second, Target::Own, &pilot::Visits {}), Ok(2_001));
}

#[test]
fn an_empty_token_is_refused_with_a_reason() {
    let mut world = World::new(4);
    let nobody = world.connect("");
    world.settle();
    world.pass(1_500);
    let closing = world.closing(nobody).expect("refused");
    assert_eq!(closing.code, CloseCode::Unauthenticated);
    assert!(closing.reason.contains("token"), "{}", closing.reason);
    assert_eq!(world.node.report().sessions.len(), 0);
}

#[test]
fn malformed_bytes_close_their_connection_and_touch_nobody_else() {
    let mut world = World::new(5);
    let ann = world.enter("ann");
    let mut random = fastrand::Rng::with_seed(5);
    for _ in 0..200 {
        let link = world.open();
        let bytes: Vec<u8> = (0..random.usize(1..200)).map(|_| random.u8(..)).collect();
        world.input(Input::Stream { link, stream: StreamKey(random.u64(0..3)), bytes: bytes.clone().into() });
        world.input(Input::Datagram { link, bytes: bytes.into() });
    }
    world.settle();
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 4 }), Ok(8));
    // Garbage that looks like the start of a long frame waits for its handshake time, not longer.
    world.pass(6_000);
    assert_eq!(world.node.report().links_in_handshake, 0);
    assert_eq!(world.node.report().sessions.len(), 1);
}

#[test]
fn handshakes_that_stand_still_are_bounded_and_end() {
    let mut world = World::new(6);
    let many = limits::LINKS_IN_HANDSHAKE_MAX + 50;
    for _ in 0..many {
        world.open();
    }
    world.settle();
    let report = world.node.report();
    assert!(report.links_in_handshake <= limits::LINKS_IN_HANDSHAKE_MAX, "{}", report.links_in_handshake);
    assert_eq!(report.counters.links_refused, 50);
    world.pass(6_000);
    assert_eq!(world.node.report().links_in_handshake, 0);
    world.enter("ann");
}
