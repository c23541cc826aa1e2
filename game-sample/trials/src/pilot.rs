//! A bot of the sample as a player of the simulated world.
//!
//! *Responsible for*: fitting [`Bot`] to [`Player`]. *Not responsible for*: what it does.

use game_sample_bots::Bot;
use game_sample_bots::ledger::{Acknowledged, TradeAct};
use game_sample_bots::report::Tally;
use game_sample_contracts::{Goods, Mined, TradeId};
use lightmoon_client::{Client, Event};
use lightmoon_contract::Mono;
use lightmoon_sim::Player;

/// A bot and what happened to it.
#[derive(Debug)]
pub(crate) struct Pilot {
    pub(crate) bot: Bot,
    pub(crate) tally: Tally,
    /// All crystals that were acknowledged to it.
    pub(crate) mined: Vec<Mined>,
    /// All steps of trades that were acknowledged to it.
    pub(crate) traded: Vec<(TradeAct, TradeId, Goods)>,
    /// Key of its player; 0 before its first session.
    pub(crate) player: u64,
    /// It closes its connection and never comes back.
    pub(crate) has_left: bool,
}

impl Pilot {
    pub(crate) fn new(bot: Bot) -> Self {
        Self {
            bot,
            tally: Tally::default(),
            mined: Vec::new(),
            traded: Vec::new(),
            player: 0,
            has_left: false,
        }
    }
}

impl Player for Pilot {
    fn on_event(&mut self, now: Mono, event: &Event, client: &mut Client) {
        if let Event::Connected(welcome) = event {
            self.player = welcome.player;
        }
        self.bot.on_event(now, event, client, &mut self.tally);
        for what in self.bot.take_acknowledged() {
            match what {
                Acknowledged::Mined(mined) => self.mined.push(mined),
                Acknowledged::Traded(act, trade, goods) => self.traded.push((act, trade, goods)),
            }
        }
    }

    fn think(&mut self, now: Mono, client: &mut Client) {
        if self.has_left {
            client.close("it has left");
        }
        self.bot.think(now, client, &mut self.tally);
    }

    fn next_thought(&self) -> Option<Mono> {
        Some(self.bot.next_thought())
    }

    fn asked(&mut self) -> Vec<(u64, Mono)> {
        self.bot.take_asked()
    }
}
