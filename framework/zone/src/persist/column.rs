//! One kept type of a world.
//!
//! *Responsible for*: all that needs to know the type: its values as bytes, the way back, copying it whole, finding what
//! changed. *Not responsible for*: which types there are (`persist`).

use std::any::type_name;
use std::ops::ControlFlow;

use bevy_ecs::change_detection::{DetectChanges, Tick as ChangeTick};
use bevy_ecs::component::ComponentId;
use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use bevy_ecs::query::QueryState;
use bevy_ecs::world::EntityRef;
use lightmoon_actor::ValueKind;
use lightmoon_contract::codec::{self, Writer};
use lightmoon_contract::descriptor::{TypeRef, TypeTable};
use lightmoon_contract::{Data as _, NetId, Persist};

use super::copy::{Copied, CopiedColumn, CopiedIds, Shelf};
use super::error::ReadError;
use super::resource_id;
use crate::identity::NetIdentity;
use crate::limits::STORED;

/// All entities, disabled ones too. Unlike `Allow<Disabled>` it selects whole tables, which can be copied at once.
type Everyone = Or<(With<Disabled>, Without<Disabled>)>;

/// What a kept type is to its world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// A component for whose sake an entity is kept.
    Component,
    /// A component that is kept with an entity, but is no reason to keep it.
    Marker,
    /// A resource, under this id.
    Resource(NetId),
}

/// What is known of a kept type without its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) version: u16,
    /// For people.
    pub(crate) type_name: &'static str,
    pub(crate) role: Role,
    pub(crate) component: ComponentId,
    pub(crate) describe: fn(&mut TypeTable) -> TypeRef,
}

impl About {
    /// For an operator.
    pub(crate) const fn value_kind(&self) -> ValueKind {
        ValueKind { name: self.name, describe: self.describe }
    }
}

/// Calls of a scan: `Break` ends it.
pub(crate) type Found<'a> = &'a mut dyn FnMut(NetId) -> ControlFlow<()>;

/// One kept type.
pub(crate) trait Column: Send + Sync {
    fn about(&self) -> &About;

    /// Appends the value of this entity; false if it has none.
    fn append(&self, entity: &EntityRef<'_>, to: &mut Writer) -> bool;

    /// Puts a value to an entity, or where resources are.
    fn insert(&self, world: &mut World, entity: Entity, version: u16, bytes: &[u8]) -> Result<(), ReadError>;

    /// Takes the value away.
    fn remove(&self, world: &mut World, entity: Entity);

    /// Copies all values.
    fn copy(&mut self, world: &mut World, ids: &mut CopiedIds) -> Box<dyn Copied>;

    /// Shows every entity whose value was added or changed after `since`, up to `now`.
    fn changed(
        &mut self,
        world: &mut World,
        since: ChangeTick,
        now: ChangeTick,
        found: Found<'_>,
    ) -> ControlFlow<()>;
}

/// The column of a component.
pub(crate) fn component<C: Persist + Component + Clone>(world: &mut World) -> Box<dyn Column> {
    column_of::<C>(world, Role::Component)
}

/// The column of a component that is kept with an entity, but is no reason to keep it.
pub(crate) fn beside<C: Persist + Component + Clone>(world: &mut World) -> Box<dyn Column> {
    column_of::<C>(world, Role::Marker)
}

fn column_of<C: Persist + Component + Clone>(world: &mut World, role: Role) -> Box<dyn Column> {
    Box::new(Typed::<C> {
        about: about::<C>(world, role),
        write: C::write,
        read: read_value::<C>,
        insert: insert_component,
        remove: remove_component::<C>,
        values: None,
        changes: None,
        shelf: Shelf::default(),
    })
}

/// The column of a resource.
pub(crate) fn resource<R: Persist + Resource + Clone>(world: &mut World) -> Box<dyn Column> {
    Box::new(Typed::<R> {
        about: about::<R>(world, Role::Resource(resource_id(R::NAME))),
        write: R::write,
        read: read_value::<R>,
        insert: |world, _, value| world.insert_resource(value),
        remove: |world, _| drop(world.remove_resource::<R>()),
        values: None,
        changes: None,
        shelf: Shelf::default(),
    })
}

/// The column that says which entities are disabled.
pub(crate) fn disabled(world: &mut World) -> Box<dyn Column> {
    let component = world.register_component::<Disabled>();
    let type_name = type_name::<Disabled>();
    Box::new(Typed::<Disabled> {
        about: About {
            name: "lightmoon.disabled",
            version: 1,
            type_name,
            role: Role::Marker,
            component,
            describe: <()>::describe,
        },
        write: |_, _| (),
        read: |_, _| Ok(Disabled),
        insert: insert_component,
        remove: remove_component::<Disabled>,
        values: None,
        changes: None,
        shelf: Shelf::default(),
    })
}

fn about<C: Persist + Component>(world: &mut World, role: Role) -> About {
    let component = world.register_component::<C>();
    About {
        name: C::NAME,
        version: C::VERSION,
        type_name: type_name::<C>(),
        role,
        component,
        describe: C::describe,
    }
}

/// A value of any version up to this build's.
pub(crate) fn read_value<C: Persist>(version: u16, bytes: &[u8]) -> Result<C, ReadError> {
    if version > C::VERSION {
        return Err(ReadError::Newer { name: C::NAME.to_owned(), found: version, known: C::VERSION });
    }
    if version < C::VERSION {
        return Ok(C::upgrade(version, bytes)?);
    }
    let wrong = |source| ReadError::Value { name: C::NAME.to_owned(), version, source };
    codec::decode(bytes, STORED).map_err(wrong)
}

fn insert_component<C: Component>(world: &mut World, entity: Entity, value: C) {
    // An observer of the game may have despawned it.
    if let Ok(mut entity) = world.get_entity_mut(entity) {
        entity.insert(value);
    }
}

fn remove_component<C: Component>(world: &mut World, entity: Entity) {
    if let Ok(mut entity) = world.get_entity_mut(entity) {
        entity.remove::<C>();
    }
}

type ValueQuery<C> = QueryState<(&'static NetIdentity, &'static C), Everyone>;
type ChangeQuery<C> = QueryState<(&'static NetIdentity, Ref<'static, C>), Everyone>;

struct Typed<C: Component> {
    about: About,
    write: fn(&C, &mut Writer),
    read: fn(u16, &[u8]) -> Result<C, ReadError>,
    insert: fn(&mut World, Entity, C),
    remove: fn(&mut World, Entity),
    /// Made when they are needed first: worlds that do not tick never need them.
    values: Option<ValueQuery<C>>,
    changes: Option<ChangeQuery<C>>,
    shelf: Shelf<C>,
}

impl<C: Component + Clone> Typed<C> {
    /// Copies column by column where values lie side by side, else one by one.
    fn copy_components(&mut self, world: &mut World, ids: &mut CopiedIds, to: &mut CopiedColumn<C>) {
        let query = self.values.get_or_insert_with(|| world.query_filtered());
        if let Ok(tables) = query.contiguous_iter(world) {
            for (identities, values) in tables {
                to.push_table(ids.table(identities), values);
            }
            return;
        }
        for (identity, value) in query.iter(world) {
            to.push(ids.single(identity.id()), value);
        }
    }

    fn changed_components(
        &mut self,
        world: &mut World,
        since: ChangeTick,
        now: ChangeTick,
        found: Found<'_>,
    ) -> ControlFlow<()> {
        let query = self.changes.get_or_insert_with(|| world.query_filtered());
        if let Ok(tables) = query.contiguous_iter(world) {
            for (identities, values) in tables {
                let all = identities.iter().zip(values.changed_ticks_slice());
                all.filter(|(_, changed)| changed.is_newer_than(since, now))
                    .try_for_each(|(identity, _)| found(identity.id()))?;
            }
            return ControlFlow::Continue(());
        }
        for (identity, value) in query.iter(world) {
            if value.last_changed().is_newer_than(since, now) {
                found(identity.id())?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl<C: Component + Clone> Column for Typed<C> {
    fn about(&self) -> &About {
        &self.about
    }

    fn append(&self, entity: &EntityRef<'_>, to: &mut Writer) -> bool {
        let value = entity.get::<C>();
        if let Some(value) = value {
            (self.write)(value, to);
        }
        value.is_some()
    }

    fn insert(&self, world: &mut World, entity: Entity, version: u16, bytes: &[u8]) -> Result<(), ReadError> {
        let value = (self.read)(version, bytes)?;
        (self.insert)(world, entity, value);
        Ok(())
    }

    fn remove(&self, world: &mut World, entity: Entity) {
        (self.remove)(world, entity);
    }

    fn copy(&mut self, world: &mut World, ids: &mut CopiedIds) -> Box<dyn Copied> {
        let mut copied = CopiedColumn::new(self.write, &self.shelf);
        let Role::Resource(id) = self.about.role else {
            self.copy_components(world, ids, &mut copied);
            return Box::new(copied);
        };
        let entity = world.resource_entities().get(self.about.component);
        if let Some(value) = entity.and_then(|entity| world.get::<C>(entity)) {
            copied.push(ids.single(id), value);
        }
        Box::new(copied)
    }

    fn changed(
        &mut self,
        world: &mut World,
        since: ChangeTick,
        now: ChangeTick,
        found: Found<'_>,
    ) -> ControlFlow<()> {
        let Role::Resource(id) = self.about.role else {
            return self.changed_components(world, since, now, found);
        };
        let ticks = world.get_resource_change_ticks_by_id(self.about.component);
        if ticks.is_some_and(|ticks| ticks.changed.is_newer_than(since, now)) {
            found(id)?;
        }
        ControlFlow::Continue(())
    }
}
