//! Actors that nobody calls leave memory, with what they know in the store; and which of them never do.

use std::time::Duration;

use lightmoon_actor::{Actor, Cx, limits};
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, Contract, Kind, contract, contracts, data};
use lightmoon_node::{Game, Input, LinkId};
use lightmoon_store::MemoryStore;
use lightmoon_wire::CloseCode;
use lightmoon_zone::{DurableActor, Zone, ZoneBuilder, ZoneOptions};

use crate::world::World as Net;

/// How long each kind of this game may idle.
pub(crate) const IDLE_AFTER: Duration = Duration::from_secs(2);

/// The player, and under other keys any actor that is kept.
#[contract]
pub trait Clerk {
    /// Counts one; answers how many there are.
    #[operation(client = any, durability = sync, rate = 1000)]
    fn count() -> u64;
    /// The same, kept some moments later.
    #[operation(client = any, rate = 1000)]
    fn count_lazily() -> u64;
}

/// One that lives in memory only.
#[contract]
pub trait Guest {
    /// Counts one; answers how many this activation counted.
    #[operation(client = any)]
    fn count() -> u64;
    /// Wants its alarm in so long.
    #[operation(client = any, ack)]
    fn arm(ms: u64);
}

/// One that does something by itself, more seldom than it may idle.
#[contract]
pub trait Watchman {
    /// Goes round.
    #[operation(every_ms = 5000)]
    fn go_round();
    /// How many rounds.
    #[operation(client = any)]
    fn rounds() -> u64;
}

/// One that ticks.
#[contract(ticking)]
pub trait Yard {
    /// Anything.
    #[operation(client = any)]
    fn touch() -> u64;
}

contracts! { game = "idle-tests", contracts = [Clerk, Guest, Watchman, Yard], components = [], lock = none }

#[data(persist = "counted")]
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) times: u64,
}

#[derive(Default)]
struct TheClerk(Counted);

impl Actor for TheClerk {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self::default()
    }
}

impl DurableActor for TheClerk {
    type State = Counted;

    fn state(&self) -> &Counted {
        &self.0
    }

    fn restore(_: &mut Cx, _: u64, state: Counted) -> Self {
        Self(state)
    }
}

impl Clerk<Cx> for TheClerk {
    fn count(&mut self, _: &mut Cx) -> u64 {
        self.0.times += 1;
        self.0.times
    }

    fn count_lazily(&mut self, cx: &mut Cx) -> u64 {
        self.count(cx)
    }
}

/// Of both kinds that live in memory.
#[derive(Default)]
struct Remembers(u64);

impl Actor for Remembers {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self::default()
    }
}

impl Guest<Cx> for Remembers {
    fn count(&mut self, _: &mut Cx) -> u64 {
        self.0 += 1;
        self.0
    }

    fn arm(&mut self, cx: &mut Cx, ms: u64) {
        cx.set_alarm(cx.now() + Duration::from_millis(ms));
    }
}

impl Watchman<Cx> for Remembers {
    fn go_round(&mut self, _: &mut Cx) {
        self.0 += 1;
    }

    fn rounds(&mut self, _: &mut Cx) -> u64 {
        self.0
    }
}

struct TheYard;

impl Zone for TheYard {
    fn build(_: &mut ZoneBuilder<'_>) {}

    fn populate(_: &mut ZoneBuilder<'_>) {}
}

impl Yard<Cx, bevy_ecs::world::World> for TheYard {
    fn touch(_: &mut bevy_ecs::world::World, _: &mut Cx) -> u64 {
        1
    }
}

pub(crate) fn begin(workers_seed: u64, idle_after: Option<Duration>) -> (Net, LinkId) {
    let game = Game::new(descriptor())
        .durable_player::<ClerkContract, TheClerk>()
        .actor::<GuestContract, Remembers>()
        .actor::<WatchmanContract, Remembers>()
        .zone::<YardContract, TheYard>(ZoneOptions::default())
        .start::<YardContract>([1])
        .start::<GuestContract>([1])
        .idle_after::<ClerkContract>(idle_after)
        .idle_after::<GuestContract>(idle_after)
        .idle_after::<WatchmanContract>(idle_after)
        .idle_after::<YardContract>(idle_after);
    let mut net = Net::of(game, workers_seed, MemoryStore::new());
    net.settle();
    let ann = net.enter("ann");
    (net, ann)
}

pub(crate) const fn at(kind: Kind, key: u64) -> Target {
    Target::Actor(ActorId::new(kind, key))
}

pub(crate) fn actors(net: &Net) -> usize {
    net.node.report().actors
}

/// The zone and the guest that were started, and ann, who has a session.
pub(crate) const ALWAYS: usize = 3;

#[test]
fn actors_that_are_kept_leave_memory_and_are_there_again_when_they_are_called() {
    for seed in 0..3 {
        let (mut net, ann) = begin(seed, Some(IDLE_AFTER));
        for key in 100..200 {
            assert_eq!(net.answer(ann, at(ClerkContract::KIND, key), &clerk::Count {}), Ok(1));
            assert_eq!(net.answer(ann, at(ClerkContract::KIND, key), &clerk::CountLazily {}), Ok(2));
        }
        assert_eq!(actors(&net), ALWAYS + 100);
        net.pass(4_500);
        assert_eq!(actors(&net), ALWAYS, "seed {seed}");
        assert_eq!(net.node.report().worker.idled, 100);
        for key in 100..200 {
            let count = net.answer(ann, at(ClerkContract::KIND, key), &clerk::Count {});
            assert_eq!(count, Ok(3), "seed {seed}, clerk {key}: `behind` changes are saved when it goes");
        }
    }
}

#[test]
fn actors_in_memory_go_only_if_the_game_says_so_and_forget() {
    let (mut net, ann) = begin(1, Some(IDLE_AFTER));
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 5), &guest::Count {}), Ok(1));
    net.pass(1_900);
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 5), &guest::Count {}), Ok(2), "not yet");
    net.pass(1_900);
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 5), &guest::Count {}), Ok(3), "each call counts");
    net.pass(4_500);
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 5), &guest::Count {}), Ok(1));

    let (mut net, ann) = begin(1, None);
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 5), &guest::Count {}), Ok(1));
    assert_eq!(net.answer(ann, at(ClerkContract::KIND, 5), &clerk::Count {}), Ok(1));
    net.pass(10_000);
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 5), &guest::Count {}), Ok(2));
    assert_eq!(net.node.report().worker.idled, 0);
}

#[test]
fn started_ticking_repeating_alarmed_and_visited_actors_stay() {
    let (mut net, ann) = begin(2, Some(IDLE_AFTER));
    assert_eq!(net.answer(ann, Target::Own, &clerk::Count {}), Ok(1));
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 1), &guest::Count {}), Ok(1));
    assert_eq!(net.answer(ann, at(WatchmanContract::KIND, 3), &watchman::Rounds {}), Ok(0));
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 4), &guest::Count {}), Ok(1));
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 4), &guest::Arm { ms: 8_000 }), Ok(()));
    net.pass(7_500);
    assert_eq!(net.node.report().worker.idled, 0);
    assert_eq!(net.answer(ann, at(GuestContract::KIND, 1), &guest::Count {}), Ok(2), "started");
    net.pass(5_000);
    assert_eq!(net.node.report().worker.idled, 1, "the alarmed one, once its alarm has rung");
    assert_eq!(net.answer(ann, at(WatchmanContract::KIND, 3), &watchman::Rounds {}), Ok(2), "it went round");
    assert_eq!(actors(&net), ALWAYS + 1);
}

#[test]
fn a_player_goes_once_its_session_is_over_and_is_who_it_was_when_it_comes_again() {
    let (mut net, ann) = begin(0, Some(IDLE_AFTER));
    assert_eq!(net.answer(ann, Target::Own, &clerk::Count {}), Ok(1));
    net.pass(6_000);
    assert_eq!(actors(&net), ALWAYS, "it has a session");
    net.cut(ann);
    let resume = u64::try_from(lightmoon_node::limits::RESUME_TIME.as_millis()).unwrap();
    net.pass(resume - 1_000);
    assert_eq!(actors(&net), ALWAYS, "the session may come back");
    net.pass(6_000);
    assert_eq!(actors(&net), ALWAYS - 1);
    let ann = net.enter("ann");
    assert_eq!(net.answer(ann, Target::Own, &clerk::Count {}), Ok(2));
}

/// Says goodbye, so that the session is over at once.
fn leave(net: &mut Net, link: LinkId) {
    net.input(Input::Closed { link, peer: Some(CloseCode::Normal) });
    net.settle();
    net.peers.remove(&link);
}

#[test]
fn a_crowd_that_comes_and_goes_leaves_no_more_players_in_memory_than_the_limit() {
    // For ever, as far as time decides.
    let (mut net, ann) = begin(0, Some(Duration::from_secs(86_400)));
    let most = limits::DEPARTED_MAX;
    for number in 0..most {
        let link = net.enter(&format!("crowd-{number}"));
        assert_eq!(net.answer(link, Target::Own, &clerk::CountLazily {}), Ok(1));
        leave(&mut net, link);
    }
    assert_eq!(actors(&net), ALWAYS + most, "who comes back soon finds all in memory");
    // One of them comes back, and is in nobody's way.
    let back = net.enter("crowd-0");
    for number in most..most + 100 {
        let link = net.enter(&format!("crowd-{number}"));
        leave(&mut net, link);
    }
    net.pass(1_000);
    assert_eq!(actors(&net), ALWAYS + most + 1);
    assert_eq!(net.node.report().worker.departed, 100 - 1, "the one that came back is not among them");
    assert_eq!(net.answer(ann, Target::Own, &clerk::Count {}), Ok(1), "it never left");
    assert_eq!(net.answer(back, Target::Own, &clerk::Count {}), Ok(2));
    let link = net.enter("crowd-1");
    assert_eq!(
        net.answer(link, Target::Own, &clerk::Count {}),
        Ok(2),
        "what was behind is saved when it goes"
    );
}

#[test]
fn players_who_come_and_go_again_and_again_stay_in_memory_while_they_are_fewer_than_the_limit() {
    let (mut net, _ann) = begin(0, Some(Duration::from_secs(86_400)));
    let few = 20;
    for number in 0..few {
        let link = net.enter(&format!("crowd-{number}"));
        assert_eq!(net.answer(link, Target::Own, &clerk::CountLazily {}), Ok(1));
        leave(&mut net, link);
    }
    for _ in 0..limits::DEPARTED_MAX {
        let link = net.enter("restless");
        leave(&mut net, link);
    }
    net.pass(1_000);
    assert_eq!(net.node.report().worker.departed, 0);
    assert_eq!(actors(&net), ALWAYS + few + 1);
}
