//! Which worker of a node runs which actor.
//!
//! *Responsible for*: the pure function from an actor and a number of workers to one of them. *Not responsible for*: carrying
//! messages there ([`crate::across`]), threads.
//!
//! Invariants:
//! - I1: the same actor is on the same worker for the life of a process: nothing but its id and the number of workers decides.
//! - I2: of one worker, everything is on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use lightmoon_contract::{ActorId, Kind};

/// One worker of a node, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WorkerId(pub u16);

impl WorkerId {
    /// The index into a list of workers.
    #[must_use]
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// Where actors of one kind are.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// One after the other by key, kinds shifted against each other: for kinds that tick. Their keys are few and small, and
    /// each of them is a steady load, so turns share better than chance.
    Spread,
    /// By a hash of kind and key: for kinds with many actors, whose keys follow no pattern.
    Hashed,
    /// As a game says: from the key and the number of workers to a number that is taken modulo theirs. A pure function; it is
    /// asked again and again.
    Chosen(fn(u64, u16) -> u16),
}

/// Where each actor of a node is. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Placement {
    workers: u16,
    kinds: Arc<BTreeMap<Kind, Place>>,
}

impl Default for Placement {
    fn default() -> Self {
        Self::new(1, BTreeMap::new())
    }
}

impl Placement {
    /// Of so many workers, at least one. Kinds without a word are [`Place::Hashed`].
    #[must_use]
    pub fn new(workers: u16, kinds: BTreeMap<Kind, Place>) -> Self {
        Self { workers: workers.max(1), kinds: Arc::new(kinds) }
    }

    /// How many workers there are.
    #[must_use]
    pub const fn workers(&self) -> u16 {
        self.workers
    }

    /// The worker that runs `actor`.
    #[must_use]
    pub fn worker_of(&self, actor: ActorId) -> WorkerId {
        if self.workers == 1 {
            return WorkerId(0);
        }
        let workers = u64::from(self.workers);
        let number = match self.kinds.get(&actor.kind).copied().unwrap_or(Place::Hashed) {
            Place::Spread => actor.key.wrapping_add(u64::from(actor.kind.0)) % workers,
            Place::Hashed => mixed(actor) % workers,
            Place::Chosen(choose) => u64::from(choose(actor.key, self.workers)) % workers,
        };
        WorkerId(u16::try_from(number).expect("less than a number of 16 bits"))
    }
}

/// Source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014). No seed: it has to be the same on hub and workers, and whoever
/// aims at one worker gains no more than a crowd in one zone does.
fn mixed(actor: ActorId) -> u64 {
    let mut word = actor.key ^ u64::from(actor.kind.0).rotate_left(48) ^ 0x9E37_79B9_7F4A_7C15;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONE: Kind = Kind(2);
    const PLAYER: Kind = Kind(3);

    fn placement(workers: u16) -> Placement {
        Placement::new(workers, BTreeMap::from([(ZONE, Place::Spread), (Kind(9), Place::Chosen(|_, _| 7))]))
    }

    #[test]
    fn zones_of_one_kind_share_the_workers_evenly() {
        for workers in 1..=8 {
            let placement = placement(workers);
            let mut on = vec![0; usize::from(workers)];
            (0..64).for_each(|key| on[placement.worker_of(ActorId::new(ZONE, key)).at()] += 1);
            let (least, most) = (on.iter().min().unwrap(), on.iter().max().unwrap());
            assert!(most - least <= 1, "{workers} workers: {on:?}");
        }
    }

    #[test]
    fn players_share_the_workers_about_evenly() {
        let placement = placement(4);
        let mut on = [0; 4];
        (0..10_000).for_each(|key| on[placement.worker_of(ActorId::new(PLAYER, key << 20)).at()] += 1);
        assert!(on.iter().all(|count| (2_200..2_800).contains(count)), "{on:?}");
    }

    #[test]
    fn a_game_may_say_where_its_kinds_are() {
        assert_eq!(placement(4).worker_of(ActorId::new(Kind(9), 1)), WorkerId(3), "7 modulo 4");
        assert_eq!(placement(1).worker_of(ActorId::new(Kind(9), 1)), WorkerId(0));
    }
}
