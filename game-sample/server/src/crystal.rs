//! Crystals: things that stand still and shimmer.
//!
//! *Responsible for*: placing them. *Not responsible for*: their shimmer, which every client draws by itself.
//!
//! Invariants:
//! - I1: crystals keep their distance from each other and from every gate.

use bevy_ecs::prelude::*;
use game_sample_contracts::{Label, Pose, Role};
use lightmoon::zone::ZoneRandom;

use crate::world_map::{HALF_SIZE, SectorPlan};

/// How many there are in a sector.
pub const COUNT: usize = 20;

/// Least distance between two crystals, and from a gate, units.
const DISTANCE: f32 = 90.0;
/// Share of the sector where they stand.
const SPREAD: f32 = 0.85;
/// Tries for one crystal; with 20 crystals a try finds room more than four times in five.
const TRIES_MAX: usize = 64;

/// A crystal.
#[derive(Component, Clone, Copy, Debug)]
pub struct Crystal;

/// Spawns the sector's crystals.
pub fn spawn(world: &mut World, plan: &SectorPlan) {
    let mut taken: Vec<(f32, f32)> = plan.all_gates().map(|gate| (gate.x, gate.y)).collect();
    for _ in 0..COUNT {
        let random = world.resource_mut::<ZoneRandom>().into_inner();
        let Some(place) = free_place(random, &taken) else { continue };
        let yaw = random.f32() * 6.0 - 3.0;
        let hue = (plan.hue + u16::from(random.u8(..50))) % 360;
        taken.push(place);
        world.spawn((
            Crystal,
            Pose { x: place.0, y: place.1, yaw, thrust: 0 },
            Label { name: String::new(), hue, role: Role::Crystal },
        ));
    }
}

fn free_place(random: &mut fastrand::Rng, taken: &[(f32, f32)]) -> Option<(f32, f32)> {
    (0..TRIES_MAX).find_map(|_| {
        let mut place = || (random.f32() * 2.0 - 1.0) * HALF_SIZE * SPREAD;
        let (x, y) = (place(), place());
        taken.iter().all(|other| libm::hypotf(x - other.0, y - other.1) >= DISTANCE).then_some((x, y))
    })
}
