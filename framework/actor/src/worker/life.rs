//! Lives of activations: beginning, ending in good order, ending by a panic, resting, starting over.
//!
//! *Responsible for*: supervision. *Not responsible for*: messages (`serve`).
//!
//! Invariants:
//! - I1: everything of a user runs and is dropped inside of a catch.
//! - I2: what is queued or parked for an actor stays over the end of its activation, unless it is set aside.
//! - I3: an actor rests 50 ms after its first panic, twice as long after each further one, at most a second; three within
//!   a minute set it aside for a minute.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lightmoon_contract::{ActorId, CallError, Caller, OperationSpec};

use super::Worker;
use super::places::State;
use crate::slot::Slot;
use crate::timers::Due;
use crate::{Activation, Cx, DeliveryEnd, Out, Step, limits};

/// What a panic said with.
pub(super) type Payload = Box<dyn Any + Send>;

impl Worker {
    /// The activation at a place, made if there is none. `None`: it panicked while it was made.
    pub(super) fn take_or_activate(&mut self, index: u32) -> Option<Box<dyn Activation>> {
        match self.places.set_state(index, State::Running) {
            State::Idle(activation) => Some(activation),
            State::Empty => self.activate(index),
            other @ (State::Loading
            | State::Running
            | State::Waiting(_)
            | State::Resting
            | State::SetAside) => {
                debug_assert!(false, "only a place that is idle or empty serves");
                self.places.set_state(index, other);
                None
            }
        }
    }

    fn activate(&mut self, index: u32) -> Option<Box<dyn Activation>> {
        let actor = self.places.at(index).actor;
        let maker = self.port.kinds().maker(actor.kind)?;
        let (slot, mut cx) = self.begin_life(index);
        let began = self.begins(index, Step::Activate);
        let made = catch_unwind(AssertUnwindSafe(|| maker.activate(&mut cx, actor.key)));
        self.ended(index, Step::Activate, began);
        match made {
            Ok(activation) => {
                self.set_timers(slot, actor, maker.operations());
                Some(activation)
            }
            Err(payload) => {
                self.fail(index, Step::Activate, payload);
                None
            }
        }
    }

    /// A new life begins at a place; its slot, and a handle for making it.
    pub(super) fn begin_life(&mut self, index: u32) -> (Slot, Cx) {
        let place = self.places.at(index);
        place.generation = place.generation.wrapping_add(1);
        place.sessions = 0;
        let actor = place.actor;
        let slot = self.places.slot(index);
        self.port.count(|counters| counters.activations += 1);
        self.port.begin_life(slot, self.random_for(actor));
        let origin = self.next_origin();
        (slot, self.cx(index, Caller::Node, origin))
    }

    /// Sets what an activation repeats, or when it may have idled.
    pub(super) fn set_timers(&mut self, slot: Slot, actor: ActorId, operations: &'static [OperationSpec]) {
        let now = self.port.now();
        let mut repeats = false;
        for spec in operations {
            if let Some(period) = super::due::period(spec) {
                repeats = true;
                self.port.set_timer(slot, now + period, Due::Repeat(slot, spec));
            }
        }
        if let Some(idle_after) = self.idle_after(actor.kind)
            && !repeats
            && !self.started.contains(&actor)
        {
            self.port.set_timer(slot, now + idle_after, Due::Idle(slot));
        }
    }

    /// Random numbers of one life: another sequence for each actor and each life of it.
    fn random_for(&self, actor: ActorId) -> u64 {
        let mut random = fastrand::Rng::with_seed(self.options.seed ^ self.operation.rotate_left(32));
        let mixed = random.u64(..) ^ actor.key ^ u64::from(actor.kind.0).rotate_left(48);
        fastrand::Rng::with_seed(mixed).u64(..)
    }

    /// Activates an actor without a message.
    pub(super) fn wake_up(&mut self, actor: ActorId) {
        let Some(index) = self.places.open(actor) else {
            self.port.count(|counters| counters.actors_full += 1);
            return;
        };
        if self.must_load(index) {
            return self.begin_load(index);
        }
        if matches!(self.places.at(index).state, State::Empty)
            && let Some(activation) = self.take_or_activate(index)
        {
            self.put_back(index, activation);
        }
    }

    /// An activation is done with something and can serve again, or ends as it asked to.
    pub(super) fn put_back(&mut self, index: u32, activation: Box<dyn Activation>) {
        let slot = self.places.slot(index);
        if self.port.stop_requested(slot) {
            return self.deactivate(index, activation);
        }
        self.places.set_state(index, State::Idle(activation));
        let now = self.port.now();
        let place = self.places.at(index);
        place.used = now;
        if std::mem::take(&mut place.alarm_waits) {
            self.ringing.push_back(slot);
        }
        self.list_if_wanted(index);
        self.release(index);
    }

    /// Ends an activation in good order.
    pub(super) fn deactivate(&mut self, index: u32, mut activation: Box<dyn Activation>) {
        let origin = self.next_origin();
        let mut cx = self.cx(index, Caller::Node, origin);
        self.begin_segment(index, None);
        let began = self.begins(index, Step::Stopping);
        let stopped = catch_unwind(AssertUnwindSafe(|| activation.stopping(&mut cx)));
        self.ended(index, Step::Stopping, began);
        if stopped.is_ok() {
            self.end_segment(index);
            match self.save_last(index, activation) {
                Some(saved) => activation = saved,
                None => return,
            }
        }
        let began = self.begins(index, Step::Drop);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(activation)));
        self.ended(index, Step::Drop, began);
        match (stopped, dropped) {
            (Ok(()), Ok(())) => {
                self.port.count(|counters| counters.deactivations += 1);
                self.end_life(index);
            }
            (Err(payload), dropped) => {
                self.forget_payload(dropped.err());
                self.fail(index, Step::Stopping, payload);
            }
            (Ok(()), Err(payload)) => self.fail(index, Step::Drop, payload),
        }
    }

    /// Clears a place for the next life, which begins with the next message.
    pub(super) fn end_life(&mut self, index: u32) {
        self.leave_life(index, State::Empty);
        self.release(index);
        self.forget_keep(index);
        self.places.free_if_unused(index);
    }

    pub(super) fn leave_life(&mut self, index: u32, state: State) {
        let slot = self.places.slot(index);
        self.port.end_life(slot);
        self.places.set_state(index, state);
        let place = self.places.at(index);
        place.generation = place.generation.wrapping_add(1);
        place.alarm_waits = false;
        self.departed.remove(index);
    }

    /// An activation panicked; it is gone already.
    pub(super) fn fail(&mut self, index: u32, step: Step, payload: Payload) {
        self.drop_segment();
        let end = if step == Step::Save { self.blame_for_save(index) } else { DeliveryEnd::Unserved };
        self.forget_unsaved(index, &CallError::Panicked, end);
        let actor = self.places.at(index).actor;
        let message = said(&*payload);
        self.forget_payload(Some(payload));
        self.port.count(|counters| counters.failures += 1);
        self.port.put_out(Out::Failed { actor, operation: step, message });
        if self.port.is_stopped() {
            return self.end_life(index);
        }
        if matches!(step, Step::Delivery(_)) {
            // It is tried a few times by itself, and must not cost the actor its other callers.
            return self.rest_for(index, limits::REST_FIRST);
        }
        self.rest(index);
    }

    fn rest(&mut self, index: u32) {
        let now = self.port.now();
        let failures = self.places.at(index).failures.get_or_insert_default();
        // Those older than the window were forgotten by their timer.
        failures.times.push(now);
        let count = failures.times.len();
        if !std::mem::replace(&mut failures.forgets, true) {
            self.port.timers().set(now + limits::PANIC_WINDOW, Due::Forget(index));
        }
        if count >= limits::PANICS_MAX {
            return self.set_aside_now(index);
        }
        let doubled = limits::REST_FIRST.saturating_mul(1 << (count - 1).min(16));
        self.rest_for(index, doubled.min(limits::REST_MAX));
    }

    fn rest_for(&mut self, index: u32, length: Duration) {
        self.leave_life(index, State::Resting);
        let until = self.port.now() + length;
        self.port.timers().set(until, Due::Rested(self.places.slot(index)));
    }

    /// Nobody is served by this actor for a minute.
    pub(super) fn set_aside_now(&mut self, index: u32) {
        self.port.count(|counters| counters.set_aside += 1);
        self.leave_life(index, State::SetAside);
        let again = self.port.now() + limits::SET_ASIDE;
        self.port.timers().set(again, Due::Rested(self.places.slot(index)));
        self.refuse_parked(index);
    }

    /// Answers what waits for an actor that was just set aside; what sessions said is kept.
    fn refuse_parked(&mut self, index: u32) {
        for envelope in self.places.take_parked(index) {
            self.deliver(envelope);
        }
    }

    /// An actor has rested: it starts over.
    pub(super) fn rested(&mut self, slot: Slot) {
        if !self.places.is_present(slot) {
            return;
        }
        let index = slot.index;
        if matches!(self.places.set_state(index, State::Empty), State::SetAside) {
            // A minute aside is long enough: it has all its tries again.
            if let Some(failures) = &mut self.places.at(index).failures {
                failures.times.clear();
            }
        }
        let place = self.places.at(index);
        let actor = place.actor;
        if let Some(keep) = &mut place.keep {
            keep.is_unreadable = false;
        }
        if self.started.contains(&actor) || self.to_wake.contains(&actor) {
            self.wake_up(actor);
        }
        self.release(index);
        self.forget_keep(index);
        self.places.free_if_unused(index);
    }

    /// Forgets old panics of the actor at a place.
    pub(super) fn forget_failures(&mut self, index: u32) {
        let now = self.port.now();
        let Some(failures) = &mut self.places.at(index).failures else { return };
        failures.times.retain(|at| now.since(*at) < limits::PANIC_WINDOW);
        match failures.times.first().copied() {
            Some(oldest) => self.port.timers().set(oldest + limits::PANIC_WINDOW, Due::Forget(index)),
            None => {
                self.places.at(index).failures = None;
                self.places.free_if_unused(index);
            }
        }
    }

    /// Handles the alarm of an activation.
    pub(super) fn ring(&mut self, slot: Slot) {
        if !self.places.is_present(slot) {
            return;
        }
        match self.places.set_state(slot.index, State::Running) {
            State::Idle(mut activation) => {
                self.port.count(|counters| counters.alarms += 1);
                let origin = self.next_origin();
                let mut cx = self.cx(slot.index, Caller::Node, origin);
                self.begin_segment(slot.index, None);
                let began = self.begins(slot.index, Step::Alarm);
                let rung = catch_unwind(AssertUnwindSafe(|| activation.alarm(&mut cx)));
                self.ended(slot.index, Step::Alarm, began);
                match rung {
                    Ok(()) => {
                        self.end_segment(slot.index);
                        self.became_behind(slot.index, Duration::MAX);
                        self.put_back(slot.index, activation);
                    }
                    Err(payload) => {
                        self.port.contain(|| drop(activation));
                        self.fail(slot.index, Step::Alarm, payload);
                    }
                }
            }
            other @ (State::Empty
            | State::Loading
            | State::Running
            | State::Waiting(_)
            | State::Resting
            | State::SetAside) => {
                self.places.set_state(slot.index, other);
                self.places.at(slot.index).alarm_waits = true;
            }
        }
    }

    /// The payload of a panic may panic when it is dropped, and so may that one's: after the first it stays.
    fn forget_payload(&self, payload: Option<Payload>) {
        self.port.contain(|| drop(payload));
    }
}

/// What a panic said.
fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text");
    text[..text.floor_char_boundary(limits::FAILURE_TEXT_BYTES_MAX)].to_owned()
}
