//! Panics of the game's code.

use lightmoon_contract::CallError;

use crate::arena::{Arena, Client, Sent};
use crate::game::space;

#[test]
fn a_tick_that_panicked_publishes_nothing() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    arena.ticks(5);
    arena.take_sent(1);
    arena.spawn("half done", 1.0, 1.0);
    arena.tell(space::Speak { text: "never heard".into() });
    arena.tell(space::Fail { at_once: false });
    arena.ticks(1);
    assert_eq!(arena.failed.len(), 1, "{:?}", arena.failed);
    assert_eq!(arena.take_sent(1), [], "a half-changed world was published");
}

#[test]
fn a_zone_that_panicked_starts_over_with_new_ids_and_later_ticks_and_serves_what_waited() {
    let mut arena = Arena::new(1);
    let old = arena.spawn("me", 0.0, 0.0);
    arena.subscribe(1, old, 1, 1_100);
    let mut client = Client::new(1, 1);
    arena.ticks(100);
    client.take(&mut arena);
    let before = client.view.newest_tick();
    arena.tell(space::Fail { at_once: false });
    arena.ticks(1);
    assert_eq!(arena.failed.len(), 1);
    // Queued while the zone is down; after its back-off it is served.
    arena.tell(space::Spawn { name: "queued".into(), x: 1.0, y: 1.0, vx: 0.0, vy: 0.0 });
    arena.ticks(40);
    let new = arena.spawn("me again", 0.0, 0.0);
    assert!(new > old, "an id came twice");
    // The node subscribes again, under a new generation.
    arena.subscribe(1, new, 2, 1_100);
    client.view.attach(2);
    arena.ticks(1);
    client.take(&mut arena);
    assert!(client.view.newest_tick() > before, "a tick came twice");
    let labels: Vec<_> = client.ids().into_iter().filter_map(|id| client.label(id)).collect();
    assert_eq!(labels, ["queued", "me again"], "the world of before is gone");
    assert!(client.view.entity(old).is_none());
}

#[test]
fn an_operation_that_panics_answers_so_and_the_zone_starts_over() {
    let mut arena = Arena::new(1);
    arena.spawn("me", 0.0, 0.0);
    arena.ticks(1);
    arena.tell(space::Fail { at_once: true });
    arena.turn();
    assert_eq!(arena.failed.len(), 1, "{:?}", arena.failed);
    arena.ticks(40);
    assert_eq!(arena.report().entities, 0);
    assert!(arena.report().tick.0 > 1);
}

#[test]
fn what_is_no_operation_is_refused() {
    let mut arena = Arena::new(1);
    arena.ticks(1);
    arena.subscribe(1, lightmoon_contract::NetId::NONE, 1, 1_100);
    arena.ticks(1);
    let sent = arena.take_sent(1);
    assert!(matches!(sent[..], [Sent::View(..), Sent::State(..)]), "{sent:?}");
    assert!(matches!(arena.ask(space::Hash {}), Ok(0) | Err(CallError::Busy)));
}
