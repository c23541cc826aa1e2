//! Several workers: players and zones that are on different ones.

use std::time::Duration;

use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Contract, NetId};
use lightmoon_node::{Game, LinkId};
use lightmoon_store::MemoryStore;
use lightmoon_zone::ZoneOptions;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::game::{self, ArenaContract, PilotContract, TestArena, TestPilot, arena, pilot};
use crate::world::World;

/// Seeds of worlds with three workers.
const THREE: u64 = 2;

/// As guests are numbered.
fn player(token: &str) -> u64 {
    xxh3_64_with_seed(token.as_bytes(), 0x6775_6573_7473)
}

/// A game that says which player is where: those of even keys on worker 0, others on 1; zones on 2.
fn placed() -> Game {
    Game::new(game::descriptor())
        .player::<PilotContract, TestPilot>()
        .zone::<ArenaContract, TestArena>(ZoneOptions::default())
        .start::<ArenaContract>([1, 2])
        .place::<PilotContract>(|key, _| u16::from(key % 2 == 1))
        .place::<ArenaContract>(|_, _| 2)
}

/// Two clients whose players are on different workers, both in zone 1, which is on a third.
fn two(world: &mut World) -> [(LinkId, u64); 2] {
    let names: Vec<String> = (0..20).map(|number| format!("guest {number}")).collect();
    [0, 1].map(|rest| {
        let name = names.iter().find(|name| player(name) % 2 == rest).unwrap();
        let link = world.enter(name);
        assert_ne!(world.answer(link, Target::Own, &pilot::Enter { zone: 1 }).unwrap(), NetId::NONE);
        (link, player(name))
    })
}

fn three() -> World {
    let world = World::of(placed(), THREE, MemoryStore::new());
    assert_eq!(world.node.report().workers.len(), 3);
    world
}

#[test]
fn players_and_zones_on_different_workers_ask_each_other() {
    let mut world = three();
    let [(ann, ann_key), (bob, bob_key)] = two(&mut world);
    assert_eq!(world.answer(ann, Target::Own, &pilot::AskOther { player: bob_key, number: 21 }), Ok(42));
    assert_eq!(world.answer(bob, Target::Own, &pilot::AskOther { player: ann_key, number: 4 }), Ok(8));
    assert_eq!(world.answer(ann, Target::Zone, &arena::Touch {}), Ok(1));
    assert_eq!(world.answer(bob, Target::Zone, &arena::Touch {}), Ok(2));
    let report = world.node.report();
    let actors: Vec<usize> = report.workers.iter().map(|worker| worker.actors).collect();
    assert_eq!(actors, [1, 1, 2]);
    assert_eq!(report.actors, 4);
    assert_eq!(report.zones.len(), 2);
    // Each enters and asks the other: two requests each, with their answers.
    assert_eq!(report.worker.across_taken, 8);
}

#[test]
fn a_circle_over_workers_is_named_to_who_closed_it() {
    let mut world = three();
    let [(ann, ann_key), (_, bob_key)] = two(&mut world);
    let began = world.now;
    let circle = pilot::AskInCircle { player: bob_key, back: ann_key };
    let said = world.answer(ann, Target::Own, &circle).unwrap();
    assert!(world.now.since(began) < Duration::from_secs(1));
    let name = |key| ActorId::new(PilotContract::KIND, key).to_string();
    let cycle = format!("{} → {} → {}", name(ann_key), name(bob_key), name(ann_key));
    assert!(said.ends_with(&cycle), "{said}");
    assert_eq!(world.answer(ann, Target::Own, &pilot::Double { number: 1 }), Ok(2), "and it goes on");
}

#[test]
fn whatever_of_a_user_panics_ends_that_activation_only_and_its_clients_stay() {
    let mut world = three();
    let [(ann, _), (bob, _)] = two(&mut world);
    let mut failures = 0;
    let mut stays = |world: &mut World, what: &str| {
        world.pass(1_500);
        failures += 1;
        assert_eq!(world.node.report().counters.activations_failed, failures, "{what}");
        for link in [ann, bob] {
            assert!(world.closing(link).is_none(), "{what}");
            assert_eq!(world.answer(link, Target::Own, &pilot::Double { number: 2 }), Ok(4), "{what}");
            assert!(world.answer(link, Target::Zone, &arena::Touch {}).is_ok(), "{what}");
        }
        // Panics of one actor that come too often set it aside: not what is tried here.
        world.pass(61_000);
    };
    assert_eq!(world.answer(ann, Target::Own, &pilot::Fail {}), Err(CallError::Panicked));
    stays(&mut world, "an operation");
    let late = world.ask(ann, Target::Own, &pilot::FailLate {});
    world.pass(100);
    assert_eq!(world.take_answer::<u32>(ann, late), Some(Err(CallError::Panicked)));
    stays(&mut world, "a future");
    world.tell(ann, Target::Own, &pilot::EndBadly {});
    stays(&mut world, "a drop");
    world.tell(bob, Target::Zone, &arena::BreakNextTick {});
    stays(&mut world, "a system");
    // One that panics never takes another with it.
    assert_eq!(world.answer(bob, Target::Own, &pilot::Visits {}), Ok(1_000), "bob's player is the first one");
}

#[test]
fn panics_again_and_again_leave_nothing_behind() {
    let mut world = three();
    let [(ann, _), (bob, _)] = two(&mut world);
    let before = world.node.report();
    for round in 0..8 {
        // Of those that come while it rests or is set aside most are refused.
        for _ in 0..50 {
            world.tell(ann, Target::Own, &pilot::EndBadly {});
        }
        world.pass(if round % 4 == 3 { 61_000 } else { 1_500 });
    }
    world.pass(61_000);
    let report = world.node.report();
    assert!(report.counters.activations_failed >= 6, "{:?}", report.counters);
    assert_eq!(report.actors, before.actors);
    assert_eq!(report.workers.iter().map(|worker| worker.queued.iter().sum::<usize>()).sum::<usize>(), 0);
    assert_eq!(report.workers.iter().map(|worker| worker.across).sum::<usize>(), 0);
    assert_eq!(world.answer(bob, Target::Own, &pilot::Double { number: 3 }), Ok(6));
}

#[test]
fn one_seed_is_one_run_with_three_workers() {
    let run = || {
        let mut world = three();
        let [(ann, _), (bob, bob_key)] = two(&mut world);
        for number in 0..20 {
            world.ask(ann, Target::Own, &pilot::AskOther { player: bob_key, number });
            world.tell(bob, Target::Own, &pilot::Greet {});
            world.pass(50);
        }
        world.trace
    };
    assert_eq!(run(), run());
}
