//! What operators command, and what they are shown.

use bytes::Bytes;
use lightmoon_actor::{Inspect, Inspected, Sought};
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Contract, Operation, SessionId, codec};
use lightmoon_node::{Command, Happened, Input, Operated, Refused, Wanted, limits};
use lightmoon_wire::CloseCode;

use crate::game::{ArenaContract, PilotContract, arena, pilot};
use crate::world::World;

/// Commands, and lets it happen; what came of it.
fn command(world: &mut World, command: Command) -> Operated {
    let token = 1_000 + world.operated.len() as u64;
    world.input(Input::Operate { token, command });
    world.settle();
    let (answered, result) = world.operated.last().cloned().expect("each command is answered");
    assert_eq!(answered, token);
    result
}

fn call<O: Operation>(key: u64, operation: &O) -> Command {
    let to = ActorId::new(O::Contract::KIND, key);
    Command::Call { to, number: O::SPEC.number, arguments: codec::encode(operation).into() }
}

#[test]
fn an_operator_calls_what_no_client_may_and_gets_its_answer() {
    let mut world = World::new(1);
    world.settle();
    let bytes = command(&mut world, call(5, &pilot::Double { number: 21 })).unwrap();
    assert_eq!(codec::decode::<u32>(&bytes, codec::Limits::default()).unwrap(), 42);
    assert!(command(&mut world, call(5, &pilot::Hidden {})).is_ok(), "clients may not");
    assert!(command(&mut world, call(1, &arena::Touch {})).is_ok(), "a zone that runs");
    assert_eq!(command(&mut world, call(5, &pilot::Fail {})), Err(Refused::Call(CallError::Panicked)));
    assert_eq!(world.node.report().counters.calls_of_operators, 4);
}

#[test]
fn a_call_of_an_operator_makes_no_zone_and_calls_no_push() {
    let mut world = World::new(2);
    world.settle();
    let nowhere = ActorId::new(ArenaContract::KIND, 77);
    assert_eq!(command(&mut world, call(77, &arena::Touch {})), Err(Refused::NoSuchZone(nowhere)));
    assert!(world.node.report().zones.iter().all(|(zone, _)| *zone != nowhere));
    let push = call(5, &pilot::Greeted { text: String::new() });
    assert_eq!(command(&mut world, push), Err(Refused::Push));
}

#[test]
fn calls_of_operators_beyond_the_limit_are_refused_and_those_before_are_answered() {
    let mut world = World::new(3);
    for token in 0..=limits::OPERATOR_CALLS_MAX as u64 {
        world.input(Input::Operate { token, command: call(9, &pilot::Never {}) });
    }
    world.settle();
    assert_eq!(world.operated, [(limits::OPERATOR_CALLS_MAX as u64, Err(Refused::Busy))]);
    assert_eq!(world.node.report().counters.operator_calls_refused, 1);
    world.pass(2_000 * limits::OPERATOR_CALLS_MAX as u64);
    assert_eq!(world.operated.len(), limits::OPERATOR_CALLS_MAX + 1, "each once");
    assert!(command(&mut world, call(5, &pilot::Double { number: 1 })).is_ok(), "there is room again");
}

#[test]
fn a_kicked_client_is_told_why_and_its_session_is_over() {
    let mut world = World::new(4);
    let ann = world.enter("ann");
    let session = world.session(ann);
    let kick = |session| Command::Kick { session, reason: "no bots".to_owned() };
    assert_eq!(command(&mut world, kick(session)), Ok(Bytes::new()));
    let closing = world.closing(ann).unwrap();
    assert_eq!((closing.code, closing.reason.as_str()), (CloseCode::Normal, "no bots"));
    assert!(world.node.report().sessions.is_empty());
    assert_eq!(command(&mut world, kick(session)), Err(Refused::NoSuchSession(session)));
    assert_eq!(command(&mut world, kick(SessionId(1))), Err(Refused::NoSuchSession(SessionId(1))));
}

#[test]
fn a_node_that_drains_takes_no_new_players_and_keeps_those_it_has() {
    let mut world = World::new(5);
    let ann = world.enter("ann");
    command(&mut world, Command::Drain(true)).unwrap();
    assert!(world.node.report().is_draining);
    let bob = world.connect("bob");
    world.settle();
    world.pass(1_500);
    let closing = world.closing(bob).expect("refused");
    assert_eq!(closing.code, CloseCode::Overloaded);
    assert!(closing.reason.contains("another"), "{}", closing.reason);
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 2 }), Ok(4));
    world.enter("ann");
    command(&mut world, Command::Drain(false)).unwrap();
    world.enter("bob");
}

#[test]
fn what_happens_is_told_once() {
    let mut world = World::new(6);
    let ann = world.enter("ann");
    let session = world.session(ann);
    assert_eq!(world.answer(ann, Target::Own, &pilot::Fail {}), Err(CallError::Panicked));
    command(&mut world, Command::Kick { session, reason: "why".to_owned() }).unwrap();
    let happened: Vec<Happened> = world.node.take_events().into_iter().map(|event| event.what).collect();
    let is_there = |what: fn(&Happened) -> bool| happened.iter().filter(|happened| what(happened)).count();
    assert_eq!(is_there(|what| matches!(what, Happened::SessionOpened { .. })), 1, "{happened:?}");
    assert_eq!(is_there(|what| matches!(what, Happened::ActorFailed { .. })), 1, "{happened:?}");
    assert_eq!(is_there(|what| matches!(what, Happened::SessionClosed { .. })), 1, "{happened:?}");
    assert!(world.node.take_events().is_empty());
}

#[test]
fn workers_show_what_is_looked_at_and_nothing_else() {
    let mut world = World::new(7);
    let ann = world.enter("ann");
    world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    let nobody = world.node.survey(&Wanted::default());
    assert!(nobody.workers.iter().all(|worker| worker.survey.is_none()));
    let wanted = Wanted {
        charts: Some(10),
        actors: Some(Sought { kind: Some(PilotContract::KIND), key: None }),
        ..Wanted::default()
    };
    let report = world.node.survey(&wanted);
    let surveys: Vec<_> = report.workers.iter().filter_map(|worker| worker.survey.as_deref()).collect();
    assert_eq!(surveys.iter().flat_map(|survey| &survey.charts).count(), 2, "both zones");
    let found: usize =
        surveys.iter().filter_map(|survey| survey.actors.as_ref()).map(|list| list.found).sum();
    assert_eq!(found, 1, "one pilot");
}

#[test]
fn the_state_of_an_actor_is_shown_by_its_worker_to_who_asks() {
    let mut world = World::new(8);
    let ann = world.enter("ann");
    world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    let mut inspected = |kind, key| {
        let inspect = Some(Inspect { actor: ActorId::new(kind, key), entities_from: 0 });
        let report = world.node.survey(&Wanted { inspect, ..Wanted::default() });
        let surveys: Vec<_> = report.workers.iter().filter_map(|worker| worker.survey.as_deref()).collect();
        surveys.iter().find_map(|survey| survey.inspected.clone()).map(|(_, inspected)| inspected)
    };
    let Some(Inspected::Shown(zone)) = inspected(ArenaContract::KIND, 1) else { panic!("it lives") };
    assert_eq!(zone.entities, 1, "the avatar");
    assert!(!zone.values.is_empty());
    assert_eq!(inspected(ArenaContract::KIND, 77), None, "nobody begins to live by being looked at");
}
