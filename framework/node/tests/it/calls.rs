//! Calls of clients: what is open to them, how fast, and what comes back.

use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Contract, Limits, Operation, codec};
use lightmoon_node::{Input, limits};
use lightmoon_wire::{ClientEvent, CloseCode};

use crate::game::{ArenaContract, PilotContract, arena, pilot};
use crate::world::{World, unreliable_call};

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
fn naming_a_zone_does_not_make_it() {
    let mut world = World::new(19);
    let ann = world.enter("ann");
    for key in 3..20 {
        let zone = Target::Actor(ActorId::new(ArenaContract::KIND, key));
        assert_eq!(world.answer(ann, zone, &arena::Ticks {}), Err(CallError::NotAllowed));
    }
    assert_eq!(world.node.report().zones.len(), 2);
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
    let counters = world.node.report().counters;
    assert_eq!((counters.calls_too_fast, counters.calls_refused), (40 - passed, 40 - passed));
}

#[test]
fn a_caller_that_stays_too_fast_is_closed() {
    let mut world = World::new(14);
    let ann = world.enter("ann");
    let bob = world.enter("bob");
    for number in 0..limits::REFUSALS_MAX + 10 {
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
fn an_unreliable_push_is_a_datagram_and_the_newest_is_enough() {
    let mut world = World::new(1);
    let ann = world.enter("ann");
    world.events(ann);
    world.trace.clear();
    world.tell(ann, Target::Own, &pilot::Point {});
    world.settle();
    let pushes: Vec<_> = world
        .events(ann)
        .into_iter()
        .filter_map(|event| if let ClientEvent::Push(push) = event { Some(push) } else { None })
        .collect();
    assert_eq!(pushes.len(), 1, "the newer takes the place of the older: {pushes:?}");
    assert_eq!(pushes[0].number, pilot::Pointed::SPEC.number);
    let pointed: pilot::Pointed = codec::decode(&pushes[0].args, Limits::CLIENT).unwrap();
    assert_eq!(pointed.place, 2);
    assert!(world.trace.iter().any(|line| line.contains("Datagram")), "{:?}", world.trace);
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

#[test]
fn a_caller_far_over_its_rate_is_closed_although_some_of_its_calls_pass() {
    let mut world = World::new(19);
    let ann = world.enter("ann");
    for _ in 0..6_000 {
        if !world.peers[&ann].link.is_open() {
            break;
        }
        for _ in 0..3 {
            world.ask(ann, Target::Own, &pilot::Visits {});
        }
        world.pass(10);
        world.events(ann).into_iter().for_each(drop);
    }
    world.settle();
    let report = world.node.report();
    assert!(report.counters.calls > 500, "it got its rate until then");
    assert_eq!(report.counters.sessions_closed_for_rate, 1);
    assert_eq!(report.sessions, []);
}

#[test]
fn a_caller_a_little_over_its_rate_stays() {
    let mut world = World::new(20);
    let ann = world.enter("ann");
    for _ in 0..6_000 {
        world.ask(ann, Target::Own, &pilot::Rarely { number: 1 });
        world.pass(20);
        world.events(ann).into_iter().for_each(drop);
    }
    let counters = world.node.report().counters;
    assert!(counters.calls_refused > 5_500, "{counters:?}");
    assert_eq!((counters.sessions_closed_for_rate, counters.sessions_opened), (0, 1));
}

#[test]
fn a_caller_that_keeps_calling_what_is_not_open_is_closed() {
    let mut world = World::new(21);
    let ann = world.enter("ann");
    for _ in 0..limits::REFUSALS_MAX + 10 {
        if !world.peers[&ann].link.is_open() {
            break;
        }
        world.ask(ann, Target::Own, &pilot::Hidden {});
        world.settle();
        world.events(ann).into_iter().for_each(drop);
    }
    let counters = world.node.report().counters;
    assert_eq!(
        (counters.sessions_closed_for_rate, counters.calls_too_fast),
        (1, 0),
        "it was not about the rate"
    );
    assert_eq!(world.node.report().sessions, []);
}

#[test]
fn a_session_that_is_promised_more_than_is_kept_ends_with_a_reason() {
    let mut world = World::new(22);
    let ann = world.enter("ann");
    let zone = world.answer(ann, Target::Own, &pilot::Enter { zone: 1 });
    assert!(zone.is_ok());
    world.tell(ann, Target::Own, &pilot::Flood {});
    world.settle();
    assert_eq!(world.closing(ann).map(|closing| closing.code), Some(CloseCode::Overloaded));
    world.pass(100);
    let report = world.node.report();
    assert_eq!(report.sessions, [], "what was promised cannot be held any more");
    assert!(report.zones.iter().all(|(_, zone)| zone.viewers == 0), "nobody looks any more");
    let counters = report.counters;
    assert_eq!((counters.sessions_opened, counters.sessions_closed, counters.sessions_overflowed), (1, 1, 1));
    assert_eq!(counters.links_unread, 1);
    let again = world.enter("ann");
    assert_eq!(world.answer(again, Target::Own, &pilot::Visits {}), Ok(2_001), "each end was told once");
}

#[test]
fn the_end_of_a_session_forgets_its_requests_and_no_others() {
    let mut world = World::new(23);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    world.ask(ann, Target::Own, &pilot::Never {});
    world.ask(ann, Target::Own, &pilot::Never {});
    let bobs = world.ask(bob, Target::Own, &pilot::Never {});
    world.settle();
    world.input(Input::Closed { link: ann, peer: Some(CloseCode::Normal) });
    world.pass(6_000);
    assert_eq!(world.take_answer::<u32>(bob, bobs), Some(Err(CallError::TimedOut)));
    let report = world.node.report();
    assert_eq!(report.counters.answers_late, 2);
    assert_eq!(report.sessions.len(), 1);
    assert_eq!(report.sessions[0].requests_in_flight, 0);
}

#[test]
fn arguments_that_cannot_be_read_are_answered_and_counted() {
    let mut world = World::new(24);
    let ann = world.enter("ann");
    let request = world.ask_nonsense(ann, &pilot::Double { number: 1 }, 40);
    world.settle();
    let answer = world.take_answer::<u32>(ann, request);
    assert!(matches!(answer, Some(Err(CallError::BadArguments(_)))), "{answer:?}");
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 4 }), Ok(8));
    assert_eq!(world.node.report().counters.calls_unreadable, 1);
}

#[test]
fn unreliable_calls_that_come_twice_are_counted_also_once_their_link_is_over() {
    let mut world = World::new(25);
    let ann = world.enter("ann");
    let bytes = unreliable_call(7, &[]);
    for _ in 0..20 {
        world.input(Input::Datagram { link: ann, bytes: bytes.clone() });
    }
    world.settle();
    let doubled = |world: &World| world.node.report().counters.calls_doubled;
    assert_eq!(doubled(&world), 19);
    world.input(Input::Closed { link: ann, peer: Some(CloseCode::Normal) });
    world.pass(6_000);
    assert_eq!(doubled(&world), 19);
}
