//! Requests over reconnects: each is served once, and answered alike each time.

use lightmoon_contract::CallError;
use lightmoon_contract::operation::Target;
use lightmoon_node::{LinkId, limits};
use lightmoon_wire::ClientEvent;

use crate::game::{arena, pilot};
use crate::world::World;

/// A client that looks at zone 1, and has used the numbers up to 1.
fn attached(seed: u64) -> (World, LinkId) {
    let mut world = World::new(seed);
    let ann = world.enter("ann");
    world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    (world, ann)
}

/// The client comes back with what it has, over another link.
fn back(world: &mut World, old: LinkId, first_request: u64) -> LinkId {
    let link = world.connect_with("ann", world.ticket(old), first_request);
    world.settle();
    assert!(world.peers[&link].link.is_open(), "{:?}", world.peers[&link].events);
    link
}

#[test]
fn a_connection_cut_between_request_and_reply_costs_neither_effect_nor_answer() {
    let (mut world, mut ann) = attached(41);
    for round in 0..20u32 {
        let request = world.ask(ann, Target::Zone, &arena::Touch {});
        if round % 2 == 0 {
            // The zone has it, its answer is lost.
            world.cut_behind(ann);
        } else {
            // The request is lost.
            world.cut(ann);
        }
        world.settle();
        ann = back(&mut world, ann, request + 1);
        if round % 2 == 0 {
            // The other one the lane sent again by itself, since the node lacked it.
            world.ask_as(ann, request, Target::Zone, &arena::Touch {});
            world.settle();
        }
        assert_eq!(world.take_answer::<u32>(ann, request), Some(Ok(round + 1)), "effects are requests");
    }
    let counters = world.node.report().counters;
    assert_eq!((counters.sessions_resumed, counters.answers_repeated), (20, 10));
    assert_eq!((counters.sessions_opened, counters.sessions_closed), (1, 0));
}

#[test]
fn an_answer_that_is_still_to_come_goes_to_the_link_of_then_once() {
    let (mut world, ann) = attached(42);
    let request = world.ask(ann, Target::Own, &pilot::Never {});
    world.settle();
    world.cut(ann);
    world.pass(300);
    let ann = back(&mut world, ann, request + 1);
    world.ask_as(ann, request, Target::Own, &pilot::Never {});
    world.pass(600);
    assert_eq!(world.take_answer::<u32>(ann, request), None);
    world.pass(200);
    assert_eq!(
        world.take_answer::<u32>(ann, request),
        Some(Err(CallError::TimedOut)),
        "from the first try on"
    );
    world.pass(2_000);
    assert_eq!(world.take_answer::<u32>(ann, request), None, "once");
    let report = world.node.report();
    assert_eq!((report.counters.requests_rejoined, report.sessions[0].requests_in_flight), (1, 0));
}

#[test]
fn an_answer_that_came_while_the_client_was_away_waits_for_its_repeat() {
    let (mut world, ann) = attached(43);
    let request = world.ask(ann, Target::Own, &pilot::Never {});
    world.settle();
    world.cut(ann);
    world.pass(2_000);
    let ann = back(&mut world, ann, request + 1);
    let unasked = world.events(ann).iter().any(|event| matches!(event, ClientEvent::Answer { .. }));
    assert!(!unasked, "nobody asked on this link yet");
    world.ask_as(ann, request, Target::Own, &pilot::Never {});
    world.settle();
    assert_eq!(world.take_answer::<u32>(ann, request), Some(Err(CallError::TimedOut)));
    let counters = world.node.report().counters;
    assert_eq!((counters.calls, counters.answers_repeated), (2, 1));
}

#[test]
fn a_number_used_for_something_else_is_refused_and_does_nothing() {
    let (mut world, ann) = attached(44);
    let request = world.ask(ann, Target::Own, &pilot::Double { number: 1 });
    world.settle();
    world.ask_as(ann, request + 1, Target::Zone, &arena::Touch {});
    world.settle();
    for (number, target) in [(2, Target::Own), (1, Target::Zone)] {
        world.events(ann).into_iter().for_each(drop);
        world.ask_as(ann, request, target, &pilot::Double { number });
        world.settle();
        assert_eq!(world.take_answer::<u32>(ann, request), Some(Err(CallError::RequestReused)));
    }
    world.ask_as(ann, request + 1, Target::Own, &pilot::Double { number: 1 });
    world.settle();
    assert_eq!(world.take_answer::<u32>(ann, request + 1), Some(Err(CallError::RequestReused)));
    assert_eq!(world.node.report().counters.requests_reused, 3);
    assert_eq!(world.answer(ann, Target::Zone, &arena::Touch {}), Ok(2));
}

#[test]
fn an_answer_that_was_forgotten_is_said_to_be_and_the_request_is_not_served_again() {
    let (mut world, ann) = attached(45);
    let first = world.ask(ann, Target::Zone, &arena::Touch {});
    world.settle();
    for _ in 0..limits::ANSWERS_KEPT_MAX {
        world.answer(ann, Target::Own, &pilot::Double { number: 1 }).unwrap();
    }
    let next = world.ask(ann, Target::Own, &pilot::Double { number: 2 });
    world.settle();
    world.cut(ann);
    let ann = back(&mut world, ann, next + 1);
    world.ask_as(ann, first, Target::Zone, &arena::Touch {});
    world.ask_as(ann, next, Target::Own, &pilot::Double { number: 2 });
    world.settle();
    assert_eq!(world.take_answer::<u32>(ann, first), Some(Err(CallError::AnswerForgotten)));
    assert_eq!(world.take_answer::<u32>(ann, next), Some(Ok(4)));
    assert_eq!(world.answer(ann, Target::Zone, &arena::Touch {}), Ok(2), "it touched once");
    assert_eq!(world.node.report().counters.answers_forgotten, 1);
}

#[test]
fn what_was_refused_before_it_reached_an_actor_is_new_when_it_comes_again() {
    let (mut world, ann) = attached(46);
    let mut refused = None;
    while refused.is_none() {
        let request = world.ask(ann, Target::Own, &pilot::Rarely { number: 3 });
        world.settle();
        if world.take_answer::<u32>(ann, request) == Some(Err(CallError::TooFast)) {
            refused = Some(request);
        }
    }
    world.pass(1_000);
    let request = refused.unwrap();
    world.ask_as(ann, request, Target::Own, &pilot::Rarely { number: 3 });
    world.settle();
    assert_eq!(world.take_answer::<u32>(ann, request), Some(Ok(6)));
}
