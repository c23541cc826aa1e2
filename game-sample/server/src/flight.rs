//! How ships fly: thrust, drag, turning, boost and the soft wall, as plain arithmetic.
//!
//! *Responsible for*: one step of one ship's motion. *Not responsible for*: ECS, input and gates ([`crate::ship`], [`crate::gate`]).
//!
//! Invariants:
//! - I1: a ship is never faster than [`BOOST_SPEED`], and without boost it falls back to [`MAX_SPEED`] within half a second.
//! - I2: a ship is never outside its sector, whatever its controls say (also NaN and infinity).
//! - I3: the same motion, controls and step give the same result on every run: no transcendental function of the platform.

use std::f32::consts::{PI, TAU};

use lightmoon::contract::data;

use crate::world_map::HALF_SIZE;

/// Fastest speed on own thrust, units per second.
pub const MAX_SPEED: f32 = 220.0;
/// Fastest speed on boost, units per second.
pub const BOOST_SPEED: f32 = 320.0;
/// Seconds of boost in a full charge.
pub const BOOST_SECONDS: f32 = 2.5;
/// Seconds that fill an empty charge.
pub const RECHARGE_SECONDS: f32 = 7.0;
/// Turn rate at full deflection, radians per second.
pub const TURN_RATE: f32 = 2.8;

/// Charge from which boost fires again after it ran out.
const RESTART_CHARGE: f32 = 0.25;
/// Acceleration at full thrust, units per second squared; with the drag below the balance lies above [`MAX_SPEED`].
const ACCELERATION: f32 = 170.0;
/// Factor on thrust while boosting.
const BOOST_THRUST: f32 = 2.2;
/// Share of the speed along the nose that drag takes each second.
const DRAG: f32 = 0.45;
/// Share of the sideways speed that drag takes each second: ships drift in a turn, yet follow their nose.
const SIDE_DRAG: f32 = 1.6;
/// How quickly speed above the limit is shed when boost ends, units per second squared.
const SHED: f32 = 260.0;
/// Backward thrust is this share of forward thrust.
const REVERSE: f32 = 0.4;
/// Where the soft wall starts, units from the middle.
const WALL_START: f32 = 900.0;
/// Push of the wall at the very edge, units per second squared: stops 320 u/s within the 100 units of the wall.
const WALL_PUSH: f32 = 1100.0;

/// What moves: place, velocity, heading and boost charge.
#[data]
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Motion {
    /// Place, units.
    pub x: f32,
    /// Place, units.
    pub y: f32,
    /// Velocity, units per second.
    pub vx: f32,
    /// Velocity, units per second.
    pub vy: f32,
    /// Heading, radians from the x axis, in `-PI..=PI`.
    pub yaw: f32,
    /// Boost charge, 0 to 1.
    pub charge: f32,
    /// The charge ran out: no boost until it is back at a quarter, or boost would stutter at the bottom.
    pub spent: bool,
}

/// What the pilot wants, already within bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Controls {
    /// -1 (back) to 1 (full ahead).
    thrust: f32,
    /// -1 (clockwise) to 1 (counter-clockwise).
    turn: f32,
    /// Whether boost is held.
    boost: bool,
}

impl Controls {
    /// Controls from what a client claims: clamped, and zero where it is no number.
    #[must_use]
    pub fn from_claim(thrust: f32, turn: f32, boost: bool) -> Self {
        let bounded = |value: f32| if value.is_nan() { 0.0 } else { value.clamp(-1.0, 1.0) };
        Self { thrust: bounded(thrust), turn: bounded(turn), boost }
    }

    /// Thrust, -1 to 1.
    #[must_use]
    pub const fn thrust(&self) -> f32 {
        self.thrust
    }
}

impl Motion {
    /// At rest at a place, heading along `yaw`, with a full charge.
    #[must_use]
    pub const fn at(x: f32, y: f32, yaw: f32) -> Self {
        Self { x, y, vx: 0.0, vy: 0.0, yaw, charge: 1.0, spent: false }
    }

    /// Speed, units per second.
    #[must_use]
    pub fn speed(&self) -> f32 {
        libm::hypotf(self.vx, self.vy)
    }

    /// One step of `seconds` under `controls`; says whether boost was burning.
    pub fn step(&mut self, controls: Controls, seconds: f32) -> bool {
        self.yaw = wrapped(self.yaw + controls.turn * TURN_RATE * seconds);
        let boosting = controls.boost && controls.thrust > 0.0 && !self.spent;
        let change = if boosting { -seconds / BOOST_SECONDS } else { seconds / RECHARGE_SECONDS };
        self.charge = (self.charge + change).clamp(0.0, 1.0);
        self.spent = self.charge <= 0.0 || (self.spent && self.charge < RESTART_CHARGE);
        self.accelerate(controls.thrust, boosting, seconds);
        self.vx += wall(self.x) * seconds;
        self.vy += wall(self.y) * seconds;
        self.limit_speed(boosting, seconds);
        (self.x, self.vx) = advance(self.x, self.vx, seconds);
        (self.y, self.vy) = advance(self.y, self.vy, seconds);
        boosting
    }

    /// Thrust along the nose, drag along and across it.
    fn accelerate(&mut self, thrust: f32, boosting: bool, seconds: f32) {
        let (sin, cos) = libm::sincosf(self.yaw);
        let mut along = self.vx * cos + self.vy * sin;
        let mut across = self.vy * cos - self.vx * sin;
        let share = if thrust < 0.0 { thrust * REVERSE } else { thrust };
        along += share * ACCELERATION * if boosting { BOOST_THRUST } else { 1.0 } * seconds;
        along /= 1.0 + DRAG * seconds;
        across /= 1.0 + SIDE_DRAG * seconds;
        self.vx = along * cos - across * sin;
        self.vy = along * sin + across * cos;
    }

    /// Cuts speed to the limit: at once to the absolute one, bit by bit to the one without boost.
    fn limit_speed(&mut self, boosting: bool, seconds: f32) {
        let speed = self.speed();
        let limit =
            if boosting { BOOST_SPEED } else { MAX_SPEED.max(speed - SHED * seconds).min(BOOST_SPEED) };
        if speed > limit {
            self.vx *= limit / speed;
            self.vy *= limit / speed;
        }
    }
}

/// Moves one coordinate; at the edge it stops.
fn advance(place: f32, velocity: f32, seconds: f32) -> (f32, f32) {
    let next = place + velocity * seconds;
    if next.abs() > HALF_SIZE { (next.clamp(-HALF_SIZE, HALF_SIZE), 0.0) } else { (next, velocity) }
}

/// Push of the soft wall on one coordinate, units per second squared.
fn wall(place: f32) -> f32 {
    let depth = ((place.abs() - WALL_START) / (HALF_SIZE - WALL_START)).clamp(0.0, 1.0);
    -depth * WALL_PUSH * place.signum()
}

/// The same angle within `-PI..=PI`.
#[must_use]
pub fn wrapped(angle: f32) -> f32 {
    let turns = libm::floorf((angle + PI) / TAU);
    (angle - turns * TAU).clamp(-PI, PI)
}

/// `from`, turned towards `to` by at most `step` radians, the short way round.
#[must_use]
pub fn turned_towards(from: f32, to: f32, step: f32) -> f32 {
    wrapped(from + wrapped(to - from).clamp(-step, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: f32 = 0.05;

    fn any_controls(random: &mut fastrand::Rng) -> Controls {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0e30, -0.0];
        let mut value =
            || if random.u8(..16) == 0 { odd[random.usize(..odd.len())] } else { random.f32() * 4.0 - 2.0 };
        let (thrust, turn) = (value(), value());
        Controls::from_claim(thrust, turn, random.bool())
    }

    fn fly(motion: &mut Motion, controls: Controls, steps: u32) {
        for _ in 0..steps {
            motion.step(controls, STEP);
        }
    }

    #[test]
    fn a_ship_is_never_too_fast_and_never_outside() {
        for seed in 0..50 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut motion =
                Motion::at(random.f32() * 1900.0 - 950.0, random.f32() * 1900.0 - 950.0, random.f32() * 6.0);
            let mut controls = Controls::default();
            for step in 0..2_000 {
                if step % 20 == 0 {
                    controls = any_controls(&mut random);
                }
                motion.step(controls, STEP);
                assert!(motion.speed() <= BOOST_SPEED * 1.0001, "seed {seed}: {motion:?}");
                assert!(
                    motion.x.abs() <= HALF_SIZE && motion.y.abs() <= HALF_SIZE,
                    "seed {seed}: {motion:?}"
                );
                assert!((0.0..=1.0).contains(&motion.charge), "seed {seed}: {motion:?}");
                assert!(motion.yaw.is_finite() && motion.yaw.abs() <= PI, "seed {seed}: {motion:?}");
            }
        }
    }

    #[test]
    fn full_thrust_reaches_the_limit_and_boost_goes_beyond_for_a_while() {
        let mut motion = Motion::at(-800.0, 0.0, 0.0);
        let ahead = Controls::from_claim(1.0, 0.0, false);
        fly(&mut motion, ahead, 80);
        assert!((MAX_SPEED - 2.0..=MAX_SPEED + 0.1).contains(&motion.speed()), "{motion:?}");
        motion.x = -800.0;
        let boost = Controls::from_claim(1.0, 0.0, true);
        let burning = (0..80).filter(|_| motion.step(boost, STEP)).count();
        assert!((49..=51).contains(&burning), "{burning} steps of boost");
    }

    #[test]
    fn speed_falls_back_after_boost() {
        let mut motion = Motion { vx: BOOST_SPEED, ..Motion::at(0.0, 0.0, 0.0) };
        fly(&mut motion, Controls::from_claim(1.0, 0.0, false), 10);
        assert!(motion.speed() <= MAX_SPEED + 0.1, "{motion:?}");
    }

    #[test]
    fn a_ship_without_thrust_comes_to_rest() {
        let mut motion = Motion { vx: 200.0, vy: 20.0, ..Motion::at(0.0, 0.0, 0.3) };
        fly(&mut motion, Controls::default(), 400);
        assert!(motion.speed() < 1.0, "{motion:?}");
    }

    #[test]
    fn angles_wrap_and_turn_the_short_way() {
        assert!((wrapped(3.0 * PI).abs() - PI).abs() < 1.0e-4);
        let turned = turned_towards(3.0, -3.0, 0.1);
        assert!(turned.abs() > 3.0, "{turned}");
        assert!((turned_towards(0.2, 0.25, 0.1) - 0.25).abs() < 1.0e-6);
    }
}
