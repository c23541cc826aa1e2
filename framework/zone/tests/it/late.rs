//! Joining late, leaving, coming again.

use lightmoon_contract::{NetId, SessionId};

use crate::arena::{Arena, Client, Sent};
use crate::game::SpaceZone;

#[test]
fn a_late_join_into_a_crowd_comes_in_pieces_and_is_complete() {
    // Staggered: what was put off must come with the next tick all the same.
    let mut arena = Arena::of::<SpaceZone<2000, 4>>(1);
    let me = arena.spawn("me", 0.0, 0.0);
    for number in 0..2_000u16 {
        arena.spawn(&"n".repeat(100), f32::from(number % 50), f32::from(number / 50));
    }
    arena.subscribe(1, me, 1, 1_100);
    let mut client = Client::new(1, 1);
    let mut pieces = Vec::new();
    for _ in 0..10 {
        arena.ticks(1);
        let sent = arena.take_sent(1);
        let views = sent.iter().filter_map(|sent| match sent {
            Sent::View(_, bytes) => Some(bytes.len()),
            Sent::State(..) | Sent::Delta(..) | Sent::Push(_) => None,
        });
        let bytes: usize = views.clone().sum();
        assert!(bytes < 64 * 1024 && views.clone().all(|bytes| bytes <= 64 * 1024), "{bytes} in one tick");
        pieces.push(bytes);
        for sent in sent {
            client.apply(sent);
        }
        assert!(client.view.entity(me).is_some(), "the avatar comes first");
    }
    assert!(pieces.iter().filter(|bytes| **bytes > 0).count() > 3, "{pieces:?}");
    assert_eq!(client.view.len(), 2_001);
    assert!(arena.report().counters.enters_deferred > 0);
}

#[test]
fn a_full_view_takes_no_more_and_goes_on() {
    let mut arena = Arena::of::<SpaceZone<2000, 1>>(1);
    let me = arena.spawn("me", 0.0, 0.0);
    let ids: Vec<NetId> =
        (0..4_200u16).map(|number| arena.spawn("", f32::from(number % 50), f32::from(number / 50))).collect();
    arena.subscribe(1, me, 1, 1_100);
    let mut client = Client::new(1, 1);
    arena.ticks(10);
    client.take(&mut arena);
    assert_eq!(client.view.len(), lightmoon_replica::limits::ENTITIES_MAX);
    for id in &ids[..200] {
        arena.tell(crate::game::space::Remove { id: id.0 });
    }
    arena.ticks(3);
    client.take(&mut arena);
    assert_eq!(client.view.len(), 4_001);
}

#[test]
fn who_leaves_is_told_nothing_more_and_nothing_is_kept() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    arena.subscribe(2, me, 1, 1_100);
    arena.ticks(2);
    assert_eq!(arena.report().viewers, 2);
    arena.unsubscribe(1, 1);
    arena.take_sent(1);
    arena.ticks(2);
    assert_eq!(arena.report().viewers, 1);
    assert!(arena.take_sent(1).is_empty());
    assert!(!arena.take_sent(2).is_empty());
    arena.unsubscribe(2, 1);
    arena.ticks(2);
    assert_eq!(arena.report().viewers, 0);
}

#[test]
fn the_end_of_an_older_attachment_does_not_end_the_newer_one() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    arena.ticks(1);
    arena.subscribe(1, me, 2, 1_100);
    arena.unsubscribe(1, 1);
    arena.take_sent(1);
    arena.ticks(2);
    let mut client = Client::new(1, 2);
    client.take(&mut arena);
    assert_eq!(client.ids(), [me], "the second attachment starts with a whole view");
    assert!(!arena.sent.contains_key(&SessionId(1)));
}

#[test]
fn one_who_comes_after_nobody_looked_sees_everything() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    arena.ticks(3);
    arena.unsubscribe(1, 1);
    arena.tell(crate::game::space::Rename { id: me.0, name: "renamed".into() });
    let other = arena.spawn("other", 1.0, 1.0);
    arena.ticks(5);
    arena.subscribe(2, me, 1, 1_100);
    let mut client = Client::new(2, 1);
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.ids(), [me, other]);
    assert_eq!(client.label(me).as_deref(), Some("renamed"));
}

#[test]
fn what_is_gone_leaves_its_slot_and_its_bytes_to_others() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    let mut client = Client::new(1, 1);
    for round in 0..50 {
        // Together far more than the sticky values of one entity may take.
        let name = format!("{round} {}", "x".repeat(4_000));
        let other = arena.spawn(&name, 1.0, 1.0);
        arena.ticks(1);
        client.take(&mut arena);
        assert_eq!(client.label(other), Some(name), "round {round}");
        arena.tell(crate::game::space::Remove { id: other.0 });
        arena.ticks(1);
    }
    let report = arena.report();
    assert_eq!((report.entities, report.counters.sticky_oversized), (1, 0));
    assert!(report.slots <= 3, "{} slots for two entities at once", report.slots);
}
