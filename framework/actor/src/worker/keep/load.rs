//! How an actor that is kept begins: asking the store for it, bringing it to life from what there is.
//!
//! *Responsible for*: loads and their ends. *Not responsible for*: saving ([`super`]), reading what is stored (its kind).
//!
//! Invariants:
//! - I1: while a load is under way nothing of its actor is served; what comes for it is parked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lightmoon_contract::{ActorId, CallError};

use super::Keep;
use crate::keep::{LoadError, Memory, Parcel, Stored};
use crate::mail::Mail;
use crate::replies::Replies;
use crate::timers::Due;
use crate::worker::Worker;
use crate::worker::places::State;
use crate::{Activation, Out, Step, limits};

impl Worker {
    /// Whether a place has to be loaded before it serves.
    pub(in crate::worker) fn must_load(&mut self, index: u32) -> bool {
        let place = self.places.at(index);
        let (is_empty, kind) = (matches!(place.state, State::Empty), place.actor.kind);
        is_empty && self.port.kinds().maker(kind).is_some_and(|maker| maker.keeping().is_some())
    }

    /// Asks for what the store has of the actor at an empty place. What comes for it waits.
    pub(in crate::worker) fn begin_load(&mut self, index: u32) {
        let actor = self.places.at(index).actor;
        let Some(maker) = self.port.kinds().maker(actor.kind) else { return };
        let Some(keeping) = maker.keeping() else { return };
        let place = self.places.at(index);
        place.keep.get_or_insert_with(|| Box::new(Keep::new(keeping, maker.operations())));
        self.places.set_state(index, State::Loading);
        self.port.count(|counters| counters.loads += 1);
        self.port.put_out(Out::Load(actor));
    }

    /// The store answered.
    pub(in crate::worker) fn loaded(&mut self, actor: ActorId, result: Result<Stored, LoadError>) {
        let Some(index) = self.places.find(actor) else { return };
        if !matches!(self.places.at(index).state, State::Loading) {
            return;
        }
        match result {
            Ok(Stored { parcel, memory }) => {
                self.to_wake.remove(&actor);
                self.remember(index, memory);
                self.restore(index, parcel);
            }
            Err(LoadError::Away) => self.load_failed(index),
            Err(LoadError::Unreadable(why)) => self.unreadable(index, why.0),
        }
    }

    fn remember(&mut self, index: u32, mut memory: Memory) {
        let now = self.port.now();
        if let Some(keep) = &mut self.places.at(index).keep {
            keep.replies = Replies::of(now, std::mem::take(&mut memory.replies));
            keep.mail = Mail::of(memory);
        }
    }

    fn restore(&mut self, index: u32, parcel: Parcel) {
        let actor = self.places.at(index).actor;
        let Some(maker) = self.port.kinds().maker(actor.kind) else { return };
        self.places.set_state(index, State::Running);
        let (slot, mut cx) = self.begin_life(index);
        self.begin_segment(index, None);
        let began = self.begins(index, Step::Activate);
        let restored = catch_unwind(AssertUnwindSafe(|| maker.restore(&mut cx, actor.key, parcel)));
        self.ended(index, Step::Activate, began);
        match restored {
            Ok(Ok(activation)) => {
                self.set_timers(slot, actor, maker.operations());
                self.end_segment(index);
                if let Some(activation) = self.first_snapshot(index, activation) {
                    self.put_back(index, activation);
                }
            }
            Ok(Err(why)) => {
                self.drop_segment();
                self.unreadable(index, why.0);
            }
            Err(payload) => self.fail(index, Step::Activate, payload),
        }
    }

    /// A world that ticks is copied before it serves anything: what a new one was filled with is then stored before its
    /// first effects, and what was laid over an older snapshot is in one again.
    fn first_snapshot(&mut self, index: u32, activation: Box<dyn Activation>) -> Option<Box<dyn Activation>> {
        let Some(keep) = &mut self.places.at(index).keep else { return Some(activation) };
        if keep.keeping.snapshot_every.is_none() {
            return Some(activation);
        }
        keep.wants_snapshot = true;
        self.save(index, activation)
    }

    /// The store is away: who waits is told, and what sessions said is tried again in a moment.
    fn load_failed(&mut self, index: u32) {
        self.leave_life(index, State::Resting);
        let again = self.port.now() + limits::LOAD_AGAIN_AFTER;
        self.port.timers().set(again, Due::Rested(self.places.slot(index)));
        for envelope in self.places.take_parked(index) {
            if envelope.number.is_reserved() {
                self.park(index, envelope);
            } else {
                self.refuse(envelope, CallError::StoreUnavailable);
            }
        }
    }

    /// What is stored stays as it is; nobody is served from it for a while.
    fn unreadable(&mut self, index: u32, message: String) {
        let actor = self.places.at(index).actor;
        if let Some(keep) = &mut self.places.at(index).keep {
            keep.is_unreadable = true;
        }
        self.port.count(|counters| counters.unreadable += 1);
        self.port.put_out(Out::Unreadable { actor, message });
        self.set_aside_now(index);
    }
}
