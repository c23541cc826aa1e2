//! The clock of a zone.

use crate::arena::{Arena, Client, TICK};
use crate::game::space;

#[test]
fn a_change_of_rate_travels_in_the_state_packet_and_changes_the_pace() {
    let mut arena = Arena::new(1);
    let me = arena.spawn("me", 0.0, 0.0);
    arena.subscribe(1, me, 1, 1_100);
    let mut client = Client::new(1, 1);
    arena.ticks(3);
    client.take(&mut arena);
    assert!(client.states.iter().all(|state| state.head.rate_hz == 20));
    arena.tell(space::Hurry { hz: 60 });
    arena.ticks(1);
    client.take(&mut arena);
    assert_eq!(client.states.last().unwrap().head.rate_hz, 60);
    let before = arena.report().tick.0;
    for _ in 0..600 {
        arena.pass(TICK / 5);
    }
    let ran = arena.report().tick.0 - before;
    assert!((359..=361).contains(&ran), "{ran} ticks in 6 s");
    assert_eq!(arena.report().counters.ticks_skipped, 0);
}

#[test]
fn rates_are_clamped() {
    let mut arena = Arena::new(1);
    for (hz, expected) in [(0, 1), (61, 60), (u16::MAX, 60)] {
        arena.tell(space::Hurry { hz });
        arena.pass(2_000_000_000);
        assert_eq!(arena.report().rate_hz, expected);
    }
}

#[test]
fn a_zone_held_up_for_long_skips_and_counts() {
    let mut arena = Arena::new(1);
    arena.ticks(10);
    assert_eq!(arena.report().tick.0, 10);
    arena.pass(10_000_000_000);
    let report = arena.report();
    assert_eq!(report.tick.0, 12, "a tick that was due and one to catch up");
    assert_eq!(report.counters.ticks_skipped, 198);
    arena.ticks(1);
    assert_eq!(arena.report().tick.0, 13);
}

#[test]
fn a_zone_held_up_shortly_catches_up() {
    let mut arena = Arena::new(1);
    arena.ticks(10);
    arena.pass(4 * TICK);
    assert_eq!(arena.report().tick.0, 14);
    assert_eq!(arena.report().counters.ticks_skipped, 0);
}

#[test]
fn a_zone_nobody_looks_at_ticks_on() {
    let mut arena = Arena::new(1);
    arena.ticks(50);
    let report = arena.report();
    assert_eq!((report.tick.0, report.counters.states, report.viewers), (50, 0, 0));
}

#[test]
fn phases_are_measured_by_the_probe_that_was_injected() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static CLOCK: AtomicU64 = AtomicU64::new(0);
    let probe = || lightmoon_contract::Mono(CLOCK.fetch_add(1_000, Ordering::Relaxed));
    let options = lightmoon_zone::ZoneOptions { probe, ..Default::default() };
    let mut arena = Arena::with::<crate::game::SpaceZone<100, 1>>(1, options);
    arena.ticks(2);
    let phases = arena.report().phases;
    assert!(phases.schedules.as_nanos() >= 1_000 && phases.replication.as_nanos() >= 1_000);
    assert_eq!(phases.total().as_nanos(), 5_000);
    let times = arena.report().times;
    assert_eq!((times.tick.count(), times.tick.total().as_nanos()), (2, 10_000));
    let all = [times.schedules, times.collect, times.grid, times.replication, times.send];
    assert!(all.iter().all(|phase| phase.count() == 2), "{times:?}");
    assert_eq!(all.iter().map(|phase| phase.total().as_nanos()).sum::<u128>(), 10_000);
    assert_eq!(Arena::new(1).report().phases, lightmoon_zone::Phases::default());
}
