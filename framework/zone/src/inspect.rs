//! The values of a zone, for an operator who looks into it.
//!
//! *Responsible for*: which values those are: what is kept, and what clients see. *Not responsible for*: their bounds
//! ([`lightmoon_actor::Inspection`]), worlds that do not tick (`world_actor`).
//!
//! Invariants:
//! - I1: a component that is kept and seen is shown once, as it is kept.

use std::any::TypeId;

use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use lightmoon_actor::{Inspection, ValueKind};
use lightmoon_contract::codec::Writer;
use lightmoon_contract::replicate::Replicate;

use crate::identity::NetIds;
use crate::persist::touched::Persisted;

/// A component that clients see.
#[derive(Debug)]
struct Seen {
    of: TypeId,
    kind: ValueKind,
    append: fn(&EntityRef<'_>, &mut Writer) -> bool,
}

/// The components of the zone that clients see.
#[derive(Resource, Debug, Default)]
pub(crate) struct SeenComponents(Vec<Seen>);

impl SeenComponents {
    pub(crate) fn add<C: Replicate + Component>(&mut self) {
        let kind = ValueKind { name: C::SPEC.name, describe: C::describe };
        self.0.push(Seen { of: TypeId::of::<C>(), kind, append: append::<C> });
    }
}

fn append<C: Replicate + Component>(entity: &EntityRef<'_>, to: &mut Writer) -> bool {
    let value = entity.get::<C>();
    if let Some(value) = value {
        value.write(to);
    }
    value.is_some()
}

/// Shows resources that are kept, then entities by their ids.
pub(crate) fn zone(world: &World, to: &mut Inspection) {
    let policy = world.get_resource::<Persisted>().map(Persisted::policy);
    let is_kept = |seen: &&Seen| {
        let component = world.components().get_id(seen.of);
        policy.is_some_and(|policy| {
            policy.columns().iter().any(|column| Some(column.about().component) == component)
        })
    };
    let seen: Vec<&Seen> =
        world.resource::<SeenComponents>().0.iter().filter(|seen| !is_kept(seen)).collect();
    let resources = policy.map(|policy| policy.resources(world)).unwrap_or_default();
    for (_, resource) in resources {
        if let (Some(policy), Ok(resource)) = (policy, world.get_entity(resource)) {
            policy.inspect(None, &resource, to);
        }
    }
    let ids = world.resource::<NetIds>();
    to.count_entities(ids.len());
    let from = to.entities_from();
    for (id, entity) in ids.iter().skip_while(|(id, _)| id.0 < from) {
        let Ok(entity) = world.get_entity(entity) else { continue };
        if !to.has_room_for(id.0) {
            break;
        }
        if let Some(policy) = policy {
            policy.inspect(Some(id.0), &entity, to);
        }
        for seen in &seen {
            let mut writer = Writer::new();
            if (seen.append)(&entity, &mut writer) {
                to.show(Some(id.0), seen.kind, writer.as_bytes());
            }
        }
    }
}
