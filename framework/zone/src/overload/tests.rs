//! Up in order, down with patience.

use super::*;

const RATE_HZ: u16 = 20;

/// Ticks that take `percent` of their period; the rungs that came.
fn run(ladder: &mut Ladder, percent: u64, ticks: u32) -> Vec<Rung> {
    let took = Duration::from_micros(500 * percent);
    (0..ticks).filter_map(|_| ladder.after_tick(took, RATE_HZ)).collect()
}

#[test]
fn a_zone_past_its_budget_climbs_in_order_and_comes_back_in_order() {
    let mut ladder = Ladder::default();
    assert_eq!(run(&mut ladder, 90, 100), Rung::ALL[1..], "one each half second");
    let down = run(&mut ladder, 20, 20 * 17);
    assert_eq!(down, [Rung::QuarterRate, Rung::HalfRate, Rung::Throttled, Rung::Calm], "four seconds each");
    assert_eq!(run(&mut ladder, 20, 10_000), []);
}

#[test]
fn a_single_long_tick_changes_nothing() {
    let mut ladder = Ladder::default();
    for _ in 0..100 {
        assert_eq!(run(&mut ladder, 500, 1), []);
        assert_eq!(run(&mut ladder, 30, 19), []);
    }
}

#[test]
fn between_the_marks_it_stays_where_it_is() {
    let mut ladder = Ladder::default();
    assert_eq!(run(&mut ladder, 90, 20), [Rung::Throttled, Rung::HalfRate]);
    assert_eq!(run(&mut ladder, 60, 100_000), [], "not too much, and not calm");
}

#[test]
fn who_comes_back_too_early_waits_longer_the_next_time() {
    let mut ladder = Ladder::default();
    run(&mut ladder, 90, 10);
    let mut waits = Vec::new();
    // The load is such that the first rung is needed, and enough.
    for _ in 0..8 {
        let mut ticks = 0;
        while ladder.rung() == Rung::Throttled {
            run(&mut ladder, 30, 1);
            ticks += 1;
        }
        while ladder.rung() == Rung::Calm {
            run(&mut ladder, 90, 1);
        }
        waits.push(ticks / u32::from(RATE_HZ));
    }
    assert_eq!(waits, [4, 8, 16, 32, 64, 64, 64, 64]);
    // A long calm is forgiven.
    run(&mut ladder, 10, 20 * 200);
    assert_eq!(ladder.rung(), Rung::Calm);
    run(&mut ladder, 90, 10);
    assert_eq!(run(&mut ladder, 10, 20 * 4 + 20), [Rung::Calm]);
}

#[test]
fn where_nobody_measures_nothing_is_given_up() {
    let mut ladder = Ladder::default();
    assert_eq!(run(&mut ladder, 0, 100_000), []);
    assert_eq!(ladder.rung(), Rung::Calm);
}

#[test]
fn slow_and_fast_zones_are_held_to_their_own_period() {
    for rate_hz in [1, 2, 3, 60] {
        let mut ladder = Ladder::default();
        let period = Duration::from_secs(1) / u32::from(rate_hz);
        for _ in 0..10 * rate_hz {
            assert_eq!(ladder.after_tick(period * 6 / 10, rate_hz), None, "{rate_hz} Hz");
        }
        let climbs = (0..5 * rate_hz).filter_map(|_| ladder.after_tick(period, rate_hz)).count();
        assert_eq!(climbs, 4, "{rate_hz} Hz");
    }
}
