//! What happens when timers fall due.
//!
//! *Responsible for*: each kind of timer. *Not responsible for*: their order ([`crate::timers`]).
//!
//! Invariants:
//! - I1: a repeated operation is due at its first time plus whole periods, however late its runs are; missed ones are left
//!   out.

use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{Body, Caller, Kind, Mono, OperationSpec};

use super::Worker;
use super::places::State;
use crate::port::Alarm;
use crate::slot::Slot;
use crate::timers::Due;
use crate::{Envelope, MessageId, ReplyTo, limits};

/// The arguments of an operation without any: a growing value of no fields.
const NO_ARGUMENTS: &[u8] = &[0];

/// The time between two runs of an operation, if it is repeated.
pub(super) fn period(spec: &OperationSpec) -> Option<Duration> {
    spec.every_ms.map(|every_ms| Duration::from_millis(every_ms.max(1).into()))
}

impl Worker {
    pub(super) fn fire_timers(&mut self) {
        let now = self.port.now();
        for _ in 0..limits::TIMERS_PER_TURN {
            let popped = self.port.timers().pop(now);
            let Some((at, due)) = popped else { return };
            match due {
                Due::Ask(id) => self.port.time_out(id),
                Due::Tell(slot, envelope) => self.delayed(slot, *envelope),
                Due::Alarm(slot) => {
                    if self.port.alarm_fell(slot, at) == Alarm::Rings {
                        self.ringing.push_back(slot);
                    }
                }
                Due::Repeat(slot, spec) => self.repeat(slot, spec, at),
                Due::Save(slot) => {
                    if self.port.timer_fell(slot) {
                        self.flush_due(slot.index);
                    }
                }
                Due::Snapshot(slot) => {
                    if self.port.timer_fell(slot) {
                        self.snapshot_due(slot.index);
                    }
                }
                Due::Idle(slot) => self.idled(slot),
                Due::Rested(slot) => self.rested(slot),
                Due::Forget(index) => self.forget_failures(index),
            }
        }
    }

    fn delayed(&mut self, slot: Slot, envelope: Envelope) {
        if !self.port.timer_fell(slot) {
            self.port.contain(|| drop(envelope));
            return;
        }
        match self.port.admit(Target::Actor(envelope.to), envelope.lane()) {
            Ok(_) => self.port.enqueue(envelope),
            Err(error) => self.refuse(envelope, error),
        }
    }

    fn repeat(&mut self, slot: Slot, spec: &'static OperationSpec, at: Mono) {
        let Some(period) = period(spec) else { return };
        if !self.port.timer_fell(slot) {
            return;
        }
        let late = self.port.now().since(at).as_nanos() / period.as_nanos();
        let missed = u32::try_from(late).unwrap_or(u32::MAX);
        self.port.set_timer(
            slot,
            at + period.saturating_mul(missed.saturating_add(1)),
            Due::Repeat(slot, spec),
        );
        let to = self.places.at(slot.index).actor;
        let waits_still = !self.repeats_queued.insert((to, spec.number));
        self.port.count(|counters| counters.repeats_skipped += u64::from(missed) + u64::from(waits_still));
        if waits_still {
            return;
        }
        self.port.enqueue(Envelope {
            to,
            from: Caller::Node,
            number: spec.number,
            priority: spec.lane.priority,
            reliability: spec.lane.reliability,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::Bytes(Bytes::from_static(NO_ARGUMENTS)),
        });
    }

    /// How long an actor of this kind may idle: as the game says, as the kind does, or as all do.
    pub(super) fn idle_after(&self, kind: Kind) -> Option<Duration> {
        if let Some(idle_after) = self.idle_kinds.get(&kind) {
            return *idle_after;
        }
        self.port.kinds().keeping(kind).and_then(|keeping| keeping.idle_after).or(self.options.idle_after)
    }

    /// Lets actors go that sessions left long ago, while there are too many of them.
    pub(super) fn let_departed_go(&mut self) {
        let over = self.departed.len().saturating_sub(limits::DEPARTED_MAX);
        for _ in 0..over.min(limits::DEPARTED_PER_TURN.max(over / 4)) {
            let Some(slot) = self.departed.first() else { return };
            self.departed.remove(slot.index);
            let actor = self.places.at(slot.index).actor;
            if self.started.contains(&actor) || self.idle_after(actor.kind).is_none() {
                continue;
            }
            if self.port.has_alarm(slot) {
                self.departed.add(slot);
                continue;
            }
            match self.places.set_state(slot.index, State::Running) {
                State::Idle(activation) => {
                    self.port.count(|counters| counters.departed += 1);
                    self.deactivate(slot.index, activation);
                }
                other @ (State::Empty
                | State::Loading
                | State::Running
                | State::Waiting(_)
                | State::Resting
                | State::SetAside) => {
                    self.places.set_state(slot.index, other);
                    self.departed.add(slot);
                }
            }
        }
    }

    fn idled(&mut self, slot: Slot) {
        if !self.port.timer_fell(slot) {
            return;
        }
        let place = self.places.at(slot.index);
        let (index, used, actor, has_session) = (slot.index, place.used, place.actor, place.sessions > 0);
        let Some(idle_after) = self.idle_after(actor.kind) else { return };
        let now = self.port.now();
        let is_used = used + idle_after > now;
        let rests = !is_used && !has_session && !self.started.contains(&actor) && !self.port.has_alarm(slot);
        match self.places.set_state(index, State::Running) {
            State::Idle(activation) if rests => {
                self.port.count(|counters| counters.idled += 1);
                self.deactivate(index, activation);
            }
            other @ (State::Empty
            | State::Loading
            | State::Idle(_)
            | State::Running
            | State::Waiting(_)
            | State::Resting
            | State::SetAside) => {
                self.places.set_state(index, other);
                let again = if is_used { used + idle_after } else { now + idle_after };
                self.port.set_timer(slot, again, Due::Idle(slot));
            }
        }
    }
}
