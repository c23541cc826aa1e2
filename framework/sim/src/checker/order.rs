//! Newest wins: what a client holds of a component never becomes older.
//!
//! *Responsible for*: ticks of single components, within one attachment. *Not responsible for*: the values ([`super::value`]).

use std::collections::BTreeMap;

use lightmoon_contract::{NetId, Tick};

use super::{ClientNumber, Violation};
use crate::truth::HeldView;

/// The checker.
#[derive(Debug, Default)]
pub struct Order {
    clients: BTreeMap<ClientNumber, Newest>,
}

#[derive(Debug, Default)]
struct Newest {
    /// Zone's attachment that the ticks are of.
    generation: u32,
    ticks: BTreeMap<(NetId, u16), Tick>,
}

impl Order {
    /// Looks at what a client holds.
    ///
    /// # Errors
    /// A component is of an earlier tick than it was.
    pub fn check(&mut self, client: ClientNumber, held: &HeldView) -> Result<(), Violation> {
        let newest = self.clients.entry(client).or_default();
        if newest.generation != held.generation {
            *newest = Newest { generation: held.generation, ticks: BTreeMap::new() };
        }
        // What left and comes again starts anew.
        newest.ticks.retain(|(net, _), _| held.entities.contains_key(net));
        for (net, entity) in &held.entities {
            for (number, (tick, _)) in &entity.state {
                let before = newest.ticks.insert((*net, *number), *tick);
                if let Some(before) = before.filter(|before| before > tick) {
                    let what =
                        format!("{client} held component {number} of {net} as of tick {before}, then {tick}");
                    return Err(Violation::new("order", what));
                }
            }
        }
        Ok(())
    }

    /// Forgets a client whose session ended: the next one may count anew.
    pub fn forget(&mut self, client: ClientNumber) {
        self.clients.remove(&client);
    }
}
