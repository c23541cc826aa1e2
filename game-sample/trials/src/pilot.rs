//! A bot of the sample as a player of the simulated world.
//!
//! *Responsible for*: fitting [`Bot`] to [`Player`]. *Not responsible for*: what it does.

use game_sample_bots::Bot;
use game_sample_bots::report::Tally;
use game_sample_contracts::Mined;
use lightmoon_client::{Client, Event};
use lightmoon_contract::Mono;
use lightmoon_sim::Player;

/// A bot and what happened to it.
#[derive(Debug)]
pub(crate) struct Pilot {
    pub(crate) bot: Bot,
    pub(crate) tally: Tally,
    /// Everything that was acknowledged to it.
    pub(crate) mined: Vec<Mined>,
    /// It closes its connection and never comes back.
    pub(crate) has_left: bool,
}

impl Pilot {
    pub(crate) fn new(bot: Bot) -> Self {
        Self { bot, tally: Tally::default(), mined: Vec::new(), has_left: false }
    }
}

impl Player for Pilot {
    fn on_event(&mut self, now: Mono, event: &Event, client: &mut Client) {
        self.bot.on_event(now, event, client, &mut self.tally);
        self.mined.extend(self.bot.take_mined());
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
