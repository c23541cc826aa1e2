//! A look into a zone: everything that viewers may see of it, read straight from the world.
//!
//! *Responsible for*: [`ZoneLook`], the truth that simulators and tools compare clients with.
//! *Not responsible for*: what is sent. Nothing here shares code with `columns` and `replication`, so that a fault there
//! cannot hide itself.

use std::collections::BTreeMap;

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use lightmoon_contract::codec;
use lightmoon_contract::replicate::{Replicate, Travel};
use lightmoon_contract::{NetId, Tick};

use crate::identity::NetIds;
use crate::time::ZoneTime;

/// The replicated components of one entity.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct EntityLook {
    /// Quantised fields of each state component, by its number.
    pub state: BTreeMap<u16, Vec<u32>>,
    /// Encoded value of each sticky component, by its number.
    pub sticky: BTreeMap<u16, Vec<u8>>,
}

/// One zone between two ticks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ZoneLook {
    /// The last tick that ran.
    pub tick: Tick,
    /// All entities with an identity that are not disabled.
    pub entities: BTreeMap<NetId, EntityLook>,
}

/// Reads one component of an entity, if it has it.
type Read = fn(&EntityRef<'_>, &mut EntityLook);

/// The replicated components of the zone.
#[derive(Resource, Debug, Default)]
pub(crate) struct Lookers(Vec<Read>);

impl Lookers {
    pub(crate) fn add<C: Replicate + Component>(&mut self) {
        self.0.push(read::<C>);
    }
}

fn read<C: Replicate + Component>(entity: &EntityRef<'_>, look: &mut EntityLook) {
    let Some(value) = entity.get::<C>() else { return };
    match C::SPEC.travel {
        Travel::State => {
            let mut fields = vec![0; C::SPEC.fields.len()];
            value.quantise(&mut fields);
            look.state.insert(C::SPEC.number, fields);
        }
        Travel::Sticky => {
            look.sticky.insert(C::SPEC.number, codec::encode(value));
        }
    }
}

/// Reads the whole world.
pub(crate) fn of(world: &World) -> ZoneLook {
    let tick = world.resource::<ZoneTime>().tick();
    let lookers = world.resource::<Lookers>();
    let look = |(id, entity): (NetId, Entity)| {
        let entity = world.get_entity(entity).ok().filter(|entity| !entity.contains::<Disabled>())?;
        let mut look = EntityLook::default();
        lookers.0.iter().for_each(|read| read(&entity, &mut look));
        Some((id, look))
    };
    ZoneLook { tick, entities: world.resource::<NetIds>().iter().filter_map(look).collect() }
}
