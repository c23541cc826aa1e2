//! What is stored of an actor that has no activation, for an operator who looks at it.
//!
//! *Responsible for*: asking the store, showing what it answered. *Not responsible for*: actors that live ([`Worker::inspect`]), what a
//! kind makes of its stored state ([`crate::ActorKind::inspect_stored`]), who looks.
//!
//! Looking brings no actor to life: that would make an account of whatever key somebody types.
//!
//! Invariants:
//! - I1: one look is kept, of at most what an inspection holds; it is forgotten when nobody looks, or when the actor lives.

use lightmoon_contract::ActorId;

use super::Worker;
use super::places::State;
use crate::inspect::{Inspect, Inspection, StoredLook};
use crate::keep::{LoadError, Parcel};
use crate::{Inspected, Out};

/// What somebody wants to see, and what of it came.
#[derive(Debug)]
pub(super) struct Peek {
    wanted: Inspect,
    /// `None`: the store was asked.
    look: Option<StoredLook>,
}

impl Worker {
    /// Asks for what is stored of an actor, if that is all there is of it.
    pub(super) fn peek(&mut self, wanted: Inspect) {
        let ActorId { kind, .. } = wanted.actor;
        let keeping = self.port.kinds().keeping(kind);
        let (Some(keeping), true) = (keeping, self.is_only_stored(wanted.actor)) else {
            self.peek = None;
            return;
        };
        let before = self.peek.take().filter(|peek| peek.wanted == wanted).and_then(|peek| peek.look);
        if keeping.snapshot_every.is_some() {
            self.peek = Some(Peek { wanted, look: Some(StoredLook::World) });
            return;
        }
        // What was seen before stays until the answer is there.
        self.peek = Some(Peek { wanted, look: before });
        self.port.put_out(Out::Peek(wanted.actor));
    }

    /// The store answered.
    pub(super) fn peeked(&mut self, actor: ActorId, result: Result<Option<Parcel>, LoadError>) {
        let Some(wanted) = self.peek.as_ref().map(|peek| peek.wanted) else { return };
        if wanted.actor != actor {
            return;
        }
        let look = match result {
            Ok(None) => StoredLook::Nothing,
            Err(LoadError::Away) => StoredLook::Away,
            Err(LoadError::Unreadable(why)) => StoredLook::Unreadable(why.0),
            Ok(Some(stored)) => self.look_at(wanted, stored),
        };
        self.peek = Some(Peek { wanted, look: Some(look) });
    }

    fn look_at(&self, wanted: Inspect, stored: Parcel) -> StoredLook {
        let Some(maker) = self.port.kinds().maker(wanted.actor.kind) else { return StoredLook::Nothing };
        let mut inspection = Inspection::new(wanted.entities_from);
        match self.port.contain(|| maker.inspect_stored(wanted.actor.key, stored, &mut inspection)) {
            None => StoredLook::Failed,
            Some(Err(why)) => StoredLook::Unreadable(why.0),
            Some(Ok(())) => StoredLook::Shown(inspection.finish()),
        }
    }

    /// What somebody sees who wants to see this, if it is all there is of the actor.
    pub(super) fn inspect_stored(&mut self, wanted: Inspect) -> Option<Inspected> {
        if !self.is_only_stored(wanted.actor) {
            self.peek = None;
            return None;
        }
        let look = self.peek.as_ref().filter(|peek| peek.wanted == wanted)?.look.clone()?;
        Some(Inspected::Stored(self.state_of(wanted.actor), look))
    }

    /// Forgets what nobody wants to see any more.
    pub(super) fn forget_peek(&mut self, wanted: Option<ActorId>) {
        self.peek.take_if(|peek| Some(peek.wanted.actor) != wanted);
    }

    fn is_only_stored(&self, actor: ActorId) -> bool {
        let place = self.places.find(actor).and_then(|index| self.places.get(index));
        place.is_none_or(|place| matches!(place.state, State::Empty | State::Resting | State::SetAside))
    }
}
