//! Quiet: when nothing moves any more, a client soon shows exactly what is there.
//!
//! *Responsible for*: every entity and every field of a zone that rests. *Not responsible for*: a zone in which something changes
//! ([`super::value`], [`super::stale`]).

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_contract::Mono;
use lightmoon_zone::EntityLook;

use super::{ClientNumber, Rules, Violation};
use crate::truth::{Entities, HeldEntity, HeldView, History};

/// Time from the last change until all have heard of it, beyond that of a packet.
pub const SETTLES_WITHIN: Duration = Duration::from_secs(2);

/// The checker.
#[derive(Debug, Default)]
pub struct Quiet {
    /// Since when a client looks at what it looks at.
    attached: BTreeMap<ClientNumber, (u32, Mono)>,
    /// Entities that were compared.
    pub compared: u64,
}

impl Quiet {
    /// Looks at what a client holds.
    ///
    /// # Errors
    /// Nothing has changed in its zone for [`SETTLES_WITHIN`] and the time of a packet, and it shows something else.
    pub fn check(
        &mut self,
        now: Mono,
        client: ClientNumber,
        held: &HeldView,
        history: &History,
        rules: &Rules,
    ) -> Result<(), Violation> {
        let (generation, since) = self.attached.entry(client).or_insert((held.generation, now));
        if *generation != held.generation {
            (*generation, *since) = (held.generation, now);
        }
        let Some(changed) = history.changed_at(held.zone) else { return Ok(()) };
        if now.since(changed.max(*since)) <= SETTLES_WITHIN + rules.in_flight {
            return Ok(());
        }
        let Some((_, truth)) = history.newest(held.zone) else { return Ok(()) };
        let fault = |what: String| {
            let rests = now.since(changed);
            Err(Violation::new(
                "quiet",
                format!("zone {} rests for {rests:?} and {client} {what}", held.zone),
            ))
        };
        for (net, look) in seen_for_sure(truth, held, rules) {
            self.compared += 1;
            match held.entities.get(net) {
                None => return fault(format!("does not show {net}")),
                Some(entity) if !is_alike(entity, look) => {
                    return fault(format!("shows {net} as {entity:?}, which is {look:?}"));
                }
                Some(_) => {}
            }
        }
        for (net, entity) in &held.entities {
            match truth.get(net) {
                None => return fault(format!("shows {net}, which is gone")),
                Some(look) if !is_alike(entity, look) => {
                    return fault(format!("shows {net} as {entity:?}, which is {look:?}"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Starts a client's times anew: its connection or node was disturbed.
    pub fn forget(&mut self, client: ClientNumber) {
        self.attached.remove(&client);
    }

    /// As [`Self::forget`], of all clients.
    pub fn forget_all(&mut self) {
        self.attached.clear();
    }
}

/// What a client must be shown.
fn seen_for_sure<'a>(
    truth: &'a Entities,
    held: &HeldView,
    rules: &Rules,
) -> impl Iterator<Item = (&'a lightmoon_contract::NetId, &'a EntityLook)> {
    let avatar = truth.get(&held.avatar);
    let sight = rules.sight;
    truth
        .iter()
        .map(|(net, look)| (net, &**look))
        .filter(move |(_, look)| avatar.is_some_and(|avatar| sight.must_see(avatar, look)))
}

fn is_alike(held: &HeldEntity, look: &EntityLook) -> bool {
    let state = held.state.iter().map(|(number, (_, fields))| (number, fields));
    state.eq(look.state.iter()) && held.sticky == look.sticky
}
