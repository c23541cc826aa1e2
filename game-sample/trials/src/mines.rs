//! The mines: what pilots were told that they mined is in the store, once, after any crash.
//!
//! *Responsible for*: comparing acknowledged crystals with the operation logs of pilots. *Not responsible for*: how the store is
//! read (`lightmoon-sim`).

use std::collections::BTreeMap;

use game_sample_contracts::{MineRefused, Mined, PilotContract, pilot};
use lightmoon_contract::codec::{self, Limits};
use lightmoon_contract::{ActorId, Contract, NetId, Operation as _};
use lightmoon_sim::{ClientNumber, Violation, World};

use crate::pilot::Pilot;

/// The checker.
#[derive(Debug, Default)]
pub(crate) struct Mines {
    acknowledged: BTreeMap<(ClientNumber, NetId), Mined>,
    /// How much of what each was told was noted.
    heard: BTreeMap<ClientNumber, usize>,
}

impl Mines {
    /// Notes what bots were told.
    pub(crate) fn listen(&mut self, world: &World<Pilot>) {
        for (client, _, pilot) in world.clients() {
            let heard = self.heard.entry(client).or_default();
            let news = pilot.mined[*heard..].iter().map(|mined| ((client, mined.crystal), *mined));
            self.acknowledged.extend(news);
            *heard = pilot.mined.len();
        }
    }

    /// How much was acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Compares with what is stored.
    pub(crate) fn check(&self, world: &mut World<Pilot>) -> Result<(), Violation> {
        let actors = world.store().actors()?;
        let mut logged: BTreeMap<NetId, (ActorId, Mined)> = BTreeMap::new();
        for (actor, stored) in actors.iter().filter(|(actor, _)| actor.kind == PilotContract::KIND) {
            let number = pilot::Mine::SPEC.number.0;
            for (_, _, entry) in stored.log.iter().filter(|(_, _, entry)| entry.operation == number) {
                let reply = codec::decode::<Result<Mined, MineRefused>>(&entry.reply, Limits::NODE);
                let Ok(Ok(mined)) = reply else { continue };
                // A pilot that asks again for a crystal gets the same answer, whatever it mined since.
                if let Some(other) = logged.insert(mined.crystal, (*actor, mined))
                    && other != (*actor, mined)
                {
                    return Err(wrong(format!("{actor} has {mined:?}, and the log has {other:?}")));
                }
            }
        }
        for ((client, crystal), mined) in &self.acknowledged {
            if logged.get(crystal).map(|(_, logged)| logged) != Some(mined) {
                return Err(wrong(format!("{client} was told of {mined:?}, which is in no log")));
            }
        }
        Ok(())
    }
}

const fn wrong(what: String) -> Violation {
    Violation { checker: "mines", what }
}
