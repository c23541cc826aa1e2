//! Sectors: the zones of the game, put together from ships, drifters, crystals and gates.
//!
//! *Responsible for*: what a sector is made of, what of it is kept, the order of its systems, its operations, who is told what.
//! *Not responsible for*: what the parts do; each has a module of its own.
//!
//! Nothing here writes to a store. A sector names the components that are kept; after a crash it goes on from its last
//! snapshot, at most ten seconds old, with every crystal taken that a pilot was told of.
//!
//! Invariants:
//! - I1: a sector holds at most one ship of a player; asking again gives the same ship, if it is the one that the pilot flies.
//! - I2: a ship's pilot, label, flight and pose, crystals and drifters are kept; gates are made from the map each time.
//! - I3: whatever happens in a tick is a function of the world and the operations before it: systems run in one order.

use std::collections::BTreeSet;

use bevy_ecs::prelude::*;
use game_sample_contracts::pilot::ThroughGate;
use game_sample_contracts::sector::{Said, Welcome};
use game_sample_contracts::{
    Entry, Flown, Label, PilotContract, Place, Pose, Role, Sector, SectorInfo, SpawnRefused, Spawned, Steer,
    TakeRefused, Taken,
};
use lightmoon::actor::Cx;
use lightmoon::contract::{ActorRef, Caller, NetId, SessionId, Tick};
use lightmoon::zone::{
    Audience, First, InterestOptions, Last, NetIdentity, NetIds, Outgoing, Update, Viewers, Zone,
    ZoneBuilder, ZoneRandom, ZoneTime,
};

use crate::crystal::{Crystal, Spent};
use crate::drifter::{Drifter, Waters};
use crate::gate::{GateEntered, IMMUNE_SECONDS, Immune};
use crate::ship::{Flight, Manned, Roster, Ship};
use crate::world_map::{HALF_SIZE, SectorPlan};
use crate::{chat, crystal, drifter, gate, ship, world_map};

/// What the sector is, from the map.
#[derive(Resource, Clone, Copy, Debug)]
pub struct Plan(pub SectorPlan);

/// A sector.
#[derive(Clone, Copy, Debug)]
pub struct SectorZone;

impl Zone for SectorZone {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        let key = zone.key();
        let plan = world_map::sector(key).unwrap_or_else(|| panic!("the map has no sector {key}"));
        zone.replicate::<Pose>()
            .replicate::<Label>()
            .interest::<Pose>(interest(plan), |pose| [pose.x, pose.y])
            .persist_all::<(Pose, Label, Ship, Flight, Crystal, Spent, Drifter)>()
            .chart::<Manned>("ship")
            .chart::<Ship>("ship adrift")
            .chart::<Spent>("spent crystal")
            .chart::<Crystal>("crystal")
            .chart::<Drifter>("drifter")
            .add_message::<GateEntered>()
            .insert_resource(Plan(*plan))
            .init_resource::<Roster>()
            .init_resource::<Waters>()
            .add_observer(ship::enlist)
            .add_observer(ship::strike)
            .add_systems(First, greet.run_if(resource_changed::<Viewers>))
            .add_systems(
                Update,
                (
                    ship::fly,
                    gate::find_entries.run_if(any_with_component::<Ship>),
                    send_off.run_if(on_message::<GateEntered>),
                    crystal::regrow,
                    drifter::look,
                    drifter::drift,
                )
                    .chain(),
            )
            .add_systems(Last, (ship::end_immunity, ship::sight, ship::clear_adrift).chain());
        gate::spawn(zone.world(), plan);
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        let world = zone.world();
        let Plan(plan) = *world.resource::<Plan>();
        if plan.is_inhabited {
            crystal::spawn(world, &plan);
            drifter::spawn(world, plan.hue);
        }
    }
}

/// Who is shown what.
#[must_use]
pub fn interest(plan: &SectorPlan) -> InterestOptions {
    let corner = [HALF_SIZE, HALF_SIZE];
    InterestOptions { area: Some((corner.map(|side| -side), corner)), ..InterestOptions::radius(plan.sight) }
}

impl Sector<Cx, World> for SectorZone {
    fn steer(world: &mut World, cx: &mut Cx, steer: Steer) {
        if let Caller::Client { player, .. } = cx.caller() {
            ship::steer(world, player, &steer);
        }
    }

    fn say(world: &mut World, cx: &mut Cx, text: String) {
        let Caller::Client { player, .. } = cx.caller() else { return };
        let Some(text) = chat::clean_line(&text) else { return };
        let Some(entity) = world.resource::<Roster>().ship_of(player) else { return };
        let Some(Label { name, hue, .. }) = world.get::<Label>(entity).cloned() else { return };
        world.resource_mut::<Outgoing>().push(Audience::Viewers, Said { name, hue, text });
    }

    fn spawn(
        world: &mut World,
        _cx: &mut Cx,
        player: u64,
        name: String,
        hue: u16,
        entry: Entry,
    ) -> Result<Spawned, SpawnRefused> {
        let found = world.resource::<Roster>().ship_of(player);
        let strayed = found.filter(|entity| has_strayed(world, *entity, entry));
        if let Some(strayed) = strayed {
            world.despawn(strayed);
        }
        let entity = match found.filter(|_| strayed.is_none()) {
            Some(entity) => man(world, entity, name, hue),
            None if is_full(world) => return Err(SpawnRefused::Full),
            None => launch(world, player, name, hue, entry),
        };
        world.flush();
        let ship = world.entity(entity);
        let identity = ship.get::<NetIdentity>().expect("ships have a place, so they have an identity");
        let Flight(motion) = ship.get::<Flight>().expect("ships fly");
        Ok(Spawned { avatar: identity.id(), place: ship::place_of(motion) })
    }

    fn remove(world: &mut World, _cx: &mut Cx, player: u64) {
        take_out(world, player);
    }

    fn moor(world: &mut World, _cx: &mut Cx, player: u64) -> Option<Place> {
        take_out(world, player)
    }

    fn take(world: &mut World, _cx: &mut Cx, player: u64, crystal: NetId) -> Result<Taken, TakeRefused> {
        crystal::take(world, player, crystal)
    }

    fn pilot_of(world: &mut World, _cx: &mut Cx, ship: NetId) -> Option<Flown> {
        let entity = world.resource::<NetIds>().entity(ship)?;
        world.get::<Manned>(entity)?;
        let Ship { player } = *world.get::<Ship>(entity)?;
        let name = world.get::<Label>(entity).map(|label| label.name.clone()).unwrap_or_default();
        Some(Flown { ship, pilot: player, name })
    }
}

fn is_full(world: &World) -> bool {
    let Plan(plan) = world.resource::<Plan>();
    world.resource::<Roster>().len() >= plan.ships_max
}

/// Removes a pilot's ship; where it was.
fn take_out(world: &mut World, player: u64) -> Option<Place> {
    let entity = world.resource::<Roster>().ship_of(player)?;
    let place = world.get::<Flight>(entity).map(|Flight(motion)| ship::place_of(motion));
    world.despawn(entity);
    place
}

/// Whether a ship of a pilot that arrives is not the one that it flies: a crash brought it back after it had left.
fn has_strayed(world: &World, ship: Entity, entry: Entry) -> bool {
    match entry {
        Entry::Berth { ship: left, .. } if left != NetId::NONE => {
            world.get::<NetIdentity>(ship).is_none_or(|identity| identity.id() != left)
        }
        // It comes out of the gate, so it is not here yet.
        Entry::Gate { .. } => true,
        Entry::Fresh | Entry::Berth { .. } | Entry::Other => false,
    }
}

/// Gives a pilot the ship that is here already, under the name and colour of today.
fn man(world: &mut World, entity: Entity, name: String, hue: u16) -> Entity {
    world.entity_mut(entity).insert(Manned);
    if let Some(mut label) = world.get_mut::<Label>(entity) {
        label.set_if_neq(Label { name, hue, role: Role::Player });
    }
    entity
}

/// Makes a new ship.
fn launch(world: &mut World, player: u64, name: String, hue: u16, entry: Entry) -> Entity {
    let Plan(plan) = *world.resource::<Plan>();
    let fresh = |world: &mut World| ship::fresh_motion(&mut world.resource_mut::<ZoneRandom>());
    let motion = match entry {
        Entry::Gate { from } => {
            plan.gate_to(from).map_or_else(|| fresh(world), |gate| ship::gate_motion(&gate))
        }
        Entry::Berth { at, .. } => ship::berth_motion(&at),
        Entry::Fresh | Entry::Other => fresh(world),
    };
    let until = immune_until(world.resource::<ZoneTime>());
    world.spawn((ship::ship(player, name, hue, motion), Immune { until })).id()
}

/// The tick at which a ship that arrives now may enter a gate.
fn immune_until(time: &ZoneTime) -> Tick {
    Tick(time.tick().0 + IMMUNE_SECONDS * u64::from(time.rate_hz()))
}

/// Sends ships in gates on their way: out of this sector, and their pilots are told.
pub fn send_off(
    plan: Res<Plan>,
    mut entered: MessageReader<GateEntered>,
    mut outgoing: ResMut<Outgoing>,
    mut commands: Commands,
) {
    let from = plan.0.key;
    for GateEntered { ship, player, to } in entered.read().copied() {
        commands.entity(ship).despawn();
        outgoing.tell(ActorRef::<PilotContract>::new(player), ThroughGate { from, to });
    }
}

/// Tells every new viewer what the sector looks like.
pub fn greet(
    plan: Res<Plan>,
    viewers: Res<Viewers>,
    mut greeted: Local<BTreeSet<SessionId>>,
    mut outgoing: ResMut<Outgoing>,
) {
    greeted.retain(|session| viewers.get(*session).is_some());
    for viewer in viewers.iter().filter(|viewer| greeted.insert(viewer.session)) {
        outgoing.push(Audience::Session(viewer.session), Welcome { sector: info(&plan.0) });
    }
}

/// What clients are told of a sector.
#[must_use]
pub fn info(plan: &SectorPlan) -> SectorInfo {
    SectorInfo { name: plan.name.to_owned(), hue: plan.hue, half_size: HALF_SIZE, gates: gate::infos(plan) }
}
