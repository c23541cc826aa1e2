//! The hash of a world's state: equal worlds have equal hashes, however they came about.
//!
//! *Responsible for*: [`state_hash`]. *Not responsible for*: components that are not replicated; they do not count.
//!
//! Invariants:
//! - I1: a sum over entities, so neither their order, nor their `Entity` ids, nor archetypes matter.
//! - I2: disabled entities count.

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use bevy_ecs::query::Allow;
use bevy_ecs::world::EntityRef;
use lightmoon_contract::codec::Writer;
use lightmoon_contract::replicate::Replicate;
use xxhash_rust::xxh3::xxh3_128;

use crate::identity::NetIdentity;

/// Appends one component of an entity, if it has it.
type Append = fn(&EntityRef<'_>, &mut Writer);

/// The replicated components of the zone, sorted by number.
#[derive(Resource, Debug, Default)]
pub(crate) struct Hashed(Vec<(u16, Append)>);

impl Hashed {
    pub(crate) fn add<C: Replicate + Component>(&mut self) {
        self.0.push((C::SPEC.number, append::<C>));
        self.0.sort_by_key(|(number, _)| *number);
    }
}

fn append<C: Replicate + Component>(entity: &EntityRef<'_>, to: &mut Writer) {
    if let Some(value) = entity.get::<C>() {
        to.raw(&C::SPEC.number.to_le_bytes());
        to.put(value);
    }
}

/// The hash of all entities with an identity: the wrapping 128-bit sum of xxh3-128 over id (8 bytes, little-endian), then
/// for each replicated component by ascending number: the number (2 bytes) and its bytes in the byte format.
///
/// Equal only for the same build on the same target: floating-point arithmetic may differ elsewhere.
pub fn state_hash(world: &mut World) -> u128 {
    let query = world.query_filtered::<(EntityRef<'_>, &NetIdentity), Allow<Disabled>>();
    let Some(hashed) = world.get_resource::<Hashed>() else { return 0 };
    let mut buffer = Vec::new();
    let mut sum = 0u128;
    for (entity, identity) in query.iter_manual(world) {
        buffer.clear();
        let mut writer = Writer::onto(std::mem::take(&mut buffer));
        writer.raw(&identity.id().0.to_le_bytes());
        for (_, append) in &hashed.0 {
            append(&entity, &mut writer);
        }
        buffer = writer.into_bytes();
        sum = sum.wrapping_add(xxh3_128(&buffer));
    }
    sum
}
