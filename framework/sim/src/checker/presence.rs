//! No dead entity: what a client may see is shown to it within a bound.
//!
//! *Responsible for*: entities that should be held and are not. *Not responsible for*: surplus ones ([`super::ghost`]).

use std::collections::BTreeMap;

use lightmoon_contract::{Mono, NetId};

use super::{Bounds, ClientNumber, Violation};
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
    /// An entity that its session may see is missing for longer than the bound.
    pub fn check(
        &mut self,
        now: Mono,
        client: ClientNumber,
        held: &HeldView,
        history: &History,
        bounds: Bounds,
    ) -> Result<(), Violation> {
        let missing = self.missing.entry(client).or_default();
        if missing.generation != held.generation {
            *missing = Missing { generation: held.generation, since: BTreeMap::new() };
        }
        let visible = history.newest(held.zone).and_then(|(_, _, truth)| truth.visible.get(&held.session));
        let Some(visible) = visible else {
            missing.since.clear();
            return Ok(());
        };
        missing.since.retain(|net, _| visible.contains(net) && !held.entities.contains_key(net));
        for net in visible.iter().filter(|net| !held.entities.contains_key(net)) {
            let since = *missing.since.entry(*net).or_insert(now);
            if now.since(since) > bounds.in_flight {
                let what = format!("{client} was not shown {net} of zone {} for {:?}", held.zone, now.since(since));
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
