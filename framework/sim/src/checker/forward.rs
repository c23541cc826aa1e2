//! What is stored only goes forward, snapshots show a tick that was, and an id names one entity for ever.
//!
//! *Responsible for*: comparing what the store has with what it had, and with what zones were. *Not responsible for*: single
//! rows (`stored`), what clients were promised (`ledger`).

use std::collections::{BTreeMap, BTreeSet};

use lightmoon_contract::{ActorId, NetId};

use super::Violation;
use super::stored::StoredActor;

/// What stood there at the last look.
#[derive(Clone, Debug)]
struct Before {
    epoch: u64,
    seq: u64,
    ids: u64,
    log: usize,
    /// Commit and place of the last entry.
    log_end: Option<(u64, u64)>,
}

/// The checker.
#[derive(Debug, Default)]
pub struct Forward {
    before: BTreeMap<ActorId, Before>,
    /// Hashes that zones had while they were at a tick.
    hashes: BTreeMap<(ActorId, u64), BTreeSet<u128>>,
    names: BTreeMap<NetId, u64>,
    /// Snapshots compared so far.
    pub compared: u64,
}

impl Forward {
    /// A zone had this hash ([`lightmoon_zone::persisted_hash`]) while it was at this tick. Tell it after each operation
    /// and at the end of each tick.
    pub fn had(&mut self, zone: ActorId, tick: u64, hash: u128) {
        self.hashes.entry((zone, tick)).or_default().insert(hash);
    }

    /// An entity with this id was there, or was told of; `who` is the same for the same entity and no other.
    ///
    /// # Errors
    /// The id was another's.
    pub fn named(&mut self, net: NetId, who: u64) -> Result<(), Violation> {
        match self.names.insert(net, who) {
            Some(other) if other != who => {
                Err(Violation::new("forward", format!("{net} is {who:#x} and was {other:#x}")))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Looks at all that is stored.
    ///
    /// # Errors
    /// Something went back, or a snapshot shows what never was.
    pub fn check(&mut self, stored: &BTreeMap<ActorId, StoredActor>) -> Result<(), Violation> {
        if let Some(actor) = self.before.keys().find(|actor| !stored.contains_key(actor)) {
            return Err(Violation::new("forward", format!("actor {actor} is stored no more")));
        }
        stored.values().try_for_each(|actor| self.check_actor(actor))
    }

    fn check_actor(&mut self, stored: &StoredActor) -> Result<(), Violation> {
        let StoredActor { actor, epoch, seq, ids, log, snapshots, .. } = stored;
        let wrong = |what: String| Err(Violation::new("forward", format!("actor {actor}: {what}")));
        let log_end = log.last().map(|(seq, n, _)| (*seq, *n));
        let now = Before { epoch: *epoch, seq: *seq, ids: *ids, log: log.len(), log_end };
        if let Some(before) = self.before.insert(*actor, now) {
            if *epoch < before.epoch || *seq < before.seq || *ids < before.ids {
                return wrong(format!(
                    "(epoch, seq, ids) went from ({}, {}, {}) to ({epoch}, {seq}, {ids})",
                    before.epoch, before.seq, before.ids
                ));
            }
            let end = before.log.checked_sub(1).and_then(|at| log.get(at)).map(|(seq, n, _)| (*seq, *n));
            if end != before.log_end {
                return wrong(format!("the first {} entries of its log changed", before.log));
            }
        }
        for (listed, snapshot) in snapshots {
            // The first one of a life shows what was loaded, before any operation or tick of that life.
            let Some(hashes) = self.hashes.get(&(*actor, listed.tick)).filter(|_| listed.number > 1) else {
                continue;
            };
            self.compared += 1;
            if !hashes.contains(&snapshot.check) {
                return wrong(format!("its snapshot of tick {} shows a world that never was", listed.tick));
            }
        }
        Ok(())
    }
}
