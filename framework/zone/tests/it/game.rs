//! The game of the tests: things that move, carry labels, vanish, and a record of what was true.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use lightmoon_contract::{NetId, Replicate, contract, replicate};
use lightmoon_zone::{
    AlwaysVisible, Audience, InterestOptions, Last, NetIdentity, NetIds, Outgoing, TickRate, Update, Zone,
    ZoneBuilder, ZoneRandom, ZoneTime,
};

/// Where something is.
#[replicate(state, number = 1)]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pose {
    /// To the right.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    pub(crate) x: f32,
    /// Up.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    pub(crate) y: f32,
    /// Heading.
    #[quantise(angle, bits = 8)]
    pub(crate) yaw: f32,
}

/// How well something is.
#[replicate(state, number = 2)]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Health {
    /// Points.
    #[quantise(bits = 7)]
    pub(crate) points: u8,
}

/// What something is called.
#[replicate(sticky, number = 3)]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub(crate) struct Label {
    /// The name.
    pub(crate) name: String,
}

/// Moves by itself.
#[derive(Component, Clone, Copy, Debug)]
pub(crate) struct Velocity(pub f32, pub f32);

/// A place with things in it.
#[contract(ticking, number = 1)]
pub(crate) trait Space {
    /// Makes a thing.
    #[operation]
    fn spawn(name: String, x: f32, y: f32, vx: f32, vy: f32) -> NetId;
    /// Puts it somewhere.
    #[operation]
    fn place(id: u64, x: f32, y: f32);
    /// Removes it.
    #[operation]
    fn remove(id: u64);
    /// Hides it from queries, and so from clients.
    #[operation]
    fn disable(id: u64, hidden: bool);
    /// Names it.
    #[operation]
    fn rename(id: u64, name: String);
    /// Gives it health, or takes it away.
    #[operation]
    fn heal(id: u64, points: Option<u8>);
    /// Lets everybody see it.
    #[operation]
    fn show(id: u64);
    /// Sets the rate of the zone.
    #[operation]
    fn hurry(hz: u16);
    /// Lets the next tick panic in the schedule, or at once.
    #[operation]
    fn fail(at_once: bool);
    /// Lets a system speak in the next tick.
    #[operation]
    fn speak(text: String);
    /// Hash of the world.
    #[operation]
    fn hash() -> u128;
    /// Tells clients something.
    #[operation(push)]
    fn said(text: String);
}

/// What was true after each tick.
pub(crate) type Truth = BTreeMap<u64, BTreeMap<NetId, Thing>>;

/// One thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Thing {
    pub(crate) pose: Pose,
    pub(crate) health: Option<Health>,
    pub(crate) label: Option<Label>,
    pub(crate) is_always: bool,
}

impl Thing {
    /// The quantised fields of a state component.
    pub(crate) fn fields<C: Replicate>(value: &C) -> Vec<u32> {
        let mut fields = vec![0; C::SPEC.fields.len()];
        value.quantise(&mut fields);
        fields
    }
}

thread_local! {
    /// The record of this test: each runs on a thread of its own.
    static TRUTH: RefCell<Arc<Mutex<Truth>>> = RefCell::default();
}

/// The record of this test.
pub(crate) fn truth() -> Arc<Mutex<Truth>> {
    TRUTH.with_borrow(Arc::clone)
}

#[derive(Resource)]
struct Record(Arc<Mutex<Truth>>);

/// What `speak` and `fail` ask of the next tick.
#[derive(Resource, Default)]
struct Asked {
    text: Option<String>,
    fail: bool,
}

/// The zone, with a radius and a stagger.
pub(crate) struct SpaceZone<const RADIUS: u32, const STAGGER: u16>;

impl<const RADIUS: u32, const STAGGER: u16> Zone for SpaceZone<RADIUS, STAGGER> {
    fn build(zone: &mut ZoneBuilder<'_>) {
        let options = InterestOptions { stagger: STAGGER, ..InterestOptions::radius(RADIUS as f32) };
        zone.replicate::<Pose>()
            .replicate::<Label>()
            .replicate::<Health>()
            .interest::<Pose>(options, |pose| [pose.x, pose.y])
            .chart::<Health>("healthy")
            .init_resource::<Asked>()
            .insert_resource(Record(truth()))
            .add_systems(Last, (speak, fail, record).chain());
        if RADIUS == CALM {
            zone.add_systems(Update, glide);
        } else {
            zone.add_systems(Update, (walk, jump).chain());
        }
    }
}

/// In a zone with this radius nothing turns or jumps.
pub(crate) const CALM: u32 = 99;

fn glide(time: Res<'_, ZoneTime>, mut things: Query<'_, '_, (&mut Pose, &Velocity)>) {
    for (mut pose, velocity) in &mut things {
        pose.x += velocity.0 * time.step_seconds();
        pose.y += velocity.1 * time.step_seconds();
    }
}

fn walk(time: Res<'_, ZoneTime>, mut things: Query<'_, '_, (&mut Pose, &Velocity)>) {
    for (mut pose, velocity) in &mut things {
        pose.x = (pose.x + velocity.0 * time.step_seconds()).clamp(-1024.0, 1024.0);
        pose.y = (pose.y + velocity.1 * time.step_seconds()).clamp(-1024.0, 1024.0);
        pose.yaw += 0.1;
    }
}

/// Now and then one teleports.
fn jump(mut random: ResMut<'_, ZoneRandom>, mut things: Query<'_, '_, &mut Pose, With<Velocity>>) {
    for mut pose in &mut things {
        if random.u8(..) == 0 {
            pose.x = random.f32() * 300.0 - 150.0;
            pose.y = random.f32() * 300.0 - 150.0;
        }
    }
}

fn speak(mut asked: ResMut<'_, Asked>, mut outgoing: ResMut<'_, Outgoing>) {
    if let Some(text) = asked.text.take() {
        outgoing.push(Audience::Viewers, space::Said { text });
    }
}

fn fail(asked: Res<'_, Asked>) {
    assert!(!asked.fail, "asked to");
}

type Seen<'a> = (&'a NetIdentity, &'a Pose, Option<&'a Health>, Option<&'a Label>, Has<AlwaysVisible>);

fn record(time: Res<'_, ZoneTime>, record: Res<'_, Record>, things: Query<'_, '_, Seen<'_>>) {
    let now = things.iter().map(|(identity, pose, health, label, is_always)| {
        let thing = Thing { pose: *pose, health: health.copied(), label: label.cloned(), is_always };
        (identity.id(), thing)
    });
    let now = now.collect();
    record.0.lock().unwrap().insert(time.tick().0, now);
}

fn find(world: &World, id: u64) -> Option<Entity> {
    world.resource::<NetIds>().entity(NetId(id))
}

impl<Cx, const RADIUS: u32, const STAGGER: u16> Space<Cx, World> for SpaceZone<RADIUS, STAGGER> {
    fn spawn(world: &mut World, _: &mut Cx, name: String, x: f32, y: f32, vx: f32, vy: f32) -> NetId {
        let pose = Pose { x, y, yaw: 0.0 };
        let mut entity = world.spawn((pose, Velocity(vx, vy)));
        if !name.is_empty() {
            entity.insert(Label { name });
        }
        entity.get::<NetIdentity>().unwrap().id()
    }

    fn place(world: &mut World, _: &mut Cx, id: u64, x: f32, y: f32) {
        let Some(entity) = find(world, id) else { return };
        let mut pose = world.get_mut::<Pose>(entity).unwrap();
        (pose.x, pose.y) = (x, y);
    }

    fn remove(world: &mut World, _: &mut Cx, id: u64) {
        if let Some(entity) = find(world, id) {
            world.despawn(entity);
        }
    }

    fn disable(world: &mut World, _: &mut Cx, id: u64, hidden: bool) {
        let Some(entity) = find(world, id) else { return };
        if hidden {
            world.entity_mut(entity).insert(Disabled);
        } else {
            world.entity_mut(entity).remove::<Disabled>();
        }
    }

    fn rename(world: &mut World, _: &mut Cx, id: u64, name: String) {
        if let Some(entity) = find(world, id) {
            world.entity_mut(entity).insert(Label { name });
        }
    }

    fn heal(world: &mut World, _: &mut Cx, id: u64, points: Option<u8>) {
        let Some(entity) = find(world, id) else { return };
        match points {
            Some(points) => world.entity_mut(entity).insert(Health { points }),
            None => world.entity_mut(entity).remove::<Health>(),
        };
    }

    fn show(world: &mut World, _: &mut Cx, id: u64) {
        if let Some(entity) = find(world, id) {
            world.entity_mut(entity).insert(AlwaysVisible);
        }
    }

    fn hurry(world: &mut World, _: &mut Cx, hz: u16) {
        world.resource_mut::<TickRate>().set_hz(hz);
    }

    fn fail(world: &mut World, _: &mut Cx, at_once: bool) {
        assert!(!at_once, "asked to fail at once");
        world.resource_mut::<Asked>().fail = true;
    }

    fn speak(world: &mut World, _: &mut Cx, text: String) {
        world.resource_mut::<Asked>().text = Some(text);
    }

    fn hash(world: &mut World, _: &mut Cx) -> u128 {
        lightmoon_zone::state_hash(world)
    }
}

/// Gives a zone the operations of the tests, through their usual zone.
macro_rules! delegate {
    ($zone:ty) => {
        impl<Cx> crate::game::Space<Cx, World> for $zone {
            fn spawn(
                w: &mut World,
                cx: &mut Cx,
                n: String,
                x: f32,
                y: f32,
                vx: f32,
                vy: f32,
            ) -> lightmoon_contract::NetId {
                <crate::game::SpaceZone<1, 1> as crate::game::Space<Cx, World>>::spawn(w, cx, n, x, y, vx, vy)
            }
            fn place(_: &mut World, _: &mut Cx, _: u64, _: f32, _: f32) {}
            fn remove(_: &mut World, _: &mut Cx, _: u64) {}
            fn disable(_: &mut World, _: &mut Cx, _: u64, _: bool) {}
            fn rename(_: &mut World, _: &mut Cx, _: u64, _: String) {}
            fn heal(_: &mut World, _: &mut Cx, _: u64, _: Option<u8>) {}
            fn show(_: &mut World, _: &mut Cx, _: u64) {}
            fn hurry(_: &mut World, _: &mut Cx, _: u16) {}
            fn fail(_: &mut World, _: &mut Cx, _: bool) {}
            fn speak(_: &mut World, _: &mut Cx, _: String) {}
            fn hash(_: &mut World, _: &mut Cx) -> u128 {
                0
            }
        }
    };
}
pub(crate) use delegate;
