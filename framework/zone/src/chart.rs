//! A chart of a zone: where its things are, for a map that an operator looks at.
//!
//! *Responsible for*: [`ZoneChart`], read straight from the world, and the names of what is drawn. *Not responsible for*: what clients see
//! (`interest`, `replication`), drawing.
//!
//! Invariants:
//! - I1: a chart has no more places than asked for; of more, every so many-th is in it, and all are counted.

use std::fmt;

use bevy_ecs::component::ComponentId;
use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use lightmoon_contract::{NetId, SessionId, Tick};

use crate::identity::NetIds;
use crate::interest::InterestOptions;
use crate::limits::CHART_NAMES_MAX;
use crate::time::ZoneTime;
use crate::viewers::Viewers;

/// One thing on a chart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChartPlace {
    /// Which entity.
    pub id: NetId,
    /// What it is: an index into [`ZoneChart::names`]; `None`: the zone does not say.
    pub name: Option<u8>,
    /// Where it is, as interest has it.
    pub at: [f32; 2],
}

/// One viewer on a chart.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ChartViewer {
    /// Its session.
    pub session: SessionId,
    /// Key of its player.
    pub player: u64,
    /// Where its avatar is; `None`: it has none, or that has no place.
    pub at: Option<[f32; 2]>,
}

/// One zone between two ticks, for a map. [`lightmoon_actor::Activation::chart`] gives it.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct ZoneChart {
    /// The last tick that ran.
    pub tick: Tick,
    /// The corners of the map, if the zone's interest says them.
    pub area: Option<([f32; 2], [f32; 2])>,
    /// How far viewers see; `None`: the zone has no interest.
    pub radius: Option<f32>,
    /// What [`crate::ZoneBuilder::chart`] named.
    pub names: Vec<&'static str>,
    /// How many things of each name there are, and at last those without one.
    pub counts: Vec<usize>,
    /// Things with a place: all, or a part of them.
    pub places: Vec<ChartPlace>,
    /// Who looks.
    pub viewers: Vec<ChartViewer>,
}

/// Reads the place of an entity, if it has one.
type PlaceOf = Box<dyn Fn(&EntityRef<'_>) -> Option<[f32; 2]> + Send + Sync>;

/// What a chart is made by.
#[derive(Resource, Default)]
pub(crate) struct Cartographer {
    place_of: Option<PlaceOf>,
    interest: Option<InterestOptions>,
    names: Vec<(&'static str, ComponentId)>,
}

impl Cartographer {
    pub(crate) fn interest<P: Component>(&mut self, options: InterestOptions, place_of: fn(&P) -> [f32; 2]) {
        self.place_of = Some(Box::new(move |entity| entity.get::<P>().map(place_of)));
        self.interest = Some(options);
    }

    /// Names what has a component.
    ///
    /// # Panics
    /// There are too many names.
    pub(crate) fn name(&mut self, name: &'static str, component: ComponentId) {
        assert!(self.names.len() < CHART_NAMES_MAX, "a chart has at most {CHART_NAMES_MAX} names");
        self.names.push((name, component));
    }

    fn name_of(&self, entity: &EntityRef<'_>) -> Option<usize> {
        self.names.iter().position(|(_, component)| entity.contains_id(*component))
    }

    fn place_of(&self, entity: &EntityRef<'_>) -> Option<[f32; 2]> {
        let place = self.place_of.as_ref()?(entity)?;
        place.iter().all(|at| at.is_finite()).then_some(place)
    }
}

impl fmt::Debug for Cartographer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cartographer").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Reads the whole world.
pub(crate) fn of(world: &World, places_max: usize) -> ZoneChart {
    let (cartographer, ids) = (world.resource::<Cartographer>(), world.resource::<NetIds>());
    // At least every so many-th, so that what is left has room.
    let stride = ids.len().div_ceil(places_max.max(1)).max(1);
    let mut chart = ZoneChart {
        tick: world.resource::<ZoneTime>().tick(),
        area: cartographer.interest.and_then(|interest| interest.area),
        radius: cartographer.interest.map(|interest| interest.radius),
        names: cartographer.names.iter().map(|(name, _)| *name).collect(),
        counts: vec![0; cartographer.names.len() + 1],
        ..ZoneChart::default()
    };
    for (number, (id, entity)) in ids.iter().enumerate() {
        let Ok(entity) = world.get_entity(entity) else { continue };
        if entity.contains::<Disabled>() {
            continue;
        }
        let name = cartographer.name_of(&entity);
        chart.counts[name.unwrap_or(cartographer.names.len())] += 1;
        if number % stride == 0
            && chart.places.len() < places_max
            && let Some(at) = cartographer.place_of(&entity)
        {
            let name = name.and_then(|name| u8::try_from(name).ok());
            chart.places.push(ChartPlace { id, name, at });
        }
    }
    let at = |avatar: NetId| {
        let entity = world.get_entity(ids.entity(avatar)?).ok()?;
        cartographer.place_of(&entity)
    };
    let viewers = world.resource::<Viewers>().iter().take(places_max);
    chart.viewers = viewers
        .map(|viewer| ChartViewer { session: viewer.session, player: viewer.player, at: at(viewer.avatar) })
        .collect();
    chart
}
