//! Ships: the avatars of pilots.
//!
//! *Responsible for*: a ship's components, where it appears, how its controls move it, who flies what, and ships whose
//! pilot does not come back.
//! *Not responsible for*: the arithmetic of flight ([`crate::flight`]), leaving through gates ([`crate::gate`]).
//!
//! Invariants:
//! - I1: [`Roster`] names exactly the ships that exist, whoever spawned or removed them: observers keep it.
//! - I2: a pilot has at most one ship in a sector.
//! - I3: a ship that the store brought back is [`Manned`] again when its pilot asks for it, or taken out.

use std::collections::BTreeMap;

use bevy_ecs::prelude::*;
use game_sample_contracts::pilot::Sighted;
use game_sample_contracts::{Label, Place, Pose, Role, Steer};
use lightmoon::contract::{ActorRef, Tick, data};
use lightmoon::zone::{Outgoing, ZoneTime};

use crate::flight::{Controls, Motion};
use crate::gate::Immune;
use crate::sector::Plan;
use crate::world_map::{GATE_DISTANCE, GatePlan, HALF_SIZE};

/// Half the side of the square around the middle where new ships appear, units.
const FRESH_AREA: f32 = 450.0;
/// How far inside of its gate a ship appears, units: beyond the gate's reach.
const GATE_EXIT: f32 = 110.0;
/// Speed with which a ship comes out of a gate, units per second.
const EXIT_SPEED: f32 = 140.0;

/// How long a ship waits for its pilot after its sector began anew.
pub const ADRIFT_SECONDS: u64 = 30;

/// How often a pilot is told where its ship is. With the two seconds in which the pilot's commit gathers, what is stored is
/// younger than the ten that may be lost, also if the sector's own snapshot were.
pub const SIGHTED_SECONDS: u64 = 5;

/// A ship and who flies it.
#[data(persist = "ship")]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[component(immutable)]
#[require(Helm)]
pub struct Ship {
    /// Key of its pilot.
    pub player: u64,
}

/// How the ship moves; its [`Pose`] is what clients see of it.
#[data(persist = "flight")]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Flight(pub Motion);

/// A pilot is aboard. Not kept: after a restart nobody is.
#[derive(Component, Clone, Copy, Debug)]
pub struct Manned;

/// What the pilot last asked of the ship. Not kept: after a restart its engine rests.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct Helm(pub Controls);

/// Who flies what: player key to ship.
#[derive(Resource, Debug, Default)]
pub struct Roster(BTreeMap<u64, Entity>);

impl Roster {
    /// The ship of this pilot.
    #[must_use]
    pub fn ship_of(&self, player: u64) -> Option<Entity> {
        self.0.get(&player).copied()
    }

    /// How many ships there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Enters a new ship into the roster.
pub fn enlist(added: On<Add<Ship>>, ships: Query<&Ship>, mut roster: ResMut<Roster>) {
    if let Ok(ship) = ships.get(added.entity) {
        roster.0.insert(ship.player, added.entity);
    }
}

/// Strikes a removed ship from the roster.
pub fn strike(removed: On<Remove<Ship>>, ships: Query<&Ship>, mut roster: ResMut<Roster>) {
    if let Ok(ship) = ships.get(removed.entity)
        && roster.0.get(&ship.player) == Some(&removed.entity)
    {
        roster.0.remove(&ship.player);
    }
}

/// Somewhere around the middle of the sector.
pub fn fresh_motion(random: &mut fastrand::Rng) -> Motion {
    let mut within = || (random.f32() * 2.0 - 1.0) * FRESH_AREA;
    let (x, y) = (within(), within());
    Motion::at(x, y, random.f32() * 6.0 - 3.0)
}

/// At rest in a place, which may be of a map before this one.
#[must_use]
pub fn berth_motion(at: &Place) -> Motion {
    let within = |side: f32| if side.is_nan() { 0.0 } else { side.clamp(-HALF_SIZE, HALF_SIZE) };
    let yaw = if at.yaw.is_finite() { crate::flight::wrapped(at.yaw) } else { 0.0 };
    Motion::at(within(at.x), within(at.y), yaw)
}

/// Where a motion is.
#[must_use]
pub const fn place_of(motion: &Motion) -> Place {
    Place { x: motion.x, y: motion.y, yaw: motion.yaw }
}

/// Coming out of `gate` into the sector.
pub fn gate_motion(gate: &GatePlan) -> Motion {
    let inward = 1.0 - GATE_EXIT / GATE_DISTANCE;
    let (sin, cos) = libm::sincosf(gate.outward);
    Motion {
        vx: -cos * EXIT_SPEED,
        vy: -sin * EXIT_SPEED,
        ..Motion::at(
            gate.x * inward,
            gate.y * inward,
            crate::flight::wrapped(gate.outward + std::f32::consts::PI),
        )
    }
}

/// All that a new ship is made of.
pub fn ship(player: u64, name: String, hue: u16, motion: Motion) -> impl Bundle {
    (
        Ship { player },
        Manned,
        Flight(motion),
        Helm::default(),
        pose_of(&motion, 0),
        Label { name, hue, role: Role::Player },
    )
}

/// Sets the controls of a pilot's ship; a pilot without one is ignored, its ship may have left a moment ago.
pub fn steer(world: &mut World, player: u64, steer: &Steer) {
    let Some(entity) = world.resource::<Roster>().ship_of(player) else { return };
    if let Some(mut helm) = world.get_mut::<Helm>(entity) {
        helm.0 = Controls::from_claim(steer.thrust, steer.turn, steer.boost);
    }
}

/// Moves every ship by one tick.
pub fn fly(time: Res<ZoneTime>, mut ships: Query<(&mut Flight, &Helm, &mut Pose)>) {
    let seconds = time.step_seconds();
    for (mut flight, helm, mut pose) in &mut ships {
        let boosting = flight.0.step(helm.0, seconds);
        *pose = pose_of(&flight.0, burn(helm.0, boosting));
    }
}

/// What clients see of the engine: see [`Pose::thrust`].
fn burn(controls: Controls, boosting: bool) -> u8 {
    match controls.thrust() {
        _ if boosting => 3,
        thrust if thrust > 0.05 => 1,
        thrust if thrust < -0.05 => 2,
        _ => 0,
    }
}

fn pose_of(motion: &Motion, thrust: u8) -> Pose {
    Pose { x: motion.x, y: motion.y, yaw: motion.yaw, thrust }
}

/// Tells pilots now and then where their ships are; each at its own time, so that they are not stored all at once.
pub fn sight(
    plan: Res<Plan>,
    time: Res<ZoneTime>,
    ships: Query<(&Ship, &Flight), With<Manned>>,
    mut outgoing: ResMut<Outgoing>,
) {
    let every = SIGHTED_SECONDS * u64::from(time.rate_hz());
    for (Ship { player }, Flight(motion)) in &ships {
        if (time.tick().0 + player % every).is_multiple_of(every) {
            outgoing.tell(ActorRef::new(*player), Sighted { sector: plan.0.key, place: place_of(motion) });
        }
    }
}

/// Takes out ships whose pilot did not come back in time after the sector began anew, and tells the pilot where it was.
pub fn clear_adrift(
    plan: Res<Plan>,
    time: Res<ZoneTime>,
    mut began: Local<Option<Tick>>,
    adrift: Query<(Entity, &Ship, &Flight), Without<Manned>>,
    mut outgoing: ResMut<Outgoing>,
    mut commands: Commands,
) {
    let began = *began.get_or_insert(time.tick());
    if time.tick().0 < began.0 + ADRIFT_SECONDS * u64::from(time.rate_hz()) {
        return;
    }
    for (entity, Ship { player }, Flight(motion)) in &adrift {
        commands.entity(entity).despawn();
        outgoing.tell(ActorRef::new(*player), Sighted { sector: plan.0.key, place: place_of(motion) });
    }
}

/// Ends the immunity of ships whose time is over.
pub fn end_immunity(time: Res<ZoneTime>, immune: Query<(Entity, &Immune)>, mut commands: Commands) {
    for (entity, immune) in &immune {
        if time.tick() >= immune.until {
            commands.entity(entity).remove::<Immune>();
        }
    }
}
