//! From stored bytes back to a world.
//!
//! *Responsible for*: laying items and rows over a world. *Not responsible for*: reading them (`form`), which rows there
//! are and in which order (`lightmoon_durable`).
//!
//! Invariants:
//! - I1: after a row was laid over the world, its entity has the kept components of the row and no others; what is retired is left
//!   out, with entities of which nothing else was kept.
//! - I2: what cannot be read whole makes no world.

use bevy_ecs::prelude::*;
use bytes::Bytes;
use lightmoon_contract::NetId;

use super::column::Role;
use super::error::ReadError;
use super::form::{self, Head, Table, Value};
use super::{Policy, is_resource_id};
use crate::identity::{self, NetIds};

/// Puts a snapshot into an empty world.
pub(crate) fn snapshot(world: &mut World, policy: &Policy, parts: &[Bytes]) -> Result<Head, ReadError> {
    form::read_parts(parts, &mut |table, id, values| {
        let entity = if is_resource_id(id) { Entity::PLACEHOLDER } else { identity::spawn_as(world, id) };
        item(world, policy, entity, table, id, values)
    })
}

/// Puts a world that does not tick into an empty world.
pub(crate) fn state(world: &mut World, policy: &Policy, state: &Bytes) -> Result<(), ReadError> {
    form::read_world(state, &mut |table, id, values| {
        let entity = if is_resource_id(id) { Entity::PLACEHOLDER } else { world.spawn_empty().id() };
        item(world, policy, entity, table, id, values)
    })
}

fn item(
    world: &mut World,
    policy: &Policy,
    entity: Entity,
    table: &Table,
    id: NetId,
    values: &[Value<'_>],
) -> Result<(), ReadError> {
    let mut is_left_out = !values.is_empty();
    for (column, bytes) in values {
        let entry = table.entry(*column)?;
        let put = put(world, policy, entity, id, &entry.name, entry.version, bytes)?;
        is_left_out &= !put.is_some_and(|column| policy.is_reason(column));
    }
    if is_left_out && !is_resource_id(id) {
        world.despawn(entity);
    }
    Ok(())
}

/// Puts one value; gives its column, `None`: it is retired.
fn put(
    world: &mut World,
    policy: &Policy,
    entity: Entity,
    id: NetId,
    name: &str,
    version: u16,
    bytes: &[u8],
) -> Result<Option<usize>, ReadError> {
    let Some(found) = policy.find(name) else {
        return if policy.is_retired(name) { Ok(None) } else { Err(ReadError::Unknown(name.to_owned())) };
    };
    let column = &policy.columns()[found];
    let belongs = match column.about().role {
        Role::Resource(of) => of == id,
        Role::Component | Role::Marker => !is_resource_id(id),
    };
    if !belongs {
        return Err(ReadError::WrongPlace { name: name.to_owned(), id });
    }
    column.insert(world, entity, version, bytes)?;
    Ok(Some(found))
}

/// Lays the row of a durable entity or resource over the world.
pub(crate) fn row(
    world: &mut World,
    policy: &Policy,
    id: NetId,
    row: Option<&Bytes>,
) -> Result<(), ReadError> {
    if id == form::tick_id() {
        return Ok(());
    }
    let there = world.resource::<NetIds>().entity(id);
    let Some(row) = row else {
        if is_resource_id(id) {
            remove_resource(world, policy, id);
        } else if let Some(entity) = there {
            world.despawn(entity);
        }
        return Ok(());
    };
    let entity = match there {
        _ if is_resource_id(id) => Entity::PLACEHOLDER,
        Some(entity) => entity,
        None => identity::spawn_as(world, id),
    };
    let mut has = vec![false; policy.columns().len()];
    let mut is_left_out = true;
    form::read_entity(row, &mut |name, version, bytes| {
        if let Some(column) = put(world, policy, entity, id, name, version, bytes)? {
            has[column] = true;
            is_left_out &= !policy.is_reason(column);
        }
        Ok(())
    })?;
    if is_resource_id(id) {
        return Ok(());
    }
    if is_left_out {
        world.despawn(entity);
    } else {
        for (column, _) in policy.columns().iter().zip(has).filter(|(_, has)| !has) {
            if !matches!(column.about().role, Role::Resource(_)) {
                column.remove(world, entity);
            }
        }
    }
    Ok(())
}

fn remove_resource(world: &mut World, policy: &Policy, id: NetId) {
    let of = policy.columns().iter().find(|column| column.about().role == Role::Resource(id));
    if let Some(column) = of {
        column.remove(world, Entity::PLACEHOLDER);
    }
}
