//! What moves in all workloads: somebody who goes straight at 6 m/s, and now and then turns.
//!
//! *Responsible for*: a step, its quantised row. *Not responsible for*: who sees it.

use bevy_ecs::prelude::Component;
use lightmoon_contract::{Replicate as _, replicate};

/// Half of the side of the map that a pose can be on.
const EDGE: f32 = 2_000.0;
/// Metres of a tick of 20 Hz.
const STRIDE: f32 = 0.3;

/// Where something is.
#[replicate(state, number = 1)]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pose {
    /// To the right.
    #[quantise(min = -2048.0, max = 2048.0, step = 0.015625)]
    pub(crate) x: f32,
    /// Up.
    #[quantise(min = -2048.0, max = 2048.0, step = 0.015625)]
    pub(crate) y: f32,
    /// Heading.
    #[quantise(angle, bits = 8)]
    pub(crate) yaw: f32,
}

/// Fields of a pose.
pub(crate) const FIELDS: usize = 3;

/// Where it goes.
#[derive(Component, Clone, Copy, Debug)]
pub(crate) struct Walk {
    step: [f32; 2],
    chance: u32,
}

impl Walk {
    /// Walkers with other numbers turn at other times.
    pub(crate) fn new(number: u32) -> Self {
        let mut walk = Self { step: [STRIDE, 0.0], chance: number.wrapping_mul(2_654_435_761) | 1 };
        // The first draws of neighbouring seeds are alike.
        for _ in 0..8 {
            walk.draw();
        }
        walk
    }

    /// One tick: a turn each two seconds, a step, and back at the edge of the square `[-side / 2, side / 2]`.
    #[inline]
    pub(crate) fn step(&mut self, pose: &mut Pose, side: f32) {
        if self.draw().is_multiple_of(40) {
            self.turn(pose);
        }
        let half = (side / 2.0).min(EDGE);
        for (at, by) in [&mut pose.x, &mut pose.y].into_iter().zip(&mut self.step) {
            *at += *by;
            if at.abs() > half {
                *by = -*by;
                *at = at.clamp(-half, half);
            }
        }
    }

    fn turn(&mut self, pose: &mut Pose) {
        let [low, ..] = self.draw().to_le_bytes();
        pose.yaw = f32::from(low) * (std::f32::consts::TAU / 256.0);
        self.step = [pose.yaw.cos() * STRIDE, pose.yaw.sin() * STRIDE];
    }

    const fn draw(&mut self) -> u32 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 17;
        self.chance ^= self.chance << 5;
        self.chance
    }
}

/// `count` walkers, uniform on a square.
pub(crate) fn scattered(count: usize, side: f32) -> Vec<(Pose, Walk)> {
    let mut random = fastrand::Rng::with_seed(7);
    let walker = |number| {
        let [x, y] = [(); 2].map(|()| (random.f32() - 0.5) * side);
        let (mut pose, mut walk) = (Pose { x, y, yaw: 0.0 }, Walk::new(number));
        walk.turn(&mut pose);
        (pose, walk)
    };
    (0..).map(walker).take(count).collect()
}

/// Appends the quantised fields.
pub(crate) fn quantise(pose: &Pose, rows: &mut Vec<u32>) {
    let mut fields = [0; FIELDS];
    pose.quantise(&mut fields);
    rows.extend_from_slice(&fields);
}

/// The side of a square on which a circle of 100 m holds `visible` of `entities`; what is beyond the edge is made up for.
pub(crate) fn side_for(entities: usize, visible: usize) -> f32 {
    let count =
        |count: usize| f32::from(u16::try_from(count).expect("workloads have at most 65,535 entities"));
    (std::f32::consts::PI * 10_000.0 * count(entities) / count(visible)).sqrt()
}
