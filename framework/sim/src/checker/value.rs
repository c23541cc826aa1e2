//! Right values: each component that a client holds equals the zone's quantised value of the tick it was received at.
//!
//! *Responsible for*: state by its tick; sticky components within the time that a packet may take.
//! *Not responsible for*: how old a value may be ([`super::liveness`]).

use lightmoon_contract::{Mono, NetId, Tick};

use super::{ClientNumber, Rules, Violation};
use crate::truth::{HeldEntity, HeldView, History};

/// The checker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Values compared.
    pub compared: u64,
    /// Values not compared: their tick is older than what is kept, ran in one turn with a later one, or their entity was
    /// removed in the very turn of the tick.
    pub skipped: u64,
}

impl Values {
    /// Compares what a client holds.
    ///
    /// # Errors
    /// A value differs from the zone's at its tick, or a sticky one from all that the zone had lately.
    pub fn check(
        &mut self,
        now: Mono,
        client: ClientNumber,
        held: &HeldView,
        history: &History,
        rules: &Rules,
    ) -> Result<(), Violation> {
        let Some((newest, _)) = history.newest(held.zone) else { return Ok(()) };
        for (net, entity) in &held.entities {
            let fault = |what: String| {
                Violation::new("value", format!("{client} holds {net} of zone {}: {what}", held.zone))
            };
            for (number, (tick, fields)) in &entity.state {
                if *tick > newest {
                    return Err(fault(format!("component {number} of tick {tick}, which has not been")));
                }
                self.compare(held, *net, (*number, *tick, fields), history).map_err(fault)?;
            }
            check_sticky(now, held, (*net, entity), history, rules).map_err(fault)?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        held: &HeldView,
        net: NetId,
        (number, tick, fields): (u16, Tick, &[u32]),
        history: &History,
    ) -> Result<(), String> {
        let Some(truth) = history.at(held.zone, tick) else {
            self.skipped += 1;
            return Ok(());
        };
        let Some(look) = truth.get(&net) else {
            let before = history.at(held.zone, Tick(tick.0.saturating_sub(1)));
            if before.is_none_or(|before| before.contains_key(&net)) {
                self.skipped += 1;
                return Ok(());
            }
            return Err(format!("of tick {tick}, at which the zone did not have it"));
        };
        self.compared += 1;
        match look.state.get(&number) {
            Some(truth) if truth == fields => Ok(()),
            other => Err(format!("component {number} of tick {tick} is {fields:?} and was {other:?}")),
        }
    }
}

fn check_sticky(
    now: Mono,
    held: &HeldView,
    (net, entity): (NetId, &HeldEntity),
    history: &History,
    rules: &Rules,
) -> Result<(), String> {
    let mut looks =
        history.back_to(held.zone, now - rules.in_flight).filter_map(|truth| truth.get(&net)).peekable();
    if looks.peek().is_none() || looks.any(|look| look.sticky == entity.sticky) {
        return Ok(());
    }
    Err(format!("its sticky components {:?} are none of the zone's", entity.sticky))
}
