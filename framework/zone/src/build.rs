//! Building a zone: what the game registers.
//!
//! *Responsible for*: [`Zone`] and [`ZoneBuilder`]. *Not responsible for*: running it (`tick`).

use std::fmt;

use bevy_ecs::message::{Message, MessageRegistry, Messages};
use bevy_ecs::observer::IntoObserver;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{IntoScheduleConfigs, ScheduleLabel, Schedules};
use bevy_ecs::system::ScheduleSystem;
use lightmoon_contract::replicate::{ComponentSpec, Replicate};
use lightmoon_replica::Schema;

use crate::columns::{self, Collector};
use crate::hash::Hashed;
use crate::identity::{self, AlwaysVisible};
use crate::interest::InterestOptions;
use crate::look::Lookers;
use crate::time::TickRate;

/// A kind of zones: how the world of one is built.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use lightmoon_contract::replicate;
/// use lightmoon_zone::{InterestOptions, Update, Zone, ZoneBuilder, ZoneTime};
///
/// #[replicate(state, number = 1)]
/// #[derive(Component, Clone, Copy, Debug, Default)]
/// pub struct Place {
///     #[quantise(min = -1000.0, max = 1000.0, step = 0.01)]
///     pub x: f32,
///     #[quantise(min = -1000.0, max = 1000.0, step = 0.01)]
///     pub y: f32,
/// }
///
/// struct Meadow;
///
/// impl Zone for Meadow {
///     fn build(zone: &mut ZoneBuilder<'_>) {
///         zone.replicate::<Place>()
///             .interest::<Place>(InterestOptions::radius(50.0), |place| [place.x, place.y])
///             .add_systems(Update, drift);
///         zone.world().spawn(Place::default());
///     }
/// }
///
/// fn drift(time: Res<ZoneTime>, mut places: Query<&mut Place>) {
///     for mut place in &mut places {
///         place.x += time.step_seconds();
///     }
/// }
/// ```
pub trait Zone: 'static {
    /// Fills the world of the zone with [`ZoneBuilder::key`]. Called at each activation: at the first call of its key, at
    /// the start of the node, and again after a panic.
    fn build(zone: &mut ZoneBuilder<'_>);
}

/// Makes the collector of one component.
type MakeCollector = fn(&mut World, &Schema) -> Collector;
/// Makes the collector of places.
type MakePresence = Box<dyn FnOnce(&mut World) -> Collector>;

/// What a game registered besides the world itself.
#[derive(Default)]
pub(crate) struct Registered {
    specs: Vec<ComponentSpec>,
    makers: Vec<MakeCollector>,
    interest: Option<(InterestOptions, MakePresence)>,
}

/// A zone under construction.
pub struct ZoneBuilder<'a> {
    world: &'a mut World,
    key: u64,
    registered: Registered,
}

impl<'a> ZoneBuilder<'a> {
    pub(crate) fn new(world: &'a mut World, key: u64) -> Self {
        world.init_resource::<Hashed>();
        world.init_resource::<Lookers>();
        world.add_observer(identity::on_add::<AlwaysVisible>);
        Self { world, key, registered: Registered::default() }
    }

    /// Key of the zone's actor.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// Ticks per second, clamped to 1 ..= 60; 20 if not set. Systems may change it later by [`TickRate`].
    pub fn tick_rate(&mut self, hz: u16) -> &mut Self {
        self.world.resource_mut::<TickRate>().set_hz(hz);
        self
    }

    /// Lets clients see `C` on entities that they see.
    ///
    /// # Panics
    /// `C` was registered before.
    pub fn replicate<C: Replicate + Component>(&mut self) -> &mut Self {
        let is_new = self.registered.specs.iter().all(|spec| spec.number != C::SPEC.number);
        assert!(is_new, "component {} ({}) is replicated twice", C::SPEC.name, C::SPEC.number);
        self.registered.specs.push(C::SPEC);
        self.registered.makers.push(columns::component::<C>);
        self.world.resource_mut::<Hashed>().add::<C>();
        self.world.resource_mut::<Lookers>().add::<C>();
        self
    }

    /// Shows entities with a `P` to viewers whose avatar is near, by the coordinates that `place_of` takes from it.
    /// Coordinates that are no finite numbers hide the entity.
    ///
    /// Entities with a `P` get their [`crate::NetIdentity`] when it is added. Without interest, viewers see only what is
    /// [`AlwaysVisible`].
    ///
    /// # Panics
    /// The zone has interest already.
    pub fn interest<P: Component>(
        &mut self,
        options: InterestOptions,
        place_of: fn(&P) -> [f32; 2],
    ) -> &mut Self {
        assert!(self.registered.interest.is_none(), "a zone has one component of interest");
        self.world.add_observer(identity::on_add::<P>);
        identity::identify_all::<P>(self.world);
        let make: MakePresence = Box::new(move |world| columns::presence(world, place_of));
        self.registered.interest = Some((options, make));
        self
    }

    /// Adds systems to a schedule; [`crate::First`], [`crate::Update`] and [`crate::Last`] run each tick in this order.
    pub fn add_systems<M>(
        &mut self,
        schedule: impl ScheduleLabel,
        systems: impl IntoScheduleConfigs<ScheduleSystem, M>,
    ) -> &mut Self {
        self.world.get_resource_or_init::<Schedules>().add_systems(schedule, systems);
        self
    }

    /// Adds an observer of the whole world.
    pub fn add_observer<M>(&mut self, observer: impl IntoObserver<M>) -> &mut Self {
        self.world.add_observer(observer);
        self
    }

    /// Registers a kind of messages between systems; the zone rotates them once per tick, so each reader meets each
    /// message once, in the tick in which it was written or in the next.
    pub fn add_message<M: Message>(&mut self) -> &mut Self {
        if !self.world.contains_resource::<Messages<M>>() {
            MessageRegistry::register_message::<M>(self.world);
        }
        self
    }

    /// Adds a resource, or makes its first value.
    pub fn init_resource<R: Resource + FromWorld>(&mut self) -> &mut Self {
        self.world.init_resource::<R>();
        self
    }

    /// Adds a resource.
    pub fn insert_resource<R: Resource>(&mut self, resource: R) -> &mut Self {
        self.world.insert_resource(resource);
        self
    }

    /// The world itself, for everything else. [`crate::ZoneRandom`], [`crate::ZoneTime`] and the other resources of the
    /// zone are there.
    pub const fn world(&mut self) -> &mut World {
        self.world
    }

    pub(crate) fn finish(self) -> Registered {
        self.registered
    }
}

impl Registered {
    /// The schema, the collectors and the interest of the zone.
    ///
    /// # Panics
    /// The components do not fit together: a fault of the game.
    pub(crate) fn into_collectors(self, world: &mut World) -> Collectors {
        let schema = match Schema::new(&self.specs) {
            Ok(schema) => schema,
            Err(error) => panic!("the zone's components cannot be replicated: {error}"),
        };
        let components = self.makers.iter().map(|make| make(world, &schema)).collect();
        let (interest, presence) = match self.interest {
            Some((options, make)) => (Some(options), make(world)),
            None => (None, columns::always(world)),
        };
        Collectors { schema, components, presence, interest }
    }
}

/// What reads the world.
pub(crate) struct Collectors {
    pub(crate) schema: Schema,
    pub(crate) components: Vec<Collector>,
    pub(crate) presence: Collector,
    pub(crate) interest: Option<InterestOptions>,
}

impl fmt::Debug for ZoneBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZoneBuilder").field("key", &self.key).finish_non_exhaustive()
    }
}
