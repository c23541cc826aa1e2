//! Players that visit a zone: each has one avatar there while it has a session, whatever fails.

use std::cell::{Cell, RefCell};

use bevy_ecs::prelude::*;
use lightmoon_actor::Cx;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Contract, NetId, SessionId, contract, contracts, data};
use lightmoon_node::{Error, Game, LinkId, Node, NodeOptions};
use lightmoon_store::MemoryStore;
use lightmoon_wire::{ClientEvent, CloseCode};
use lightmoon_zone::{
    ActorWorld, Avatar, Host, NetIdentity, Update, WorldActor, WorldBuilder, Zone, ZoneBuilder, ZoneOptions,
};

use crate::world::World as Net;

/// A yard that players visit.
#[contract(ticking)]
pub trait Yard {
    /// Puts a mark on the caller's avatar; answers the one before.
    #[operation(client = zone)]
    fn mark(mark: u32) -> Option<u32>;
    /// Puts a mark on the caller's avatar; answers whether it has one.
    #[operation(client = any)]
    fn put(mark: u32) -> bool;
    /// Players that have an avatar, their avatars and marks, by player.
    #[operation(client = any)]
    fn list() -> Vec<(u64, NetId, u32)>;
    /// Makes a system of the next tick panic.
    #[operation(client = any)]
    fn break_next_tick();
}

/// A player that is more than a visitor.
#[contract]
pub trait Guest {
    /// Puts a coin into the purse; answers how many there are.
    #[operation(client = own, durability = sync)]
    fn save() -> u32;
    /// Waits, then says for how many sessions it was told of.
    #[operation(client = own, durability = none)]
    async fn sessions() -> u32;
    /// Fails.
    #[operation(client = own)]
    fn fail();
}

contracts! { game = "visit-tests", contracts = [Yard, Guest], components = [], lock = none }

#[data(persist = "mark")]
#[derive(Component, Clone, Default)]
struct Mark {
    mark: u32,
}

#[data(persist = "coins")]
#[derive(Resource, Clone, Default)]
struct Coins {
    coins: u32,
}

/// The next tick panics.
#[derive(Resource)]
struct Breaks;

/// What `enter` does.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
enum Mood {
    #[default]
    Welcoming,
    Refusing,
    Panicking,
}

thread_local! {
    /// What the yards of this test were asked: players that entered, and those that left.
    static ENTERED: RefCell<Vec<u64>> = RefCell::default();
    static LEFT: RefCell<Vec<u64>> = RefCell::default();
    static MOOD: Cell<Mood> = Cell::default();
}

fn entered() -> Vec<u64> {
    ENTERED.take()
}

fn left() -> Vec<u64> {
    LEFT.take()
}

/// A yard that is kept, or not.
struct TheYard<const KEPT: bool>;

impl<const KEPT: bool> Zone for TheYard<KEPT> {
    const KEEPS: bool = KEPT;

    fn build(zone: &mut ZoneBuilder<'_>) {
        if KEPT {
            zone.persist::<Mark>();
        }
        zone.add_systems(Update, |breaks: Option<Res<'_, Breaks>>| assert!(breaks.is_none(), "asked to"));
    }
}

impl<const KEPT: bool> Host for TheYard<KEPT> {
    fn enter(world: &mut World, player: u64) -> Option<Entity> {
        ENTERED.with_borrow_mut(|entered| entered.push(player));
        match MOOD.get() {
            Mood::Welcoming => Some(world.spawn(Mark::default()).id()),
            Mood::Refusing => None,
            Mood::Panicking => panic!("asked to panic"),
        }
    }

    fn leave(world: &mut World, avatar: Entity) {
        let player = world.get::<Avatar>(avatar).expect("it is an avatar until it has left").player();
        LEFT.with_borrow_mut(|left| left.push(player));
        world.despawn(avatar);
    }
}

impl<const KEPT: bool> Yard<Cx, World> for TheYard<KEPT> {
    fn mark(world: &mut World, cx: &mut Cx, mark: u32) -> Option<u32> {
        let mut own = Avatar::of_caller_mut::<Mark>(world, cx)?;
        Some(std::mem::replace(&mut own.mark, mark))
    }

    fn put(world: &mut World, cx: &mut Cx, mark: u32) -> bool {
        Avatar::put(world, cx, Mark { mark })
    }

    fn list(world: &mut World, _: &mut Cx) -> Vec<(u64, NetId, u32)> {
        let mut avatars = world.query::<(&Avatar, &NetIdentity, &Mark)>();
        let mut list: Vec<_> =
            avatars.iter(world).map(|(avatar, id, mark)| (avatar.player(), id.id(), mark.mark)).collect();
        list.sort_unstable();
        list
    }

    fn break_next_tick(world: &mut World, _: &mut Cx) {
        world.insert_resource(Breaks);
    }
}

struct TheGuest {
    world: ActorWorld,
    sessions: u32,
}

impl WorldActor for TheGuest {
    fn build(world: &mut WorldBuilder<'_>) {
        world.persist_resource::<Coins>().init_resource::<Coins>();
    }

    fn activate(_: &mut Cx, _: u64, world: ActorWorld) -> Self {
        Self { world, sessions: 0 }
    }

    fn world(&mut self) -> &mut ActorWorld {
        &mut self.world
    }

    fn connected(&mut self, _: &mut Cx, _: SessionId) {
        self.sessions += 1;
    }
}

impl Guest<Cx> for TheGuest {
    fn save(&mut self, _: &mut Cx) -> u32 {
        let mut coins = self.world.resource_mut::<Coins>();
        coins.coins += 1;
        coins.coins
    }

    async fn sessions(&mut self, cx: &mut Cx) -> u32 {
        cx.sleep(std::time::Duration::from_millis(500)).await;
        self.sessions
    }

    fn fail(&mut self, _: &mut Cx) {
        panic!("asked to fail")
    }
}

fn game<const KEPT: bool>() -> Game {
    Game::new(descriptor())
        .host::<YardContract, TheYard<KEPT>>(ZoneOptions::default())
        .start::<YardContract>([1])
        .visits::<YardContract>(|_| 1)
}

/// As [`game`], with players that are more than visitors.
fn game_of_guests() -> Game {
    game::<false>().player_world::<GuestContract, TheGuest>()
}

const fn yard() -> Target {
    Target::Actor(ActorId::new(YardContract::KIND, 1))
}

fn list(net: &mut Net, asker: LinkId) -> Vec<(u64, NetId, u32)> {
    net.answer(asker, yard(), &yard::List {}).unwrap()
}

fn mark(net: &mut Net, link: LinkId, mark: u32) -> Option<u32> {
    net.answer(link, Target::Zone, &yard::Mark { mark }).unwrap()
}

/// The avatars that a client was attached to, in order; taken.
fn attached(net: &mut Net, link: LinkId) -> Vec<NetId> {
    let events = net.events(link);
    let avatars = events.iter().filter_map(|event| match event {
        ClientEvent::Attached(attach) => Some(attach.avatar),
        ClientEvent::Welcome(_)
        | ClientEvent::Ticket(_)
        | ClientEvent::Answer { .. }
        | ClientEvent::Push(_)
        | ClientEvent::Detached { .. }
        | ClientEvent::View { .. }
        | ClientEvent::State { .. }
        | ClientEvent::Delta { .. }
        | ClientEvent::Closed(_) => None,
    });
    avatars.collect()
}

/// A client leaves in order.
fn goes(net: &mut Net, link: LinkId) {
    net.input(lightmoon_node::Input::Closed { link, peer: Some(CloseCode::Normal) });
    net.settle();
    net.peers.remove(&link);
}

#[test]
fn a_player_has_one_avatar_while_it_has_a_session_and_its_client_looks_as_this_avatar() {
    // Each of one, two and three workers.
    for seed in [30, 31, 32] {
        let mut net = Net::of(game::<false>(), seed, MemoryStore::new());
        let (ann, bob) = (net.enter("ann"), net.enter("bob"));
        net.pass(100);
        let avatars = list(&mut net, ann);
        assert_eq!((avatars.len(), entered().len()), (2, 2));
        assert_eq!(mark(&mut net, ann, 7), Some(0));
        assert_eq!(mark(&mut net, bob, 8), Some(0));
        assert_eq!(mark(&mut net, ann, 9), Some(7), "each has its own");
        // Nothing is asked or shown again as long as nothing happens.
        let shown: Vec<NetId> = [ann, bob].into_iter().flat_map(|link| attached(&mut net, link)).collect();
        net.pass(5_000);
        assert_eq!((attached(&mut net, ann), entered()), (vec![], vec![]));
        let mut ids: Vec<NetId> = avatars.iter().map(|(_, id, _)| *id).collect();
        ids.sort_unstable_by_key(|id| shown.iter().position(|shown| shown == id));
        assert_eq!(shown, ids);
        goes(&mut net, bob);
        net.pass(1_900);
        assert_eq!((list(&mut net, ann).len(), left()), (2, vec![]), "it may be back at once");
        net.pass(200);
        assert_eq!((list(&mut net, ann).len(), left().len()), (1, 1));
        net.pass(40_000);
        assert_eq!((list(&mut net, ann).len(), left()), (1, vec![]), "it left once, and ann never");
    }
}

#[test]
fn who_is_back_at_once_or_logs_in_again_has_its_avatar_still() {
    let mut net = Net::of(game::<false>(), 33, MemoryStore::new());
    let ann = net.enter("ann");
    net.pass(100);
    assert_eq!(mark(&mut net, ann, 7), Some(0));
    let before = attached(&mut net, ann);
    // A page that is loaded again.
    goes(&mut net, ann);
    net.pass(1_000);
    let ann = net.enter("ann");
    net.pass(3_000);
    assert_eq!((attached(&mut net, ann), mark(&mut net, ann, 8)), (before.clone(), Some(7)));
    // A second login while the first is there.
    let again = net.enter("ann");
    net.pass(5_000);
    assert_eq!((attached(&mut net, again), mark(&mut net, again, 9)), (before, Some(8)));
    assert_eq!((entered().len(), left()), (1, vec![]));
}

#[test]
fn a_connection_that_comes_back_finds_its_avatar_and_one_that_does_not_loses_it() {
    let mut net = Net::of(game::<false>(), 34, MemoryStore::new());
    let (ann, bob) = (net.enter("ann"), net.enter("bob"));
    net.pass(100);
    assert_eq!(mark(&mut net, ann, 7), Some(0));
    let ticket = net.ticket(ann);
    net.cut(ann);
    net.pass(10_000);
    let ann = net.connect_with("ann", ticket, 10);
    net.pass(200);
    assert_eq!(mark(&mut net, ann, 8), Some(7));
    net.cut(bob);
    net.pass(14_000);
    assert_eq!(left(), [], "its session waits for it");
    net.pass(4_000);
    assert_eq!((list(&mut net, ann).len(), left().len()), (1, 1));
}

#[test]
fn a_zone_that_panics_has_its_players_again() {
    let mut net = Net::of(game::<false>(), 35, MemoryStore::new());
    let (ann, bob) = (net.enter("ann"), net.enter("bob"));
    net.pass(100);
    assert_eq!(mark(&mut net, ann, 7), Some(0));
    assert_eq!(entered().len(), 2);
    net.tell(ann, yard(), &yard::BreakNextTick {});
    net.pass(3_000);
    assert_eq!(net.node.report().counters.activations_failed, 1);
    let avatars = list(&mut net, bob);
    assert_eq!((avatars.len(), entered().len(), left()), (2, 2, vec![]), "nothing was kept, so they are new");
    for link in [ann, bob] {
        assert_eq!(mark(&mut net, link, 1), Some(0));
        let newest = attached(&mut net, link).pop().unwrap();
        assert!(avatars.iter().any(|(_, id, _)| *id == newest), "{newest} is not in {avatars:?}");
    }
}

#[test]
fn a_zone_that_is_kept_has_after_a_panic_the_avatars_it_had() {
    let mut net = Net::of(game::<true>(), 36, MemoryStore::new());
    let ann = net.enter("ann");
    net.pass(100);
    assert_eq!(mark(&mut net, ann, 7), Some(0));
    let before = list(&mut net, ann);
    net.pass(12_000);
    net.tell(ann, yard(), &yard::BreakNextTick {});
    net.pass(3_000);
    assert_eq!(net.node.report().counters.activations_failed, 1);
    assert_eq!(list(&mut net, ann), before);
    assert_eq!((entered().len(), left(), mark(&mut net, ann, 8)), (1, vec![], Some(7)));
}

#[test]
fn a_player_is_let_in_when_the_zone_can_again() {
    let mut net = Net::of(game::<false>(), 37, MemoryStore::new());
    MOOD.set(Mood::Refusing);
    let ann = net.enter("ann");
    net.pass(1_500);
    assert_eq!(attached(&mut net, ann), []);
    assert_eq!(net.answer(ann, yard(), &yard::Put { mark: 3 }), Ok(false), "it has no avatar");
    let asked = entered().len();
    assert!((2..=4).contains(&asked), "asked {asked} times in 1.5 s");
    let refused: u64 = net.node.report().zones.iter().map(|(_, zone)| zone.counters.visits_refused).sum();
    assert_eq!(refused, u64::try_from(asked).unwrap());
    MOOD.set(Mood::Welcoming);
    net.pass(11_000);
    assert_eq!((attached(&mut net, ann).len(), entered().len()), (1, 1));
    assert_eq!(net.answer(ann, yard(), &yard::Put { mark: 3 }), Ok(true));
    assert_eq!(mark(&mut net, ann, 7), Some(3));
    // One that leaves before it was let in leaves nothing behind.
    MOOD.set(Mood::Refusing);
    let bob = net.enter("bob");
    net.pass(100);
    goes(&mut net, bob);
    MOOD.set(Mood::Welcoming);
    net.pass(30_000);
    assert_eq!((list(&mut net, ann).len(), left()), (1, vec![]));
}

#[test]
fn a_player_over_whom_the_zone_panics_does_not_keep_the_others_from_playing() {
    let mut net = Net::of(game::<true>(), 42, MemoryStore::new());
    let bob = net.enter("bob");
    net.pass(12_000);
    assert_eq!(mark(&mut net, bob, 1), Some(0));
    MOOD.set(Mood::Panicking);
    let ann = net.enter("ann");
    net.pass(100_000);
    let failed = net.node.report().counters.activations_failed;
    assert!((2..=3).contains(&failed), "it was asked {failed} times in 100 s");
    assert!(mark(&mut net, bob, 2).is_some(), "the zone is there for bob");
    MOOD.set(Mood::Welcoming);
    net.pass(200_000);
    assert_eq!((mark(&mut net, ann, 1), list(&mut net, ann).len()), (Some(0), 2));
}

#[test]
fn after_a_crash_who_comes_back_has_its_avatar_and_the_others_leave() {
    let mut net = Net::of(game::<true>(), 38, MemoryStore::new());
    let (ann, bob) = (net.enter("ann"), net.enter("bob"));
    net.pass(100);
    assert_eq!(mark(&mut net, ann, 7), Some(0));
    assert_eq!(mark(&mut net, bob, 8), Some(0));
    let before = list(&mut net, ann);
    net.pass(12_000);
    entered();
    net.restart(game::<true>(), 39);
    net.pass(5_000);
    let ann = net.enter("ann");
    net.pass(1_000);
    assert_eq!(list(&mut net, ann), before, "bob may come back too");
    assert_eq!((mark(&mut net, ann, 9), left()), (Some(7), vec![]));
    net.pass(20_000);
    assert_eq!(left(), []);
    net.pass(10_000);
    assert_eq!(left().len(), 1);
    assert_eq!(list(&mut net, ann).len(), 1);
    // It comes as one that was never there.
    let bob = net.enter("bob");
    net.pass(1_000);
    assert_eq!(mark(&mut net, bob, 1), Some(0));
    assert_eq!(entered().len(), 1);
}

#[test]
fn a_player_that_is_more_than_a_visitor_is_told_of_sessions_kept_and_may_wait_and_panic() {
    let mut net = Net::of(game_of_guests(), 40, MemoryStore::new());
    let ann = net.enter("ann");
    net.pass(100);
    assert_eq!((mark(&mut net, ann, 7), net.answer(ann, Target::Own, &guest::Save {})), (Some(0), Ok(1)));
    let sessions = net.ask(ann, Target::Own, &guest::Sessions {});
    net.pass(1_000);
    assert_eq!(net.take_answer(ann, sessions), Some(Ok(1u32)));
    net.tell(ann, Target::Own, &guest::Fail {});
    net.pass(3_000);
    assert_eq!(net.node.report().counters.activations_failed, 1);
    assert_eq!(net.answer(ann, Target::Own, &guest::Save {}), Ok(2), "it was kept");
    assert_eq!(mark(&mut net, ann, 8), Some(7), "the avatar never noticed");
    assert_eq!((entered().len(), left()), (1, vec![]));
    goes(&mut net, ann);
    net.pass(3_000);
    assert_eq!(left().len(), 1);
}

#[test]
fn a_visitor_has_no_operations() {
    let mut net = Net::of(game::<false>(), 41, MemoryStore::new());
    let ann = net.enter("ann");
    net.pass(100);
    let answer = net.answer(ann, Target::Own, &guest::Save {});
    assert!(matches!(answer, Err(CallError::NoSuchOperation(_) | CallError::NotAllowed)), "{answer:?}");
    assert_eq!(mark(&mut net, ann, 1), Some(0));
}

#[test]
fn zones_that_host_nobody_cannot_be_visited() {
    let game = Game::new(descriptor())
        .zone::<YardContract, TheYard<false>>(ZoneOptions::default())
        .visits::<YardContract>(|_| 1);
    let error = Node::new(game, NodeOptions::default(), 1, lightmoon_contract::Mono(0)).unwrap_err();
    assert_eq!(error, Error::VisitsNoHost("Yard"));
}
