//! What clients see, over good and bad links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lightmoon_contract::{NetId, Replicate};
use lightmoon_replica::{Applied, LeaveReason, ViewEvent};

use crate::arena::{Arena, Client, Sent};
use crate::game::{CALM, Health, Label, Pose, SpaceZone, Thing, Truth, space, truth};

/// What a viewer should see at each tick, from the record alone.
#[derive(Default)]
struct Oracle {
    seen: BTreeSet<NetId>,
    centre: Option<[f32; 2]>,
    /// Per tick.
    past: BTreeMap<u64, BTreeSet<NetId>>,
}

impl Oracle {
    fn step(&mut self, tick: u64, truth: &Truth, avatar: NetId, radius: f32) {
        let things = &truth[&tick];
        self.centre = things.get(&avatar).map(|thing| [thing.pose.x, thing.pose.y]).or(self.centre);
        let leave = radius * 1.1;
        let sees = |id: &NetId, thing: &Thing| {
            let near = self.centre.is_some_and(|[x, y]| {
                let (x, y) = (thing.pose.x - x, thing.pose.y - y);
                let square = x * x + y * y;
                square <= radius * radius || (square <= leave * leave && self.seen.contains(id))
            });
            near || thing.is_always || *id == avatar
        };
        let now: BTreeSet<NetId> =
            things.iter().filter(|(id, thing)| sees(id, thing)).map(|(id, _)| *id).collect();
        self.past.insert(tick, now.clone());
        self.seen = now;
    }
}

/// Every value that a client holds is the server's of the tick it is said to be of.
fn check_values(client: &Client, truth: &Truth, seed: u64) {
    for entity in client.view.entities() {
        let at = |tick: Option<lightmoon_contract::Tick>| {
            let tick = tick.unwrap().0;
            truth[&tick]
                .get(&entity.id())
                .unwrap_or_else(|| panic!("seed {seed}: ghost {} at {tick}", entity.id()))
        };
        let pose = at(entity.tick_of(Pose::SPEC.number)).pose;
        assert_eq!(entity.fields(Pose::SPEC.number).unwrap(), Thing::fields(&pose), "seed {seed}");
        if let Some(fields) = entity.fields(Health::SPEC.number) {
            let health = at(entity.tick_of(Health::SPEC.number)).health.unwrap();
            assert_eq!(fields, Thing::fields(&health), "seed {seed}");
        }
    }
}

/// Something random happens to the world.
fn disturb(arena: &mut Arena, things: &mut Vec<NetId>, random: &mut fastrand::Rng) {
    let any = |random: &mut fastrand::Rng, things: &[NetId]| things[random.usize(..things.len())].0;
    let at = |random: &mut fastrand::Rng| random.f32() * 360.0 - 180.0;
    match random.u8(..12) {
        0..3 => {
            let spawn = space::Spawn {
                name: if random.bool() { String::new() } else { format!("thing {}", random.u8(..)) },
                x: at(random),
                y: at(random),
                vx: random.f32() * 80.0 - 40.0,
                vy: random.f32() * 80.0 - 40.0,
            };
            things.push(arena.ask(spawn).unwrap());
        }
        3 => arena.tell(space::Remove { id: any(random, things) }),
        4 => arena.tell(space::Disable { id: any(random, things), hidden: random.bool() }),
        5 => arena.tell(space::Rename { id: any(random, things), name: format!("name {}", random.u8(..)) }),
        6 => arena
            .tell(space::Heal { id: any(random, things), points: random.bool().then(|| random.u8(..100)) }),
        7 => arena.tell(space::Place { id: any(random, things), x: at(random), y: at(random) }),
        8 if random.u8(..10) == 0 => arena.tell(space::Show { id: any(random, things) }),
        _ => {}
    }
}

/// A client behind a link: views in order after a delay, some doubled; states lost, doubled, late.
struct Remote {
    client: Client,
    oracle: Oracle,
    avatar: NetId,
    views: VecDeque<(u64, Sent)>,
    states: Vec<(u64, Sent)>,
    /// Ticks of the views that were sent, and how many were applied.
    view_ticks: Vec<u64>,
    applied: usize,
}

impl Remote {
    fn send(&mut self, now: u64, sent: Sent, random: &mut fastrand::Rng) {
        match sent {
            Sent::View(..) => {
                let at = self.views.back().map_or(0, |(at, _)| *at).max(now + random.u64(..5));
                self.view_ticks.push(now);
                if random.u8(..6) == 0 {
                    self.views.push_back((at, sent.clone()));
                }
                self.views.push_back((at, sent));
            }
            Sent::State(..) | Sent::Delta(..) => {
                for _ in 0..[0, 0, 1, 1, 1, 2][random.usize(..6)] {
                    self.states.push((now + random.u64(..5) * random.u64(..5), sent.clone()));
                }
            }
            Sent::Push(_) => {}
        }
    }

    fn receive(&mut self, now: u64) {
        while let Some((_, view)) = self.views.pop_front_if(|(at, _)| *at <= now) {
            self.applied += usize::from(self.client.apply(view) == Applied::Taken);
        }
        let (due, rest) = std::mem::take(&mut self.states).into_iter().partition(|(at, _)| *at <= now);
        self.states = rest;
        for (_, state) in due {
            self.client.apply(state);
        }
    }

    /// The client shows exactly what its last view said, if that was the whole of a tick.
    fn check(&self, seed: u64) {
        let Some(last) = self.applied.checked_sub(1).map(|at| self.view_ticks[at]) else { return };
        let is_whole = self.view_ticks.get(self.applied) != Some(&last);
        // Ticks without a View payload changed nothing.
        let until = self.view_ticks.get(self.applied).map_or(last, |next| next - 1).max(last);
        for tick in [last, until].into_iter().filter(|tick| is_whole && self.oracle.past.contains_key(tick)) {
            let expected: Vec<NetId> = self.oracle.past[&tick].iter().copied().collect();
            assert_eq!(self.client.ids(), expected, "seed {seed}, tick {tick}");
        }
    }
}

#[test]
fn bad_links_show_no_ghost_no_dead_entity_and_no_wrong_value() {
    for seed in 0..12 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut arena = Arena::new(seed);
        let mut things = vec![arena.spawn("first", 0.0, 0.0)];
        (0..120).for_each(|_| disturb(&mut arena, &mut things, &mut random));
        let mut remotes: Vec<Remote> = (1..4u64)
            .map(|session| {
                let spawn = space::Spawn { name: "me".into(), x: 0.0, y: 0.0, vx: 8.0, vy: session as f32 };
                let avatar = arena.ask(spawn).unwrap();
                // The first takes no deltas.
                arena.subscribe_as(session, avatar, 9, if session == 2 { 1_100 } else { 140 }, session > 1);
                Remote {
                    client: Client::new(session, 9),
                    oracle: Oracle::default(),
                    avatar,
                    views: VecDeque::new(),
                    states: Vec::new(),
                    view_ticks: Vec::new(),
                    applied: 0,
                }
            })
            .collect();
        for tick in 1..=200u64 {
            (0..random.u8(..4)).for_each(|_| disturb(&mut arena, &mut things, &mut random));
            arena.ticks(1);
            let truth = truth();
            let truth = truth.lock().unwrap();
            for remote in &mut remotes {
                remote.oracle.step(tick, &truth, remote.avatar, 100.0);
                for sent in arena.take_sent(remote.client.session) {
                    remote.send(tick, sent, &mut random);
                }
                remote.receive(tick);
                check_values(&remote.client, &truth, seed);
                remote.check(seed);
            }
            drop(truth);
            for remote in &remotes {
                let Some(receipt) = remote.client.view.receipt().filter(|_| random.u8(..4) > 0) else {
                    continue;
                };
                arena.receive(remote.client.session, &receipt);
            }
        }
        let [old, new] =
            [&remotes[0], &remotes[1]].map(|remote| (remote.client.states.len(), remote.client.deltas.len()));
        assert!(old.0 > 50 && old.1 == 0 && new.0 == 0 && new.1 > 50, "seed {seed}: {old:?} {new:?}");
        for remote in &mut remotes {
            remote.receive(1_000);
            remote.check(seed);
            let expected: Vec<NetId> = remote.oracle.seen.iter().copied().collect();
            assert_eq!(remote.client.ids(), expected, "seed {seed}, after all arrived");
            assert!(remote.applied > 30, "seed {seed}: only {} views", remote.applied);
        }
        assert!(arena.failed.is_empty(), "{:?}", arena.failed);
    }
}

#[test]
fn sticky_values_and_components_follow() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    let other = arena.spawn("other", 10.0, 0.0);
    arena.subscribe(5, me, 1, 1_100);
    let mut client = Client::new(5, 1);
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.ids(), [me, other]);
    assert_eq!(client.label(other).as_deref(), Some("other"));
    arena.tell(space::Rename { id: other.0, name: "another".into() });
    arena.tell(space::Heal { id: other.0, points: Some(42) });
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.label(other).as_deref(), Some("another"));
    let health = client.view.entity(other).unwrap().get::<Health>();
    assert_eq!(health, Some(Health { points: 42 }));
    arena.tell(space::Heal { id: other.0, points: None });
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.view.entity(other).unwrap().get::<Health>(), None);
    client.view.drain_events().count();
    // Setting the same value again says nothing.
    arena.tell(space::Rename { id: other.0, name: "another".into() });
    let views = arena.report().counters.views;
    arena.ticks(3);
    client.take(&mut arena);
    assert_eq!(client.view.drain_events().count(), 0);
    assert_eq!(arena.report().counters.views, views);
    arena.tell(space::Disable { id: other.0, hidden: true });
    arena.ticks(1);
    client.take(&mut arena);
    let events: Vec<ViewEvent> = client.view.drain_events().collect();
    assert_eq!(events, [ViewEvent::Left(other, LeaveReason::OutOfView)]);
    arena.tell(space::Disable { id: other.0, hidden: false });
    arena.tell(space::Rename { id: other.0, name: "back".into() });
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.label(other).as_deref(), Some("back"));
    arena.tell(space::Remove { id: other.0 });
    arena.ticks(1);
    client.take(&mut arena);
    let events: Vec<ViewEvent> = client.view.drain_events().collect();
    assert_eq!(events, [ViewEvent::Entered(other), ViewEvent::Left(other, LeaveReason::Gone)]);
}

#[test]
fn a_sticky_value_that_is_too_large_is_left_out_and_counted() {
    let mut arena = Arena::new(1);
    let me = arena.spawn(&"x".repeat(5_000), 0.0, 0.0);
    arena.subscribe(5, me, 1, 1_100);
    let mut client = Client::new(5, 1);
    arena.ticks(2);
    client.take(&mut arena);
    assert_eq!(client.ids(), [me]);
    assert_eq!(client.label(me), None);
    assert_eq!(arena.report().counters.sticky_oversized, 2);
    arena.tell(space::Rename { id: me.0, name: "short".into() });
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.label(me).as_deref(), Some("short"));
}

#[test]
fn a_rotating_budget_starves_nobody_and_never_the_avatar() {
    let mut arena = Arena::of::<SpaceZone<2000, 1>>(3);
    let mut ids: Vec<NetId> = Vec::new();
    for number in 0..200 {
        let spawn = space::Spawn { name: String::new(), x: number as f32, y: 0.0, vx: 5.0, vy: 3.0 };
        ids.push(arena.ask(spawn).unwrap());
    }
    let me = ids[100];
    arena.subscribe(1, me, 1, 150);
    let mut client = Client::new(1, 1);
    arena.ticks(5);
    client.take(&mut arena);
    assert_eq!(client.view.len(), 200);
    let mut random = fastrand::Rng::with_seed(4);
    let mut worst = 0;
    for tick in 6..200u64 {
        // Others come and go, which shifts the order of those in view.
        if tick % 3 == 0 {
            let place = ids.iter().position(|id| *id != me).unwrap() + random.usize(..20);
            let gone = ids.remove(if ids[place] == me { place + 1 } else { place });
            arena.tell(space::Remove { id: gone.0 });
            ids.push(
                arena.ask(space::Spawn { name: String::new(), x: 9.0, y: 9.0, vx: 1.0, vy: 1.0 }).unwrap(),
            );
        }
        arena.ticks(1);
        client.take(&mut arena);
        let age = |id| tick - client.view.entity(id).unwrap().tick_of(Pose::SPEC.number).unwrap().0;
        assert_eq!(age(me), 0, "the avatar is in every packet");
        worst = worst.max(client.view.entities().map(|entity| age(entity.id())).max().unwrap());
    }
    let per_packet =
        u64::from(client.states.iter().skip(2).map(|state| state.applied + state.skipped).min().unwrap());
    assert!((15..30).contains(&per_packet), "{per_packet} records in 150 bytes");
    let round = 200_u64.div_ceil(per_packet - 1);
    assert!(worst <= round + 2, "somebody waited {worst} ticks, a round takes {round}");
    assert!(arena.report().counters.state_deferred > 0);
}

#[test]
fn a_staggered_view_is_late_by_its_stagger_at_most_and_only_at_its_border() {
    let mut arena = Arena::of::<SpaceZone<CALM, 4>>(3);
    let me = arena.spawn("me", 0.0, 0.0);
    let far = arena.spawn("far", 500.0, 0.0);
    let walker = arena.spawn("walker", 115.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    let mut client = Client::new(1, 1);
    arena.ticks(8);
    client.take(&mut arena);
    assert_eq!(client.ids(), [me]);
    let near = arena.spawn("near", 20.0, 0.0);
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.ids(), [me, near], "it came to be here");
    let mut late = Vec::new();
    for step in 0..8 {
        // Each time another tick of its turn.
        arena.tell(space::Place { id: walker.0, x: 115.0, y: 0.0 });
        arena.ticks(8 + step);
        client.take(&mut arena);
        assert_eq!(client.ids(), [me, near]);
        arena.tell(space::Place { id: walker.0, x: 90.0, y: 0.0 });
        let ticks = (1..=5).find(|_| {
            arena.ticks(1);
            client.take(&mut arena);
            client.ids().contains(&walker)
        });
        late.push(ticks.expect("over the border within a stagger"));
    }
    assert!(late.iter().all(|ticks| *ticks <= 4) && late.iter().any(|ticks| *ticks > 1), "{late:?}");
    arena.tell(space::Place { id: far.0, x: 30.0, y: 0.0 });
    arena.ticks(1);
    client.take(&mut arena);
    assert!(client.ids().contains(&far), "it was put here");
    arena.tell(space::Place { id: far.0, x: 500.0, y: 0.0 });
    arena.ticks(4);
    arena.tell(space::Place { id: me.0, x: 490.0, y: 0.0 });
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.ids(), [me, far], "the avatar was put elsewhere");
}

#[test]
fn a_spectator_sees_what_is_always_visible() {
    let mut arena = Arena::new(1);
    let sun = arena.spawn("sun", 900.0, 900.0);
    arena.spawn("stone", 0.0, 0.0);
    arena.tell(space::Show { id: sun.0 });
    arena.subscribe(1, NetId::NONE, 1, 1_100);
    let mut client = Client::new(1, 1);
    arena.ticks(2);
    client.take(&mut arena);
    assert_eq!(client.ids(), [sun]);
    assert_eq!(client.label(sun).as_deref(), Some("sun"));
    assert_eq!(client.view.entity(sun).unwrap().get::<Label>().unwrap().name, "sun");
}

#[test]
fn a_viewer_whose_avatar_died_goes_on_seeing_the_place() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 10.0, 0.0);
    let other = arena.spawn("other", 0.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    let mut client = Client::new(1, 1);
    arena.ticks(1);
    arena.tell(space::Remove { id: me.0 });
    arena.ticks(3);
    client.take(&mut arena);
    assert_eq!(client.ids(), [other]);
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = || {
        let mut random = fastrand::Rng::with_seed(5);
        let mut arena = Arena::new(8);
        let mut things = vec![arena.spawn("first", 0.0, 0.0)];
        arena.subscribe(1, things[0], 1, 300);
        for _ in 0..100 {
            (0..3).for_each(|_| disturb(&mut arena, &mut things, &mut random));
            arena.ticks(1);
        }
        (arena.take_sent(1), arena.ask(space::Hash {}).unwrap())
    };
    let (first, second) = (run(), run());
    assert!(first.0.len() > 100);
    assert_eq!(first, second);
}

#[test]
fn what_was_there_before_interest_is_seen_too_and_has_one_identity() {
    use bevy_ecs::prelude::*;
    use lightmoon_zone::{AlwaysVisible, InterestOptions, NetIds, Zone, ZoneBuilder};

    struct Early;

    impl Zone for Early {
        fn build(zone: &mut ZoneBuilder<'_>) {
            zone.world().spawn((Pose::default(), Label { name: "early".into() }));
            zone.replicate::<Pose>().replicate::<Label>().replicate::<Health>();
            zone.interest::<Pose>(InterestOptions::radius(10.0), |pose| [pose.x, pose.y]);
            zone.world().spawn((Pose::default(), AlwaysVisible, Label { name: "both".into() }));
            zone.world().flush();
            assert_eq!(zone.world().resource::<NetIds>().len(), 2);
        }
    }

    crate::game::delegate!(Early);

    let mut arena = Arena::of::<Early>(1);
    let me = arena.spawn("me", 1.0, 1.0);
    arena.subscribe(1, me, 1, 1_100);
    let mut client = Client::new(1, 1);
    arena.ticks(1);
    client.take(&mut arena);
    let labels: Vec<_> = client.ids().into_iter().filter_map(|id| client.label(id)).collect();
    assert_eq!(labels, ["early", "both", "me"]);
}
