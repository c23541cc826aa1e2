//! State against what clients have: what it costs, who goes first, how stale anything becomes.

use lightmoon_contract::{NetId, Replicate, SessionId};
use lightmoon_zone::Viewers;

use crate::arena::{Arena, Client};
use crate::game::{CALM, Pose, SpaceZone, space};

/// In nanoseconds.
const MILLISECOND: u64 = 1_000_000;

/// Runs ticks of a client that hears everything a tick late, and says so.
fn run(arena: &mut Arena, client: &mut Client, ticks: u64) {
    for _ in 0..ticks {
        arena.ticks(1);
        client.take(arena);
        if let Some(receipt) = client.view.receipt() {
            arena.receive(client.session, &receipt);
        }
    }
}

fn subscribed(arena: &mut Arena, avatar: NetId, budget_bytes: usize) -> Client {
    arena.subscribe_as(1, avatar, 1, budget_bytes, true);
    Client::new(1, 1)
}

fn moving(arena: &mut Arena, count: u16) -> Vec<NetId> {
    let spawn = |nth: u16| {
        let at = f32::from(nth % 40) * 2.0 - 40.0;
        let speed = f32::from(nth % 7) - 3.0;
        space::Spawn { name: String::new(), x: at, y: -at, vx: speed + 0.5, vy: speed * 0.7 }
    };
    (0..count).map(|nth| arena.ask(spawn(nth)).unwrap()).collect()
}

#[test]
fn a_client_that_tells_what_arrived_is_sent_differences() {
    let mut arena = Arena::of::<SpaceZone<CALM, 1>>(1);
    let things = moving(&mut arena, 100);
    let mut client = subscribed(&mut arena, things[0], 1_100);
    run(&mut arena, &mut client, 20);
    let before = arena.report().counters;
    run(&mut arena, &mut client, 40);
    let after = arena.report().counters;
    assert_eq!(after.state_whole, before.state_whole, "everything moves steadily, and everything arrives");
    let (bytes, records) =
        (after.state_bytes - before.state_bytes, after.state_records - before.state_records);
    assert!(
        (3_000..=40 * 100).contains(&records),
        "{records} records; who is slow has nothing new at some ticks"
    );
    assert!(bytes <= 4 * records, "{bytes} bytes for {records} records");
}

#[test]
fn a_packet_says_how_long_the_newest_input_had_waited_and_nothing_if_there_was_none() {
    let mut arena = Arena::of::<SpaceZone<CALM, 1>>(1);
    let me = arena.spawn("me", 0.0, 0.0);
    let mut client = subscribed(&mut arena, me, 1_100);
    arena.ticks(1);
    client.take(&mut arena);
    let receipt = client.view.receipt().unwrap();
    let mut waited = |arena: &mut Arena, milliseconds: u64| {
        arena.pass(milliseconds * MILLISECOND);
        client.take(arena);
        client.deltas.last().unwrap().head.waited_ms
    };
    // A tick takes 50 ms.
    arena.pass(10 * MILLISECOND);
    arena.receive(1, &receipt);
    arena.pass(27 * MILLISECOND);
    arena.receive(1, &receipt);
    assert_eq!(waited(&mut arena, 13), Some(13), "of the newest");
    assert_eq!(waited(&mut arena, 50), None, "none came since");
}

#[test]
fn what_rests_is_left_out_but_comes_again_before_it_is_too_old() {
    let mut arena = Arena::of::<SpaceZone<CALM, 1>>(2);
    let me = arena.spawn("me", 0.0, 0.0);
    let things: Vec<NetId> = (0..50u8).map(|nth| arena.spawn("", f32::from(nth), 1.0)).collect();
    let mut client = subscribed(&mut arena, me, 1_100);
    run(&mut arena, &mut client, 100);
    let before = arena.report().counters;
    run(&mut arena, &mut client, 200);
    let counters = arena.report().counters;
    let (records, refreshed) =
        (counters.state_records - before.state_records, counters.state_refreshed - before.state_refreshed);
    assert_eq!(records, refreshed);
    assert!((51 * 5..=51 * 12).contains(&records), "{records} records of 51 entities in 10 s");
    let now = arena.report().tick.0;
    for thing in things {
        let heard = client.view.entity(thing).unwrap().tick_of(Pose::SPEC.number).unwrap().0;
        assert!(now - heard <= 40, "{thing} was last heard of at {heard}, now is {now}");
    }
    arena.tell(space::Place { id: client.ids()[7].0, x: 5.0, y: 5.0 });
    run(&mut arena, &mut client, 1);
    let after = arena.report().counters;
    let news = |counters: &lightmoon_zone::Counters| counters.state_records - counters.state_refreshed;
    assert_eq!(news(&after), news(&counters) + 1);
}

#[test]
fn under_a_small_budget_the_avatar_always_goes_and_nobody_starves() {
    let mut arena = Arena::of::<SpaceZone<CALM, 1>>(3);
    let things = moving(&mut arena, 200);
    let mut client = subscribed(&mut arena, things[0], 90);
    run(&mut arena, &mut client, 40);
    for _ in 0..60 {
        run(&mut arena, &mut client, 1);
        let now = arena.report().tick.0;
        let tick_of = |id| client.view.entity(id).unwrap().tick_of(Pose::SPEC.number).unwrap().0;
        assert_eq!(tick_of(things[0]), now, "the avatar is in every packet");
        let stalest = client.ids().into_iter().map(|id| now - tick_of(id)).max().unwrap();
        assert!(stalest <= 20 + 12, "{stalest} ticks");
    }
    assert!(client.deltas.iter().all(|header| header.head.rate_hz == 20));
    assert!(arena.report().counters.state_deferred > 1_000);
}

#[test]
fn a_zone_of_few_bytes_per_second_keeps_to_them() {
    let options = lightmoon_zone::ZoneOptions { bytes_per_second: 2_000, ..Default::default() };
    let mut arena = Arena::with::<SpaceZone<CALM, 1>>(4, options);
    let things = moving(&mut arena, 200);
    let mut client = subscribed(&mut arena, things[0], 1_100);
    run(&mut arena, &mut client, 40);
    let before = arena.report().counters.state_bytes;
    run(&mut arena, &mut client, 20);
    let bytes = arena.report().counters.state_bytes - before;
    assert!((1_600..=2_000).contains(&bytes), "{bytes} bytes in a second");
}

#[test]
fn choices_are_for_those_who_look() {
    let mut viewers = Viewers::default();
    viewers.set_bytes_per_second(SessionId(1), 8_000);
    viewers.set_targets(SessionId(1), &[NetId(1)]);
    assert!(viewers.is_empty());
}

#[test]
fn a_late_join_brings_what_is_near_first() {
    let mut arena = Arena::of::<SpaceZone<CALM, 1>>(5);
    let me = arena.spawn("me", 0.0, 0.0);
    for nth in 0..3_000u16 {
        arena.spawn("a name that takes some room", f32::from(nth % 90), f32::from(nth % 37));
    }
    let mut client = subscribed(&mut arena, me, 1_100);
    run(&mut arena, &mut client, 1);
    let seen = client.ids();
    assert!((200..2_900).contains(&seen.len()), "{} entered at once", seen.len());
    let place = |id: NetId| {
        let pose = client.view.entity(id).unwrap().get::<Pose>().unwrap();
        pose.x.hypot(pose.y)
    };
    let farthest = seen.iter().map(|id| place(*id)).fold(0.0, f32::max);
    run(&mut arena, &mut client, 20);
    let later = client.ids().into_iter().filter(|id| !seen.contains(id));
    let place = |id: NetId| {
        let pose = client.view.entity(id).unwrap().get::<Pose>().unwrap();
        pose.x.hypot(pose.y)
    };
    let nearest = later.map(place).fold(f32::MAX, f32::min);
    assert!(nearest >= farthest - 0.1, "{nearest} came after {farthest}");
}
