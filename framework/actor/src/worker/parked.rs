//! Messages that wait for one actor.
//!
//! *Responsible for*: their order and bound. *Not responsible for*: when they are served.
//!
//! Invariants:
//! - I1: the most urgent go first, within a priority in order of arrival.

use std::collections::VecDeque;

use lightmoon_contract::Priority;

use crate::{Envelope, limits};

/// What waits for one actor. Exists only while something does.
#[derive(Debug, Default)]
pub(super) struct Parked {
    queues: [VecDeque<Envelope>; Priority::ALL.len()],
}

impl Parked {
    /// Puts a message behind those of its priority; gives it back when there are too many.
    #[expect(clippy::result_large_err, reason = "the message itself is handed back, through one layer")]
    pub(super) fn push(&mut self, envelope: Envelope) -> Result<(), Envelope> {
        let queue = &mut self.queues[envelope.priority as usize];
        // Messages of the framework are bounded by the node's sessions, and a lost one leaves a ghost.
        if queue.len() >= limits::PARKED_PER_ACTOR_MAX && !envelope.number.is_reserved() {
            return Err(envelope);
        }
        queue.push_back(envelope);
        Ok(())
    }

    pub(super) fn pop(&mut self) -> Option<Envelope> {
        self.queues.iter_mut().find_map(VecDeque::pop_front)
    }

    /// What [`Self::pop`] gives next.
    pub(super) fn next(&self) -> Option<&Envelope> {
        self.queues.iter().find_map(VecDeque::front)
    }

    pub(super) fn len(&self) -> usize {
        self.queues.iter().map(VecDeque::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queues.iter().all(VecDeque::is_empty)
    }

    /// All messages, in the order they would have been served.
    pub(super) fn into_messages(self) -> impl Iterator<Item = Envelope> {
        self.queues.into_iter().flatten()
    }
}
