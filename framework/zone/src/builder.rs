//! Worlds under construction: what zones and worlds of actors have in common.
//!
//! *Responsible for*: [`Builder`]: systems, observers, messages, resources, what is kept. *Not responsible for*: what only zones
//! have (`build`), filling worlds with what is stored (`persist`).

use std::fmt;

use bevy_ecs::message::{Message, MessageRegistry, Messages};
use bevy_ecs::observer::IntoObserver;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{IntoScheduleConfigs, ScheduleLabel, Schedules};
use bevy_ecs::system::ScheduleSystem;
use lightmoon_contract::Persist;

use crate::identity;
use crate::persist::touched;
use crate::persist::{Policy, column};

/// A world under construction: [`ZoneBuilder`](crate::ZoneBuilder) for one that ticks, [`WorldBuilder`](crate::WorldBuilder) for
/// one of an actor.
pub struct Builder<'a, W> {
    pub(crate) world: &'a mut World,
    pub(crate) key: u64,
    /// `None`: nothing is kept.
    pub(crate) policy: Option<Policy>,
    /// What only this sort of world has.
    pub(crate) own: W,
    /// What is registered stays as it is: the rest is `populate`, which not every activation runs.
    pub(crate) is_built: bool,
}

/// A sort of world. Not for games.
pub trait Sort {
    /// A component is kept from now on.
    #[doc(hidden)]
    fn keeps<C: Component>(world: &mut World) {
        let _ = world;
    }

    /// A resource is kept from now on.
    #[doc(hidden)]
    fn keeps_resource<R: Resource + Persist>(world: &mut World) {
        let _ = world;
    }
}

/// A world that does not tick.
#[derive(Debug, Default)]
pub struct Still(());

impl Sort for Still {}

impl Sort for crate::build::Ticking {
    fn keeps<C: Component>(world: &mut World) {
        world.add_observer(identity::on_add::<C>);
        world.add_observer(touched::on_remove::<C>);
        identity::identify_all::<C>(world);
    }

    fn keeps_resource<R: Resource + Persist>(world: &mut World) {
        world.add_observer(touched::on_remove_resource::<R>);
    }
}

/// Components that are kept together: a tuple of up to twelve.
pub trait KeptComponents {
    /// Keeps each of them.
    #[doc(hidden)]
    fn keep<W: Sort>(builder: &mut Builder<'_, W>);
}

macro_rules! kept_components {
    ($($component:ident)+) => {
        impl<$($component: Persist + Component + Clone),+> KeptComponents for ($($component,)+) {
            fn keep<W: Sort>(builder: &mut Builder<'_, W>) {
                $(builder.persist::<$component>();)+
            }
        }
    };
}

kept_components!(A);
kept_components!(A B);
kept_components!(A B C);
kept_components!(A B C D);
kept_components!(A B C D E);
kept_components!(A B C D E F);
kept_components!(A B C D E F G);
kept_components!(A B C D E F G H);
kept_components!(A B C D E F G H I);
kept_components!(A B C D E F G H I J);
kept_components!(A B C D E F G H I J K);
kept_components!(A B C D E F G H I J K L);

impl<W: Sort> Builder<'_, W> {
    /// Key of the actor.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// Keeps every `C`, and for its sake the entity that has it. References to other entities are kept as
    /// [`lightmoon_contract::NetId`]s or by something else that is kept; an `Entity` is none.
    ///
    /// In a zone entities with a `C` get their [`crate::NetIdentity`] when it is added, and have the same id after a restart. The
    /// kept components of an entity take at most [`lightmoon_durable::limits::ENTITY_BYTES_MAX`] bytes if a `sync` operation
    /// touches it. Components in tables, which is what they are by default, are copied much faster than sparse ones.
    ///
    /// # Panics
    /// It is a zone without [`crate::Zone::KEEPS`], or another kept type has the same [`Persist::NAME`].
    pub fn persist<C: Persist + Component + Clone>(&mut self) -> &mut Self {
        let column = column::component::<C>(self.world);
        self.keep::<C>(column);
        W::keeps::<C>(self.world);
        self
    }

    /// [`Self::persist`] for each component of a tuple: `.persist_all::<(Pose, Label)>()`.
    ///
    /// # Panics
    /// As [`Self::persist`].
    pub fn persist_all<C: KeptComponents>(&mut self) -> &mut Self {
        C::keep(self);
        self
    }

    /// Keeps the resource `R`. What `build` made of it stays if the store has none, because it is new.
    ///
    /// # Panics
    /// As [`Self::persist`]; also if two names make one id (24 bits of a hash), which asks for another name.
    pub fn persist_resource<R: Persist + Resource + Clone>(&mut self) -> &mut Self {
        let column = column::resource::<R>(self.world);
        self.keep::<R>(column);
        W::keeps_resource::<R>(self.world);
        self
    }

    /// Leaves out what older builds kept under the name `name` and this one keeps no more. Without it an actor that has such a value is
    /// not brought to life, since nobody can know whether it was meant to be lost. An entity of which nothing else was kept is left out as a
    /// whole. What is left out is gone with the next commit or snapshot of its actor: let this line stay until each was loaded once.
    ///
    /// # Panics
    /// It is a zone without [`crate::Zone::KEEPS`], or the name is kept.
    pub fn retire(&mut self, name: &'static str) -> &mut Self {
        let policy = self.policy.as_mut();
        let Some(policy) = policy else { panic!("`{name}` is retired by a zone without `const KEEPS`") };
        policy.retire(name);
        self
    }

    fn keep<T: Persist>(&mut self, column: Box<dyn column::Column>) {
        assert!(!self.is_built, "`{}` is kept by `populate`: let `build` say so", T::NAME);
        let policy = self.policy.as_mut();
        let Some(policy) = policy else { panic!("`{}` is kept by a zone without `const KEEPS`", T::NAME) };
        policy.add(column);
    }

    /// Adds systems to a schedule. In a zone [`crate::First`], [`crate::Update`] and [`crate::Last`] run each tick in this order;
    /// in the world of an actor [`crate::Update`] runs after each touch, others run when the actor runs them.
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

    /// Registers a kind of messages between systems. They are rotated once per tick or touch, so each reader meets each message
    /// once, in the one in which it was written or in the next.
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

    /// The world itself, for everything else. In a zone [`crate::ZoneRandom`], [`crate::ZoneTime`] and its other resources are
    /// there.
    pub const fn world(&mut self) -> &mut World {
        self.world
    }
}

impl<W> fmt::Debug for Builder<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("key", &self.key).finish_non_exhaustive()
    }
}
