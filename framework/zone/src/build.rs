//! Building a zone: what the game registers.
//!
//! *Responsible for*: [`Zone`], and what its [`ZoneBuilder`] has beyond any [`Builder`]. *Not responsible for*: running it (`tick`).

use std::fmt;

use bevy_ecs::prelude::*;
use lightmoon_contract::replicate::{ComponentSpec, Replicate};
use lightmoon_replica::Schema;

use crate::builder::Builder;
use crate::chart::Cartographer;
use crate::columns::{self, Collector};
use crate::hash::Hashed;
use crate::identity::{self, AlwaysVisible, NetIds};
use crate::inspect::SeenComponents;
use crate::interest::InterestOptions;
use crate::look::Lookers;
use crate::persist::touched::{self, Persisted, Touched};
use crate::persist::{Policy, column};
use crate::time::TickRate;
use crate::visit::{self, Avatar};

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
/// resources that [`persist`](Builder::persist) and [`persist_resource`](Builder::persist_resource) name, and nothing else: velocities that a
/// system computes, caches and scenery are made anew. What a `durability = sync` operation changed is durable before
/// its answer leaves; everything else at most [`crate::ZoneOptions::max_loss`] later. Observers meet what is restored as if
/// it had just been added.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use lightmoon_contract::data;
/// use lightmoon_zone::{Zone, ZoneBuilder};
///
/// #[data(persist = "ore")]
/// #[derive(Component, Clone, Default)]
/// pub struct Ore {
///     pub left: u32,
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

    /// Registers what the zone with [`key`](Builder::key) consists of, and spawns what is not kept. Called at each
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

/// What a game registered of a zone besides what any world has.
#[derive(Default)]
pub struct Ticking {
    specs: Vec<ComponentSpec>,
    makers: Vec<MakeCollector>,
    interest: Option<(InterestOptions, MakePresence)>,
}

/// A zone under construction.
pub type ZoneBuilder<'a> = Builder<'a, Ticking>;

impl<'a> ZoneBuilder<'a> {
    pub(crate) fn new<Z: Zone>(world: &'a mut World, key: u64) -> Self {
        world.init_resource::<Hashed>();
        world.init_resource::<Lookers>();
        world.init_resource::<SeenComponents>();
        world.add_observer(identity::on_add::<AlwaysVisible>);
        let policy = Z::KEEPS.then(|| {
            world.init_resource::<Touched>();
            world.add_observer(touched::on_enable);
            Policy::new(world)
        });
        Self { world, key, policy, own: Ticking::default(), is_built: false }
    }

    /// Players visit the zone.
    pub(crate) fn host(&mut self) {
        visit::install(self.world);
        if let Some(policy) = &mut self.policy {
            policy.add_own(column::beside::<Avatar>(self.world));
        }
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
        let is_new = self.own.specs.iter().all(|spec| spec.number != C::SPEC.number);
        assert!(is_new, "component {} ({}) is replicated twice", C::SPEC.name, C::SPEC.number);
        self.own.specs.push(C::SPEC);
        self.own.makers.push(columns::component::<C>);
        self.world.resource_mut::<Hashed>().add::<C>();
        self.world.resource_mut::<Lookers>().add::<C>();
        self.world.resource_mut::<SeenComponents>().add::<C>();
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
        assert!(self.own.interest.is_none(), "a zone has one component of interest");
        self.world.add_observer(identity::on_add::<P>);
        identity::identify_all::<P>(self.world);
        let make: MakePresence = Box::new(move |world| columns::presence(world, place_of));
        self.own.interest = Some((options, make));
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

    /// `build` has run.
    ///
    /// # Panics
    /// The zone keeps nothing though it says so, or `build` spawned what is kept: faults of the game.
    pub(crate) fn built(&mut self) {
        self.is_built = true;
        self.world.flush();
        let Some(policy) = &self.policy else { return };
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
        (self.world, self.policy.as_ref())
    }

    pub(crate) fn finish(self) -> Registered {
        Registered { ticking: self.own, policy: self.policy }
    }
}

/// What of a zone is registered, without its world.
pub(crate) struct Registered {
    ticking: Ticking,
    policy: Option<Policy>,
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
        let Ticking { specs, makers, interest } = self.ticking;
        let schema = match Schema::new(&specs) {
            Ok(schema) => schema,
            Err(error) => panic!("the zone's components cannot be replicated: {error}"),
        };
        let components = makers.iter().map(|make| make(world, &schema)).collect();
        let (interest, presence) = match interest {
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

impl fmt::Debug for Ticking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticking").field("specs", &self.specs).finish_non_exhaustive()
    }
}
