//! Crystals: things that stand still, shimmer, and can be mined once.
//!
//! *Responsible for*: placing them, who takes one, what is left of it, growing new ones. *Not responsible for*: their
//! shimmer, which every client draws by itself; what becomes of the ore ([`crate::hold`]).
//!
//! ```text
//! whole ── take ──► spent, for REGROW_SECONDS ── regrow ──► gone; a new one grows elsewhere, under a new id
//! ```
//!
//! Invariants:
//! - I1: crystals keep their distance from each other and from every gate.
//! - I2: a crystal gives its ore to one player, and that player the same answer as long as its remains are there: after a
//!   crash between the sector's commit and the pilot's the pilot asks again and loses nothing.
//! - I3: a sector grows no crystal beyond [`COUNT`], also if a crash brought remains back whose successor grew before.

use bevy_ecs::prelude::*;
use game_sample_contracts::{Label, Pose, Role, TakeRefused, Taken};
use lightmoon::contract::{NetId, data};
use lightmoon::zone::{NetIds, ZoneRandom, ZoneTime};

use crate::sector::Plan;
use crate::ship::Roster;
use crate::world_map::{HALF_SIZE, SectorPlan};

/// How many there are in a sector.
pub const COUNT: usize = 20;
/// How near a ship must be to mine one, units: about an eighth of what a screen shows across.
pub const REACH: f32 = 120.0;
/// How long the remains of a crystal stay before another one grows.
pub const REGROW_SECONDS: u64 = 20;

/// Least distance between two crystals, and from a gate, units.
const DISTANCE: f32 = 90.0;
/// Share of the sector where they stand.
const SPREAD: f32 = 0.85;
/// Tries for one crystal; with 20 crystals a try finds room more than four times in five.
const TRIES_MAX: usize = 64;
/// Most ore in a crystal; each has 1 to this.
const ORE_MAX: u32 = 5;
/// Ore comes in as many colours as this many degrees fit into a circle.
const HUE_CLASS: u16 = 60;

/// A crystal, whole or spent.
#[data(persist = "crystal")]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Crystal {
    /// Ore in it.
    pub ore: u32,
}

/// A crystal that was mined: its remains.
#[data(persist = "spent")]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Key of the player who has its ore.
    pub by: u64,
    /// The tick of the sector at which the remains vanish.
    pub until: u64,
}

/// Spawns the sector's crystals.
pub fn spawn(world: &mut World, plan: &SectorPlan) {
    let mut taken = gate_places(plan);
    for _ in 0..COUNT {
        let random = world.resource_mut::<ZoneRandom>().into_inner();
        if let Some(crystal) = grown(random, plan, &mut taken) {
            world.spawn(crystal);
        }
    }
}

/// Takes the ore of a crystal for a player: see [`TakeRefused`] for when not.
///
/// # Errors
/// Nothing changed.
pub fn take(world: &mut World, player: u64, crystal: NetId) -> Result<Taken, TakeRefused> {
    let entity = world.resource::<NetIds>().entity(crystal).ok_or(TakeRefused::Gone)?;
    let (Some(Crystal { ore }), Some(label), Some(place)) = (
        world.get::<Crystal>(entity).copied(),
        world.get::<Label>(entity),
        world.get::<Pose>(entity).copied(),
    ) else {
        return Err(TakeRefused::Gone);
    };
    let taken = Taken { ore, hue: hue_class(label.hue) };
    match world.get::<Spent>(entity) {
        Some(spent) if spent.by == player => return Ok(taken),
        Some(_) => return Err(TakeRefused::Spent),
        None => {}
    }
    let ship = world.resource::<Roster>().ship_of(player).ok_or(TakeRefused::NoShip)?;
    let near = |ship: &Pose| libm::hypotf(ship.x - place.x, ship.y - place.y) <= REACH;
    if !world.get::<Pose>(ship).is_some_and(near) {
        return Err(TakeRefused::OutOfReach);
    }
    let time = world.resource::<ZoneTime>();
    let until = time.tick().0 + REGROW_SECONDS * u64::from(time.rate_hz());
    if let Some(mut label) = world.get_mut::<Label>(entity) {
        label.role = Role::Spent;
    }
    world.entity_mut(entity).insert(Spent { by: player, until });
    Ok(taken)
}

/// Removes remains whose time is over, and grows crystals until there are [`COUNT`].
pub fn regrow(
    plan: Res<Plan>,
    time: Res<ZoneTime>,
    mut random: ResMut<ZoneRandom>,
    crystals: Query<(Entity, &Pose, Option<&Spent>), With<Crystal>>,
    mut commands: Commands,
) {
    let is_over = |spent: Option<&Spent>| spent.is_some_and(|spent| time.tick().0 >= spent.until);
    let staying = crystals.iter().filter(|(_, _, spent)| !is_over(*spent)).count();
    if staying >= COUNT && crystals.iter().len() == staying {
        return;
    }
    let mut taken = gate_places(&plan.0);
    for (entity, place, spent) in &crystals {
        if is_over(spent) {
            commands.entity(entity).despawn();
        }
        // Not where one just was, either: it shall grow elsewhere.
        taken.push((place.x, place.y));
    }
    for _ in staying..COUNT {
        if let Some(crystal) = grown(&mut random, &plan.0, &mut taken) {
            commands.spawn(crystal);
        }
    }
}

/// A new crystal where there is room; its place is taken then.
fn grown(random: &mut fastrand::Rng, plan: &SectorPlan, taken: &mut Vec<(f32, f32)>) -> Option<impl Bundle> {
    let (x, y) = free_place(random, taken)?;
    let yaw = random.f32() * 6.0 - 3.0;
    let hue = (plan.hue + u16::from(random.u8(..50))) % 360;
    taken.push((x, y));
    Some((
        Crystal { ore: random.u32(1..=ORE_MAX) },
        Pose { x, y, yaw, thrust: 0 },
        Label { name: String::new(), hue, role: Role::Crystal },
    ))
}

fn gate_places(plan: &SectorPlan) -> Vec<(f32, f32)> {
    plan.all_gates().map(|gate| (gate.x, gate.y)).collect()
}

fn free_place(random: &mut fastrand::Rng, taken: &[(f32, f32)]) -> Option<(f32, f32)> {
    (0..TRIES_MAX).find_map(|_| {
        let mut place = || (random.f32() * 2.0 - 1.0) * HALF_SIZE * SPREAD;
        let (x, y) = (place(), place());
        taken.iter().all(|other| libm::hypotf(x - other.0, y - other.1) >= DISTANCE).then_some((x, y))
    })
}

/// The colour of the ore in a crystal of this colour.
const fn hue_class(hue: u16) -> u16 {
    hue % 360 / HUE_CLASS * HUE_CLASS
}
