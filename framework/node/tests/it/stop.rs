//! The end of a node, and games that do not fit together.

use lightmoon_contract::Mono;
use lightmoon_node::{Error, Game, Input, Node, NodeOptions};
use lightmoon_wire::CloseCode;

use crate::game::{ArenaContract, PilotContract, TestPilot, descriptor};
use crate::world::World;

#[test]
fn a_node_that_stops_tells_its_clients_and_then_is_still() {
    let mut world = World::new(31);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    world.input(Input::Stop { reason: "maintenance".into() });
    world.pass(1_500);
    for link in [ann, bob] {
        let closing = world.closing(link).expect("told");
        assert_eq!((closing.code, closing.reason.as_str()), (CloseCode::ShuttingDown, "maintenance"));
    }
    assert!(world.has_stopped);
    let mut out = Vec::new();
    let next = world.node.turn(world.now, &mut Vec::new(), &mut out);
    assert!(out.is_empty() && next.deadline.is_none() && !next.more);
}

#[test]
fn a_node_that_stops_lets_nobody_in() {
    let mut world = World::new(32);
    let ann = world.enter("ann");
    // She does not answer the Goodbye, so that the node still waits for her.
    world.peers.remove(&ann);
    world.input(Input::Stop { reason: "maintenance".into() });
    world.settle();
    assert!(!world.has_stopped);
    let bob = world.connect("bob");
    world.settle();
    let closing = world.closing(bob).expect("told at once");
    assert_eq!((closing.code, closing.reason.as_str()), (CloseCode::ShuttingDown, "the server stops"));
    assert_eq!(world.node.report().counters.sessions_opened, 1);
    world.pass(1_500);
    assert!(world.has_stopped, "whoever comes again and again does not keep it");
}

#[test]
fn a_game_without_a_player_is_refused_with_what_to_do() {
    let error = Node::new(Game::new(descriptor()), NodeOptions::default(), 1, Mono(0)).unwrap_err();
    assert_eq!(error, Error::NoPlayer);
    assert!(error.to_string().contains("Game::player"));
}

#[test]
fn a_game_that_starts_what_it_does_not_run_is_refused() {
    let game = Game::new(descriptor()).player::<PilotContract, TestPilot>().start::<ArenaContract>([1]);
    let error = Node::new(game, NodeOptions::default(), 1, Mono(0)).unwrap_err();
    assert!(matches!(error, Error::StartsUnknownKind { key: 1, .. }), "{error}");
}

#[test]
fn a_contract_registered_twice_is_refused() {
    let game =
        Game::new(descriptor()).player::<PilotContract, TestPilot>().actor::<PilotContract, TestPilot>();
    let error = Node::new(game, NodeOptions::default(), 1, Mono(0)).unwrap_err();
    assert!(matches!(error, Error::RegisteredTwice { name: "Pilot", .. }), "{error}");
}
