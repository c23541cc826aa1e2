//! The game itself: a door that counts, and keeps what is paid at it.

use lightmoon::Game;
use lightmoon::prelude::*;
use lightmoon::zone::DurableActor;

/// Doors; every visitor has one.
#[contract]
pub trait Door {
    /// Knocks, and answers how often it was knocked at this door.
    #[operation(client = own)]
    fn knock(times: u32) -> u32;

    /// The same, and waits long for the answer: through a network that breaks.
    #[operation(client = own, timeout_ms = 20000)]
    fn knock_patiently(times: u32) -> u32;

    /// Listens, and answers how often it was knocked; nothing changes.
    #[operation(client = own, durability = none)]
    fn listen() -> u32;

    /// Pays, and answers what was paid at this door; it is kept when the answer is there.
    #[operation(client = own, durability = sync, timeout_ms = 2000)]
    fn pay(coins: u32) -> u32;

    /// The same, and waits long for the answer: through a network that breaks, to a server that dies.
    #[operation(client = own, durability = sync, timeout_ms = 20000)]
    fn pay_patiently(coins: u32) -> u32;
}

/// What is kept of a visitor.
#[data(persist = "purse")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Purse {
    /// Coins paid.
    pub(crate) coins: u32,
}

lightmoon_contract::contracts! {
    game = "tiny",
    contracts = [Door],
    components = [],
}

#[derive(Debug, Default)]
struct Visitor {
    /// Not kept.
    knocks: u32,
    purse: Purse,
}

impl Actor for Visitor {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
    }
}

impl Door<Cx> for Visitor {
    fn knock(&mut self, _cx: &mut Cx, times: u32) -> u32 {
        self.knocks = self.knocks.saturating_add(times);
        self.knocks
    }

    fn knock_patiently(&mut self, cx: &mut Cx, times: u32) -> u32 {
        self.knock(cx, times)
    }

    fn listen(&mut self, _cx: &mut Cx) -> u32 {
        self.knocks
    }

    fn pay(&mut self, _cx: &mut Cx, coins: u32) -> u32 {
        self.purse.coins = self.purse.coins.saturating_add(coins);
        self.purse.coins
    }

    fn pay_patiently(&mut self, cx: &mut Cx, coins: u32) -> u32 {
        self.pay(cx, coins)
    }
}

impl DurableActor for Visitor {
    type State = Purse;

    fn state(&self) -> &Purse {
        &self.purse
    }

    fn restore(_cx: &mut Cx, _key: u64, purse: Purse) -> Self {
        Self { knocks: 0, purse }
    }
}

pub(crate) fn game() -> Game {
    Game::new(descriptor()).durable_player::<DoorContract, Visitor>()
}
