//! Building a zone: what the game registers.
//!
//! *Responsible for*: [`Zone`] and [`ZoneBuilder`]. *Not responsible for*: running it (`tick`).

use std::fmt;

use bevy_ecs::message::{Message, MessageRegistry, Messages};
use bevy_ecs::observer::IntoObserver;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{IntoScheduleConfigs, ScheduleLabel, Schedules};
use bevy_ecs::system::ScheduleSystem;
use lightmoon_contract::Persist;
use lightmoon_contract::replicate::{ComponentSpec, Replicate};
use lightmoon_replica::Schema;

use crate::chart::Cartographer;
use crate::columns::{self, Collector};
use crate::hash::Hashed;
use crate::identity::{self, AlwaysVisible, NetIds};
use crate::interest::InterestOptions;
use crate::look::Lookers;
use crate::persist::touched::{self, Persisted, Touched};
use crate::persist::{Policy, column};
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
///
/// # What is kept
///
/// A zone with [`Zone::KEEPS`] is stored, and goes on where it was after a crash. Of its world are kept the components and
/// resources that [`ZoneBuilder::persist`] and [`ZoneBuilder::persist_resource`] name, and nothing else: velocities that a
/// system computes, caches and scenery are made anew. What a `durability = sync` operation changed is durable before
/// its answer leaves; everything else at most [`crate::ZoneOptions::max_loss`] later. Observers meet what is restored as if
/// it had just been added.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use lightmoon_contract::{Persist, data};
/// use lightmoon_zone::{Zone, ZoneBuilder};
///
/// #[data]
/// #[derive(Component, Clone, Default)]
/// pub struct Ore {
///     pub left: u32,
/// }
///
/// impl Persist for Ore {
///     const NAME: &'static str = "ore";
/// }
///
/// struct Mine;
///
/// impl Zone for Mine {
///     const KEEPS: bool = true;
///
///     fn build(zone: &mut ZoneBuilder<'_>) {
///         zone.persist::<Ore>();
///     }
///
///     fn populate(zone: &mut ZoneBuilder<'_>) {
///         for _ in 0..10 {
///             zone.world().spawn(Ore { left: 100 });
///         }
///     }
/// }
/// ```
pub trait Zone: 'static {
    /// Whether zones of this kind are stored. Known before there is a world, because the worker asks the store first.
    /// Default `false`: each activation begins anew.
    const KEEPS: bool = false;

    /// Registers what the zone with [`ZoneBuilder::key`] consists of, and spawns what is not kept. Called at each
    /// activation: at the first call of its key, at the start of the node, and again after a panic.
    fn build(zone: &mut ZoneBuilder<'_>);

    /// Fills a zone that was never stored. Called after [`Zone::build`]: at each activation of a zone that keeps nothing,
    /// else until the first snapshot of the zone is stored. Registers nothing; default: nothing.
    ///
    /// If the node dies between a `sync` operation and the first snapshot, this runs again and what the operation changed
    /// is laid over it. Entities are then told apart by the order in which they get their ids: let that order not depend
    /// on chance.
    fn populate(zone: &mut ZoneBuilder<'_>) {
        let _ = zone;
    }
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
    /// `None`: the zone keeps nothing.
    pub(crate) policy: Option<Policy>,
}

/// A zone under construction.
pub struct ZoneBuilder<'a> {
    world: &'a mut World,
    key: u64,
    registered: Registered,
    /// What is registered stays as it is: the rest is `populate`, which not every activation runs.
    is_built: bool,
}

impl<'a> ZoneBuilder<'a> {
    pub(crate) fn new<Z: Zone>(world: &'a mut World, key: u64) -> Self {
        world.init_resource::<Hashed>();
        world.init_resource::<Lookers>();
        world.add_observer(identity::on_add::<AlwaysVisible>);
        let policy = Z::KEEPS.then(|| {
            world.init_resource::<Touched>();
            world.add_observer(touched::on_enable);
            Policy::new(world)
        });
        Self { world, key, registered: Registered { policy, ..Registered::default() }, is_built: false }
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

    /// Keeps every `C`, and for its sake the entity that has it. Entities with a `C` get their [`crate::NetIdentity`] when it
    /// is added, and have the same id after a restart.
    ///
    /// The kept components of an entity take at most [`lightmoon_durable::limits::ENTITY_BYTES_MAX`] bytes if a `sync`
    /// operation touches it. References to other entities are kept as [`lightmoon_contract::NetId`]s; an `Entity` is none.
    /// Components in tables, which is what they are by default, are copied much faster than sparse ones.
    ///
    /// # Panics
    /// [`Zone::KEEPS`] is false, or another kept type has the same [`Persist::NAME`].
    pub fn persist<C: Persist + Component + Clone>(&mut self) -> &mut Self {
        let column = column::component::<C>(self.world);
        self.keep::<C>(column);
        self.world.add_observer(identity::on_add::<C>);
        self.world.add_observer(touched::on_remove::<C>);
        identity::identify_all::<C>(self.world);
        self
    }

    /// Keeps the resource `R`. What [`Zone::build`] made of it stays if the store has none, because it is new.
    ///
    /// # Panics
    /// As [`ZoneBuilder::persist`]; also if two names make one id (24 bits of a hash), which asks for another name.
    pub fn persist_resource<R: Persist + Resource + Clone>(&mut self) -> &mut Self {
        let column = column::resource::<R>(self.world);
        self.keep::<R>(column);
        self.world.add_observer(touched::on_remove_resource::<R>);
        self
    }

    fn keep<T: Persist>(&mut self, column: Box<dyn column::Column>) {
        assert!(!self.is_built, "`{}` is kept by `populate`: let `build` say so", T::NAME);
        let policy = self.registered.policy.as_mut();
        let Some(policy) = policy else { panic!("`{}` is kept by a zone without `const KEEPS`", T::NAME) };
        policy.add(column);
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
        self.world.get_resource_or_init::<Cartographer>().interest(options, place_of);
        self
    }

    /// Names what has a `C` on the map of the console, such as "ship": things of one name have one colour there, and are counted. Of
    /// an entity with several such components the first that was named counts. Clients learn nothing of it.
    ///
    /// # Panics
    /// There are more than [`crate::limits::CHART_NAMES_MAX`] names.
    pub fn chart<C: Component>(&mut self, name: &'static str) -> &mut Self {
        let component = self.world.register_component::<C>();
        self.world.get_resource_or_init::<Cartographer>().name(name, component);
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

    /// `build` has run.
    ///
    /// # Panics
    /// The zone keeps nothing though it says so, or `build` spawned what is kept: faults of the game.
    pub(crate) fn built(&mut self) {
        self.is_built = true;
        self.world.flush();
        let Some(policy) = &self.registered.policy else { return };
        assert!(!policy.is_empty(), "a zone with `const KEEPS` has to `persist` something");
        let ids = self.world.resource::<NetIds>();
        let kept = ids.iter().find(|(_, entity)| {
            let entity = self.world.entity(*entity);
            policy.reasons().any(|component| entity.contains_id(component))
        });
        assert!(
            kept.is_none(),
            "`build` spawned an entity that is kept, so each activation would add another: spawn it in `populate`"
        );
    }

    /// The world and what is kept of it.
    pub(crate) const fn kept(&mut self) -> (&mut World, Option<&Policy>) {
        (self.world, self.registered.policy.as_ref())
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
        if let Some(policy) = self.policy {
            let persisted = Persisted::new(policy, world);
            world.insert_resource(persisted);
        }
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
