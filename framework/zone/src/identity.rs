//! Who is who: the identity of replicated entities.
//!
//! *Responsible for*: giving each entity that clients may see its [`NetId`] and its slot in the columns; looking it up.
//! *Not responsible for*: who sees it (`interest`), what is seen (`columns`).
//!
//! An entity gets its identity when the zone's interest component, [`AlwaysVisible`] or a kept component is added to it, and
//! keeps it until it is despawned (or [`NetIdentity`] is removed by hand). One that is restored has the id that it had.
//!
//! Invariants:
//! - I1: an id is given once. The counter outlives the activation: after a restart it goes on. In a zone that keeps nothing
//!   it starts over with the process; in one that does, with a zone of which no snapshot was stored yet.
//! - I2: a slot is not given to another entity before the tick in which its last owner left was published.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::lifecycle::HookContext;
use bevy_ecs::prelude::*;
use bevy_ecs::query::Allow;
use bevy_ecs::world::DeferredWorld;
use lightmoon_contract::NetId;

use crate::persist::touched;

/// The identity of an entity outside its world. Added by the zone; cannot be made or changed by hand.
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug)]
#[component(immutable, clone_behavior = Ignore, on_remove = forget)]
pub struct NetIdentity {
    id: NetId,
    slot: u32,
}

impl NetIdentity {
    /// The entity's id, never used for another.
    #[must_use]
    pub const fn id(&self) -> NetId {
        self.id
    }

    pub(crate) const fn slot(&self) -> usize {
        self.slot as usize
    }
}

/// Marks an entity that every viewer of the zone sees, wherever it is.
#[derive(Component, Clone, Copy, Debug, Default)]
pub struct AlwaysVisible;

/// Finds entities by their [`NetId`].
#[derive(Resource, Debug)]
pub struct NetIds {
    block: u32,
    /// Outlives this world. One thread uses it at a time, so every access is relaxed.
    counter: Arc<AtomicU64>,
    by_id: BTreeMap<NetId, (Entity, u32)>,
    slot_count: u32,
    free: Vec<u32>,
    /// Slots whose owner is gone since the last tick was published.
    released: Vec<u32>,
}

impl NetIds {
    pub(crate) const fn new(block: u32, counter: Arc<AtomicU64>) -> Self {
        Self { block, counter, by_id: BTreeMap::new(), slot_count: 0, free: Vec::new(), released: Vec::new() }
    }

    /// The entity of this id, if it exists.
    #[must_use]
    pub fn entity(&self, id: NetId) -> Option<Entity> {
        self.by_id.get(&id).map(|(entity, _)| *entity)
    }

    /// How many entities have an id.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether no entity has an id.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// All ids with their entities, in order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (NetId, Entity)> + '_ {
        self.by_id.iter().map(|(id, (entity, _))| (*id, *entity))
    }

    /// The slot of this id.
    pub(crate) fn slot(&self, id: NetId) -> Option<usize> {
        self.by_id.get(&id).map(|(_, slot)| *slot as usize)
    }

    /// How many slots there are, free ones included.
    pub(crate) const fn slot_count(&self) -> usize {
        self.slot_count as usize
    }

    /// Slots whose owner is gone since the last tick.
    pub(crate) fn released(&self) -> &[u32] {
        &self.released
    }

    /// The tick is published: released slots may be used again.
    pub(crate) fn recycle(&mut self) {
        self.free.append(&mut self.released);
    }

    /// Ids given so far.
    pub(crate) fn given(&self) -> u64 {
        self.counter.load(Ordering::Relaxed)
    }

    /// Goes on behind `given` ids.
    pub(crate) fn go_on_behind(&self, given: u64) {
        self.counter.fetch_max(given, Ordering::Relaxed);
    }

    fn give(&mut self, entity: Entity) -> NetIdentity {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        self.adopt(entity, NetId::from_parts(self.block, counter))
    }

    /// Takes an entity with an id that was given before.
    fn adopt(&mut self, entity: Entity, id: NetId) -> NetIdentity {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slot_count += 1;
            self.slot_count - 1
        });
        self.by_id.insert(id, (entity, slot));
        NetIdentity { id, slot }
    }
}

/// Gives `entity` an identity, unless it has one.
pub(crate) fn identify(world: &mut World, entity: Entity) {
    let Ok(found) = world.get_entity(entity) else { return };
    if found.contains::<NetIdentity>() {
        return;
    }
    let Some(mut ids) = world.get_resource_mut::<NetIds>() else { return };
    let identity = ids.give(entity);
    world.entity_mut(entity).insert(identity);
}

/// The entity with this id, which is made if there is none.
pub(crate) fn spawn_as(world: &mut World, id: NetId) -> Entity {
    if let Some(entity) = world.resource::<NetIds>().entity(id) {
        return entity;
    }
    let entity = world.spawn_empty().id();
    let identity = world.resource_mut::<NetIds>().adopt(entity, id);
    world.entity_mut(entity).insert(identity);
    entity
}

/// Gives every entity that has a `C` already an identity.
pub(crate) fn identify_all<C: Component>(world: &mut World) {
    let mut query = world.query_filtered::<Entity, (With<C>, Allow<Disabled>)>();
    let entities: Vec<Entity> = query.iter(world).collect();
    entities.into_iter().for_each(|entity| identify(world, entity));
}

/// An observer that identifies what gets a `C`.
pub(crate) fn on_add<C: Component>(added: On<'_, '_, Add<C>>, mut commands: Commands<'_, '_>) {
    let entity = added.entity;
    commands.queue(move |world: &mut World| identify(world, entity));
}

fn forget(mut world: DeferredWorld<'_>, context: HookContext) {
    let Some(identity) = world.get::<NetIdentity>(context.entity).copied() else { return };
    let Some(mut ids) = world.get_resource_mut::<NetIds>() else { return };
    if ids.by_id.remove(&identity.id).is_some() {
        ids.released.push(identity.slot);
    }
    // An entity that keeps its components but loses its name is gone for the store.
    touched::loses(&mut world, context.entity, identity.id);
}
