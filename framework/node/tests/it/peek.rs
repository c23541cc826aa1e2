//! An operator looks at actors that do not live: what is stored of them is shown, and nobody is brought to life by it.

use lightmoon_actor::{ActorState, Inspect, Inspected, StateLook, StoredLook};
use lightmoon_contract::codec::{Limits, decode};
use lightmoon_contract::{ActorId, Contract, Kind};
use lightmoon_node::{Input, Wanted};

use crate::idle::{
    ALWAYS, ClerkContract, Counted, GuestContract, IDLE_AFTER, YardContract, actors, at, begin, clerk,
};
use crate::world::World as Net;

/// What somebody sees who looks at an actor; `None`: nothing of it is anywhere.
fn look(net: &mut Net, kind: Kind, key: u64) -> Option<Inspected> {
    let inspect = Inspect { actor: ActorId::new(kind, key), entities_from: 0 };
    net.input(Input::Peek(inspect));
    net.settle();
    let wanted = Wanted { trace: Some(inspect.actor), inspect: Some(inspect), ..Wanted::default() };
    let report = net.node.survey(&wanted);
    let surveys = report.workers.into_iter().filter_map(|worker| worker.survey);
    surveys.filter_map(|survey| survey.inspected.clone()).map(|(_, inspected)| inspected).next()
}

fn counted(look: &StateLook) -> u64 {
    let counted: Counted = decode(look.values[0].bytes.as_ref().unwrap(), Limits::NODE).unwrap();
    counted.times
}

#[test]
fn what_is_stored_of_an_actor_that_left_memory_is_shown_and_it_stays_away() {
    for seed in 0..3 {
        let (mut net, ann) = begin(seed, Some(IDLE_AFTER));
        for _ in 0..2 {
            net.answer(ann, at(ClerkContract::KIND, 100), &clerk::Count {}).unwrap();
        }
        let alive = look(&mut net, ClerkContract::KIND, 100);
        assert!(matches!(&alive, Some(Inspected::Shown(look)) if counted(look) == 2), "{alive:?}");
        net.pass(4_500);
        assert_eq!(actors(&net), ALWAYS);
        let stored = look(&mut net, ClerkContract::KIND, 100);
        let Some(Inspected::Stored(ActorState::Empty, StoredLook::Shown(shown))) = stored else {
            panic!("seed {seed}: {stored:?}");
        };
        assert_eq!(counted(&shown), 2);
        let loads = net.node.report().worker.loads;
        net.pass(1_000);
        assert_eq!((actors(&net), net.node.report().worker.loads), (ALWAYS, loads), "nobody came to life");
        assert_eq!(net.answer(ann, at(ClerkContract::KIND, 100), &clerk::Count {}), Ok(3));
        let alive = look(&mut net, ClerkContract::KIND, 100);
        assert!(matches!(&alive, Some(Inspected::Shown(look)) if counted(look) == 3), "{alive:?}");
    }
}

#[test]
fn of_a_key_that_somebody_made_up_nothing_is_stored_before_and_after() {
    let (mut net, ann) = begin(1, Some(IDLE_AFTER));
    for _ in 0..2 {
        let nothing = look(&mut net, ClerkContract::KIND, 777);
        assert_eq!(nothing, Some(Inspected::Stored(ActorState::Empty, StoredLook::Nothing)));
    }
    assert_eq!(actors(&net), ALWAYS);
    assert_eq!(net.answer(ann, at(ClerkContract::KIND, 777), &clerk::Count {}), Ok(1));
    // Of those that live in memory only nothing is stored ever.
    assert_eq!(look(&mut net, GuestContract::KIND, 777), None);
    assert_eq!(look(&mut net, YardContract::KIND, 777), None);
    assert_eq!(look(&mut net, Kind(9_999), 1), None);
}

#[test]
fn a_look_is_forgotten_when_nobody_looks() {
    let (mut net, _) = begin(1, Some(IDLE_AFTER));
    assert!(look(&mut net, ClerkContract::KIND, 777).is_some());
    let _ = net.node.survey(&Wanted::default());
    let inspect = Inspect { actor: ActorId::new(ClerkContract::KIND, 777), entities_from: 0 };
    let wanted = Wanted { trace: Some(inspect.actor), inspect: Some(inspect), ..Wanted::default() };
    let report = net.node.survey(&wanted);
    assert!(report.workers.iter().all(|worker| worker.survey.as_ref().unwrap().inspected.is_none()));
}
