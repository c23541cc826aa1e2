//! Worlds of players, and durable actors without a world.

use std::time::Duration;

use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{Actor, ActorKind, Cx};
use lightmoon_contract::{ActorId, Contract, SessionId, contract, data};
use lightmoon_zone::{ActorWorld, DurableActor, Update, WorldActor, WorldBuilder, durable, world_actor};

use crate::desk::{Desk, TICK};

/// What a player has.
#[contract(number = 32)]
pub(crate) trait Bag {
    /// Puts something into the bag.
    #[operation(durability = sync)]
    fn put(name: String) -> u64;
    /// Puts something that nobody sees.
    #[operation]
    fn hide(name: String) -> bool;
    /// Puts something after a while.
    #[operation(timeout_ms = 5000)]
    async fn fetch(name: String) -> u64;
    /// Takes the first thing away.
    #[operation]
    fn take() -> bool;
    /// Sets an alarm.
    #[operation]
    fn wind() -> bool;
    /// What is there: names, weight, runs of the schedule in this activation.
    #[operation]
    fn look() -> Vec<String>;
}

#[data(persist = "item")]
#[derive(Component, Clone, Default)]
struct Item {
    name: String,
}

/// Not kept, but required by what is.
#[derive(Component, Default)]
struct Shine;

/// How much all is; a system keeps it right.
#[data(persist = "weight")]
#[derive(Resource, Clone, Default)]
struct Weight {
    letters: u64,
    sessions: u64,
}

#[derive(Resource, Default)]
struct Runs(u64);

pub(crate) struct Player(ActorWorld);

fn weigh(items: Query<'_, '_, &Item>, mut weight: ResMut<'_, Weight>, mut runs: ResMut<'_, Runs>) {
    weight.letters = items.iter().map(|item| item.name.len() as u64).sum();
    runs.0 += 1;
}

impl WorldActor for Player {
    fn build(world: &mut WorldBuilder<'_>) {
        world
            .persist::<Item>()
            .init_resource::<Weight>()
            .init_resource::<Runs>()
            .persist_resource::<Weight>()
            .add_systems(Update, weigh);
        world.world().register_required_components::<Item, Shine>();
    }

    fn activate(_: &mut Cx, key: u64, mut world: ActorWorld) -> Self {
        if world.is_new() {
            world.spawn(Item { name: format!("gift for {key}") });
        }
        Self(world)
    }

    fn world(&mut self) -> &mut ActorWorld {
        &mut self.0
    }

    fn connected(&mut self, _: &mut Cx, _: SessionId) {
        self.0.resource_mut::<Weight>().sessions += 1;
    }
}

impl Bag<Cx> for Player {
    fn put(&mut self, _: &mut Cx, name: String) -> u64 {
        self.0.spawn(Item { name });
        self.0.query::<&Shine>().iter(&self.0).count() as u64
    }

    fn hide(&mut self, _: &mut Cx, name: String) -> bool {
        self.0.spawn((Item { name }, Disabled));
        true
    }

    async fn fetch(&mut self, cx: &mut Cx, name: String) -> u64 {
        cx.sleep(Duration::from_millis(100)).await;
        self.0.spawn(Item { name });
        self.0.query::<&Item>().iter(&self.0).count() as u64
    }

    fn take(&mut self, _: &mut Cx) -> bool {
        let first = self.0.query_filtered::<Entity, With<Item>>().iter(&self.0).next();
        first.is_some_and(|first| self.0.despawn(first))
    }

    fn wind(&mut self, cx: &mut Cx) -> bool {
        cx.set_alarm(cx.now() + Duration::from_millis(20));
        true
    }

    fn look(&mut self, _: &mut Cx) -> Vec<String> {
        let mut lines: Vec<String> =
            self.0.query::<&Item>().iter(&self.0).map(|item| item.name.clone()).collect();
        lines.sort();
        let hidden = self.0.query_filtered::<&Item, With<Disabled>>().iter(&self.0).count();
        let weight = self.0.resource::<Weight>();
        lines.push(format!("{hidden} {} {}", weight.letters, weight.sessions));
        lines
    }
}

pub(crate) fn player() -> Desk {
    let make = || Box::new(world_actor::<BagContract, Player>()) as Box<dyn ActorKind>;
    Desk::new(ActorId::new(BagContract::KIND, 9), make)
}

#[test]
fn a_player_comes_back_with_everything_that_was_saved() {
    let mut desk = player();
    assert_eq!(desk.ask(bag::Look {}), ["gift for 9", "0 0 0"]);
    assert_eq!(desk.ask(bag::Put { name: "lamp".into() }), 2);
    desk.ask(bag::Hide { name: "secret".into() });
    desk.reserved(ToActor::Connected { session: SessionId(4) });
    desk.ask(bag::Put { name: "rope".into() });
    let look = desk.ask(bag::Look {});
    assert_eq!(look, ["gift for 9", "lamp", "rope", "1 18 1"]);
    assert_eq!(desk.save(false), Some(vec![]));
    desk.ask(bag::Put { name: "lost".into() });
    desk.crash();
    assert_eq!(desk.ask(bag::Look {}), look);
    // Required components are there again, new things come beside the old.
    assert_eq!(desk.ask(bag::Put { name: "oil".into() }), 4);
}

#[test]
fn a_player_is_written_only_when_it_differs_from_what_is_stored() {
    let mut desk = player();
    assert!(desk.save(false).is_some());
    assert!(desk.save(false).is_none());
    desk.ask(bag::Look {});
    // The schedule ran and weighed what is there.
    assert!(desk.save(false).is_some());
    desk.ask(bag::Look {});
    assert!(desk.save(false).is_none());
    desk.crash();
    desk.ask(bag::Look {});
    assert!(desk.save(false).is_none(), "what was restored is what is stored");
    assert!(desk.ask(bag::Take {}));
    assert!(desk.save(false).is_some());
    desk.crash();
    assert_eq!(desk.ask(bag::Look {}), ["0 0 0"], "an empty bag is not filled anew");
}

#[test]
fn the_schedule_runs_after_operations_that_waited_alarms_and_messages() {
    let mut desk = player();
    let weight = |desk: &mut Desk| desk.ask(bag::Look {}).pop().unwrap();
    desk.ask(bag::Hide { name: "unseen".into() });
    assert_eq!(weight(&mut desk), "1 10 0");
    let answer = desk.begin(bag::Fetch { name: "tea".into() });
    desk.ticks(3);
    assert_eq!(desk.take::<bag::Fetch>(answer), 2);
    assert_eq!(weight(&mut desk), "1 13 0");
    desk.ask(bag::Wind {});
    desk.ticks(1);
    assert!(desk.failed.is_empty());
    const { assert!(TICK > 20_000_000) };
    assert!(desk.save(false).is_some());
}

#[test]
fn a_state_that_is_too_large_is_refused_by_the_name_of_its_type() {
    let mut desk = player();
    for _ in 0..12 {
        desk.ask(bag::Put { name: "x".repeat(100_000) });
    }
    let error = desk.try_save(false).unwrap_err();
    assert!(error.starts_with("Bag 32/9 has 1200"), "{error}");
    assert!(error.ends_with("Item takes most of them"), "{error}");
}

#[test]
fn a_damaged_state_is_no_player() {
    let mut desk = player();
    desk.save(false);
    for byte in [0, 10, 40] {
        let stored = desk.stored();
        desk.tamper(|loaded| {
            let mut bytes = loaded.state.take().unwrap().to_vec();
            bytes[byte] ^= 4;
            loaded.state = Some(bytes.into());
        });
        desk.crash();
        assert!(desk.unreadable().unwrap().starts_with("Bag 32/9: a record cannot be read: "));
        desk.tamper(|loaded| *loaded = stored);
    }
}

/// Money.
#[contract(number = 33)]
pub(crate) trait Bank {
    /// Adds.
    #[operation(durability = sync)]
    fn pay_in(amount: u64) -> u64;
    /// Adds after a while.
    #[operation(timeout_ms = 5000)]
    async fn transfer(amount: u64) -> u64;
}

#[data(persist = "account")]
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) balance: u64,
}

pub(crate) struct Teller {
    account: Account,
    is_restored: bool,
}

impl Actor for Teller {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self { account: Account { balance: 100 }, is_restored: false }
    }

    fn connected(&mut self, _: &mut Cx, _: SessionId) {
        self.account.balance += 1_000;
    }
}

impl DurableActor for Teller {
    type State = Account;

    fn state(&self) -> &Account {
        &self.account
    }

    fn restore(_: &mut Cx, _: u64, state: Account) -> Self {
        Self { account: state, is_restored: true }
    }
}

impl Bank<Cx> for Teller {
    fn pay_in(&mut self, _: &mut Cx, amount: u64) -> u64 {
        self.account.balance += amount;
        self.account.balance + u64::from(self.is_restored)
    }

    async fn transfer(&mut self, cx: &mut Cx, amount: u64) -> u64 {
        cx.sleep(Duration::from_millis(100)).await;
        self.account.balance += amount;
        self.account.balance
    }
}

#[test]
fn a_durable_actor_comes_back_with_its_state() {
    let make = || Box::new(durable::<BankContract, Teller>()) as Box<dyn ActorKind>;
    let mut desk = Desk::new(ActorId::new(BankContract::KIND, 2), make);
    assert_eq!(desk.ask(bank::PayIn { amount: 50 }), 150);
    let answer = desk.begin(bank::Transfer { amount: 10 });
    desk.ticks(3);
    assert_eq!(desk.take::<bank::Transfer>(answer), 160);
    desk.reserved(ToActor::Connected { session: SessionId(4) });
    assert_eq!(desk.save(false), Some(vec![]));
    desk.ask(bank::PayIn { amount: 7 });
    desk.crash();
    assert_eq!(desk.ask(bank::PayIn { amount: 0 }), 1_161);
    assert_eq!(desk.save(false), None, "nothing changed");
    desk.tamper(|loaded| loaded.state = Some(lightmoon_durable::record::seal("ledger", 1, b"")));
    desk.crash();
    assert_eq!(
        desk.unreadable().unwrap(),
        "Bank 33/2: a record cannot be read: the record holds `ledger`, not `account`"
    );
}
