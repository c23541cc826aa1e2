//! Interest: 10,000 players, each of whom sees 50, with who came and who went.
//!
//! *Responsible for*: the zone's grid and circles as a tick uses them, all viewers or a quarter of them; beside a plain grid.
//! *Not responsible for*: that sets are right (the tests of `zone`).

use std::cell::Cell;
use std::hint::black_box;

use lightmoon_zone::InterestOptions;
use lightmoon_zone::interest::{Circle, Grid};

use super::walker::{Pose, Walk, scattered, side_for};
use crate::figure::{Figure, Goal};
use crate::measure::{Body, Effort, Times, count_as_f64};

/// Whom each sees, on average.
const VISIBLE: usize = 50;

/// All players and what each sees.
struct Town {
    walkers: Vec<(Pose, Walk)>,
    places: Vec<(u32, [f32; 2])>,
    seen: Vec<Vec<u32>>,
    grid: Grid,
    circle: Circle,
    options: InterestOptions,
    side: f32,
    tick: usize,
}

impl Town {
    fn new(count: usize) -> Self {
        let side = side_for(count, VISIBLE);
        let half = side / 2.0;
        let options =
            InterestOptions { area: Some(([-half; 2], [half; 2])), ..InterestOptions::radius(100.0) };
        Self {
            walkers: scattered(count, side),
            places: Vec::new(),
            seen: vec![Vec::new(); count],
            grid: Grid::default(),
            circle: Circle::default(),
            options,
            side,
            tick: 0,
        }
    }

    fn walk(&mut self) {
        self.places.clear();
        for (number, (pose, walk)) in (0..).zip(&mut self.walkers) {
            walk.step(pose, self.side);
            self.places.push((number, [pose.x, pose.y]));
        }
        self.tick += 1;
    }

    /// A tick in which every `stagger`th looks. Gives how many came and went.
    fn look(&mut self, stagger: usize) -> usize {
        self.walk();
        self.grid.build(&self.options, &self.places);
        let mut events = 0;
        for viewer in (self.tick % stagger..self.seen.len()).step_by(stagger) {
            let seen = &mut self.seen[viewer];
            self.circle.begin(self.places.len(), seen.iter().copied());
            self.circle.look(&self.grid, &self.options, self.places[viewer].1);
            let before = seen.len();
            seen.retain(|slot| self.circle.stays(*slot));
            events += before - seen.len() + self.circle.entered.len();
            seen.extend_from_slice(&self.circle.entered);
        }
        events
    }

    /// The same without memory: the grid, and whom each sees written down anew.
    fn plain(&mut self) -> usize {
        self.walk();
        self.grid.build(&self.options, &self.places);
        let mut all = 0;
        for (viewer, seen) in self.seen.iter_mut().enumerate() {
            seen.clear();
            self.grid.near(self.places[viewer].1, 100.0, |slot, square| {
                if square <= 10_000.0 {
                    seen.push(slot);
                }
            });
            all += seen.len();
        }
        all
    }
}

/// Measures it.
pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let count = if effort.is_small() { 200 } else { 10_000 };
    let (mut full, mut quarter, mut plain) = (Town::new(count), Town::new(count), Town::new(count));
    full.look(1);
    quarter.look(1);
    let (events, ticks) = (Cell::new(0), Cell::new(0));
    let times = {
        let mut bodies: [Body<'_>; 3] = [
            Box::new(|count| {
                for _ in 0..count {
                    events.set(events.get() + full.look(1));
                    ticks.set(ticks.get() + 1);
                }
            }),
            Box::new(|count| {
                for _ in 0..count {
                    black_box(quarter.look(4));
                }
            }),
            Box::new(|count| {
                for _ in 0..count {
                    black_box(plain.plain());
                }
            }),
        ];
        Times::measure(effort.with(201, std::time::Duration::from_micros(1)), &mut bodies)
    };
    assert!(events.get() > 0 || effort.is_small(), "somebody comes and somebody goes");
    let figure = |name: &str, body: usize, goal| Figure {
        name: format!("interest.{name}"),
        value: times.of(body) / count_as_f64(count as u64),
        unit: "ns",
        ratio: times.ratio(body, 2),
        beside: "a plain grid",
        goal: Some(goal),
    };
    vec![figure("10k-x-50.full", 0, Goal::Aim(0.5)), figure("10k-x-50.staggered", 1, Goal::Aim(0.34))]
}
