//! Sessions and the zones they look at.

use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, Contract, NetId};
use lightmoon_node::Input;
use lightmoon_wire::ClientEvent;

use crate::game::{ArenaContract, arena, pilot};
use crate::world::World;

fn generations(events: &[ClientEvent]) -> Vec<u32> {
    let attached = |event: &ClientEvent| {
        if let ClientEvent::Attached(attach) = event { Some(attach.generation) } else { None }
    };
    events.iter().filter_map(attached).collect()
}

fn states(events: &[ClientEvent], of: u32) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, ClientEvent::Delta { generation, .. } if *generation == of))
        .count()
}

#[test]
fn a_session_sees_the_zone_that_its_player_chose() {
    let mut world = World::new(21);
    let ann = world.enter("ann");
    let avatar = world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    assert_ne!(avatar, NetId::NONE);
    assert_eq!(world.answer(ann, Target::Zone, &arena::Touch {}), Ok(1));
    world.pass(1_000);
    let events = world.events(ann);
    assert_eq!(generations(&events), [1]);
    assert!((18..=21).contains(&states(&events, 1)), "a second at 20 Hz, but {}", states(&events, 1));
    assert!(events.iter().any(|event| matches!(event, ClientEvent::View { generation: 1, .. })));
}

#[test]
fn another_attachment_ends_the_one_before() {
    let mut world = World::new(22);
    let ann = world.enter("ann");
    world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    world.pass(200);
    world.answer(ann, Target::Own, &pilot::Enter { zone: 2 }).unwrap();
    world.events(ann).into_iter().for_each(drop);
    world.pass(500);
    let events = world.events(ann);
    assert_eq!(states(&events, 1), 0, "the old zone went silent");
    assert!(states(&events, 2) > 5);
    let report = world.node.report();
    assert_eq!(report.sessions[0].zone, Some(ActorId::new(ArenaContract::KIND, 2)));
    let viewers: Vec<usize> = report.zones.iter().map(|(_, zone)| zone.viewers).collect();
    assert_eq!(viewers, [0, 1]);
}

#[test]
fn a_session_that_looks_away_or_goes_is_forgotten_by_its_zone() {
    let mut world = World::new(23);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    for link in [ann, bob] {
        world.answer(link, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    }
    world.pass(100);
    assert_eq!(world.node.report().zones[0].1.viewers, 2);
    world.tell(ann, Target::Own, &pilot::Leave {});
    world.input(Input::Closed { link: bob, peer: None });
    world.peers.remove(&bob);
    world.pass(100);
    assert_eq!(world.node.report().zones[0].1.viewers, 0);
    let detached =
        world.events(ann).into_iter().any(|event| matches!(event, ClientEvent::Detached { generation: 1 }));
    assert!(detached);
}

#[test]
fn a_zone_that_breaks_keeps_its_clients_and_shows_itself_anew() {
    let mut world = World::new(24);
    let (ann, bob) = (world.enter("ann"), world.enter("bob"));
    world.answer(ann, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
    world.answer(bob, Target::Own, &pilot::Enter { zone: 2 }).unwrap();
    world.pass(200);
    world.tell(ann, Target::Zone, &arena::BreakNextTick {});
    world.events(bob).into_iter().for_each(drop);
    world.pass(1_000);
    assert_eq!(world.node.report().counters.activations_failed, 1);
    assert!(world.closing(ann).is_none());
    assert_eq!(world.answer(ann, Target::Zone, &arena::Touch {}), Ok(1), "a world of its own, begun anew");
    assert!(generations(&world.events(ann)).contains(&2));
    assert_eq!(world.answer(ann, Target::Own, &pilot::Lost {}), Ok(vec![1]), "its player was told");
    assert_eq!(world.answer(bob, Target::Own, &pilot::Lost {}), Ok(vec![]));
    assert!(states(&world.events(bob), 1) >= 18, "the other zone never missed a tick");
    assert_eq!(world.node.report().zones[0].1.viewers, 1);
}

#[test]
fn one_seed_is_one_history() {
    let run = |seed| {
        let mut world = World::new(seed);
        for name in ["ann", "bob", "cid"] {
            let link = world.enter(name);
            world.answer(link, Target::Own, &pilot::Enter { zone: 1 }).unwrap();
        }
        world.pass(500);
        world.trace
    };
    assert_eq!(run(25), run(25));
    assert_ne!(run(25), run(26), "session ids come from the seed");
}
