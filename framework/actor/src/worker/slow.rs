//! User code that takes long.
//!
//! *Responsible for*: noting what runs, measuring it, naming what was slow. *Not responsible for*: what does not end: that is seen
//! from another thread ([`crate::Progress`]).
//!
//! Invariants:
//! - I1: without a clock nothing is measured, so that runs from one seed are equal.
//! - I2: within a turn the end of one is the beginning of the next: what lies between is our own, and short.

use lightmoon_contract::Mono;

use super::Worker;
use crate::{Step, limits};

impl Worker {
    /// Code of the actor at a place begins; gives the time for [`Self::ended`].
    pub(super) fn begins(&mut self, index: u32, step: Step) -> Mono {
        let actor = self.places.at(index).actor;
        self.port.progress().doing(actor, step);
        self.clock_read.unwrap_or_else(self.options.probe)
    }

    /// It has ended, in whatever way.
    pub(super) fn ended(&mut self, index: u32, step: Step, began: Mono) {
        let ended = (self.options.probe)();
        self.clock_read = Some(ended);
        let took = ended.since(began);
        if self.trail.is_some() {
            let actor = self.places.at(index).actor;
            self.note_step(actor, step, took);
        }
        if took < limits::SLOW_AFTER {
            return;
        }
        self.port.count(|counters| counters.slow += 1);
        let now = self.port.now();
        if now < self.slow_said_until {
            return;
        }
        self.slow_said_until = now + limits::SLOW_SAID_EVERY;
        let actor = self.places.at(index).actor;
        let kind = self.port.kinds().name(actor.kind).unwrap_or("?");
        tracing::warn!(
            kind,
            %actor,
            ?step,
            took_ms = took.as_millis(),
            "an actor took long and kept all others of its worker waiting; further ones are only counted for a second"
        );
    }
}
