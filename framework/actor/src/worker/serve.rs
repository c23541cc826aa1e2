//! Serving messages: to an activation, into a parking place, back to the sender.
//!
//! *Responsible for*: what becomes of one message, polling operations that wait. *Not responsible for*: making and ending
//! activations (`life`).
//!
//! Invariants:
//! - I1: every request that enters here is answered exactly once: by its operation, by its panic, or by a refusal.
//! - I2: a future is polled inside of a catch, and what is left of it dropped inside of another.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use lightmoon_contract::call::{Answer, Body, Form, Served, Waiting};
use lightmoon_contract::{ActorId, CallError, Caller, Kind, OperationNumber};

use super::Worker;
use super::keep::Ended;
use super::mail::Trace;
use super::places::{State, Task};
use crate::ask::Origin;
use crate::gate::Sent;
use crate::reserved::ToActor;
use crate::slot::Slot;
use crate::wake::OperationWaker;
use crate::{Activation, Cx, DeliveryEnd, Envelope, MessageId, ReplyTo, Step, limits};

/// What becomes of a message at its actor's door.
enum Door {
    Open,
    Parks,
    /// The actor waits for this very request.
    Circle,
    SetAside,
}

impl Worker {
    /// Brings a message to its actor.
    pub(super) fn deliver(&mut self, envelope: Envelope) {
        let Some(index) = self.places.open(envelope.to) else {
            self.port.count(|counters| counters.actors_full += 1);
            return self.refuse(envelope, CallError::Busy);
        };
        match self.door(index, &envelope) {
            Door::Open if self.must_load(index) => {
                self.park(index, envelope);
                self.begin_load(index);
            }
            Door::Open => self.serve(index, envelope),
            Door::Parks => self.park(index, envelope),
            Door::Circle => {
                self.port.count(|counters| counters.deadlocks += 1);
                let cycle = self.cycle(&envelope);
                tracing::warn!(cycle, "operations call each other in a circle");
                self.refuse(envelope, CallError::Deadlock { cycle });
            }
            Door::SetAside => {
                self.port.count(|counters| counters.refused_set_aside += 1);
                let is_unreadable =
                    self.places.at(index).keep.as_ref().is_some_and(|keep| keep.is_unreadable);
                let error = if is_unreadable { CallError::Unreadable } else { CallError::Panicked };
                self.refuse(envelope, error);
            }
        }
    }

    fn door(&mut self, index: u32, envelope: &Envelope) -> Door {
        let place = self.places.at(index);
        match &place.state {
            State::Empty | State::Idle(_)
                if place.parked.is_none() && !place.is_choked() && !place.is_too_early(envelope.number) =>
            {
                Door::Open
            }
            State::Empty | State::Loading | State::Idle(_) | State::Running | State::Resting => Door::Parks,
            State::Waiting(task) => match envelope.reply_to {
                ReplyTo::Ask(id) if self.port.asks().is_waited_for_by(id, envelope.to, task.operation) => {
                    Door::Circle
                }
                ReplyTo::Ask(_) | ReplyTo::Nobody | ReplyTo::Outside(_) => Door::Parks,
            },
            // What sessions say is kept: it has to be in order when the actor is tried again.
            State::SetAside if envelope.number.is_reserved() => Door::Parks,
            State::SetAside => Door::SetAside,
        }
    }

    /// The actors of a circle, for people: the one that was called, and those that wait for it.
    fn cycle(&self, envelope: &Envelope) -> String {
        let ReplyTo::Ask(id) = envelope.reply_to else { return String::new() };
        let mut cycle = vec![envelope.to.to_string()];
        for link in self.port.asks().chain(id, limits::CHAIN_MAX) {
            cycle.push(link.actor.to_string());
            if link.actor == envelope.to {
                break;
            }
        }
        // It was walked from the call back to where it began.
        cycle.reverse();
        cycle.join(" → ")
    }

    pub(super) fn park(&mut self, index: u32, envelope: Envelope) {
        let place = self.places.at(index);
        if let Err(envelope) = place.parked.get_or_insert_default().push(envelope) {
            self.port.count(|counters| counters.parked_full += 1);
            self.refuse(envelope, CallError::Busy);
        }
        self.release(index);
    }

    /// Puts an actor that can serve its parked messages into the list of those that do.
    pub(super) fn release(&mut self, index: u32) {
        let place = self.places.at(index);
        if !place.released && place.may_go_on() {
            place.released = true;
            self.released.push_back(index);
        }
    }

    /// Serves one parked message of a released actor, which queues again if there are more.
    pub(super) fn serve_parked(&mut self, index: u32) {
        let place = self.places.at(index);
        place.released = false;
        if !place.may_go_on() {
            return;
        }
        if self.must_load(index) {
            return self.begin_load(index);
        }
        let place = self.places.at(index);
        let envelope = place.parked.as_mut().and_then(|parked| parked.pop());
        if place.parked.as_ref().is_some_and(|parked| parked.is_empty()) {
            place.parked = None;
        }
        match envelope {
            Some(envelope) => self.serve(index, envelope),
            None => self.places.free_if_unused(index),
        }
        self.release(index);
    }

    /// Answers a message that is not served, and drops it.
    pub(super) fn refuse(&mut self, envelope: Envelope, error: CallError) {
        self.no_longer_queued(&envelope);
        self.port.refuse(envelope, error);
    }

    fn no_longer_queued(&mut self, envelope: &Envelope) {
        if envelope.from == Caller::Node && !self.repeats_queued.is_empty() {
            self.repeats_queued.remove(&(envelope.to, envelope.number));
        }
    }

    fn serve(&mut self, index: u32, envelope: Envelope) {
        self.no_longer_queued(&envelope);
        match envelope.id {
            MessageId::None => self.serve_news(index, envelope, Trace::Nothing),
            MessageId::Request(_) | MessageId::Posted(_) => {
                if let Some((envelope, trace)) = self.news(index, envelope) {
                    self.serve_news(index, envelope, trace);
                }
            }
        }
    }

    /// Serves what was not served before.
    fn serve_news(&mut self, index: u32, envelope: Envelope, trace: Trace) {
        if self.unkeepable(index, envelope.number) {
            self.port.count(|counters| counters.unkeepable += 1);
            return self.port.refuse(envelope, CallError::StoreUnavailable);
        }
        let Some(activation) = self.take_or_activate(index) else {
            return self.refuse(envelope, CallError::Panicked);
        };
        self.port.count(|counters| counters.operations += 1);
        let Envelope { to, from, number, reply_to, id, body, .. } = envelope;
        let arguments = self.arguments_for_log(index, number, &body);
        let (serving, form) = match reply_to {
            ReplyTo::Nobody => (None, Form::Nothing),
            ReplyTo::Ask(id) => (Some(id), self.port.asks().form(id)),
            ReplyTo::Outside(_) => (None, Form::Bytes),
        };
        // What is logged is needed as bytes; an asker opens those as well.
        let form = if arguments.is_some() { Form::Bytes } else { form };
        let operation = self.next_operation();
        let mut cx = self.cx(index, from, Origin { actor: to, operation, serving });
        self.begin_segment(index, Some(number));
        self.note_session(index, number);
        let began = self.begins(index, Step::Operation(number));
        let served = catch_unwind(AssertUnwindSafe(|| activation.serve(&mut cx, number, body, form)));
        self.ended(index, Step::Operation(number), began);
        match served {
            Ok(Served::Done(activation, result)) => {
                let ended = Ended { number, caller: from, arguments, trace };
                self.served(index, activation, ended, reply_to, result);
            }
            Ok(Served::Waits(waiting)) => {
                self.pause_segment(index);
                let waker = OperationWaker::new(&self.port.wakes, cx.slot, cx.me, number);
                let task =
                    Task { waiting, reply_to, number, caller: from, arguments, trace, operation, waker };
                self.poll(index, Box::new(task));
            }
            Err(payload) => {
                let is_delivery = matches!(trace, Trace::Taken(_));
                let step = if is_delivery { Step::Delivery(number) } else { Step::Operation(number) };
                self.fail(index, step, payload);
                self.port.count(|counters| counters.deliveries_failed += u64::from(is_delivery));
                self.port.delivered(to, from, id, DeliveryEnd::Failed);
                self.port.answer(reply_to, Err(CallError::Panicked));
            }
        }
    }

    /// Sessions keep their player alive: what it remembers of them is nowhere else.
    fn note_session(&mut self, index: u32, number: OperationNumber) {
        let place = self.places.at(index);
        if number == ToActor::CONNECTED {
            place.sessions = place.sessions.saturating_add(1);
            self.departed.remove(index);
        } else if number == ToActor::DISCONNECTED {
            place.sessions = place.sessions.saturating_sub(1);
            if place.sessions == 0 {
                self.departed.add(self.places.slot(index));
            }
        }
    }

    /// An operation was woken.
    pub(super) fn woken(&mut self, slot: Slot) {
        if !self.places.is_present(slot) {
            return;
        }
        match self.places.set_state(slot.index, State::Running) {
            State::Waiting(task) => self.poll(slot.index, task),
            // A waker that outlived its operation.
            other @ (State::Empty
            | State::Loading
            | State::Idle(_)
            | State::Running
            | State::Resting
            | State::SetAside) => {
                self.places.set_state(slot.index, other);
            }
        }
    }

    fn poll(&mut self, index: u32, mut task: Box<Task>) {
        self.port.count(|counters| counters.polls += 1);
        task.waker.polled();
        let waker = task.waker.waker();
        self.begin_segment(index, Some(task.number));
        self.port.set_polling(Some((self.places.slot(index), &waker)));
        let step = Step::Operation(task.number);
        let began = self.begins(index, step);
        let polled =
            catch_unwind(AssertUnwindSafe(|| poll_once(&mut task.waiting, &mut Context::from_waker(&waker))));
        self.ended(index, step, began);
        self.port.set_polling(None);
        let (reply_to, number) = (task.reply_to, task.number);
        match polled {
            Ok(Poll::Pending) => {
                self.pause_segment(index);
                self.places.set_state(index, State::Waiting(task));
            }
            Ok(Poll::Ready((activation, result))) => {
                let (caller, arguments) = (task.caller, task.arguments.take());
                let ended = Ended { number, caller, arguments, trace: task.trace };
                self.port.contain(|| drop(task));
                self.served(index, activation, ended, reply_to, result);
            }
            Err(payload) => {
                self.port.contain(|| drop(task));
                self.fail(index, Step::Operation(number), payload);
                self.port.answer(reply_to, Err(CallError::Panicked));
            }
        }
    }

    /// An operation ran to its end.
    fn served(
        &mut self,
        index: u32,
        activation: Box<dyn Activation>,
        ended: Ended,
        reply_to: ReplyTo,
        result: Result<Answer, CallError>,
    ) {
        if self.places.at(index).keep.is_some() {
            self.operation_ended(index, ended, Sent::Answer(reply_to, result));
        } else {
            drop(self.port.end_segment());
            self.port.answer(reply_to, result);
        }
        self.put_back(index, activation);
    }

    /// The arguments of an operation that is logged. They come as bytes: who sends them knows that they are logged.
    fn arguments_for_log(&mut self, index: u32, number: OperationNumber, body: &Body) -> Option<Bytes> {
        match (&self.places.at(index).keep, body) {
            (Some(keep), Body::Bytes(bytes)) if keep.is_logged(number) => Some(bytes.clone()),
            (Some(_) | None, Body::Bytes(_) | Body::Typed(_)) => None,
        }
    }

    /// The handle of an operation.
    pub(super) fn cx(&mut self, index: u32, caller: Caller, origin: Origin) -> Cx {
        let me = self.places.at(index).actor;
        Cx { port: Rc::clone(&self.port), me, slot: self.places.slot(index), caller, origin }
    }

    /// The origin of something that no request caused.
    pub(super) const fn next_origin(&mut self) -> Origin {
        Origin { actor: ActorId::new(Kind(0), 0), operation: self.next_operation(), serving: None }
    }

    const fn next_operation(&mut self) -> u64 {
        self.operation += 1;
        self.operation
    }
}

type Output = (Box<dyn Activation>, Result<Answer, CallError>);

fn poll_once(waiting: &mut Waiting<Box<dyn Activation>>, cx: &mut Context<'_>) -> Poll<Output> {
    waiting.as_mut().poll(cx)
}
