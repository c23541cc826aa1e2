//! A game of transfers: purses with coins and items, vaults that keep items, a book that hears of payments.
//!
//! A transfer takes from its sender and sends the same by an exactly-once message in one commit; the receiver has it in the
//! commit that takes the message. Sometimes it is sent back at once. All that is sent carries its number among the messages
//! of its pair, and the receiver notes numbers that are not the next one.

use std::cell::Cell;

use bevy_ecs::prelude::*;
use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::{ActorRef, Caller, NetId, contract, contracts, data};
use lightmoon_node::{Authenticate, Denied, Game, Identity};
use lightmoon_zone::{DurableActor, NetIdentity, Zone, ZoneBuilder, ZoneOptions};

/// The keys of the purses: each is a player.
pub(crate) const PURSES: [u64; 4] = [1, 2, 3, 4];

/// The keys of the vaults.
pub(crate) const VAULTS: [u64; 2] = [1, 2];

/// Set in the name of a place that is a vault.
pub(crate) const VAULT: u64 = 1 << 32;

/// The names of currencies. Gold is taken in commits of its own, silver some time.
pub(crate) const CURRENCIES: [&str; 2] = ["gold", "silver"];
pub(crate) const GOLD: u8 = 0;

/// An amount at which a purse panics.
pub(crate) const POISON: u64 = 666;

/// Where a message comes from.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Way {
    /// The place that sent it.
    pub(crate) from: u64,
    /// Its number among those of its pair, from 1.
    pub(crate) order: u64,
    /// Whether it is to be sent back.
    pub(crate) back: bool,
}

/// A player's purse. A place is the key of a purse, or of a vault with [`VAULT`].
#[contract]
pub trait Purse {
    /// Coins from nothing; as below, the answer is the balance then.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn earn(token: u64, currency: u8, amount: u64) -> Option<u64>;
    /// Coins to nothing; `None`: there are not so many.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn spend(token: u64, currency: u8, amount: u64) -> Option<u64>;
    /// Coins for another purse.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn pay(token: u64, to: u64, currency: u8, amount: u64, back: bool) -> Option<u64>;
    /// The balance; logged, so that only the owner of the actor can answer.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn look(currency: u8) -> Option<u64>;
    /// Makes an item with the token as its name.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn forge(token: u64) -> u64;
    /// Gives one of the items to a place; which one, 0: there is none.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn hand(token: u64, to: u64, nth: u64, back: bool) -> u64;
    /// Destroys one of the items; which one, 0: there is none.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn melt(token: u64, nth: u64) -> u64;
    /// Gold comes.
    #[operation(reliability = exactly_once, log)]
    fn gold(way: Way, amount: u64);
    /// Silver comes, to be saved some time.
    #[operation(reliability = exactly_once, durability = behind)]
    fn silver(way: Way, amount: u64);
    /// An item comes.
    #[operation(reliability = exactly_once, log)]
    fn item(way: Way, item: u64);
    /// Something was paid.
    #[operation(push)]
    fn paid(token: u64);
}

/// A vault.
#[contract(ticking)]
pub trait Vault {
    /// Gives one of the items to a purse; which one, 0: there is none.
    #[operation(client = any, durability = sync, log, timeout_ms = 3000, rate = 200)]
    fn fetch(token: u64, to: u64, nth: u64) -> u64;
    /// An item comes.
    #[operation(reliability = exactly_once, log)]
    fn stow(way: Way, item: u64);
}

/// The book.
#[contract]
pub trait Book {
    /// Something was paid.
    #[operation]
    fn heard(token: u64);
}

contracts! { game = "fair-tests", contracts = [Purse, Vault, Book], components = [], lock = none }

/// Messages between a place and another one.
#[data(persist = "pair")]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Pair {
    /// The other one.
    pub(crate) other: u64,
    /// Sent to it.
    pub(crate) sent: u64,
    /// Taken of it.
    pub(crate) taken: u64,
    /// Numbers that were not the next one.
    pub(crate) wrong: u64,
}

impl Pair {
    fn next(&mut self, back: bool, from: u64) -> Way {
        self.sent += 1;
        Way { from, order: self.sent, back }
    }

    fn take(&mut self, way: Way) {
        self.wrong += u64::from(way.order != self.taken + 1);
        self.taken = way.order;
    }
}

/// What is in a purse.
#[data(persist = "holding")]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Holding {
    /// By currency; as below.
    pub(crate) coins: [u64; 2],
    pub(crate) earned: [u64; 2],
    pub(crate) spent: [u64; 2],
    pub(crate) items: Vec<u64>,
    /// Tokens of what clients asked for and was done.
    pub(crate) done: Vec<u64>,
    pub(crate) pairs: Vec<Pair>,
}

impl Holding {
    fn pair(&mut self, other: u64) -> &mut Pair {
        let at = self.pairs.iter().position(|pair| pair.other == other).unwrap_or_else(|| {
            self.pairs.push(Pair { other, ..Pair::default() });
            self.pairs.len() - 1
        });
        &mut self.pairs[at]
    }

    fn nth(&self, nth: u64) -> Option<usize> {
        let count = self.items.len() as u64;
        (count > 0).then(|| usize::try_from(nth % count).unwrap_or(0))
    }
}

/// What the book heard.
#[data(persist = "heard")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) tokens: Vec<u64>,
}

/// An item in a vault.
#[data(persist = "thing")]
#[derive(Component, Clone, Debug, Default)]
pub(crate) struct Thing {
    pub(crate) item: u64,
}

/// Tokens of what clients asked of a vault and was done.
#[data(persist = "done")]
#[derive(Component, Clone, Debug, Default)]
pub(crate) struct Done {
    pub(crate) tokens: Vec<u64>,
}

thread_local! {
    static POISON_IS_HARMLESS: Cell<bool> = const { Cell::new(false) };
}

/// From now on purses bear [`POISON`], or not.
pub(crate) fn bear_poison(is_harmless: bool) {
    POISON_IS_HARMLESS.set(is_harmless);
}

/// A purse.
#[derive(Default)]
pub(crate) struct ThePurse {
    key: u64,
    holding: Holding,
}

impl Actor for ThePurse {
    fn activate(_: &mut Cx, key: u64) -> Self {
        Self { key, ..Self::default() }
    }
}

impl DurableActor for ThePurse {
    type State = Holding;

    fn state(&self) -> &Holding {
        &self.holding
    }

    fn restore(_: &mut Cx, key: u64, holding: Holding) -> Self {
        Self { key, holding }
    }
}

impl ThePurse {
    fn take_out(&mut self, currency: u8, amount: u64) -> Option<u64> {
        let coins = self.holding.coins.get_mut(usize::from(currency))?;
        *coins = coins.checked_sub(amount)?;
        Some(*coins)
    }

    /// False: nothing was sent, since too much is under way.
    fn send_coins(&mut self, cx: &mut Cx, to: u64, currency: u8, amount: u64, back: bool) -> bool {
        let mut pair = *self.holding.pair(to);
        let way = pair.next(back, self.key);
        let mut to_purse = cx.to(ActorRef::<PurseContract>::new(to));
        let told = if currency == GOLD { to_purse.gold(way, amount) } else { to_purse.silver(way, amount) };
        if told.is_ok() {
            *self.holding.pair(to) = pair;
        }
        told.is_ok()
    }

    fn send_item(&mut self, cx: &mut Cx, to: u64, item: u64, back: bool) -> bool {
        let mut pair = *self.holding.pair(to);
        let way = pair.next(back, self.key);
        let told = if to & VAULT == 0 {
            cx.to(ActorRef::<PurseContract>::new(to)).item(way, item)
        } else {
            cx.to(ActorRef::<VaultContract>::new(to & !VAULT)).stow(way, item)
        };
        if told.is_ok() {
            *self.holding.pair(to) = pair;
        }
        told.is_ok()
    }

    fn coins_come(&mut self, cx: &mut Cx, way: Way, currency: u8, amount: u64) {
        assert!(amount != POISON || POISON_IS_HARMLESS.get(), "poison");
        self.holding.pair(way.from).take(way);
        if !(way.back && self.send_coins(cx, way.from, currency, amount, false)) {
            self.holding.coins[usize::from(currency)] += amount;
        }
    }
}

impl Purse<Cx> for ThePurse {
    fn earn(&mut self, _: &mut Cx, token: u64, currency: u8, amount: u64) -> Option<u64> {
        let at = usize::from(currency);
        self.holding.coins[at] += amount;
        self.holding.earned[at] += amount;
        self.holding.done.push(token);
        Some(self.holding.coins[at])
    }

    fn spend(&mut self, _: &mut Cx, token: u64, currency: u8, amount: u64) -> Option<u64> {
        let left = self.take_out(currency, amount)?;
        self.holding.spent[usize::from(currency)] += amount;
        self.holding.done.push(token);
        Some(left)
    }

    fn pay(
        &mut self,
        cx: &mut Cx,
        token: u64,
        to: u64,
        currency: u8,
        amount: u64,
        back: bool,
    ) -> Option<u64> {
        let left = self.take_out(currency, amount)?;
        if !self.send_coins(cx, to, currency, amount, back) {
            self.holding.coins[usize::from(currency)] += amount;
            return None;
        }
        self.holding.done.push(token);
        if let Caller::Client { session, .. } = cx.caller() {
            cx.push(session, purse::Paid { token });
        }
        let _told = cx.to(ActorRef::<BookContract>::new(0)).heard(token);
        Some(left)
    }

    fn look(&mut self, _: &mut Cx, currency: u8) -> Option<u64> {
        self.holding.coins.get(usize::from(currency)).copied()
    }

    fn forge(&mut self, _: &mut Cx, token: u64) -> u64 {
        self.holding.items.push(token);
        self.holding.done.push(token);
        token
    }

    fn hand(&mut self, cx: &mut Cx, token: u64, to: u64, nth: u64, back: bool) -> u64 {
        let Some(at) = self.holding.nth(nth) else { return 0 };
        let item = self.holding.items[at];
        if !self.send_item(cx, to, item, back) {
            return 0;
        }
        self.holding.items.remove(at);
        self.holding.done.push(token);
        item
    }

    fn melt(&mut self, _: &mut Cx, token: u64, nth: u64) -> u64 {
        let Some(at) = self.holding.nth(nth) else { return 0 };
        self.holding.done.push(token);
        self.holding.items.remove(at)
    }

    fn gold(&mut self, cx: &mut Cx, way: Way, amount: u64) {
        self.coins_come(cx, way, GOLD, amount);
    }

    fn silver(&mut self, cx: &mut Cx, way: Way, amount: u64) {
        self.coins_come(cx, way, 1, amount);
    }

    fn item(&mut self, cx: &mut Cx, way: Way, item: u64) {
        self.holding.pair(way.from).take(way);
        if !(way.back && self.send_item(cx, way.from, item, false)) {
            self.holding.items.push(item);
        }
    }
}

/// Which vault it is.
#[derive(Resource)]
struct Place(u64);

/// A vault.
pub(crate) struct TheVault;

impl Zone for TheVault {
    const KEEPS: bool = true;

    fn build(zone: &mut ZoneBuilder<'_>) {
        let place = Place(zone.key() | VAULT);
        zone.persist_all::<(Thing, Pair, Done)>().insert_resource(place);
    }
}

/// Entities with a `C`, in the order of their ids.
fn in_order<C: Component>(world: &mut World) -> Vec<Entity> {
    let mut query = world.query_filtered::<(&NetIdentity, Entity), With<C>>();
    let mut found: Vec<(NetId, Entity)> =
        query.iter(world).map(|(identity, entity)| (identity.id(), entity)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, entity)| entity).collect()
}

/// Changes what is noted of a pair, if `change` says so.
fn with_pair(world: &mut World, other: u64, change: impl FnOnce(&mut Pair) -> bool) -> bool {
    let found = in_order::<Pair>(world)
        .into_iter()
        .find(|entity| world.get::<Pair>(*entity).is_some_and(|pair| pair.other == other));
    let mut pair = found
        .and_then(|entity| world.get::<Pair>(entity).copied())
        .unwrap_or_else(|| Pair { other, ..Pair::default() });
    if !change(&mut pair) {
        return false;
    }
    match found {
        Some(entity) => drop(world.entity_mut(entity).insert(pair)),
        None => drop(world.spawn(pair)),
    }
    true
}

fn send_from(world: &mut World, cx: &mut Cx, to: u64, item: u64) -> bool {
    let place = world.resource::<Place>().0;
    with_pair(world, to, |pair| {
        cx.to(ActorRef::<PurseContract>::new(to)).item(pair.next(false, place), item).is_ok()
    })
}

impl Vault<Cx, World> for TheVault {
    fn fetch(world: &mut World, cx: &mut Cx, token: u64, to: u64, nth: u64) -> u64 {
        let things = in_order::<Thing>(world);
        let count = things.len() as u64;
        let Some(thing) = nth.checked_rem(count).and_then(|nth| things.get(usize::try_from(nth).ok()?))
        else {
            return 0;
        };
        let item = world.get::<Thing>(*thing).map_or(0, |thing| thing.item);
        if !send_from(world, cx, to, item) {
            return 0;
        }
        world.despawn(*thing);
        match in_order::<Done>(world).first().and_then(|done| world.get_mut::<Done>(*done)) {
            Some(mut done) => done.tokens.push(token),
            None => drop(world.spawn(Done { tokens: vec![token] })),
        }
        world.flush();
        item
    }

    fn stow(world: &mut World, cx: &mut Cx, way: Way, item: u64) {
        with_pair(world, way.from, |pair| {
            pair.take(way);
            true
        });
        if !(way.back && send_from(world, cx, way.from, item)) {
            world.spawn(Thing { item });
        }
        world.flush();
    }
}

/// The book.
#[derive(Default)]
pub(crate) struct TheBook(Heard);

impl Actor for TheBook {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self::default()
    }
}

impl DurableActor for TheBook {
    type State = Heard;

    fn state(&self) -> &Heard {
        &self.0
    }

    fn restore(_: &mut Cx, _: u64, heard: Heard) -> Self {
        Self(heard)
    }
}

impl Book<Cx> for TheBook {
    fn heard(&mut self, _: &mut Cx, token: u64) {
        self.0.tokens.push(token);
    }
}

/// The token of a player is the key of its purse.
#[derive(Debug)]
struct ByKey;

impl Authenticate for ByKey {
    fn authenticate(&self, token: &[u8]) -> Result<Identity, Denied> {
        let key = std::str::from_utf8(token).ok().and_then(|token| token.parse().ok());
        let player = key.filter(|key| PURSES.contains(key));
        player
            .map(|player| Identity { player, roles: Vec::new() })
            .ok_or_else(|| Denied { reason: "the token is the key of a purse".to_owned() })
    }
}

/// The game.
pub(crate) fn game() -> Game {
    Game::new(descriptor())
        .authenticate(ByKey)
        .durable_player::<PurseContract, ThePurse>()
        .zone::<VaultContract, TheVault>(ZoneOptions::default())
        .durable_actor::<BookContract, TheBook>()
        .start::<VaultContract>(VAULTS)
}
