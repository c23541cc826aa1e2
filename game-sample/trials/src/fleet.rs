//! The fleet: every pilot has at most one ship in all sectors together, but for one adrift after a crash, and none is lost.
//!
//! *Responsible for*: counting ships by their pilots' names over all sectors, tick by tick.
//! *Not responsible for*: what single clients see (the checkers of `lightmoon-sim`).

use std::collections::BTreeMap;
use std::time::Duration;

use game_sample::ship::ADRIFT_SECONDS;
use game_sample_contracts::{Label, Role};
use lightmoon_contract::codec::{self, Limits};
use lightmoon_contract::{ActorId, Mono, Replicate};
use lightmoon_sim::{ClientNumber, Violation, World};

use crate::pilot::Pilot;

/// A pilot on its way asks the next sector at most twice, and then the one it came from, 5 s each.
const TRAVEL_MAX: Duration = Duration::from_secs(16);

/// From the kill to the first tick of the sectors, whose time adrift begins with it.
const ADRIFT_SLACK: Duration = Duration::from_secs(3);

/// The checker.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    turns: u64,
    /// Until then a crash may show two ships of a pilot: each sector is as old as its own snapshot, so a ship that flew through a gate just
    /// before is back in both, one of them adrift until its time is over.
    excused_until: Mono,
    /// Since when a pilot that is shown a sector has no ship in it.
    lost_since: BTreeMap<ClientNumber, Mono>,
}

impl Fleet {
    /// The node was killed.
    pub(crate) fn killed(&mut self, now: Mono) {
        self.excused_until = now + Duration::from_secs(ADRIFT_SECONDS) + ADRIFT_SLACK;
    }

    /// Looks at all sectors.
    pub(crate) fn look(&mut self, world: &World<Pilot>) -> Result<(), Violation> {
        if self.turns == world.turns() {
            return Ok(());
        }
        self.turns = world.turns();
        let mut ships: BTreeMap<String, ActorId> = BTreeMap::new();
        for (zone, _, entities) in world.history().zones() {
            let labels = entities.values().filter_map(|look| look.sticky.get(&Label::SPEC.number));
            for label in labels.filter_map(|bytes| codec::decode::<Label>(bytes, Limits::NODE).ok()) {
                if label.role != Role::Player {
                    continue;
                }
                if let Some(other) = ships.insert(label.name.clone(), zone)
                    && world.now() > self.excused_until
                {
                    let what =
                        format!("{} has a ship in sector {other} and one in sector {zone}", label.name);
                    return Err(Violation::new("fleet", what));
                }
            }
        }
        self.find_lost(world, &ships)
    }

    fn find_lost(
        &mut self,
        world: &World<Pilot>,
        ships: &BTreeMap<String, ActorId>,
    ) -> Result<(), Violation> {
        for (client, core, pilot) in world.clients() {
            if core.attached().is_none() || ships.contains_key(pilot.bot.name()) {
                self.lost_since.remove(&client);
                continue;
            }
            let since = *self.lost_since.entry(client).or_insert_with(|| world.now());
            if world.now().since(since) > TRAVEL_MAX {
                let what = format!("{} has no ship for {:?}", pilot.bot.name(), world.now().since(since));
                return Err(Violation::new("fleet", what));
            }
        }
        Ok(())
    }
}
