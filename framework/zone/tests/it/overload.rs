//! What an overloaded zone gives up, and that it takes it back.

use std::cell::Cell;
use std::collections::BTreeSet;

use bevy_ecs::prelude::*;
use lightmoon_contract::{Mono, NetId};
use lightmoon_zone::{
    InterestOptions, Optional, Overload, Rung, Update, Zone, ZoneBuilder, ZoneOptions, ZoneTime,
};

use crate::arena::{Arena, Client, TICK};
use crate::game::{Label, Pose};

thread_local! {
    /// The time that the probe shows, which only systems move on: each test runs on a thread of its own.
    static CLOCK: Cell<u64> = const { Cell::new(0) };
    /// What a tick costs, in ms: what must run, what is optional, sending to viewers at the full rate.
    static COST: Cell<[u64; 3]> = const { Cell::new([0; 3]) };
    /// Ticks in which the optional system ran.
    static RAN: Cell<u64> = const { Cell::new(0) };
}

fn work(ms: u64) {
    CLOCK.set(CLOCK.get() + ms * 1_000_000);
}

fn costs(must: u64, optional: u64, sending: u64) {
    COST.set([must, optional, sending]);
}

/// A zone whose systems only take time.
struct Busy;

impl Zone for Busy {
    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Pose>()
            .replicate::<Label>()
            .replicate::<crate::game::Health>()
            .interest::<Pose>(InterestOptions::radius(100.0), |pose| [pose.x, pose.y])
            .add_systems(Update, || work(COST.get()[0]))
            .add_systems(Update, ambience.in_set(Optional))
            .add_systems(Update, send);
    }
}

crate::game::delegate!(Busy);

fn ambience(_time: Res<'_, ZoneTime>) {
    RAN.set(RAN.get() + 1);
    work(COST.get()[1]);
}

/// Stands for what packets cost on each rung.
fn send(overload: Res<'_, Overload>) {
    let part = match overload.rung() {
        Rung::Calm | Rung::Throttled => 1,
        Rung::HalfRate => 2,
        Rung::QuarterRate => 4,
        Rung::Narrow => 8,
    };
    work(COST.get()[2] / part);
}

fn arena() -> Arena {
    Arena::with::<Busy>(1, ZoneOptions { probe: || Mono(CLOCK.get()), ..ZoneOptions::default() })
}

/// Ticks, each as long as it takes; the rungs that were seen.
fn run(arena: &mut Arena, ticks: u64) -> Vec<Rung> {
    let mut rungs = vec![arena.report().rung];
    for _ in 0..ticks {
        let before = CLOCK.get();
        arena.ticks(1);
        // What it took beyond its period is missing for the next one.
        let late = (CLOCK.get() - before).saturating_sub(TICK);
        if late > 0 {
            arena.pass(late);
        }
        let rung = arena.report().rung;
        if rungs.last() != Some(&rung) {
            rungs.push(rung);
        }
    }
    rungs
}

#[test]
fn optional_systems_rest_first_and_run_again_when_it_is_calm() {
    let mut arena = arena();
    costs(10, 5, 0);
    assert_eq!(run(&mut arena, 100), [Rung::Calm]);
    assert_eq!(RAN.get(), 100, "while nothing is missing they run in each tick");
    costs(15, 30, 0);
    assert_eq!(run(&mut arena, 400), [Rung::Calm, Rung::Throttled], "that was enough");
    let report = arena.report();
    assert_eq!(report.counters.overload_climbs, 1);
    assert_eq!(report.counters.optional_rested + RAN.get(), 500);
    assert!(report.counters.optional_rested > 280, "{:?}", report.counters);
    costs(10, 5, 0);
    assert_eq!(run(&mut arena, 100), [Rung::Throttled, Rung::Calm]);
}

#[test]
fn a_zone_past_its_budget_climbs_in_order_keeps_its_pace_and_comes_back() {
    let mut arena = arena();
    // 59 ms of 50: without the ladder it skips ticks for ever.
    costs(14, 20, 25);
    let up = run(&mut arena, 200);
    assert_eq!(up, [Rung::Calm, Rung::Throttled, Rung::HalfRate], "as far as needed");
    let skipped = arena.report().counters.ticks_skipped;
    let clock = CLOCK.get();
    assert_eq!(run(&mut arena, 2_000), [Rung::HalfRate], "and it stays there");
    assert_eq!(arena.report().counters.ticks_skipped, skipped, "time does not stretch");
    assert!(CLOCK.get() - clock < 2_000 * TICK * 75 / 100, "the ticks are within their budget");
    costs(5, 5, 5);
    let down = run(&mut arena, 400);
    assert_eq!(down, [Rung::HalfRate, Rung::Throttled, Rung::Calm]);
}

#[test]
fn rate_and_reach_shrink_and_the_own_avatar_keeps_its_floor() {
    let mut arena = arena();
    costs(0, 0, 0);
    let me = arena.spawn("", 0.0, 0.0);
    let (near, far) = (arena.spawn("", 10.0, 0.0), arena.spawn("", 80.0, 0.0));
    arena.subscribe(1, me, 1, 1_100);
    arena.subscribe(2, me, 1, 1_100);
    let (mut client, mut other) = (Client::new(1, 1), Client::new(2, 1));
    let ids = |client: &Client| client.ids().into_iter().collect::<BTreeSet<NetId>>();
    let mut rates = Vec::new();
    for rung in [Rung::Calm, Rung::Throttled, Rung::HalfRate, Rung::QuarterRate, Rung::Narrow] {
        costs(45, 0, 0);
        while arena.report().rung != rung {
            arena.ticks(1);
        }
        // Neither up nor down from here.
        costs(30, 0, 0);
        arena.ticks(20);
        client.take(&mut arena);
        other.take(&mut arena);
        let before = arena.report().counters;
        client.states.clear();
        other.states.clear();
        arena.ticks(20);
        client.take(&mut arena);
        other.take(&mut arena);
        let after = arena.report().counters;
        assert_eq!(arena.report().rung, rung);
        rates.push((client.states.len(), (after.state_records - before.state_records) / 2));
        let ticks =
            |client: &Client| client.states.iter().map(|state| state.head.tick.0 % 2).collect::<Vec<_>>();
        if rung >= Rung::HalfRate {
            assert_ne!(ticks(&client)[0], ticks(&other)[0], "viewers take turns");
        }
        let seen: BTreeSet<NetId> =
            if rung == Rung::Narrow { [me, near].into() } else { [me, near, far].into() };
        assert_eq!(ids(&client), seen, "{rung:?}");
    }
    // Packets in a second, and records in them: all three things, then those every second, then every fourth tick.
    assert_eq!(rates, [(20, 60), (20, 60), (10, 30), (10, 20), (10, 15)]);
    costs(0, 0, 0);
    arena.ticks(20 * 4 * 6);
    client.take(&mut arena);
    assert_eq!((arena.report().rung, ids(&client)), (Rung::Calm, [me, near, far].into()));
}

#[test]
fn where_nobody_measures_a_zone_gives_up_nothing() {
    let mut arena = Arena::of::<Busy>(1);
    costs(500, 500, 500);
    assert_eq!(run(&mut arena, 300), [Rung::Calm]);
}
