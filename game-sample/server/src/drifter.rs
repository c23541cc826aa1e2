//! Drifters: harmless wanderers that school and shy away from ships.
//!
//! *Responsible for*: their spawning and their behaviour. *Not responsible for*: anything that ships do.
//!
//! Two systems, so that each drifter decides by where all were at the start of the tick: [`look`] writes the places
//! of all into [`Waters`], [`drift`] reads them and moves.
//!
//! Invariants:
//! - I1: a drifter never leaves its sector.
//! - I2: the order in which drifters are visited does not change where they go.

use bevy_ecs::prelude::*;
use game_sample_contracts::{Label, Pose, Role};
use lightmoon::contract::data;
use lightmoon::zone::{ZoneRandom, ZoneTime};

use crate::flight::{turned_towards, wrapped};
use crate::ship::Ship;
use crate::world_map::HALF_SIZE;

/// How many there are in a sector.
pub const COUNT: usize = 25;

/// Within this distance they school with each other, units.
const SCHOOL_RADIUS: f32 = 220.0;
/// Nearer than this they make room, units.
const ROOM: f32 = 60.0;
/// Within this distance they flee from ships, units.
const FEAR_RADIUS: f32 = 130.0;
/// Where they turn back towards the middle, units from it.
const SHORE: f32 = 820.0;
/// Fastest turn, radians per second.
const TURN_RATE: f32 = 1.4;
/// How much faster they swim in fear.
const FEAR_HASTE: f32 = 1.9;
/// How quickly the wandering direction changes, radians per square root of a second.
const RESTLESS: f32 = 0.9;

/// A drifter's temper.
#[data(persist = "drifter")]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Drifter {
    /// Speed at ease, units per second.
    pub speed: f32,
    /// Present speed, units per second.
    pub pace: f32,
    /// Where it would go if it were alone, radians.
    pub whim: f32,
}

/// Where everybody was at the start of this tick.
#[derive(Resource, Debug, Default)]
pub struct Waters {
    drifters: Vec<(Entity, Pose)>,
    ships: Vec<Pose>,
}

/// Spawns the sector's drifters.
pub fn spawn(world: &mut World, hue: u16) {
    for number in 0..COUNT {
        let random = world.resource_mut::<ZoneRandom>().into_inner();
        let mut place = || (random.f32() * 2.0 - 1.0) * SHORE;
        let (x, y) = (place(), place());
        let yaw = wrapped(random.f32() * 6.0);
        let speed = 28.0 + random.f32() * 26.0;
        let hue = (hue + 150 + u16::from(random.u8(..60))) % 360;
        world.spawn((
            Drifter { speed, pace: speed, whim: yaw },
            Pose { x, y, yaw, thrust: 0 },
            Label { name: format!("drifter {}", number + 1), hue, role: Role::Drifter },
        ));
    }
}

/// Notes where everybody is.
pub fn look(
    drifters: Query<(Entity, &Pose), With<Drifter>>,
    ships: Query<&Pose, With<Ship>>,
    mut waters: ResMut<Waters>,
) {
    waters.drifters.clear();
    waters.drifters.extend(drifters.iter().map(|(entity, pose)| (entity, *pose)));
    waters.ships.clear();
    waters.ships.extend(ships.iter().copied());
}

/// Turns and moves every drifter by one tick.
pub fn drift(
    time: Res<ZoneTime>,
    waters: Res<Waters>,
    mut random: ResMut<ZoneRandom>,
    mut drifters: Query<(Entity, &mut Drifter, &mut Pose)>,
) {
    let seconds = time.step_seconds();
    for (entity, mut drifter, mut pose) in &mut drifters {
        let restless = (random.f32() * 2.0 - 1.0) * RESTLESS * libm::sqrtf(seconds);
        drifter.whim = wrapped(drifter.whim + restless);
        let (sin, cos) = libm::sincosf(drifter.whim);
        let fear = fear(&pose, &waters.ships);
        let school = school(entity, &pose, &waters.drifters);
        let shore = (back(pose.x), back(pose.y));
        let wish = (
            cos * 0.6 + school.0 + fear.0 * 4.0 + shore.0 * 3.0,
            sin * 0.6 + school.1 + fear.1 * 4.0 + shore.1 * 3.0,
        );
        if shore != (0.0, 0.0) {
            drifter.whim = libm::atan2f(wish.1, wish.0);
        }
        let afraid = fear != (0.0, 0.0);
        let goal = drifter.speed * if afraid { FEAR_HASTE } else { 1.0 };
        drifter.pace += (goal - drifter.pace) * (3.0 * seconds).min(1.0);
        pose.yaw = turned_towards(pose.yaw, libm::atan2f(wish.1, wish.0), TURN_RATE * seconds);
        let (sin, cos) = libm::sincosf(pose.yaw);
        pose.x = (pose.x + cos * drifter.pace * seconds).clamp(-HALF_SIZE, HALF_SIZE);
        pose.y = (pose.y + sin * drifter.pace * seconds).clamp(-HALF_SIZE, HALF_SIZE);
        pose.thrust = u8::from(afraid);
    }
}

/// The pull back from the shore along one axis.
fn back(place: f32) -> f32 {
    -((place.abs() - SHORE).max(0.0) / (HALF_SIZE - SHORE)) * place.signum()
}

/// The push away from ships nearby, 0 to about 1 for each.
fn fear(pose: &Pose, ships: &[Pose]) -> (f32, f32) {
    let mut sum = (0.0, 0.0);
    for ship in ships {
        let (dx, dy) = (pose.x - ship.x, pose.y - ship.y);
        let distance = libm::hypotf(dx, dy).max(1.0);
        if distance < FEAR_RADIUS {
            let push = (1.0 - distance / FEAR_RADIUS) / distance;
            sum = (sum.0 + dx * push, sum.1 + dy * push);
        }
    }
    sum
}

/// Where the school pulls: along its heading, towards its middle, away from too near ones.
fn school(me: Entity, pose: &Pose, all: &[(Entity, Pose)]) -> (f32, f32) {
    let (mut heading, mut middle, mut room, mut near) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.0);
    for (entity, other) in all {
        let (dx, dy) = (other.x - pose.x, other.y - pose.y);
        let distance = libm::hypotf(dx, dy).max(1.0);
        if *entity == me || distance > SCHOOL_RADIUS {
            continue;
        }
        let (sin, cos) = libm::sincosf(other.yaw);
        near += 1.0;
        heading = (heading.0 + cos, heading.1 + sin);
        middle = (middle.0 + dx, middle.1 + dy);
        if distance < ROOM {
            let push = (1.0 - distance / ROOM) / distance;
            room = (room.0 - dx * push, room.1 - dy * push);
        }
    }
    if near < 1.0 {
        return (0.0, 0.0);
    }
    let pull = 0.5 / (near * SCHOOL_RADIUS);
    (
        heading.0 / near * 0.5 + middle.0 * pull + room.0 * 1.5,
        heading.1 / near * 0.5 + middle.1 * pull + room.1 * 1.5,
    )
}
