//! What happened in a node, one line after the other, for its operator.
//!
//! *Responsible for*: a bounded list, taken at intervals. *Not responsible for*: counting ([`crate::report`]), words for people
//! (`lightmoon`).
//!
//! Invariants:
//! - I1: a flood of one thing costs the list, not memory: over [`limits::EVENTS_WAITING_MAX`] events are only counted.

use lightmoon_actor::Step;
use lightmoon_contract::{ActorId, Mono, SessionId};
use lightmoon_wire::{CloseCode, ClosedBy};

use crate::limits;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When.
    pub at: Mono,
    /// What.
    pub what: Happened,
}

/// What can happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happened {
    /// An activation ended by a panic; the actor starts over.
    ActorFailed {
        /// Which actor.
        actor: ActorId,
        /// What it did.
        step: Step,
        /// What the panic said.
        message: String,
    },
    /// What is stored of an actor cannot be read by this build.
    ActorUnreadable {
        /// Which actor.
        actor: ActorId,
        /// Why.
        message: String,
    },
    /// A client was let in.
    SessionOpened {
        /// Its session.
        session: SessionId,
        /// Key of its player.
        player: u64,
        /// Where it comes from.
        remote: String,
    },
    /// A session was ended by the node.
    SessionClosed {
        /// Which one.
        session: SessionId,
        /// Key of its player.
        player: u64,
        /// What its client is told.
        code: CloseCode,
        /// The same in words.
        reason: String,
    },
    /// A link that was let in is over.
    LinkLost {
        /// Its session.
        session: SessionId,
        /// Who ended it.
        by: ClosedBy,
        /// With which code.
        code: CloseCode,
        /// The same in words.
        reason: String,
        /// Whether the session waits for its client.
        waits: bool,
    },
    /// A link that was not let in was closed by the node.
    LinkClosed {
        /// Where it came from.
        remote: String,
        /// What its client was told.
        code: CloseCode,
        /// The same in words.
        reason: String,
    },
    /// The node takes new players no more, or again.
    Draining(bool),
}

/// The events that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    events: Vec<Event>,
    pub(crate) dropped: u64,
}

impl Chronicle {
    pub(crate) fn note(&mut self, at: Mono, what: impl FnOnce() -> Happened) {
        if self.events.len() >= limits::EVENTS_WAITING_MAX {
            self.dropped += 1;
            return;
        }
        self.events.push(Event { at, what: what() });
    }

    pub(crate) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_events_is_counted_and_not_kept() {
        let mut chronicle = Chronicle::default();
        for at in 0..limits::EVENTS_WAITING_MAX + 3 {
            chronicle.note(Mono(at as u64), || Happened::Draining(true));
        }
        assert_eq!((chronicle.take().len(), chronicle.dropped), (limits::EVENTS_WAITING_MAX, 3));
        chronicle.note(Mono(0), || Happened::Draining(false));
        assert_eq!(chronicle.take().len(), 1, "what was taken makes room");
    }
}
