//! The game of the book's short examples: compiled, and it starts.
//!
//! The chapters show the parts between the anchors; what stands around them is as much as it takes to compile them.

#![expect(
    clippy::cast_possible_truncation,
    unreachable_pub,
    reason = "the book shows these parts as a game's library has them"
)]

use std::process::ExitCode;

use bevy_ecs::prelude::*;
use lightmoon::actor::{Actor, Cx};
use lightmoon::contract::{ActorRef, CallError, Caller, Priority, contract, contracts, data, replicate};
use lightmoon::node::{Node, NodeOptions};
use lightmoon::zone::{DurableActor, InterestOptions, Optional, Update, Zone, ZoneBuilder, ZoneOptions};
use lightmoon::{App, Game};

use game_sample::page::Page;

/// Controls of a ship.
#[data]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Steer {
    /// -1 to 1.
    pub turn: f32,
}

/// A ship that was put into a sector.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spawned {
    /// Which one.
    pub ship: u64,
}

/// Why a ship was not put into a sector.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SpawnRefused {
    /// The sector takes no more ships.
    Full,
    /// A reason that this build does not know.
    #[default]
    #[other]
    Other,
}

/// Where something is.
#[replicate(state, number = 1)]
#[derive(Component, Clone, Copy, PartialEq, Debug, Default)]
pub struct Pose {
    /// Metres to the right of the middle.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    pub x: f32,
    /// Metres above it.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    pub y: f32,
}

/// What it is called.
#[replicate(sticky, number = 2)]
#[derive(Component, Clone, PartialEq, Eq, Debug, Default)]
pub struct Label {
    /// Its name.
    pub name: String,
}

// ANCHOR: contract
#[contract(ticking)]
pub trait Sector {
    /// Sets the controls of the caller's ship.
    #[operation(client = zone, priority = high, reliability = unreliable_latest, rate = 60)]
    fn steer(steer: Steer);

    /// Puts a player's ship into the sector.
    #[operation(priority = high, reliability = reliable_ordered, timeout_ms = 5000)]
    fn spawn(player: u64, name: String) -> Result<Spawned, SpawnRefused>;

    /// Somebody said something.
    #[operation(push, priority = low, reliability = reliable_ordered)]
    fn said(name: String, text: String);
}
// ANCHOR_END: contract

/// A player.
#[contract]
pub trait Pilot {
    /// Enters the first sector.
    #[operation(client = own)]
    async fn enter(name: String) -> Result<Spawned, SpawnRefused>;
}

/// Pilots who fly together.
#[contract]
pub trait Guild {
    /// Tells all of them.
    #[operation]
    async fn tell(text: String);
}

/// Where a guild meets.
#[contract]
pub trait Hall {
    /// Says something to who is there.
    #[operation]
    fn announce(text: String);
}

// ANCHOR: remembers
/// What a player's client may do with its purse.
#[contract]
pub trait Purse {
    /// Earns a coin, and says how many there are. The coin is stored when the answer is there.
    #[operation(client = own, durability = sync, rate = 10)]
    fn earn() -> u64;
}

/// What is kept of a player.
#[data(persist = "coins")]
#[derive(Default)]
pub struct Coins {
    /// How many.
    pub count: u64,
}

#[derive(Default)]
pub struct PurseActor {
    coins: Coins,
}

impl Purse<Cx> for PurseActor {
    fn earn(&mut self, _cx: &mut Cx) -> u64 {
        self.coins.count += 1;
        self.coins.count
    }
}

impl Actor for PurseActor {
    /// A player who was never here.
    fn activate(_cx: &mut Cx, _player: u64) -> Self {
        Self::default()
    }
}

impl DurableActor for PurseActor {
    type State = Coins;

    fn state(&self) -> &Coins {
        &self.coins
    }

    /// A player who comes back.
    fn restore(_cx: &mut Cx, _player: u64, coins: Coins) -> Self {
        Self { coins }
    }
}
// ANCHOR_END: remembers

contracts! {
    game = "book", contracts = [Pilot, Sector, Guild, Hall, Purse], components = [Pose, Label], lock = none
}

// ANCHOR: actor
#[derive(Default)]
pub struct PilotActor {
    name: String,
}

impl Actor for PilotActor {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
    }
}

impl Pilot<Cx> for PilotActor {
    async fn enter(&mut self, cx: &mut Cx, name: String) -> Result<Spawned, SpawnRefused> {
        self.name = name.clone();
        let Caller::Client { player, .. } = cx.caller() else { return Err(SpawnRefused::Other) };
        let mut sector = cx.to(ActorRef::<SectorContract>::new(1));
        // Others of this actor wait meanwhile; the answer may also be that the sector failed.
        sector.spawn(player, name).await.unwrap_or(Err(SpawnRefused::Other))
    }
}
// ANCHOR_END: actor

#[derive(Default)]
struct GuildActor;

impl Actor for GuildActor {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self
    }
}

impl Guild<Cx> for GuildActor {
    async fn tell(&mut self, cx: &mut Cx, text: String) {
        let hall = ActorRef::<HallContract>::new(cx.key());
        // Who is not there any more is told nothing.
        let _told = tell_hall(cx, hall, text).await;
    }
}

async fn tell_hall(cx: &mut Cx, hall: ActorRef<HallContract>, text: String) -> Result<(), CallError> {
    // ANCHOR: room
    while cx.to(hall).announce(text.clone()) == Err(CallError::Busy) {
        cx.room(hall.id(), Priority::Normal).await?;
    }
    // ANCHOR_END: room
    Ok(())
}

#[derive(Default)]
struct HallActor;

impl Actor for HallActor {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self
    }
}

impl Hall<Cx> for HallActor {
    fn announce(&mut self, _cx: &mut Cx, _text: String) {}
}

struct SectorZone;

// ANCHOR: zone
impl Zone for SectorZone {
    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Pose>()
            .replicate::<Label>()
            .interest::<Pose>(InterestOptions::radius(700.0), |pose| [pose.x, pose.y])
            .add_systems(Update, (fly, find_gates).chain());
    }
}
// ANCHOR_END: zone

/// A ship.
#[derive(Component)]
struct Ship;

/// A crystal.
#[derive(Component)]
struct Crystal;

#[expect(dead_code, reason = "only compiled")]
fn more_of_a_zone(zone: &mut ZoneBuilder<'_>) {
    // ANCHOR: optional
    zone.add_systems(Update, (drift_clouds, far_thoughts).in_set(Optional));
    // ANCHOR_END: optional
    // ANCHOR: chart
    zone.chart::<Ship>("ship").chart::<Crystal>("crystal");
    // ANCHOR_END: chart
}

fn fly() {}
fn find_gates() {}
fn drift_clouds() {}
fn far_thoughts() {}

impl Sector<Cx, World> for SectorZone {
    fn steer(_world: &mut World, _cx: &mut Cx, _steer: Steer) {}

    fn spawn(world: &mut World, _cx: &mut Cx, player: u64, name: String) -> Result<Spawned, SpawnRefused> {
        world.spawn((Pose::default(), Label { name }));
        Ok(Spawned { ship: player })
    }
}

// ANCHOR: game
pub fn game() -> Game {
    Game::new(descriptor())
        .player::<PilotContract, PilotActor>()
        .zone::<SectorContract, SectorZone>(ZoneOptions::default())
        .start::<SectorContract>([1, 2, 3])
}
// ANCHOR_END: game

fn game_with_guilds() -> Game {
    game()
        .actor::<GuildContract, GuildActor>()
        .actor::<HallContract, HallActor>()
        // ANCHOR: places
        // A guild is where its hall is.
        .place::<GuildContract>(|key, workers| (key % u64::from(workers)) as u16)
        .place::<HallContract>(|key, workers| (key % u64::from(workers)) as u16)
    // ANCHOR_END: places
}

#[expect(dead_code, reason = "a test has no main of its own")]
// ANCHOR: main
fn main() -> ExitCode {
    App::new(game()).title("My game").page::<Page>().run()
}
// ANCHOR_END: main

#[test]
fn the_game_of_the_books_examples_starts() {
    let now = lightmoon::contract::Mono::from_millis(1_000);
    let remembers = Game::new(descriptor()).durable_player::<PurseContract, PurseActor>();
    assert!(Node::new(remembers, NodeOptions::default(), 1, now).is_ok());
    let mut node = Node::new(game_with_guilds(), NodeOptions::default(), 1, now).unwrap();
    let mut out = Vec::new();
    node.turn(now, &mut Vec::new(), &mut out);
    assert_eq!(node.report().zones.len(), 3);
}
