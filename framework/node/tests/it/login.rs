//! Letting clients in and out.

use lightmoon_contract::operation::Target;
use lightmoon_node::{Input, NodeOptions, limits};
use lightmoon_wire::{CloseCode, StreamKey};

use crate::game::pilot;
use crate::world::{World, options, unreliable_call};

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
    assert_eq!(report.counters.handshakes_evicted, 50);
    // Who comes and speaks is let in, though they still hold all places.
    world.enter("bob");
    world.pass(6_000);
    assert_eq!(world.node.report().links_in_handshake, 0);
    world.enter("ann");
}

#[test]
fn one_address_takes_a_share_of_the_places_and_no_more() {
    let mut world = World::new(7);
    // Somebody behind a slow network, who has not spoken yet.
    let slow = world.connect_from("10.0.0.1:9", "ann");
    for port in 0..2 * limits::LINKS_IN_HANDSHAKE_MAX {
        world.open_from(&format!("10.0.0.66:{port}"));
    }
    world.settle();
    assert!(world.peers[&slow].link.is_open(), "those of the source with the most gave way");
    let counters = world.node.report().counters;
    assert_eq!(counters.links_unread, 0, "nobody was let in who did not read");
    assert!(counters.handshakes_evicted >= limits::LINKS_IN_HANDSHAKE_MAX as u64, "{counters:?}");
}

#[test]
fn one_address_has_its_share_of_sessions_also_of_those_that_wait() {
    let mut world = World::with(NodeOptions { sessions_per_source_max: 3, ..options() });
    let first = world.connect_from("10.0.0.66:1", "a");
    world.connect_from("10.0.0.66:2", "b");
    world.connect_from("10.0.0.66:3", "c");
    world.settle();
    // It waits for its client from now on, and has its place.
    world.cut(first);
    let fourth = world.connect_from("10.0.0.66:4", "d");
    let other = world.connect_from("10.0.0.1:1", "ann");
    world.settle();
    let closing = world.closing(fourth).expect("refused");
    assert_eq!(closing.code, CloseCode::Overloaded);
    assert!(closing.reason.contains("address"), "{}", closing.reason);
    assert!(world.peers[&other].link.is_open());
    assert_eq!(world.node.report().counters.logins_refused_source, 1);
    // A session moves with its client, and its place becomes free.
    let moved = world.connect_with_from("10.0.0.2:1", "a", world.ticket(first), 1);
    world.settle();
    assert!(world.peers[&moved].link.is_open());
    let fifth = world.connect_from("10.0.0.66:5", "e");
    world.settle();
    assert!(world.peers[&fifth].link.is_open());
}

#[test]
fn who_sends_more_bytes_than_a_client_may_is_closed() {
    let mut world = World::new(8);
    let (ann, flood) = (world.enter("ann"), world.enter("flood"));
    let mut sent = 0;
    while world.closing(flood).is_none() {
        for _ in 0..16 {
            world.shout(flood, &pilot::Double { number: 1 }, 16_000);
            sent += 16_000;
        }
        world.settle();
        assert!(sent < 2 * limits::LINK_BYTES_BURST, "{sent} bytes at once");
    }
    assert!(sent + 16 * 16_000 > limits::LINK_BYTES_BURST, "it was within what may come at once: {sent}");
    assert_eq!(world.closing(flood).map(|closing| closing.code), Some(CloseCode::RateExceeded));
    assert_eq!(world.node.report().counters.links_closed_for_bytes, 1);
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 4 }), Ok(8));
}

#[test]
fn bytes_of_datagrams_count_as_those_of_streams() {
    let mut world = World::new(9);
    let (ann, flood) = (world.enter("ann"), world.enter("flood"));
    // One call again and again, which does nothing more, but costs its bytes.
    let call = unreliable_call(7, &[0; 1_000]);
    let mut sent = 0;
    while world.closing(flood).is_none() && sent < 2 * limits::LINK_BYTES_BURST as usize {
        for _ in 0..64 {
            world.input(Input::Datagram { link: flood, bytes: call.clone() });
            sent += call.len();
        }
        world.settle();
    }
    assert_eq!(world.closing(flood).map(|closing| closing.code), Some(CloseCode::RateExceeded));
    assert_eq!(world.node.report().counters.links_closed_for_bytes, 1);
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 4 }), Ok(8));
}
