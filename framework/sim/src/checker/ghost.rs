//! No ghost: a client holds no entity that its zone does not have, beyond the time that a packet may take.
//!
//! *Responsible for*: entities that are held and should not be. *Not responsible for*: missing ones ([`super::presence`]).

use std::collections::BTreeMap;

use lightmoon_contract::{Mono, NetId};

use super::{Bounds, ClientNumber, Violation};
use crate::truth::{HeldView, History};

/// The checker.
#[derive(Debug, Default)]
pub struct Ghosts {
    /// Since when a client holds an entity that its session may not see.
    unseen_since: BTreeMap<(ClientNumber, NetId), Mono>,
}

impl Ghosts {
    /// Looks at what a client holds.
    ///
    /// # Errors
    /// It holds an entity that never was, is gone for longer than the bound, or left its sight longer ago than that.
    pub fn check(
        &mut self,
        now: Mono,
        client: ClientNumber,
        held: &HeldView,
        history: &History,
        bounds: Bounds,
    ) -> Result<(), Violation> {
        let Some((_, _, truth)) = history.newest(held.zone) else { return Ok(()) };
        let visible = truth.visible.get(&held.session);
        self.unseen_since.retain(|(other, net), _| *other != client || held.entities.contains_key(net));
        for net in held.entities.keys() {
            if !truth.entities.contains_key(net) {
                let fault = |what: String| Violation::new("ghost", format!("{client} holds {net} of zone {}, {what}", held.zone));
                let removed = history.removed_at(held.zone, *net).ok_or_else(|| fault("which never was".to_owned()))?;
                if now.since(removed) > bounds.in_flight {
                    return Err(fault(format!("gone for {:?}", now.since(removed))));
                }
                continue;
            }
            if visible.is_none_or(|visible| visible.contains(net)) {
                self.unseen_since.remove(&(client, *net));
                continue;
            }
            let since = *self.unseen_since.entry((client, *net)).or_insert(now);
            if now.since(since) > bounds.in_flight {
                let what = format!("{client} holds {net}, out of its sight for {:?}", now.since(since));
                return Err(Violation::new("ghost", what));
            }
        }
        Ok(())
    }

    /// Forgets a client that lost its view.
    pub fn forget(&mut self, client: ClientNumber) {
        self.unseen_since.retain(|(other, _), _| *other != client);
    }
}
