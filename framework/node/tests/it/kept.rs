//! What a node keeps: it is there when another node begins on the same store.

use std::time::Duration;

use bevy_ecs::prelude::*;
use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::ActorId;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{CallError, Contract, Mono, contract, contracts, data};
use lightmoon_durable::generation::{Opening, SINGLE_NODE, Step};
use lightmoon_node::{Error, Game, Input, Node, NodeOptions};
use lightmoon_store::{MemoryStore, Store as _, Ticket};
use lightmoon_wire::CloseCode;
use lightmoon_zone::{
    ActorWorld, DurableActor, Update, WorldActor, WorldBuilder, Zone, ZoneBuilder, ZoneOptions,
};

use crate::world::World as Net;

/// The player.
#[contract]
pub trait Hoarder {
    /// Adds one; answers how many there are.
    #[operation(client = own, durability = sync)]
    fn hoard() -> u64;
    /// The same, without hurry.
    #[operation(client = own)]
    fn hoard_lazily() -> u64;
    /// How many there are.
    #[operation(client = own, durability = none)]
    fn hoarded() -> u64;
}

/// A meadow.
#[contract(ticking)]
pub trait Meadow {
    /// Sows a flower; answers how many there are.
    #[operation(client = any, durability = sync)]
    fn sow() -> u64;
    /// How far the wanderer went.
    #[operation(client = any)]
    fn far() -> u64;
}

/// A bell that counts.
#[contract]
pub trait Bell {
    /// Rings it; answers how often it was rung.
    #[operation(client = any, durability = sync)]
    fn ring() -> u64;
}

contracts! { game = "kept-tests", contracts = [Hoarder, Meadow, Bell], components = [], lock = none }

#[data(persist = "nut")]
#[derive(Component, Clone, Default)]
pub(crate) struct Nut {
    kind: u32,
}

#[data(persist = "flower")]
#[derive(Component, Clone, Default)]
pub(crate) struct Flower {
    kind: u32,
}

#[data(persist = "wanderer")]
#[derive(Component, Clone, Default)]
pub(crate) struct Wanderer {
    steps: u64,
}

#[data(persist = "rung")]
#[derive(Default)]
pub(crate) struct Rung {
    times: u64,
}

struct TheHoarder(ActorWorld);

impl WorldActor for TheHoarder {
    fn build(world: &mut WorldBuilder<'_>) {
        world.persist::<Nut>();
    }

    fn activate(_: &mut Cx, _: u64, world: ActorWorld) -> Self {
        Self(world)
    }

    fn world(&mut self) -> &mut ActorWorld {
        &mut self.0
    }
}

impl Hoarder<Cx> for TheHoarder {
    fn hoard(&mut self, cx: &mut Cx) -> u64 {
        self.hoard_lazily(cx)
    }

    fn hoard_lazily(&mut self, cx: &mut Cx) -> u64 {
        self.0.spawn(Nut { kind: 1 });
        self.hoarded(cx)
    }

    fn hoarded(&mut self, _: &mut Cx) -> u64 {
        self.0.query::<&Nut>().iter(&self.0).count() as u64
    }
}

struct TheMeadow;

impl Zone for TheMeadow {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.persist_all::<(Flower, Wanderer)>().add_systems(
            Update,
            |mut wanderers: Query<'_, '_, &mut Wanderer>| {
                wanderers.iter_mut().for_each(|mut wanderer| wanderer.steps += 1);
            },
        );
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        zone.world().spawn(Wanderer::default());
    }
}

impl Meadow<Cx, World> for TheMeadow {
    fn sow(world: &mut World, _: &mut Cx) -> u64 {
        world.spawn(Flower { kind: 1 });
        world.query::<&Flower>().iter(world).count() as u64
    }

    fn far(world: &mut World, _: &mut Cx) -> u64 {
        world.query::<&Wanderer>().iter(world).map(|wanderer| wanderer.steps).sum()
    }
}

#[derive(Default)]
struct TheBell(Rung);

impl Actor for TheBell {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self::default()
    }
}

impl DurableActor for TheBell {
    type State = Rung;

    fn state(&self) -> &Rung {
        &self.0
    }

    fn restore(_: &mut Cx, _: u64, state: Rung) -> Self {
        Self(state)
    }
}

impl Bell<Cx> for TheBell {
    fn ring(&mut self, _: &mut Cx) -> u64 {
        self.0.times += 1;
        self.0.times
    }
}

pub(crate) fn game() -> Game {
    Game::new(descriptor())
        .player_world::<HoarderContract, TheHoarder>()
        .zone::<MeadowContract, TheMeadow>(ZoneOptions::default())
        .durable_actor::<BellContract, TheBell>()
        .start::<MeadowContract>([1])
}

fn begin(seed: u64, store: MemoryStore) -> Net {
    let mut net = Net::of(game(), seed, store);
    net.settle();
    net
}

pub(crate) const fn meadow() -> Target {
    Target::Actor(ActorId::new(MeadowContract::KIND, 1))
}

const fn bell() -> Target {
    Target::Actor(ActorId::new(BellContract::KIND, 7))
}

#[test]
fn what_was_acknowledged_is_there_in_the_next_node() {
    let mut net = begin(1, MemoryStore::new());
    let ann = net.enter("ann");
    for count in 1..=3 {
        assert_eq!(net.answer(ann, Target::Own, &hoarder::Hoard {}), Ok(count));
        assert_eq!(net.answer(ann, meadow(), &meadow::Sow {}), Ok(count));
        assert_eq!(net.answer(ann, bell(), &bell::Ring {}), Ok(count));
    }
    // The node is gone, in the middle of everything.
    let mut net = begin(2, net.store);
    let ann = net.enter("ann");
    assert_eq!(net.answer(ann, Target::Own, &hoarder::Hoarded {}), Ok(3));
    assert_eq!(net.answer(ann, meadow(), &meadow::Sow {}), Ok(4));
    assert_eq!(net.answer(ann, bell(), &bell::Ring {}), Ok(4));
}

#[test]
fn each_node_takes_the_next_generation() {
    let mut net = begin(1, MemoryStore::new());
    for generation in 1..=3 {
        assert_eq!(net.node.report().store.generation, generation);
        net = begin(generation, net.store);
    }
}

#[test]
fn a_node_begins_when_its_store_is_there() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    net.is_store_away = true;
    let ann = net.enter("ann");
    let hoard = net.ask(ann, Target::Own, &hoarder::Hoard {});
    net.pass(2_000);
    assert!(net.node.report().store.is_opening);
    net.is_store_away = false;
    net.pass(500);
    assert_eq!(net.take_answer(ann, hoard), Some(Ok(1u64)), "what came meanwhile waited");
}

#[test]
fn a_node_that_waits_for_its_generation_wants_no_turn_for_messages() {
    let mut net = Net::of(game(), 1, MemoryStore::new());
    net.is_store_away = true;
    net.enter("ann");
    let next = net.node.turn(net.now, &mut Vec::new(), &mut Vec::new());
    assert!(!next.more, "it would turn for nothing until the store is there");
}

#[test]
fn a_node_that_a_newer_one_replaced_is_fenced_and_says_nothing_more() {
    let mut net = begin(1, MemoryStore::new());
    let ann = net.enter("ann");
    assert_eq!(net.answer(ann, bell(), &bell::Ring {}), Ok(1));
    // A newer node claims the bell while this one stands still.
    let mut newer = begin(2, std::mem::take(&mut net.store));
    let bob = newer.enter("bob");
    assert_eq!(newer.answer(bob, bell(), &bell::Ring {}), Ok(2));
    net.store = newer.store;
    let ring = net.ask(ann, bell(), &bell::Ring {});
    net.settle();
    assert!(net.fenced.as_ref().is_some_and(|reason| reason.contains('2')), "{:?}", net.fenced);
    assert_eq!(net.take_answer::<u64>(ann, ring), None, "it never happened");
    let mut out = Vec::new();
    assert!(!net.node.turn(net.now, &mut Vec::new(), &mut out).more && out.is_empty());
}

#[test]
fn a_stop_saves_what_is_behind() {
    let mut net = begin(1, MemoryStore::new());
    let ann = net.enter("ann");
    net.pass(3_000);
    assert_eq!(net.answer(ann, Target::Own, &hoarder::HoardLazily {}), Ok(1));
    let far = net.answer(ann, meadow(), &meadow::Far {}).unwrap();
    assert!(far > 50, "{far}");
    net.input(Input::Stop { reason: "maintenance".into() });
    net.pass(1_500);
    assert!(net.has_stopped);
    assert_eq!(net.closing(ann).map(|closing| closing.code), Some(CloseCode::ShuttingDown));
    let mut net = begin(2, net.store);
    let ann = net.enter("ann");
    assert_eq!(net.answer(ann, Target::Own, &hoarder::Hoarded {}), Ok(1));
    assert!(net.answer(ann, meadow(), &meadow::Far {}).unwrap() >= far);
}

#[test]
fn a_stop_waits_for_a_store_that_is_away_only_so_long() {
    let mut net = begin(1, MemoryStore::new());
    let ann = net.enter("ann");
    assert_eq!(net.answer(ann, Target::Own, &hoarder::HoardLazily {}), Ok(1));
    net.is_store_away = true;
    net.peers.clear();
    net.input(Input::Stop { reason: "maintenance".into() });
    let patience = u64::try_from(NodeOptions::default().stop_patience.as_millis()).unwrap();
    net.pass(patience - 100);
    assert!(!net.has_stopped, "there is something to store");
    net.pass(1_500);
    assert!(net.has_stopped);
}

#[test]
fn a_stop_waits_as_long_as_the_store_takes_what_changed() {
    let mut net = begin(1, MemoryStore::new());
    let names = ["ann", "bob", "cid", "dora", "eve"];
    for name in names {
        let link = net.enter(name);
        assert_eq!(net.answer(link, Target::Own, &hoarder::HoardLazily {}), Ok(1));
    }
    // One request after the other, each in a time for which a silent store would be waited for.
    let patience = NodeOptions::default().stop_patience;
    net.store_pause = patience * 9 / 10;
    net.peers.clear();
    net.input(Input::Stop { reason: "maintenance".into() });
    net.pass(2 * u64::try_from(patience.as_millis()).unwrap());
    assert!(!net.has_stopped, "all was stored at once: the store is not slow");
    net.pass(20_000);
    assert!(net.has_stopped);
    let mut net = begin(2, net.store);
    for name in names {
        let link = net.enter(name);
        assert_eq!(net.answer(link, Target::Own, &hoarder::Hoarded {}), Ok(1), "{name}");
    }
}

#[test]
fn a_stop_waits_for_no_store_longer_than_it_may_take_in_all() {
    let mut net = begin(1, MemoryStore::new());
    let NodeOptions { stop_patience, stop_time_max, .. } = NodeOptions::default();
    for number in 0..3 * stop_time_max.as_secs() {
        let link = net.enter(&format!("player {number}"));
        assert_eq!(net.answer(link, Target::Own, &hoarder::HoardLazily {}), Ok(1));
    }
    // Each answer is in time, and all of them together are not.
    net.store_pause = stop_patience / 2;
    net.peers.clear();
    net.input(Input::Stop { reason: "maintenance".into() });
    let millis = u64::try_from(stop_time_max.as_millis()).unwrap();
    net.pass(millis - 100);
    assert!(!net.has_stopped, "it has stored all: the store is not slow");
    net.pass(1_500);
    assert!(net.has_stopped);
}

#[test]
fn without_its_store_a_node_refuses_sync_and_goes_on_with_the_rest() {
    let mut net = begin(1, MemoryStore::new());
    let ann = net.enter("ann");
    assert_eq!(net.answer(ann, Target::Own, &hoarder::Hoard {}), Ok(1));
    net.is_store_away = true;
    let first = net.ask(ann, Target::Own, &hoarder::Hoard {});
    net.settle();
    assert_eq!(net.take_answer::<u64>(ann, first), None, "nobody knew yet: it waits for its commit");
    let second = net.answer(ann, bell(), &bell::Ring {});
    assert_eq!(second, Err(CallError::StoreUnavailable));
    net.is_store_away = false;
    net.pass(1_000);
    assert_eq!(net.take_answer(ann, first), Some(Ok(2u64)));
}

#[test]
fn a_generation_that_another_node_took_is_passed_over() {
    let mut store = MemoryStore::new();
    let mut opening = Opening::new(SINGLE_NODE);
    let taken = loop {
        store.submit(Ticket(9), opening.request()).unwrap();
        let (_, outcome) = store.poll(Mono(0)).unwrap();
        if let Step::Taken(generation) = opening.outcome(&outcome) {
            break generation;
        }
    };
    assert_eq!(begin(1, store).node.report().store.generation, taken + 1);
}

#[test]
fn a_promise_of_actors_that_are_kept_nowhere_is_refused() {
    struct Forgetful(u64);
    impl Actor for Forgetful {
        fn activate(_: &mut Cx, _: u64) -> Self {
            Self(0)
        }
    }
    impl Bell<Cx> for Forgetful {
        fn ring(&mut self, _: &mut Cx) -> u64 {
            self.0 += 1;
            self.0
        }
    }
    let game = Game::new(descriptor())
        .player_world::<HoarderContract, TheHoarder>()
        .actor::<BellContract, Forgetful>();
    let error = Node::new(game, NodeOptions::default(), 1, Mono(0)).unwrap_err();
    assert!(matches!(error, Error::NothingKept { contract: "Bell", operation: "ring" }), "{error}");
}

#[test]
fn a_zone_that_is_saved_less_often_than_its_operations_promise_is_refused() {
    let with = |max_loss| {
        let options = ZoneOptions { max_loss, ..ZoneOptions::default() };
        let game = Game::new(descriptor())
            .player_world::<HoarderContract, TheHoarder>()
            .zone::<MeadowContract, TheMeadow>(options);
        Node::new(game, NodeOptions::default(), 1, Mono(0)).map(drop)
    };
    assert!(with(Duration::from_secs(10)).is_ok());
    let error = with(Duration::from_secs(11)).unwrap_err();
    assert!(matches!(error, Error::SnapshotsTooRare { max_loss_ms: 10_000, .. }), "{error}");
}
