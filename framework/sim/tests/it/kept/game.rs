//! A game that keeps everything: patrons with inventories, vaults with chests, a clerk who counts.
//!
//! Each effect leaves the token of its operation in a state, so that an auditor finds it in the store.

use std::cell::RefCell;
use std::time::Duration;

use bevy_ecs::prelude::*;
use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::{ActorId, ActorRef, Contract, NetId, SessionId, contract, contracts, data};
use lightmoon_node::Game;
use lightmoon_zone::{
    ActorWorld, DurableActor, Last, NetIdentity, Update, WorldActor, WorldBuilder, Zone, ZoneBuilder,
    ZoneOptions, ZoneRandom, ZoneTime, persisted_hash,
};

/// The longest time that a `behind` effect of this game is in no commit.
pub(crate) const MAX_LOSS: Duration = Duration::from_secs(2);

/// The keys of the vaults.
pub(crate) const VAULTS: [u64; 2] = [1, 2];

/// The player.
#[contract]
pub trait Patron {
    /// Takes something into the inventory, and says so to its client.
    #[operation(client = own, durability = sync, log, timeout_ms = 3000, rate = 100)]
    fn take(token: u64) -> bool;
    /// The same, without hurry.
    #[operation(client = own, timeout_ms = 3000, rate = 100)]
    fn note(token: u64) -> bool;
    /// Puts something into a vault and keeps a receipt.
    #[operation(client = own, durability = sync, timeout_ms = 3000, rate = 100)]
    async fn give(token: u64, vault: u64) -> bool;
    /// How much there is.
    #[operation(client = own, durability = none, timeout_ms = 3000, rate = 100)]
    fn count() -> u64;
    /// Something was taken.
    #[operation(push)]
    fn took(token: u64);
}

/// A vault.
#[contract(ticking)]
pub trait Vault {
    /// Puts something into a chest.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 100)]
    fn put(token: u64) -> bool;
    /// Empties a chest into another one, with something more.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 100)]
    fn merge(token: u64) -> bool;
    /// Lays something on the floor.
    #[operation(client = any, timeout_ms = 3000, rate = 100)]
    fn mark(token: u64) -> NetId;
}

/// The clerk.
#[contract]
pub trait Clerk {
    /// Counts something.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 100)]
    fn add(token: u64) -> u64;
    /// The same, without hurry.
    #[operation(client = any, timeout_ms = 3000, rate = 100)]
    fn add_lazily(token: u64) -> u64;
    /// A vault says what was put into it.
    #[operation]
    fn heard(token: u64);
}

contracts! { game = "kept-tests", contracts = [Patron, Vault, Clerk], components = [], lock = none }

/// Something in an inventory.
#[data(persist = "item")]
#[derive(Component, Clone, Debug, Default)]
pub(crate) struct Item {
    pub(crate) token: u64,
}

/// That a vault took something.
#[data(persist = "receipt")]
#[derive(Component, Clone, Debug, Default)]
pub(crate) struct Receipt {
    pub(crate) token: u64,
}

/// Something that holds much.
#[data(persist = "chest")]
#[derive(Component, Clone, Debug, Default)]
pub(crate) struct Chest {
    /// The token for which it was made.
    pub(crate) maker: u64,
    pub(crate) tokens: Vec<u64>,
}

/// Something on the floor.
#[data(persist = "mark")]
#[derive(Component, Clone, Debug, Default)]
pub(crate) struct Mark {
    pub(crate) token: u64,
}

/// Something that moves each tick and is gone after a while.
#[data(persist = "mover")]
#[derive(Component, Clone, Debug, Default)]
pub(crate) struct Mover {
    /// Which one it is.
    pub(crate) who: u64,
    x: u64,
}

/// What the clerk knows.
#[data(persist = "book")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) tokens: Vec<u64>,
    pub(crate) heard: Vec<u64>,
}

/// A patron.
pub(crate) struct ThePatron {
    world: ActorWorld,
    session: Option<SessionId>,
}

impl WorldActor for ThePatron {
    fn build(world: &mut WorldBuilder<'_>) {
        world.persist_all::<(Item, Receipt)>();
    }

    fn activate(_: &mut Cx, _: u64, world: ActorWorld) -> Self {
        Self { world, session: None }
    }

    fn world(&mut self) -> &mut ActorWorld {
        &mut self.world
    }

    fn connected(&mut self, _: &mut Cx, session: SessionId) {
        self.session = Some(session);
    }
}

impl Patron<Cx> for ThePatron {
    fn take(&mut self, cx: &mut Cx, token: u64) -> bool {
        self.world.spawn(Item { token });
        if let Some(session) = self.session {
            cx.push(session, patron::Took { token });
        }
        true
    }

    fn note(&mut self, _: &mut Cx, token: u64) -> bool {
        self.world.spawn(Item { token });
        true
    }

    async fn give(&mut self, cx: &mut Cx, token: u64, vault: u64) -> bool {
        let given = cx.to(ActorRef::<VaultContract>::new(vault)).put(token).await;
        if given.is_ok() {
            self.world.spawn(Receipt { token });
        }
        given.is_ok()
    }

    fn count(&mut self, _: &mut Cx) -> u64 {
        self.world.query::<&Item>().iter(&self.world).count() as u64
    }
}

thread_local! {
    /// What vaults kept, by tick: noted for the auditor.
    static KEPT: RefCell<Vec<(ActorId, u64, u128)>> = const { RefCell::new(Vec::new()) };
}

/// What vaults kept at their ticks since this was asked last.
pub(crate) fn take_kept() -> Vec<(ActorId, u64, u128)> {
    KEPT.take()
}

fn note_kept(world: &mut World) {
    let (key, tick) = (world.resource::<Key>().0, world.resource::<ZoneTime>().tick().0);
    let hash = persisted_hash(world);
    KEPT.with_borrow_mut(|kept| kept.push((ActorId::new(VaultContract::KIND, key), tick, hash)));
}

/// Of the zone.
#[derive(Resource)]
struct Key(u64);

/// A vault.
pub(crate) struct TheVault;

impl Zone for TheVault {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        let key = Key(zone.key());
        zone.persist_all::<(Chest, Mark, Mover)>()
            .insert_resource(key)
            .add_systems(Update, (roll, sprout).chain())
            .add_systems(Last, note_kept);
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        let key = zone.key();
        for number in 0..5 {
            zone.world().spawn(Mover { who: u64::MAX - key * 10 - number, x: 0 });
        }
    }
}

fn roll(mut movers: Query<'_, '_, (Entity, &mut Mover)>, mut commands: Commands<'_, '_>) {
    for (entity, mut mover) in &mut movers {
        mover.x += 1;
        if mover.x > 300 {
            commands.entity(entity).despawn();
        }
    }
}

fn sprout(time: Res<'_, ZoneTime>, mut random: ResMut<'_, ZoneRandom>, mut commands: Commands<'_, '_>) {
    if time.tick().0.is_multiple_of(13) {
        // The highest bit keeps these apart from tokens.
        commands.spawn(Mover { who: random.u64(..) | 1 << 63, x: 0 });
    }
}

/// The chests in order of their ids.
fn chests(world: &mut World) -> Vec<Entity> {
    let mut chests: Vec<(NetId, Entity)> = world
        .query_filtered::<(&NetIdentity, Entity), With<Chest>>()
        .iter(world)
        .map(|(identity, entity)| (identity.id(), entity))
        .collect();
    chests.sort_unstable();
    chests.into_iter().map(|(_, entity)| entity).collect()
}

fn fill(world: &mut World, chest: Option<Entity>, tokens: &[u64]) {
    match chest.and_then(|chest| world.get_mut::<Chest>(chest)) {
        Some(mut chest) => chest.tokens.extend_from_slice(tokens),
        None => drop(world.spawn(Chest { maker: tokens[0], tokens: tokens.to_vec() })),
    }
    world.flush();
}

impl Vault<Cx, World> for TheVault {
    fn put(world: &mut World, cx: &mut Cx, token: u64) -> bool {
        let chests = chests(world);
        let at = usize::try_from(token % 5).unwrap_or(0);
        fill(world, chests.get(at).copied(), &[token]);
        let _told = cx.to(ActorRef::<ClerkContract>::new(0)).heard(token);
        note_kept(world);
        true
    }

    fn merge(world: &mut World, _: &mut Cx, token: u64) -> bool {
        let chests = chests(world);
        let (mut tokens, mut into) = (vec![token], None);
        if let [first, second, ..] = chests[..] {
            tokens.extend(world.get::<Chest>(first).into_iter().flat_map(|chest| chest.tokens.clone()));
            world.despawn(first);
            into = Some(second);
        }
        fill(world, into, &tokens);
        note_kept(world);
        true
    }

    fn mark(world: &mut World, _: &mut Cx, token: u64) -> NetId {
        let mark = world.spawn(Mark { token }).id();
        world.flush();
        note_kept(world);
        world.get::<NetIdentity>(mark).map_or(NetId::NONE, NetIdentity::id)
    }
}

/// The clerk.
#[derive(Default)]
pub(crate) struct TheClerk(Book);

impl Actor for TheClerk {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self::default()
    }
}

impl DurableActor for TheClerk {
    type State = Book;

    fn state(&self) -> &Book {
        &self.0
    }

    fn restore(_: &mut Cx, _: u64, state: Book) -> Self {
        Self(state)
    }
}

impl Clerk<Cx> for TheClerk {
    fn add(&mut self, _: &mut Cx, token: u64) -> u64 {
        self.0.tokens.push(token);
        self.0.tokens.len() as u64
    }

    fn add_lazily(&mut self, _: &mut Cx, token: u64) -> u64 {
        self.0.tokens.push(token);
        self.0.tokens.len() as u64
    }

    fn heard(&mut self, _: &mut Cx, token: u64) {
        self.0.heard.push(token);
    }
}

/// The game.
pub(crate) fn game() -> Game {
    Game::new(descriptor())
        .player_world::<PatronContract, ThePatron>()
        .zone::<VaultContract, TheVault>(ZoneOptions { max_loss: MAX_LOSS, ..ZoneOptions::default() })
        .durable_actor::<ClerkContract, TheClerk>()
        .start::<VaultContract>(VAULTS)
}
