//! Gates: the ways between sectors.
//!
//! *Responsible for*: the gates of a sector and noticing ships that fly into one.
//! *Not responsible for*: the journey itself, which the pilot decides ([`crate::pilot`]).
//!
//! A ship in a gate leaves its sector in the tick it is noticed, and its pilot is told; the pilot then asks the next
//! sector for a ship. So a ship is never in two sectors; while its pilot travels it is in none.
//!
//! Invariants:
//! - I1: a ship with [`Immune`] passes gates without entering them.
//! - I2: a ship is noticed once: it is gone when [`find_entries`] runs again.

use bevy_ecs::prelude::*;
use game_sample_contracts::{Label, Pose, Role};

use crate::ship::Ship;
use crate::world_map::SectorPlan;

/// How near a ship must come to a gate to enter it, units.
pub const REACH: f32 = 55.0;

/// Seconds after arrival in which a ship cannot enter a gate.
pub const IMMUNE_SECONDS: f32 = 2.0;

/// A gate.
#[derive(Component, Clone, Copy, Debug)]
#[component(immutable)]
pub struct Gate {
    /// Key of the sector it leads to.
    pub to: u64,
}

/// A ship that cannot enter a gate yet.
#[derive(Component, Clone, Copy, Debug)]
pub struct Immune {
    /// The tick of the sector at which this ends.
    pub until: u64,
}

/// A ship flew into a gate.
#[derive(Message, Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateEntered {
    /// The ship.
    pub ship: Entity,
    /// Its pilot.
    pub player: u64,
    /// The sector behind the gate.
    pub to: u64,
}

/// Spawns the sector's gates.
pub fn spawn(world: &mut World, plan: &SectorPlan) {
    for gate in plan.all_gates() {
        let Some(target) = crate::world_map::sector(gate.to) else { continue };
        world.spawn((
            Gate { to: gate.to },
            Pose { x: gate.x, y: gate.y, yaw: gate.outward, thrust: 0.0 },
            Label { name: target.name.to_owned(), hue: target.hue, role: Role::Gate },
        ));
    }
}

/// Notices ships inside of gates.
pub fn find_entries(
    ships: Query<(Entity, &Ship, &Pose), Without<Immune>>,
    gates: Query<(&Gate, &Pose)>,
    mut entered: MessageWriter<GateEntered>,
) {
    for (ship, Ship { player }, pose) in &ships {
        let within = |at: &Pose| libm::hypotf(at.x - pose.x, at.y - pose.y) < REACH;
        if let Some((gate, _)) = gates.iter().find(|(_, at)| within(at)) {
            entered.write(GateEntered { ship, player: *player, to: gate.to });
        }
    }
}
