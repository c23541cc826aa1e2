//! The game itself: a door that counts.

use lightmoon::Game;
use lightmoon::prelude::*;

/// Doors; every visitor has one.
#[contract]
pub trait Door {
    /// Knocks, and answers how often it was knocked at this door.
    #[operation(client = own)]
    fn knock(times: u32) -> u32;
}

lightmoon_contract::contracts! {
    game = "tiny",
    contracts = [Door],
    components = [],
}

#[derive(Debug, Default)]
struct Visitor {
    knocks: u32,
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
}

pub(crate) fn game() -> Game {
    Game::new(descriptor()).player::<DoorContract, Visitor>()
}
