//! Actors with a world of their own that does not tick: players with inventories, guilds with halls.
//!
//! *Responsible for*: [`WorldActor`], its world and schedule, its state as a record. *Not responsible for*: commits
//! (`lightmoon_durable`), when they happen (`lightmoon_actor`), worlds that tick and are looked at ([`crate::Zone`]).
//!
//! Between two touches such a world costs memory and nothing else: thousands of players idle for free. Its schedule
//! [`Update`] runs after each touch.
//!
//! Invariants:
//! - I1: entities and resources are restored with exactly the kept types that they had; entities keep their order, not their
//!   `Entity`, and have no [`crate::NetIdentity`].
//! - I2: equal worlds give equal bytes.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bevy_ecs::change_detection::Tick as ChangeTick;
use bevy_ecs::message::MessageRegistry;
use bevy_ecs::prelude::*;
use bevy_ecs::schedule::Schedules;
use bytes::Bytes;
use lightmoon_actor::{ActorKind, Cx, Inspection, Unreadable};
use lightmoon_contract::call::Serve;
use lightmoon_contract::{ActorId, NetId, SessionId};

use crate::builder::{Builder, Still};
use crate::persist::error::ReadError;
use crate::persist::{Policy, form, restore};
use crate::schedule::Update;
use crate::stored::{State, StoredForm, StoredKind};

/// An actor with a world of its own, which is stored: it is what it was after a crash.
///
/// The struct implements its contract as a plain actor does; here stands what happens around the operations. [`Update`] runs
/// after each operation, each alarm that the actor set, and each of the calls below: what an operation left to observers
/// and systems is done before its effects are saved.
///
/// Kept are the components and resources that [`WorldBuilder::persist`] and [`WorldBuilder::persist_resource`] name, of
/// every entity, together at most [`lightmoon_durable::limits::STATE_BYTES_MAX`] bytes. Fields of the struct are not.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use lightmoon_actor::Cx;
/// use lightmoon_contract::{contract, data};
/// use lightmoon_zone::{ActorWorld, WorldActor, WorldBuilder};
///
/// #[contract(number = 9)]
/// pub trait Bag {
///     #[operation(durability = sync)]
///     fn put(name: String) -> u64;
/// }
///
/// #[data(persist = "item")]
/// #[derive(Component, Clone, Default)]
/// pub struct Item {
///     pub name: String,
/// }
///
/// struct Player(ActorWorld);
///
/// impl Bag<Cx> for Player {
///     fn put(&mut self, _: &mut Cx, name: String) -> u64 {
///         self.0.spawn(Item { name });
///         self.0.query::<&Item>().iter(&self.0).count() as u64
///     }
/// }
///
/// impl WorldActor for Player {
///     fn build(world: &mut WorldBuilder<'_>) {
///         world.persist::<Item>();
///     }
///
///     fn activate(_: &mut Cx, _: u64, mut world: ActorWorld) -> Self {
///         if world.is_new() {
///             world.spawn(Item { name: "lamp".into() });
///         }
///         Self(world)
///     }
///
///     fn world(&mut self) -> &mut ActorWorld {
///         &mut self.0
///     }
/// }
/// # fn main() {
/// # let _kind = lightmoon_zone::world_actor::<BagContract, Player>();
/// # }
/// ```
pub trait WorldActor: Sized + 'static {
    /// Registers what the world consists of, and spawns what is not kept. Called at each activation.
    fn build(world: &mut WorldBuilder<'_>);

    /// The actor `key` with its world: as it was, or empty if [`ActorWorld::is_new`].
    fn activate(cx: &mut Cx, key: u64, world: ActorWorld) -> Self;

    /// The world that [`WorldActor::activate`] was given.
    fn world(&mut self) -> &mut ActorWorld;

    /// To players: a client logged in. As [`lightmoon_actor::Actor::connected`].
    fn connected(&mut self, cx: &mut Cx, session: SessionId) {
        let _ = (cx, session);
    }

    /// To players: the client is gone. As [`lightmoon_actor::Actor::disconnected`].
    fn disconnected(&mut self, cx: &mut Cx, session: SessionId) {
        let _ = (cx, session);
    }

    /// To players: the zone that the session looks at begins anew. As [`lightmoon_actor::Actor::zone_lost`].
    fn zone_lost(&mut self, cx: &mut Cx, session: SessionId, zone: ActorId) {
        let _ = (cx, session, zone);
    }

    /// The activation ends in good order; not called after a panic. What it changes is still saved.
    fn stopping(&mut self, cx: &mut Cx) {
        let _ = cx;
    }
}

/// The kind of actors `A` that answer contract `C`, each with a world of its own.
#[must_use]
pub fn world_actor<C, A>() -> impl ActorKind
where
    C: Serve<A, Cx>,
    A: WorldActor,
{
    StoredKind::<C, A, OneWorld>::new()
}

/// The world of one actor: a [`World`] of bevy_ecs, and what is kept of it.
pub struct ActorWorld {
    world: World,
    policy: Policy,
    rotated_at: ChangeTick,
    is_new: bool,
}

impl ActorWorld {
    /// Whether the actor was never stored: then its world is empty, but for what [`WorldActor::build`] spawned.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        self.is_new
    }

    /// The world that is stored as `state`, without its actor: for audits and tools. No system has run, nothing is saved.
    ///
    /// # Errors
    /// This build cannot read it.
    pub fn read<A: WorldActor>(actor: ActorId, state: &Bytes) -> Result<Self, Unreadable> {
        Self::build::<A>(actor.key, Some(state)).map_err(|error| error.of("the world of", actor))
    }

    fn build<A: WorldActor>(key: u64, state: Option<&Bytes>) -> Result<Self, ReadError> {
        let mut world = World::new();
        world.init_resource::<MessageRegistry>();
        let policy = Policy::new(&mut world);
        let mut builder =
            Builder { world: &mut world, key, policy: Some(policy), own: Still::default(), is_built: false };
        A::build(&mut builder);
        let policy = builder.policy.expect("a world of an actor has had one from the start");
        world.flush();
        world.get_resource_or_init::<Schedules>().entry(Update);
        let mut new = Self { world, policy, rotated_at: ChangeTick::default(), is_new: state.is_none() };
        assert!(
            new.kept().is_empty(),
            "`build` spawned an entity that is kept: spawn it in `activate`, once"
        );
        if let Some(state) = state {
            restore::state(&mut new.world, &new.policy, state)?;
            new.world.flush();
        }
        Ok(new)
    }

    /// Runs what reacts to changes.
    fn update(&mut self) {
        self.world.flush();
        self.world.run_schedule(Update);
        crate::tick::rotate_messages(&mut self.world, &mut self.rotated_at);
        self.world.clear_trackers();
    }

    /// The entities that are kept, in an order that does not depend on archetypes.
    fn kept(&self) -> Vec<Entity> {
        let reasons: Vec<_> = self.policy.reasons().collect();
        let archetypes = self.world.archetypes().iter();
        let kept = archetypes.filter(|archetype| reasons.iter().any(|reason| archetype.contains(*reason)));
        let mut entities: Vec<Entity> =
            kept.flat_map(|archetype| archetype.entities()).map(|entity| entity.id()).collect();
        entities.sort_unstable_by_key(|entity| entity.index_u32());
        entities
    }

    /// Shows resources, and entities by the numbers that they have in the state.
    fn inspect(&self, to: &mut Inspection) {
        for (_, resource) in self.policy.resources(&self.world) {
            self.policy.inspect(None, &self.world.entity(resource), to);
        }
        let kept = self.kept();
        to.count_entities(kept.len());
        let from = to.entities_from();
        for (number, entity) in (1..).zip(kept).skip_while(|(number, _)| *number < from) {
            if !to.has_room_for(number) {
                break;
            }
            self.policy.inspect(Some(number), &self.world.entity(entity), to);
        }
    }

    fn state(&self) -> State {
        let numbered = self.kept().into_iter().zip(1..).map(|(entity, number)| (NetId(number), entity));
        let mut items = Vec::new();
        let mut sizes = vec![0; self.policy.columns().len()];
        for (id, entity) in self.policy.resources(&self.world).into_iter().chain(numbered) {
            let entity = self.world.entity(entity);
            let mut item = Vec::new();
            self.policy.item(id, &entity, &mut item);
            self.policy.values(&entity, &mut |column, bytes| sizes[column] += bytes.len());
            items.push(item);
        }
        let largest = sizes.iter().zip(self.policy.columns()).max_by_key(|(size, _)| **size);
        State {
            record: form::seal_world(&self.policy.table(), &items),
            largest: largest.map_or("nothing", |(_, column)| column.about().type_name),
        }
    }
}

impl Deref for ActorWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for ActorWorld {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl fmt::Debug for ActorWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorWorld").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// A world of an actor under construction. What it keeps comes back in its order, and entities have no
/// [`crate::NetIdentity`]: let components name others by something that is kept.
pub type WorldBuilder<'a> = Builder<'a, Still>;

/// The state is a world.
struct OneWorld;

impl<A: WorldActor> StoredForm<A> for OneWorld {
    fn restore(cx: &mut Cx, key: u64, state: Option<&Bytes>) -> Result<A, ReadError> {
        let world = ActorWorld::build::<A>(key, state)?;
        Ok(A::activate(cx, key, world))
    }

    fn touched(actor: &mut A) {
        actor.world().update();
    }

    fn state(actor: &mut A) -> State {
        actor.world().state()
    }

    fn inspect(actor: &mut A, to: &mut Inspection) {
        actor.world().inspect(to);
    }

    fn inspect_stored(key: u64, state: &Bytes, to: &mut Inspection) -> Result<(), ReadError> {
        ActorWorld::build::<A>(key, Some(state))?.inspect(to);
        Ok(())
    }

    fn connected(actor: &mut A, cx: &mut Cx, session: SessionId) {
        actor.connected(cx, session);
    }

    fn disconnected(actor: &mut A, cx: &mut Cx, session: SessionId) {
        actor.disconnected(cx, session);
    }

    fn zone_lost(actor: &mut A, cx: &mut Cx, session: SessionId, zone: ActorId) {
        actor.zone_lost(cx, session, zone);
    }

    fn stopping(actor: &mut A, cx: &mut Cx) {
        actor.stopping(cx);
    }
}
