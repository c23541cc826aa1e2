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
use game_sample_contracts::{GateInfo, Pose};
use lightmoon::contract::Tick;

use crate::ship::Ship;
use crate::world_map::{self, GatePlan, SectorPlan};

/// How near a ship must come to a gate to enter it, units.
pub const REACH: f32 = 55.0;

/// Seconds after arrival in which a ship cannot enter a gate.
pub const IMMUNE_SECONDS: u64 = 2;

/// A gate. Clients know the gates of a sector from its welcome, so these entities are not replicated.
#[derive(Component, Clone, Copy, Debug)]
#[component(immutable)]
pub struct Gate(pub GatePlan);

/// A ship that cannot enter a gate yet.
#[derive(Component, Clone, Copy, Debug)]
pub struct Immune {
    /// The tick of the sector at which this ends.
    pub until: Tick,
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
    world.spawn_batch(plan.all_gates().map(Gate).collect::<Vec<_>>());
}

/// What clients are told of a sector's gates.
#[must_use]
pub fn infos(plan: &SectorPlan) -> Vec<GateInfo> {
    let info = |gate: GatePlan| {
        let target = world_map::sector(gate.to)?;
        let GatePlan { to, x, y, .. } = gate;
        Some(GateInfo { x, y, radius: REACH, to, name: target.name.to_owned(), hue: target.hue })
    };
    plan.all_gates().filter_map(info).collect()
}

/// Notices ships inside of gates.
pub fn find_entries(
    ships: Query<(Entity, &Ship, &Pose), Without<Immune>>,
    gates: Query<&Gate>,
    mut entered: MessageWriter<GateEntered>,
) {
    for (ship, Ship { player }, pose) in &ships {
        let within = |Gate(gate): &&Gate| libm::hypotf(gate.x - pose.x, gate.y - pose.y) < REACH;
        if let Some(Gate(gate)) = gates.iter().find(within) {
            entered.write(GateEntered { ship, player: *player, to: gate.to });
        }
    }
}
