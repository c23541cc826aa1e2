//! Calls of clients: what is open to them, how fast, and what comes back.

use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Contract};
use lightmoon_node::limits;
use lightmoon_wire::{ClientEvent, CloseCode};

use crate::game::{ArenaContract, PilotContract, arena, pilot};
use crate::world::World;

#[test]
fn what_the_contract_does_not_open_is_refused() {
    let mut world = World::new(11);
    let ann = world.enter("ann");
    assert_eq!(world.answer(ann, Target::Own, &pilot::Hidden {}), Err(CallError::NotAllowed));
    let stranger = Target::Actor(ActorId::new(PilotContract::KIND, 7));
    assert_eq!(world.answer(ann, stranger, &pilot::Double { number: 1 }), Err(CallError::NotAllowed));
    let zone = Target::Actor(ActorId::new(ArenaContract::KIND, 1));
    assert_eq!(world.answer(ann, zone, &arena::Spawn {}), Err(CallError::NotAllowed));
    assert_eq!(
        world.answer(ann, Target::Own, &arena::Ticks {}),
        Err(CallError::NotAllowed),
        "of another kind"
    );
    assert_eq!(world.node.report().counters.calls_refused, 4);
}

#[test]
fn what_is_open_to_anybody_is_reached_by_its_id() {
    let mut world = World::new(12);
    let ann = world.enter("ann");
    world.pass(500);
    let zone = Target::Actor(ActorId::new(ArenaContract::KIND, 1));
    let ticks = world.answer(ann, zone, &arena::Ticks {}).unwrap();
    assert!((9..=11).contains(&ticks), "half a second at 20 Hz, but {ticks}");
}

#[test]
fn a_caller_that_is_too_fast_is_told_so_and_gets_its_rate() {
    let mut world = World::new(13);
    let ann = world.enter("ann");
    let mut passed = 0;
    for step in 0..40 {
        match world.answer(ann, Target::Own, &pilot::Rarely { number: step }) {
            Ok(doubled) => {
                assert_eq!(doubled, step * 2);
                passed += 1;
            }
            Err(error) => assert_eq!(error, CallError::TooFast),
        }
        world.pass(100);
    }
    assert!((8..=11).contains(&passed), "two at once and two a second for four seconds, but {passed}");
}

#[test]
fn a_caller_that_stays_too_fast_is_closed() {
    let mut world = World::new(14);
    let ann = world.enter("ann");
    let bob = world.enter("bob");
    for number in 0..limits::REFUSALS_IN_A_ROW_MAX + 10 {
        if !world.peers[&ann].link.is_open() {
            break;
        }
        world.ask(ann, Target::Own, &pilot::Rarely { number });
        world.settle();
        world.events(ann).into_iter().for_each(drop);
    }
    world.pass(1_500);
    assert_eq!(world.node.report().counters.sessions_closed_for_rate, 1);
    assert_eq!(world.node.report().sessions.len(), 1);
    assert_eq!(world.answer(bob, Target::Own, &pilot::Double { number: 3 }), Ok(6));
}

#[test]
fn an_operation_that_panics_costs_its_caller_an_error_and_nobody_a_connection() {
    let mut world = World::new(15);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    assert_eq!(world.answer(ann, Target::Own, &pilot::Fail {}), Err(CallError::Panicked));
    world.pass(200);
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 1 }), Ok(2));
    assert_eq!(world.answer(bob, Target::Own, &pilot::Double { number: 2 }), Ok(4));
    assert_eq!(world.answer(ann, Target::Own, &pilot::Visits {}), Ok(1_000), "it knows its session again");
    let report = world.node.report();
    assert_eq!((report.counters.activations_failed, report.worker.failures), (1, 1));
    assert_eq!(report.set_aside, []);

    for _ in 0..2 {
        assert_eq!(world.answer(ann, Target::Own, &pilot::Fail {}), Err(CallError::Panicked));
        world.pass(200);
    }
    let report = world.node.report();
    assert_eq!(report.set_aside.len(), 1, "three within a minute are too many, and it shows");
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 1 }), Err(CallError::Panicked));
    assert_eq!(world.answer(bob, Target::Own, &pilot::Double { number: 2 }), Ok(4));
}

#[test]
fn a_request_without_an_answer_ends_by_its_timeout() {
    let mut world = World::new(16);
    let ann = world.enter("ann");
    let request = world.ask(ann, Target::Own, &pilot::Never {});
    world.pass(900);
    assert_eq!(world.take_answer::<u32>(ann, request), None);
    world.pass(200);
    assert_eq!(world.take_answer::<u32>(ann, request), Some(Err(CallError::TimedOut)));
}

#[test]
fn requests_in_flight_are_bounded() {
    let mut world = World::new(17);
    let ann = world.enter("ann");
    // The first one keeps the player waiting, the others wait behind it.
    let first = world.ask(ann, Target::Own, &pilot::Never {});
    let others: Vec<u64> =
        (0..255).map(|number| world.ask(ann, Target::Own, &pilot::Double { number })).collect();
    world.settle();
    let report = world.node.report();
    assert!(report.sessions[0].requests_in_flight <= limits::REQUESTS_IN_FLIGHT_MAX);
    world.pass(8_000);
    assert_eq!(world.take_answer::<u32>(ann, first), Some(Err(CallError::TimedOut)));
    let answered = others.iter().filter(|request| world.take_answer::<u32>(ann, **request).is_some()).count();
    assert_eq!(answered, others.len(), "each got its one answer");
    assert_eq!(world.node.report().sessions[0].requests_in_flight, 0);
}

#[test]
fn a_push_reaches_the_client_of_the_player() {
    let mut world = World::new(18);
    let ann = world.enter("ann");
    world.tell(ann, Target::Own, &pilot::Greet {});
    world.settle();
    let pushes = world.events(ann).into_iter().filter(|event| matches!(event, ClientEvent::Push(_))).count();
    assert_eq!(pushes, 1);
    assert_ne!(world.closing(ann).map(|closing| closing.code), Some(CloseCode::Internal));
}
