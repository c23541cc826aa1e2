//! A game whose actors and zones panic when they are told to, and write down what they served.

use std::cell::RefCell;

use bevy_ecs::prelude::*;
use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::{ActorRef, Mono, NetId, SessionId, contract, contracts, replicate};
use lightmoon_node::Game;
use lightmoon_zone::{InterestOptions, NetIdentity, Update, Zone, ZoneBuilder, ZoneOptions};

/// The player.
#[contract]
pub trait Guest {
    /// Tells each receiver of `plan` something, in order: [`Word::number`]s, the first with sequence `first`.
    #[operation(client = own, timeout_ms = 3000, rate = 1000, burst = 1000)]
    fn stir(from: u64, first: u64, plan: Vec<u64>) -> u64;
    /// The same, and panics behind it.
    #[operation(client = own, timeout_ms = 3000, rate = 1000, burst = 1000)]
    fn stir_and_fail(from: u64, first: u64, plan: Vec<u64>) -> u64;
    /// Looks at a table.
    #[operation(client = own, timeout_ms = 3000, rate = 100)]
    async fn sit(table: u64) -> NetId;
}

/// Somebody who listens.
#[contract]
pub trait Peer {
    /// Serves a message, in one of the ways of [`Deed`].
    #[operation]
    fn hear(from: u64, sequence: u64, deed: u64);
}

/// A table, which is a zone.
#[contract(ticking)]
pub trait Table {
    /// Makes an avatar.
    #[operation]
    fn seat() -> NetId;
    /// As [`Peer::hear`].
    #[operation]
    fn hear(from: u64, sequence: u64, deed: u64);
}

/// Where something is.
#[replicate(state)]
#[derive(Clone, Copy, Debug, PartialEq, Component)]
pub(crate) struct Spot {
    /// East.
    #[quantise(min = -128.0, max = 128.0, step = 0.25)]
    pub x: f32,
    /// North.
    #[quantise(min = -128.0, max = 128.0, step = 0.25)]
    pub y: f32,
}

contracts! { game = "panics", contracts = [Guest, Peer, Table], components = [Spot], lock = none }

/// Peers have the keys from 0 on, tables those from here.
pub(crate) const TABLES_FROM: u64 = 100;

/// How a message ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    /// Well.
    Nothing,
    /// The operation panics.
    Operation,
    /// What the operation drops panics.
    Drop,
    /// The operation panics, and so does what is dropped with the state. Of a table: a system of the next tick.
    Twice,
    /// Of a table: a system of the next tick panics.
    System,
}

impl Deed {
    pub(crate) const ALL: [Self; 5] = [Self::Nothing, Self::Operation, Self::Drop, Self::Twice, Self::System];

    const fn of(number: u64) -> Self {
        Self::ALL[(number % 5) as usize]
    }
}

/// What a receiver is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) receiver: u64,
    pub(crate) deed: Deed,
}

impl Word {
    pub(crate) const fn number(self) -> u64 {
        self.receiver * 8 + self.deed as u64
    }
}

/// A message that was served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Served {
    pub(crate) receiver: u64,
    /// Which activation did: they are numbered.
    pub(crate) life: u64,
    pub(crate) from: u64,
    pub(crate) sequence: u64,
    pub(crate) at: Mono,
}

thread_local! {
    static SERVED: RefCell<Vec<Served>> = const { RefCell::new(Vec::new()) };
    static LIVES: RefCell<u64> = const { RefCell::new(0) };
}

/// Everything that was served since this was called last; lives are counted anew.
pub(crate) fn take_served() -> Vec<Served> {
    LIVES.take();
    SERVED.take()
}

fn next_life() -> u64 {
    LIVES.with_borrow_mut(|lives| {
        *lives += 1;
        *lives
    })
}

fn note(cx: &Cx, life: u64, from: u64, sequence: u64) {
    let served = Served { receiver: cx.key(), life, from, sequence, at: cx.now() };
    SERVED.with_borrow_mut(|all| all.push(served));
}

/// What cannot be dropped in peace.
#[derive(Component, Debug)]
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("asked to panic when dropped");
    }
}

#[derive(Debug, Default)]
struct TestGuest {
    session: Option<SessionId>,
}

impl Actor for TestGuest {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
    }

    fn connected(&mut self, _cx: &mut Cx, session: SessionId) {
        self.session = Some(session);
    }
}

fn tell_all(cx: &mut Cx, from: u64, first: u64, plan: &[u64]) -> u64 {
    for (number, sequence) in plan.iter().zip(first..) {
        let (receiver, deed) = (number / 8, number % 8);
        let told = if receiver < TABLES_FROM {
            cx.to(ActorRef::<PeerContract>::new(receiver)).hear(from, sequence, deed).is_ok()
        } else {
            cx.to(ActorRef::<TableContract>::new(receiver)).hear(from, sequence, deed).is_ok()
        };
        assert!(told, "there is room for a few messages");
    }
    plan.len() as u64
}

impl Guest<Cx> for TestGuest {
    fn stir(&mut self, cx: &mut Cx, from: u64, first: u64, plan: Vec<u64>) -> u64 {
        tell_all(cx, from, first, &plan)
    }

    fn stir_and_fail(&mut self, cx: &mut Cx, from: u64, first: u64, plan: Vec<u64>) -> u64 {
        tell_all(cx, from, first, &plan);
        panic!("asked to fail")
    }

    async fn sit(&mut self, cx: &mut Cx, table: u64) -> NetId {
        let table = ActorRef::<TableContract>::new(table);
        let Ok(avatar) = cx.to(table).seat().await else { return NetId::NONE };
        if let Some(session) = self.session {
            cx.attach(session, table.id(), avatar);
        }
        avatar
    }
}

#[derive(Debug)]
struct TestPeer {
    life: u64,
    mine: Option<Mine>,
}

impl Actor for TestPeer {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self { life: next_life(), mine: None }
    }
}

impl Peer<Cx> for TestPeer {
    fn hear(&mut self, cx: &mut Cx, from: u64, sequence: u64, deed: u64) {
        note(cx, self.life, from, sequence);
        match Deed::of(deed) {
            Deed::Nothing => {}
            Deed::Operation | Deed::System => panic!("asked to fail"),
            Deed::Drop => drop(Mine),
            Deed::Twice => {
                self.mine = Some(Mine);
                panic!("asked to fail twice")
            }
        }
    }
}

/// Of one life of a table.
#[derive(Resource)]
struct Life {
    number: u64,
    breaks: bool,
}

#[derive(Debug)]
struct TestTable;

impl Zone for TestTable {
    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Spot>()
            .interest(InterestOptions::default(), |spot: &Spot| [spot.x, spot.y])
            .insert_resource(Life { number: next_life(), breaks: false })
            .add_systems(Update, hold);
    }
}

fn hold(life: Res<'_, Life>) {
    assert!(!life.breaks, "asked to break");
}

impl Table<Cx, World> for TestTable {
    fn seat(world: &mut World, _cx: &mut Cx) -> NetId {
        let entity = world.spawn(Spot { x: 0.0, y: 0.0 }).id();
        world.flush();
        world.get::<NetIdentity>(entity).map_or(NetId::NONE, NetIdentity::id)
    }

    fn hear(world: &mut World, cx: &mut Cx, from: u64, sequence: u64, deed: u64) {
        note(cx, world.resource::<Life>().number, from, sequence);
        match Deed::of(deed) {
            Deed::Nothing => {}
            Deed::Operation => panic!("asked to fail"),
            Deed::Drop => {
                let mine = world.spawn(Mine).id();
                world.despawn(mine);
            }
            Deed::Twice => {
                world.spawn(Mine);
                world.resource_mut::<Life>().breaks = true;
            }
            Deed::System => world.resource_mut::<Life>().breaks = true,
        }
    }
}

/// Tables that the node starts.
pub(crate) const TABLES: [u64; 3] = [TABLES_FROM, TABLES_FROM + 1, TABLES_FROM + 2];

/// The game.
pub(crate) fn game() -> Game {
    Game::new(descriptor())
        .player::<GuestContract, TestGuest>()
        .actor::<PeerContract, TestPeer>()
        .zone::<TableContract, TestTable>(ZoneOptions::default())
        .start::<TableContract>(TABLES)
}
