//! The game of the tests of what is kept: a yard of things with cargo.

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use lightmoon_actor::ActorKind;
use lightmoon_contract::{ActorId, Contract, NetId, contract, data, replicate};
use lightmoon_zone::{
    NetIdentity, NetIds, Update, Zone, ZoneBuilder, ZoneOptions, persisted_hash, state_hash, zone,
};

use crate::desk::Desk;

/// Where something is. Kept and shown.
#[replicate(state, number = 1, persist = "place")]
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    /// To the right.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    pub(crate) x: f32,
    /// Up.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    pub(crate) y: f32,
}

/// What something carries. Kept.
#[data(persist = "cargo")]
#[derive(Component, Clone, Debug, Default, PartialEq)]
pub(crate) struct Cargo {
    pub(crate) crates: Vec<u32>,
}

/// A mark, not stored in tables. Kept.
#[data(persist = "tag")]
#[derive(Component, Clone, Debug, Default, PartialEq)]
#[component(storage = "SparseSet")]
pub(crate) struct Tag {
    pub(crate) text: String,
}

/// What the yard owns. Kept.
#[data(persist = "till")]
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub(crate) struct Till {
    pub(crate) gold: u64,
}

/// Moves by itself. Not kept.
#[derive(Component, Clone, Copy, Debug)]
pub(crate) struct Drift(pub(crate) f32);

#[derive(Event)]
struct Bell;

/// Operations of the yard.
#[contract(ticking, number = 30)]
pub(crate) trait Yard {
    /// Makes a thing with cargo.
    #[operation(durability = sync)]
    fn put(x: f32, y: f32) -> NetId;
    /// Adds to its cargo.
    #[operation(durability = sync)]
    fn load(id: NetId, number: u32) -> bool;
    /// Takes its cargo away.
    #[operation(durability = sync)]
    fn strip(id: NetId) -> bool;
    /// Marks it, or takes the mark away.
    #[operation(durability = sync)]
    fn tag(id: NetId, text: Option<String>) -> bool;
    /// Takes everything kept from it.
    #[operation(durability = sync)]
    fn empty(id: NetId) -> bool;
    /// Despawns it.
    #[operation(durability = sync)]
    fn wreck(id: NetId) -> bool;
    /// Hides it from queries.
    #[operation(durability = sync)]
    fn hide(id: NetId, hidden: bool) -> bool;
    /// Adds to the till.
    #[operation(durability = sync)]
    fn earn(gold: u64) -> bool;
    /// Lets an observer add to the cargo of everything that is tagged.
    #[operation(durability = sync)]
    fn ring() -> bool;
    /// Changes nothing.
    #[operation(durability = sync)]
    fn nothing() -> bool;
    /// Puts it elsewhere.
    #[operation]
    fn shift(id: NetId, x: f32, y: f32) -> bool;
    /// Lets it move by itself.
    #[operation]
    fn launch(id: NetId, speed: f32) -> bool;
    /// Wrecks it without hurry.
    #[operation]
    fn lose(id: NetId) -> bool;
    /// Everything that is kept, as text.
    #[operation]
    fn look() -> Vec<String>;
    /// Hash of what is shown.
    #[operation]
    fn hash() -> u128;
    /// Hash of what is kept.
    #[operation]
    fn kept() -> u128;
}

/// The zone; `FIRST` things are there from the beginning.
pub(crate) struct YardZone<const FIRST: u32>;

impl<const FIRST: u32> Zone for YardZone<FIRST> {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Place>()
            .persist_all::<(Place, Tag, Cargo)>()
            .init_resource::<Till>()
            .persist_resource::<Till>()
            .add_systems(Update, drift)
            .add_observer(|_: On<'_, '_, Bell>, mut tagged: Query<'_, '_, &mut Cargo, With<Tag>>| {
                tagged.iter_mut().for_each(|mut cargo| cargo.crates.push(7));
            });
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        for number in 0..FIRST {
            zone.world().spawn(Place { x: number as f32, y: 0.0 });
        }
    }
}

fn drift(mut things: Query<'_, '_, (&mut Place, &Drift)>) {
    for (mut place, drift) in &mut things {
        place.x += drift.0;
    }
}

fn with(world: &mut World, id: NetId, act: impl FnOnce(EntityWorldMut<'_>)) -> bool {
    let entity = world.resource::<NetIds>().entity(id);
    entity.is_some_and(|entity| {
        act(world.entity_mut(entity));
        true
    })
}

impl<Cx, const FIRST: u32> Yard<Cx, World> for YardZone<FIRST> {
    fn put(world: &mut World, _: &mut Cx, x: f32, y: f32) -> NetId {
        let entity = world.spawn((Cargo::default(), Place { x, y })).id();
        world.get::<NetIdentity>(entity).unwrap().id()
    }

    fn load(world: &mut World, _: &mut Cx, id: NetId, number: u32) -> bool {
        with(world, id, |mut thing| match thing.get_mut::<Cargo>() {
            Some(mut cargo) => cargo.crates.push(number),
            None => drop(thing.insert(Cargo { crates: vec![number] })),
        })
    }

    fn strip(world: &mut World, _: &mut Cx, id: NetId) -> bool {
        with(world, id, |mut thing| {
            thing.remove::<Cargo>();
        })
    }

    fn tag(world: &mut World, _: &mut Cx, id: NetId, text: Option<String>) -> bool {
        with(world, id, |mut thing| match text {
            Some(text) => drop(thing.insert(Tag { text })),
            None => {
                thing.remove::<Tag>();
            }
        })
    }

    fn empty(world: &mut World, _: &mut Cx, id: NetId) -> bool {
        with(world, id, |mut thing| {
            thing.remove::<(Tag, Cargo, Place)>();
        })
    }

    fn wreck(world: &mut World, _: &mut Cx, id: NetId) -> bool {
        with(world, id, |thing| thing.despawn())
    }

    fn hide(world: &mut World, _: &mut Cx, id: NetId, hidden: bool) -> bool {
        with(world, id, |mut thing| match hidden {
            true => drop(thing.insert(Disabled)),
            false => {
                thing.remove::<Disabled>();
            }
        })
    }

    fn earn(world: &mut World, _: &mut Cx, gold: u64) -> bool {
        world.resource_mut::<Till>().gold += gold;
        true
    }

    fn ring(world: &mut World, _: &mut Cx) -> bool {
        world.trigger(Bell);
        true
    }

    fn nothing(_: &mut World, _: &mut Cx) -> bool {
        true
    }

    fn shift(world: &mut World, _: &mut Cx, id: NetId, x: f32, y: f32) -> bool {
        with(world, id, |mut thing| {
            thing.insert(Place { x, y });
        })
    }

    fn launch(world: &mut World, _: &mut Cx, id: NetId, speed: f32) -> bool {
        with(world, id, |mut thing| {
            thing.insert(Drift(speed));
        })
    }

    fn lose(world: &mut World, _: &mut Cx, id: NetId) -> bool {
        with(world, id, |thing| thing.despawn())
    }

    fn look(world: &mut World, _: &mut Cx) -> Vec<String> {
        let mut lines = vec![format!("till {}", world.resource::<Till>().gold)];
        for (id, entity) in world.resource::<NetIds>().iter() {
            let thing = world.entity(entity);
            let line = line(
                id,
                thing.get::<Place>().copied(),
                thing.get::<Cargo>().map(|cargo| cargo.crates.clone()),
                thing.get::<Tag>().map(|tag| tag.text.clone()),
                thing.contains::<Disabled>(),
            );
            lines.extend(line);
        }
        lines
    }

    fn hash(world: &mut World, _: &mut Cx) -> u128 {
        state_hash(world)
    }

    fn kept(world: &mut World, _: &mut Cx) -> u128 {
        persisted_hash(world)
    }
}

/// A thing as text; nothing for one that is not kept.
pub(crate) fn line(
    id: NetId,
    place: Option<Place>,
    cargo: Option<Vec<u32>>,
    tag: Option<String>,
    is_hidden: bool,
) -> Option<String> {
    let is_kept = place.is_some() || cargo.is_some() || tag.is_some();
    is_kept.then(|| format!("{id} {place:?} {cargo:?} {tag:?} {is_hidden}"))
}

/// The id of one of the things that are there from the beginning, counted from 1.
pub(crate) const fn first(number: u64) -> NetId {
    NetId::from_parts(1, number)
}

/// The actor of the yard.
pub(crate) fn id() -> ActorId {
    ActorId::new(YardContract::KIND, 1)
}

pub(crate) fn kind<const FIRST: u32>() -> Box<dyn ActorKind> {
    Box::new(zone::<YardContract, YardZone<FIRST>>(ZoneOptions::default()))
}

/// A yard that was never stored.
pub(crate) fn fresh<const FIRST: u32>() -> Desk {
    Desk::new(id(), kind::<FIRST>)
}
