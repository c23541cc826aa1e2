//! A game's code that panics, on a real server with clients: only the activation that did restarts, and its clients stay.

use bevy_ecs::prelude::{Component, ResMut, Resource};
use lightmoon::prelude::*;
use lightmoon::zone::World;
use lightmoon::{App, Game, Running};
use lightmoon_client::{ClientOptions, ConnectOptions, Endpoint, Event, RetryOptions, Session, connect};
use std::time::Duration;

use lightmoon_contract::Replicate as _;

use crate::harness::Scratch;
use crate::play::{PATIENCE, next_event};

/// The player.
#[contract]
pub trait Guest {
    /// Goes to a table; answers the avatar.
    #[operation(client = own)]
    async fn sit(table: u64) -> NetId;
    /// Fails, and whatever the player knew is gone.
    #[operation(client = own)]
    fn fail() -> u32;
    /// The same, and what it knew fails when it is dropped.
    #[operation(client = own)]
    fn fail_twice() -> u32;
    /// Calls until now, this one too, since the player was activated.
    #[operation(client = own, rate = 100)]
    fn calls() -> u32;
}

/// A table, which is a zone.
#[contract(ticking)]
pub trait Table {
    /// Makes an avatar.
    #[operation]
    fn seat() -> NetId;
    /// Ticks since the table was activated.
    #[operation(client = any, rate = 100, burst = 100)]
    fn age() -> u32;
    /// A system of the next tick panics.
    #[operation(client = any)]
    fn break_system();
    /// Panics at once.
    #[operation(client = any)]
    fn break_operation() -> u32;
    /// Drops something that panics then.
    #[operation(client = any)]
    fn break_drop() -> u32;
    /// A system of the next tick panics, and so does what is dropped with the world.
    #[operation(client = any)]
    fn break_all();
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

lightmoon_contract::contracts! { game = "panics", contracts = [Guest, Table], components = [Spot] }

/// What cannot be dropped in peace.
#[derive(Component, Debug)]
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("asked to panic when dropped");
    }
}

#[derive(Debug, Default)]
struct Person {
    session: Option<SessionId>,
    calls: u32,
    mine: Option<Mine>,
}

impl Actor for Person {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
    }

    fn connected(&mut self, _cx: &mut Cx, session: SessionId) {
        self.session = Some(session);
    }
}

impl Guest<Cx> for Person {
    async fn sit(&mut self, cx: &mut Cx, table: u64) -> NetId {
        let table = ActorRef::<TableContract>::new(table);
        let Ok(avatar) = cx.to(table).seat().await else { return NetId::NONE };
        if let Some(session) = self.session {
            cx.attach(session, table.id(), avatar);
        }
        avatar
    }

    fn fail(&mut self, _cx: &mut Cx) -> u32 {
        panic!("asked to fail")
    }

    fn fail_twice(&mut self, _cx: &mut Cx) -> u32 {
        self.mine = Some(Mine);
        panic!("asked to fail")
    }

    fn calls(&mut self, _cx: &mut Cx) -> u32 {
        self.calls += 1;
        self.calls
    }
}

#[derive(Resource, Default)]
struct Age {
    ticks: u32,
    breaks: bool,
}

#[derive(Debug)]
struct RoundTable;

impl Zone for RoundTable {
    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Spot>()
            .interest(InterestOptions::default(), |spot: &Spot| [spot.x, spot.y])
            .init_resource::<Age>()
            .add_systems(Update, grow);
    }
}

fn grow(mut age: ResMut<'_, Age>) {
    assert!(!age.breaks, "asked to break");
    age.ticks += 1;
}

impl Table<Cx, World> for RoundTable {
    fn seat(world: &mut World, _cx: &mut Cx) -> NetId {
        let entity = world.spawn(Spot { x: 0.0, y: 0.0 }).id();
        world.get::<NetIdentity>(entity).map_or(NetId::NONE, |identity| identity.id())
    }

    fn age(world: &mut World, _cx: &mut Cx) -> u32 {
        world.resource::<Age>().ticks
    }

    fn break_system(world: &mut World, _cx: &mut Cx) {
        world.resource_mut::<Age>().breaks = true;
    }

    fn break_operation(_world: &mut World, _cx: &mut Cx) -> u32 {
        panic!("asked to break")
    }

    fn break_drop(world: &mut World, _cx: &mut Cx) -> u32 {
        let mine = world.spawn(Mine).id();
        world.despawn(mine);
        0
    }

    fn break_all(world: &mut World, _cx: &mut Cx) {
        world.spawn(Mine);
        world.resource_mut::<Age>().breaks = true;
    }
}

fn serve(scratch: &Scratch) -> Running {
    let game = Game::new(descriptor())
        .player::<GuestContract, Person>()
        .zone::<TableContract, RoundTable>(ZoneOptions::default())
        .start::<TableContract>([1, 2]);
    let app = App::new(game);
    let settings = app
        .settings()
        .with("data", scratch.path().join("data").to_str().unwrap())
        .with("listen", "127.0.0.1:0")
        .with("console", "127.0.0.1:0")
        .with("pin", "off")
        .with("workers", "3");
    app.start(&settings).unwrap()
}

async fn guest(running: &Running, name: &str) -> Session {
    let ready = running.ready();
    let retry = RetryOptions { tries_max: Some(20), ..RetryOptions::default() };
    let client = ClientOptions::new(descriptor(), &[Spot::SPEC]).unwrap().token(name.to_owned()).retry(retry);
    let certificates = ready.certificate_hashes.iter().map(|hash| hash.parse().unwrap()).collect();
    let options = ConnectOptions { server: ready.game.to_string(), certificates, client, seed: 1 };
    tokio::time::timeout(PATIENCE, connect(&Endpoint::new().unwrap(), options)).await.unwrap().unwrap()
}

/// Asks, and sees to it that the session never breaks meanwhile.
macro_rules! ask {
    ($session:expr, $pending:expr) => {{
        let pending = $pending;
        loop {
            let event = next_event($session).await;
            assert!(!matches!(event, Event::Resuming(_) | Event::Lost(_)), "{event:?}");
            if let Some(reply) = $session.client().reply(&pending) {
                break reply;
            }
        }
    }};
}

async fn age(session: &mut Session, table: u64) -> Option<u32> {
    ask!(session, session.client().actor(ActorRef::<TableContract>::new(table)).age()).ok()
}

/// Waits until a table is younger than it was: it was activated anew.
async fn until_younger(session: &mut Session, table: u64, before: u32) {
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        // While it rests, its callers wait or are told that it panicked.
        if age(session, table).await.is_some_and(|now| now < before) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("table {table} did not begin anew");
}

/// Waits until a table is so old.
async fn until_older(session: &mut Session, table: u64, than: u32) -> u32 {
    loop {
        match age(session, table).await {
            Some(age) if age > than => return age,
            Some(_) | None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Breaks table 1 while a client sits there and another one at table 2.
async fn only_the_table_restarts(breaks: impl Fn(&mut Session)) {
    let scratch = Scratch::new();
    let running = serve(&scratch);
    let (mut ann, mut bob) = (guest(&running, "ann").await, guest(&running, "bob").await);
    ask!(&mut ann, ann.client().me::<GuestContract>().sit(1)).unwrap();
    ask!(&mut bob, bob.client().me::<GuestContract>().sit(2)).unwrap();
    assert_eq!(ask!(&mut ann, ann.client().me::<GuestContract>().calls()), Ok(1));
    let (before, other) = (until_older(&mut ann, 1, 10).await, age(&mut bob, 2).await.unwrap());
    breaks(&mut ann);
    until_younger(&mut ann, 1, before).await;
    assert!(age(&mut bob, 2).await.unwrap() >= other, "the other table goes on as it was");
    assert_eq!(ask!(&mut ann, ann.client().me::<GuestContract>().calls()), Ok(2), "players too");
    // Who sat there sits down again, over the same session.
    let avatar = ask!(&mut ann, ann.client().me::<GuestContract>().sit(1)).unwrap();
    assert_ne!(avatar, NetId::NONE);
    assert_eq!((ann.client().stats().sessions, ann.client().stats().resumes), (1, 0));
    assert_eq!((bob.client().stats().sessions, bob.client().stats().resumes), (1, 0));
    tokio::task::spawn_blocking(move || running.stop("the test is over")).await.unwrap();
}

#[tokio::test]
async fn of_a_panicking_system_only_its_zone_restarts() {
    only_the_table_restarts(|ann| {
        ann.client().actor(ActorRef::<TableContract>::new(1)).break_system().unwrap()
    })
    .await;
}

#[tokio::test]
async fn of_a_panicking_operation_only_its_zone_restarts() {
    only_the_table_restarts(|ann| {
        let _answer = ann.client().actor(ActorRef::<TableContract>::new(1)).break_operation();
    })
    .await;
}

#[tokio::test]
async fn of_a_panicking_drop_only_its_zone_restarts() {
    only_the_table_restarts(|ann| {
        let _answer = ann.client().actor(ActorRef::<TableContract>::new(1)).break_drop();
    })
    .await;
}

#[tokio::test]
async fn of_a_world_that_panics_when_it_is_dropped_only_its_zone_restarts() {
    only_the_table_restarts(|ann| ann.client().actor(ActorRef::<TableContract>::new(1)).break_all().unwrap())
        .await;
}

#[tokio::test]
async fn a_player_that_panics_also_when_dropped_begins_anew_and_its_client_stays() {
    let scratch = Scratch::new();
    let running = serve(&scratch);
    let (mut ann, mut bob) = (guest(&running, "ann").await, guest(&running, "bob").await);
    assert_eq!(ask!(&mut bob, bob.client().me::<GuestContract>().calls()), Ok(1));
    assert_eq!(ask!(&mut ann, ann.client().me::<GuestContract>().calls()), Ok(1));
    assert_eq!(ask!(&mut ann, ann.client().me::<GuestContract>().fail()), Err(CallError::Panicked));
    assert_eq!(ask!(&mut ann, ann.client().me::<GuestContract>().calls()), Ok(1), "anew");
    assert_eq!(ask!(&mut ann, ann.client().me::<GuestContract>().fail_twice()), Err(CallError::Panicked));
    assert_eq!(ask!(&mut ann, ann.client().me::<GuestContract>().calls()), Ok(1), "anew");
    assert_eq!(ask!(&mut bob, bob.client().me::<GuestContract>().calls()), Ok(2));
    assert_eq!((ann.client().stats().sessions, bob.client().stats().sessions), (1, 1));
    tokio::task::spawn_blocking(move || running.stop("the test is over")).await.unwrap();
}
