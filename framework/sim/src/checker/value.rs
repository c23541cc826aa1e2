//! Right values: each entity that a client holds equals the zone's quantised value of the tick it was received at.
//!
//! *Responsible for*: state by its tick; sticky components within the time that a packet may take.
//! *Not responsible for*: how old a value may be ([`super::liveness`]).

use lightmoon_contract::{Mono, NetId};

use super::{Bounds, ClientNumber, Violation};
use crate::truth::{EntityState, HeldEntity, HeldView, History};

/// The checker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Entities compared.
    pub compared: u64,
    /// Entities not compared, because their tick is older than what is kept.
    pub too_old: u64,
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
        bounds: Bounds,
    ) -> Result<(), Violation> {
        for (net, entity) in &held.entities {
            let fault = |what: String| {
                Violation::new("value", format!("{client} holds {net} of zone {} at tick {}: {what}", held.zone, entity.tick))
            };
            self.compare_state(held, *net, entity, history).map_err(fault)?;
            let since = now - bounds.in_flight;
            let entities = || history.back_to(held.zone, since).filter_map(|truth| truth.entities.get(net));
            if entities().next().is_some() && !entities().any(|truth| truth.sticky == entity.state.sticky) {
                return Err(fault(format!("sticky {:?} is none of the zone's", entity.state.sticky)));
            }
        }
        Ok(())
    }

    fn compare_state(
        &mut self,
        held: &HeldView,
        net: NetId,
        entity: &HeldEntity,
        history: &History,
    ) -> Result<(), String> {
        if history.oldest(held.zone).is_none_or(|oldest| entity.tick < oldest) {
            self.too_old += 1;
            return Ok(());
        }
        let truth = history.at(held.zone, entity.tick).ok_or("the zone had no such tick")?;
        let truth: &EntityState = truth.entities.get(&net).ok_or("the zone did not have it then")?;
        self.compared += 1;
        if truth.state == entity.state.state {
            Ok(())
        } else {
            Err(format!("state {:?} where the zone had {:?}", entity.state.state, truth.state))
        }
    }
}
