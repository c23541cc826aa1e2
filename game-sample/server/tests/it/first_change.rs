//! The change of the book's chapter "Your first change": a component, an operation and a system more for the sample.
//!
//! The chapter shows the parts between the anchors. Here they are compiled and played, beside the sample instead of inside
//! of it: the trait `Harbour` stands for the sample's `Sector`.

#![expect(
    elided_lifetimes_in_paths,
    unreachable_pub,
    reason = "the book shows these parts as a game's library has them"
)]

use std::time::Duration;

use bevy_ecs::prelude::*;
use game_sample::flight::Motion;
use game_sample::sector::SectorZone;
use game_sample::ship;
use lightmoon::actor::{Cx, Envelope, In, Kinds, MessageId, ReplyTo, Worker, WorkerOptions};
use lightmoon::contract::{
    ActorId, Body, Caller, Contract, Mono, Operation, Priority, Reliability, Replicate, SessionId, contract,
    contracts, replicate,
};
use lightmoon::zone::{Update, Zone, ZoneBuilder, ZoneLook, ZoneOptions, zone};

use crate::forgetful::Forgetful;

// ANCHOR: component
/// How brightly a beacon glows.
#[replicate(state, number = 900, persist = "glow")]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Glow {
    /// 1 just lit, 0 gone out.
    #[quantise(min = 0.0, max = 1.0, step = 0.01)]
    pub strength: f32,
}
// ANCHOR_END: component

/// Stands for the sample's `Sector`.
#[contract(ticking)]
pub trait Harbour {
    // ANCHOR: operation
    /// Lights a beacon where the caller's ship is.
    #[operation(client = zone, rate = 1)]
    fn light();
    // ANCHOR_END: operation
}

contracts! { game = "first-change", contracts = [Harbour], components = [Glow], lock = none }

// ANCHOR: behaviour
mod beacon {
    //! Beacons: lights that pilots leave behind.

    use bevy_ecs::prelude::*;
    use game_sample::ship::Roster;
    use game_sample_contracts::{Label, Pose, Role};
    use lightmoon::zone::ZoneTime;

    use super::Glow;

    /// How long a beacon glows.
    pub const GLOW_SECONDS: f32 = 10.0;

    /// Puts a beacon where the pilot's ship is.
    pub fn light(world: &mut World, player: u64) {
        let Some(ship) = world.resource::<Roster>().ship_of(player) else { return };
        let Some(pose) = world.get::<Pose>(ship).copied() else { return };
        let label = Label { name: "beacon".to_owned(), hue: 50, role: Role::Crystal };
        world.spawn((pose, label, Glow { strength: 1.0 }));
    }

    /// Lets beacons fade, and removes those that have gone out.
    pub fn fade(time: Res<ZoneTime>, mut beacons: Query<(Entity, &mut Glow)>, mut commands: Commands) {
        for (entity, mut glow) in &mut beacons {
            glow.strength -= time.step_seconds() / GLOW_SECONDS;
            if glow.strength <= 0.0 {
                commands.entity(entity).despawn();
            }
        }
    }
}
// ANCHOR_END: behaviour

struct HarbourZone;

impl Zone for HarbourZone {
    const KEEPS: bool = SectorZone::KEEPS;

    fn build(zone: &mut ZoneBuilder<'_>) {
        SectorZone::build(zone);
        zone
            // ANCHOR: build
            .replicate::<Glow>()
            .persist::<Glow>()
            .add_systems(Update, beacon::fade)
            // ANCHOR_END: build
        ;
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        zone.world().spawn(ship::ship(7, "Ada".to_owned(), 0, Motion::at(0.0, 0.0, 0.0)));
    }
}

impl Harbour<Cx, World> for HarbourZone {
    // ANCHOR: serve
    fn light(world: &mut World, cx: &mut Cx) {
        if let Caller::Client { player, .. } = cx.caller() {
            beacon::light(world, player);
        }
    }
    // ANCHOR_END: serve
}

/// Strengths of all beacons, quantised.
fn glows(worker: &Worker) -> Vec<u32> {
    let look: ZoneLook = *worker.looks().remove(0).1.downcast().expect("the only actor is a zone");
    look.entities
        .values()
        .filter_map(|look| look.state.get(&Glow::SPEC.number))
        .map(|fields| fields[0])
        .collect()
}

#[test]
fn a_beacon_is_lit_fades_and_goes_out() {
    let id = ActorId::new(HarbourContract::KIND, 1);
    let mut kinds = Kinds::default();
    kinds.register(
        id.kind,
        HarbourContract::NAME,
        Forgetful(zone::<HarbourContract, HarbourZone>(ZoneOptions::default())),
    );
    let mut worker = Worker::new(WorkerOptions::default(), kinds);
    let (mut now, mut out) = (Mono::from_millis(1_000), Vec::new());
    worker.start(now, id);
    let message = harbour::Light {};
    let mut inputs = vec![In::Envelope(Envelope {
        to: id,
        from: Caller::Client { session: SessionId(1), player: 7 },
        number: harbour::Light::SPEC.number,
        priority: Priority::Normal,
        reliability: Reliability::ReliableOrdered,
        reply_to: ReplyTo::Nobody,
        timeout_ms: 0,
        id: MessageId::None,
        body: Body::typed(message),
    })];
    let mut seen = Vec::new();
    for _ in 0..230 {
        now = now + Duration::from_millis(50);
        worker.turn(now, &mut inputs, &mut out);
        seen.push(glows(&worker));
    }
    assert!(seen[1][0] > 95, "lit: {:?}", seen[1]);
    assert!(seen.iter().flatten().is_sorted_by(|before, after| before >= after), "it only fades");
    assert_eq!(seen[150].len(), 1, "it glows for {} s", beacon::GLOW_SECONDS);
    assert_eq!(seen.last(), Some(&Vec::new()), "it goes out");
}
