//! No ghost: a client holds no entity that its zone does not have or that is out of its sight, beyond the time that a
//! packet may take.
//!
//! *Responsible for*: entities that are held and should not be. *Not responsible for*: missing ones ([`super::presence`]).

use std::collections::BTreeMap;

use lightmoon_contract::{Mono, NetId};

use super::{ClientNumber, Rules, Violation};
use crate::truth::{HeldView, History};

/// The checker.
#[derive(Debug, Default)]
pub struct Ghosts {
    /// Since when a client holds an entity that is out of its sight.
    far_since: BTreeMap<(ClientNumber, NetId), Mono>,
}

impl Ghosts {
    /// Looks at what a client holds.
    ///
    /// # Errors
    /// It holds an entity that never was, is gone for longer than the bound, or out of sight for longer than that.
    pub fn check(
        &mut self,
        now: Mono,
        client: ClientNumber,
        held: &HeldView,
        history: &History,
        rules: &Rules,
    ) -> Result<(), Violation> {
        let Some((_, truth)) = history.newest(held.zone) else { return Ok(()) };
        self.far_since.retain(|(other, net), _| *other != client || held.entities.contains_key(net));
        let fault = |net: NetId, what: String| {
            Err(Violation::new("ghost", format!("{client} holds {net} of zone {}, {what}", held.zone)))
        };
        for net in held.entities.keys() {
            let Some(look) = truth.get(net) else {
                let Some(removed) = history.removed_at(held.zone, *net) else {
                    return fault(*net, "which never was".to_owned());
                };
                if now.since(removed) > rules.in_flight {
                    return fault(*net, format!("gone for {:?}", now.since(removed)));
                }
                continue;
            };
            let far = truth.get(&held.avatar).is_some_and(|avatar| !rules.sight.may_see(avatar, look));
            if !far {
                self.far_since.remove(&(client, *net));
                continue;
            }
            let since = *self.far_since.entry((client, *net)).or_insert(now);
            if now.since(since) > rules.in_flight {
                return fault(*net, format!("out of its sight for {:?}", now.since(since)));
            }
        }
        Ok(())
    }

    /// Starts a client's times anew: its connection or node was disturbed.
    pub fn forget(&mut self, client: ClientNumber) {
        self.far_since.retain(|(other, _), _| *other != client);
    }
}
