//! Ore: a crystal is acknowledged once in the whole world, and what a pilot is told of its ore adds up.
//!
//! *Responsible for*: comparing all acknowledgements of all bots. *Not responsible for*: what is stored (the verb `audit`).

use std::collections::BTreeMap;

use game_sample_contracts::Mined;
use lightmoon_contract::NetId;
use lightmoon_sim::{Violation, World};

use crate::pilot::Pilot;

/// The checker.
#[derive(Debug, Default)]
pub(crate) struct Ores {
    /// Who mined what, and how many acknowledgements of each bot were looked at.
    owners: BTreeMap<NetId, u32>,
    looked_at: BTreeMap<u32, (usize, u64)>,
}

impl Ores {
    /// Looks at what was acknowledged since the last look.
    pub(crate) fn look(&mut self, world: &World<Pilot>) -> Result<(), Violation> {
        for (client, _, pilot) in world.clients() {
            let (seen, mut total) = self.looked_at.get(&client.0).copied().unwrap_or_default();
            for Mined { crystal, ore, total: told, .. } in &pilot.mined[seen..] {
                if let Some(owner) = self.owners.insert(*crystal, client.0) {
                    let what = format!("crystal {crystal} was mined by bot {owner} and by bot {}", client.0);
                    return Err(Violation::new("ore", what));
                }
                total += u64::from(*ore);
                // What a trader gave and got is in no answer about crystals: the market adds it up.
                if total != *told && !pilot.bot.is_trader() {
                    let what = format!("bot {} was told of {told} ore in all and mined {total}", client.0);
                    return Err(Violation::new("ore", what));
                }
            }
            self.looked_at.insert(client.0, (pilot.mined.len(), total));
        }
        Ok(())
    }
}
