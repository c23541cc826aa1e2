//! The grid against comparing everything with everything.

use std::collections::BTreeSet;

use super::grid::square_distance;
use super::*;

/// What a viewer sees next, by definition.
fn oracle(
    options: &InterestOptions,
    centre: [f32; 2],
    places: &[(u32, [f32; 2])],
    seen: &BTreeSet<u32>,
) -> BTreeSet<u32> {
    let (enter, leave) = options.squares();
    let near = |slot: &u32, place: &[f32; 2]| {
        let square = square_distance(centre, *place);
        square <= enter || (square <= leave && seen.contains(slot))
    };
    places.iter().filter(|(slot, place)| near(slot, place)).map(|(slot, _)| *slot).collect()
}

fn next(
    circle: &mut Circle,
    grid: &Grid,
    options: &InterestOptions,
    centre: [f32; 2],
    seen: &BTreeSet<u32>,
    slots: usize,
) -> BTreeSet<u32> {
    circle.begin(slots, seen.iter().copied());
    circle.look(grid, options, centre);
    let stay = seen.iter().copied().filter(|slot| circle.stays(*slot));
    let all: Vec<u32> = stay.chain(circle.entered.iter().copied()).collect();
    let set: BTreeSet<u32> = all.iter().copied().collect();
    assert_eq!(set.len(), all.len(), "somebody entered twice or entered while staying");
    set
}

#[test]
fn the_grid_equals_the_brute_force_over_random_moves_and_teleports() {
    for seed in 0..120u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let size = [50.0, 1_000.0, 100_000.0][random.usize(..3)];
        let middle = [0.0, 1_000_000.0][random.usize(..2)];
        let options = InterestOptions {
            radius: [0.5, 30.0, 200.0, 5_000.0][random.usize(..4)],
            leave_margin: [0.0, 0.1, 1.0][random.usize(..3)],
            cell: [None, Some(7.0), Some(1_000.0)][random.usize(..3)],
            area: [None, Some(([-100.0, -100.0], [100.0, 100.0]))][random.usize(..2)],
            stagger: 1,
        };
        let mut place = {
            let mut random = random.fork();
            move || [0, 1].map(|_| middle + (random.f32() - 0.5) * size)
        };
        let mut places: Vec<(u32, [f32; 2])> =
            (0..random.u32(..150)).map(|slot| (slot * 2, place())).collect();
        let mut viewers: Vec<([f32; 2], BTreeSet<u32>)> =
            (0..5).map(|_| (place(), BTreeSet::new())).collect();
        let (mut grid, mut circle) = (Grid::default(), Circle::default());
        for step in 0..25 {
            for (_, at) in &mut places {
                let near =
                    |at: f32, random: &mut fastrand::Rng| at + (random.f32() - 0.5) * options.radius * 0.3;
                *at = if random.u8(..30) == 0 { place() } else { at.map(|at| near(at, &mut random)) };
            }
            grid.build(&options, &places);
            for (centre, seen) in &mut viewers {
                if random.u8(..20) == 0 {
                    *centre = place();
                }
                let expected = oracle(&options, *centre, &places, seen);
                *seen = next(&mut circle, &grid, &options, *centre, seen, 300);
                assert_eq!(*seen, expected, "seed {seed}, step {step}, {options:?}");
            }
        }
    }
}

#[test]
fn who_stands_at_the_border_does_not_flicker() {
    let options = InterestOptions::radius(100.0);
    let (mut grid, mut circle, mut seen) = (Grid::default(), Circle::default(), BTreeSet::new());
    let mut changes = 0;
    for step in 0..100 {
        let x = if step % 2 == 0 { 99.0 } else { 105.0 };
        grid.build(&options, &[(0, [x, 0.0])]);
        let now = next(&mut circle, &grid, &options, [0.0, 0.0], &seen, 1);
        changes += usize::from(now != seen);
        seen = now;
    }
    assert_eq!(changes, 1);
    grid.build(&options, &[(0, [111.0, 0.0])]);
    assert!(next(&mut circle, &grid, &options, [0.0, 0.0], &seen, 1).is_empty());
}

#[test]
fn one_who_strays_far_does_not_make_the_grid_explode() {
    let options = InterestOptions::radius(1.0);
    let mut grid = Grid::default();
    let places = [(0, [0.0, 0.0]), (1, [f32::MAX, f32::MIN]), (2, [0.5, 0.0])];
    grid.build(&options, &places);
    let mut found = Vec::new();
    grid.near([0.0, 0.0], 1.0, |slot, square| {
        if square <= 1.0 {
            found.push(slot);
        }
    });
    assert_eq!(found, [0, 2]);
}

#[test]
fn stamps_survive_their_wrap() {
    let options = InterestOptions::radius(10.0);
    let mut grid = Grid::default();
    grid.build(&options, &[(0, [0.0, 0.0]), (1, [50.0, 0.0])]);
    let mut circle = Circle { epoch: u32::MAX - 9, stamps: vec![u32::MAX - 8; 2], ..Circle::default() };
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        seen = next(&mut circle, &grid, &options, [0.0, 0.0], &seen, 2);
        assert_eq!(seen, BTreeSet::from([0]));
    }
}
