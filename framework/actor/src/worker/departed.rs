//! Actors that their last session left: in which order they leave memory.
//!
//! *Responsible for*: knowing each of them once, by when it was left last. *Not responsible for*: how many may stay
//! ([`crate::limits::DEPARTED_MAX`]), ending them (`due`).
//!
//! Invariants:
//! - I1: an activation stands here exactly while it has no session, had one, and nothing decided that it stays. So the length is a
//!   number of actors, however often each came and went.

use std::collections::BTreeMap;

use crate::slot::Slot;

/// The list.
#[derive(Debug, Default)]
pub(super) struct Departed {
    /// By when they were left.
    order: BTreeMap<u64, Slot>,
    /// By their places, when they were left. Beside the places, of which most are idle actors' that no session ever knew.
    left: BTreeMap<u32, u64>,
    last: u64,
}

impl Departed {
    /// Was left now: the last to go, whatever was known before.
    pub(super) fn add(&mut self, slot: Slot) {
        self.remove(slot.index);
        self.last += 1;
        self.order.insert(self.last, slot);
        self.left.insert(slot.index, self.last);
    }

    /// The activation at this place has a session again, is over, or stays.
    pub(super) fn remove(&mut self, index: u32) {
        if let Some(left) = self.left.remove(&index) {
            self.order.remove(&left);
        }
    }

    /// The one that was left first; it is still listed.
    pub(super) fn first(&self) -> Option<Slot> {
        self.order.first_key_value().map(|(_, slot)| *slot)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}
