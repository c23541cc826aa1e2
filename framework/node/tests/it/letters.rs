//! Messages that take effect exactly once, through a whole node: players, a zone, a store, nodes that come after each other.

use bevy_ecs::prelude::*;
use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, ActorRef, CallError, Contract, contract, contracts, data};
use lightmoon_node::{Error, Game, Input, LinkId, Node, NodeOptions};
use lightmoon_store::MemoryStore;
use lightmoon_zone::{ActorWorld, WorldActor, WorldBuilder, Zone, ZoneBuilder, ZoneOptions};

use crate::world::World as Net;

/// Coins that its receiver cannot bear.
const CURSED: u64 = 666;

// ANCHOR: contract
/// A player.
#[contract]
pub trait Pocket {
    /// Puts coins into a chest.
    #[operation(client = own, durability = sync)]
    fn put(chest: u64, coins: u64) -> Result<u64, ()>;
    /// Coins that came out of a chest.
    #[operation(reliability = exactly_once)]
    fn got(coins: u64);
    /// How many there are.
    #[operation(client = own, durability = none)]
    fn coins() -> u64;
}

/// A place with a chest.
#[contract(ticking)]
pub trait Cave {
    /// Coins that somebody put in.
    #[operation(reliability = exactly_once)]
    fn stored(coins: u64);
    /// Gives all coins to a player.
    #[operation(client = any, durability = sync)]
    fn empty(player: u64) -> bool;
    /// The same, but what it does is in no commit.
    #[operation(client = any)]
    fn empty_carelessly(player: u64) -> bool;
    /// How many coins are in the chest.
    #[operation(client = any, durability = none)]
    fn inside() -> u64;
}

// ANCHOR_END: contract
contracts! { game = "letter-tests", contracts = [Pocket, Cave], components = [], lock = none }

#[data(persist = "coins")]
#[derive(Resource, Clone, Default)]
pub(crate) struct Coins {
    count: u64,
}

#[data(persist = "heap")]
#[derive(Component, Clone, Default)]
pub(crate) struct Heap {
    coins: u64,
}

struct ThePocket(ActorWorld);

impl WorldActor for ThePocket {
    fn build(world: &mut WorldBuilder<'_>) {
        world.persist_resource::<Coins>().insert_resource(Coins { count: 1_000 });
    }

    fn activate(_: &mut Cx, _: u64, world: ActorWorld) -> Self {
        Self(world)
    }

    fn world(&mut self) -> &mut ActorWorld {
        &mut self.0
    }
}

impl Pocket<Cx> for ThePocket {
    // ANCHOR: send
    fn put(&mut self, cx: &mut Cx, chest: u64, coins: u64) -> Result<u64, ()> {
        let mut there = self.0.resource_mut::<Coins>();
        let left = there.count.checked_sub(coins).ok_or(())?;
        cx.to(ActorRef::<CaveContract>::new(chest)).stored(coins).map_err(drop)?;
        there.count = left;
        Ok(left)
    }
    // ANCHOR_END: send

    fn got(&mut self, _: &mut Cx, coins: u64) {
        self.0.resource_mut::<Coins>().count += coins;
    }

    fn coins(&mut self, _: &mut Cx) -> u64 {
        self.0.resource::<Coins>().count
    }
}

struct TheCave;

impl Zone for TheCave {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.persist::<Heap>();
    }

    fn populate(_: &mut ZoneBuilder<'_>) {}
}

impl Cave<Cx, World> for TheCave {
    // ANCHOR: take
    fn stored(world: &mut World, _: &mut Cx, coins: u64) {
        assert!(coins != CURSED || world.contains_resource::<Blessed>(), "the heap is cursed");
        world.spawn(Heap { coins });
    }
    // ANCHOR_END: take

    fn empty(world: &mut World, cx: &mut Cx, player: u64) -> bool {
        Self::empty_carelessly(world, cx, player)
    }

    fn empty_carelessly(world: &mut World, cx: &mut Cx, player: u64) -> bool {
        let coins = Self::inside(world, cx);
        if cx.to(ActorRef::<PocketContract>::new(player)).got(coins).is_err() {
            return false;
        }
        let heaps: Vec<Entity> = world.query_filtered::<Entity, With<Heap>>().iter(world).collect();
        for heap in heaps {
            world.despawn(heap);
        }
        true
    }

    fn inside(world: &mut World, _: &mut Cx) -> u64 {
        world.query::<&Heap>().iter(world).map(|heap| heap.coins).sum()
    }
}

/// In this world no heap is cursed.
#[derive(Resource)]
struct Blessed;

struct TheBlessedCave;

impl Zone for TheBlessedCave {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        TheCave::build(zone);
        zone.insert_resource(Blessed);
    }

    fn populate(_: &mut ZoneBuilder<'_>) {}
}

impl Cave<Cx, World> for TheBlessedCave {
    fn stored(world: &mut World, cx: &mut Cx, coins: u64) {
        TheCave::stored(world, cx, coins);
    }

    fn empty(world: &mut World, cx: &mut Cx, player: u64) -> bool {
        TheCave::empty(world, cx, player)
    }

    fn empty_carelessly(world: &mut World, cx: &mut Cx, player: u64) -> bool {
        TheCave::empty_carelessly(world, cx, player)
    }

    fn inside(world: &mut World, cx: &mut Cx) -> u64 {
        TheCave::inside(world, cx)
    }
}

const CAVE: u64 = 5;

fn game_of<Z: Zone + Cave<Cx, World>>() -> Game {
    Game::new(descriptor())
        .player_world::<PocketContract, ThePocket>()
        .zone::<CaveContract, Z>(ZoneOptions::default())
        .start::<CaveContract>([CAVE])
}

fn game() -> Game {
    game_of::<TheCave>()
}

fn the_cave() -> Target {
    Target::Actor(ActorId::new(CaveContract::KIND, CAVE))
}

fn player(net: &Net, of: LinkId) -> u64 {
    let sessions = net.node.report().sessions;
    assert_eq!(sessions.len(), 1, "{of:?}");
    sessions[0].player
}

fn put(net: &mut Net, of: LinkId, coins: u64) -> u64 {
    net.answer(of, Target::Own, &pocket::Put { chest: CAVE, coins }).unwrap().unwrap()
}

fn counts(net: &mut Net, of: LinkId) -> (u64, u64) {
    let own = net.answer(of, Target::Own, &pocket::Coins {}).unwrap();
    (own, net.answer(of, the_cave(), &cave::Inside {}).unwrap())
}

#[test]
fn coins_go_from_a_player_to_a_zone_and_back_and_no_node_that_follows_doubles_them() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    let ann = net.enter("ann");
    assert_eq!(put(&mut net, ann, 40), 960);
    net.pass(100);
    assert_eq!(counts(&mut net, ann), (960, 40));
    for seed in 2..6 {
        // The node is gone without a word; what follows knows what was taken.
        net = Net::of(game(), seed, net.store);
        let ann = net.enter("ann");
        net.pass(100);
        assert_eq!(counts(&mut net, ann), (960, 40), "node {seed}");
    }
    let ann = *net.peers.keys().next().unwrap();
    let player = player(&net, ann);
    assert_eq!(net.answer(ann, the_cave(), &cave::Empty { player }), Ok(true));
    net.pass(100);
    assert_eq!(counts(&mut net, ann), (1_000, 0));
    net.pass(5_000);
    assert_eq!(net.node.report().store.letters, 0, "nothing is under way");
}

#[test]
fn a_message_that_was_decided_arrives_though_its_sender_is_never_spoken_to_again() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    let ann = net.enter("ann");
    // The node dies at the moment at which the player is answered: its commit is durable, the zone has taken nothing.
    let request = net.ask(ann, Target::Own, &pocket::Put { chest: CAVE, coins: 40 });
    while net.take_answer::<Result<u64, ()>>(ann, request).is_none() {
        assert!(net.round(), "it settles before it answers");
    }
    let mut net = Net::of(game(), 2, net.store);
    let bob = net.enter("bob");
    net.pass(200);
    assert_eq!(counts(&mut net, bob).1, 40, "ann never came back");
}

#[test]
fn a_zone_sends_only_what_is_in_its_commits_and_says_so() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    let ann = net.enter("ann");
    put(&mut net, ann, 40);
    net.pass(100);
    let player = player(&net, ann);
    assert_eq!(net.answer(ann, the_cave(), &cave::EmptyCarelessly { player }), Ok(false));
    assert_eq!(counts(&mut net, ann), (960, 40));
}

#[test]
fn clients_cannot_send_what_takes_effect_exactly_once() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    let ann = net.enter("ann");
    net.tell(ann, Target::Own, &pocket::Got { coins: 1_000_000 });
    net.tell(ann, the_cave(), &cave::Stored { coins: 1_000_000 });
    net.pass(100);
    assert_eq!(counts(&mut net, ann), (1_000, 0));
}

#[test]
fn a_poisonous_message_becomes_a_dead_letter_and_takes_effect_when_it_is_sent_again_to_who_can_bear_it() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    let ann = net.enter("ann");
    put(&mut net, ann, CURSED);
    put(&mut net, ann, 1);
    net.pass(10_000);
    let [letter] = &net.node.dead_letters()[..] else { panic!("{:?}", net.node.dead_letters()) };
    assert_eq!(letter.tries, lightmoon_durable::limits::TRIES_MAX);
    assert_eq!(counts(&mut net, ann), (1_000 - CURSED - 1, 1), "what came behind it went on");
    assert!(net.node.report().set_aside.is_empty(), "the zone serves everybody else");
    let (from, number) = (letter.from, letter.number);
    // A build that can bear it comes.
    let mut net = Net::of(game_of::<TheBlessedCave>(), 2, net.store);
    let ann = net.enter("ann");
    net.pass(1_000);
    assert_eq!(counts(&mut net, ann).1, 1, "nobody has asked for it yet");
    net.input(Input::Replay { from, number });
    net.pass(1_000);
    assert_eq!(counts(&mut net, ann).1, 1 + CURSED);
    assert!(net.node.dead_letters().is_empty());
}

#[test]
fn while_the_store_is_away_nothing_is_lost_and_nothing_doubled() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    let ann = net.enter("ann");
    counts(&mut net, ann);
    net.is_store_away = true;
    let request = net.ask(ann, Target::Own, &pocket::Put { chest: CAVE, coins: 5 });
    net.pass(1_000);
    assert_eq!(net.take_answer::<Result<u64, ()>>(ann, request), None, "its commit waits for the store");
    let again = net.answer(ann, Target::Own, &pocket::Put { chest: CAVE, coins: 7 });
    assert_eq!(again, Err(CallError::StoreUnavailable), "by now it is known");
    net.is_store_away = false;
    net.pass(2_000);
    assert_eq!(net.take_answer(ann, request), Some(Ok(Ok::<u64, ()>(995))));
    assert_eq!(counts(&mut net, ann), (995, 5));
}

/// A player that is not kept.
struct Forgetful;

impl Actor for Forgetful {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self
    }
}

impl Pocket<Cx> for Forgetful {
    fn put(&mut self, cx: &mut Cx, chest: u64, coins: u64) -> Result<u64, ()> {
        cx.to(ActorRef::<CaveContract>::new(chest)).stored(coins).map(|()| 0).map_err(drop)
    }

    fn got(&mut self, _: &mut Cx, _: u64) {}

    fn coins(&mut self, _: &mut Cx) -> u64 {
        0
    }
}

#[test]
fn a_game_whose_actors_keep_nothing_cannot_promise_it() {
    let game = Game::new(descriptor())
        .player::<PocketContract, Forgetful>()
        .zone::<CaveContract, TheCave>(ZoneOptions::default());
    let made = Node::new(game, NodeOptions::default(), 1, lightmoon_contract::Mono(0));
    assert!(matches!(made, Err(Error::NothingKept { contract: "Pocket", .. })), "{made:?}");
}
