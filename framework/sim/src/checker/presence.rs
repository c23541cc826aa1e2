//! No dead entity: what is in a client's sight is shown to it within a bound.
//!
//! *Responsible for*: entities that should be held and are not. *Not responsible for*: surplus ones ([`super::ghost`]).

use std::collections::BTreeMap;

use lightmoon_contract::{Mono, NetId};

use super::{ClientNumber, Rules, Violation};
use crate::truth::{HeldView, History};

/// The checker.
#[derive(Debug, Default)]
pub struct Presence {
    missing: BTreeMap<ClientNumber, Missing>,
}

#[derive(Debug, Default)]
struct Missing {
    generation: u32,
    since: BTreeMap<NetId, Mono>,
}

impl Presence {
    /// Looks at what a client holds.
    ///
    /// # Errors
    /// An entity in its sight is missing for longer than the bound.
    pub fn check(
        &mut self,
        now: Mono,
        client: ClientNumber,
        held: &HeldView,
        history: &History,
        rules: &Rules,
    ) -> Result<(), Violation> {
        let missing = self.missing.entry(client).or_default();
        if missing.generation != held.generation {
            *missing = Missing { generation: held.generation, since: BTreeMap::new() };
        }
        let truth = history.newest(held.zone).map(|(_, truth)| truth);
        let Some((truth, avatar)) = truth.and_then(|truth| Some((truth, truth.get(&held.avatar)?))) else {
            missing.since.clear();
            return Ok(());
        };
        let lacks = |net: &NetId| {
            !held.entities.contains_key(net)
                && truth.get(net).is_some_and(|look| rules.sight.must_see(avatar, look))
        };
        missing.since.retain(|net, _| lacks(net));
        for net in truth.keys().filter(|net| lacks(net)) {
            let since = *missing.since.entry(*net).or_insert(now);
            if now.since(since) > rules.in_flight {
                let what =
                    format!("{client} was not shown {net} of zone {} for {:?}", held.zone, now.since(since));
                return Err(Violation::new("presence", what));
            }
        }
        Ok(())
    }

    /// Starts a client's times anew: its connection or node was disturbed.
    pub fn forget(&mut self, client: ClientNumber) {
        self.missing.remove(&client);
    }
}
