//! What a worker and the handles of its operations share: queues, requests, timers, outputs.
//!
//! *Responsible for*: taking in what operations send; with other workers in `across`, of single activations in `lives`. *Not
//! responsible for*: serving it ([`crate::worker`]).
//!
//! Invariants:
//! - I1: a cell is borrowed for the length of one method here, in which no code of a user runs: no message, answer,
//!   activation or waker is dropped, cloned or called while one is borrowed.
//! - I2: the time never runs backwards.

mod across;
mod lives;

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{RawWakerVTable, Waker};

use lightmoon_contract::call::Answer;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{ActorId, CallError, Caller, DecodeError, DecodeReason, Kind, Lane, Mono, Priority};

use crate::across::Outboxes;
use crate::ask::{Arrived, Asks, Cancelled, Origin, Sink, Wants};
use crate::gate::Sent;
use crate::slot::Slot;
use crate::timers::{Due, Timers};
use crate::wake::Wakes;
use crate::{
    AskId, Class, Counters, Crossing, DeliveryEnd, Envelope, Kinds, MessageId, Out, Placement, Posted,
    Progress, ReplyTo, Taken, WorkerId, limits,
};

/// What handles change about their own activation.
#[derive(Debug)]
struct Life {
    generation: u32,
    /// Whether an activation is there.
    alive: bool,
    stop: bool,
    /// Whether its operation stands in the queue of those that are to be polled.
    woken: bool,
    /// Timers in the heap that belong to this life.
    timers: u32,
    random: u64,
    /// When the alarm is wanted.
    alarm: Mono,
    /// The earliest entry of the heap for the alarm; the alarm is never before it.
    armed: Mono,
}

/// No time.
const NEVER: Mono = Mono(u64::MAX);

/// One queue for each priority.
type Queues = [VecDeque<Envelope>; Priority::ALL.len()];

/// What an alarm's timer found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// It is time.
    Rings,
    /// It was moved or taken back, or its activation has ended.
    Silent,
}

/// The shared part of a worker.
#[derive(Debug)]
pub(crate) struct Port {
    kinds: Kinds,
    me: WorkerId,
    placement: Placement,
    progress: Arc<Progress>,
    across: RefCell<Outboxes>,
    /// Operations that wait for room, in their order: to whom, of which priority.
    rooms: RefCell<VecDeque<(ActorId, Priority, AskId)>>,
    now: Cell<Mono>,
    stopped: Cell<bool>,
    queues: RefCell<Queues>,
    out: RefCell<Vec<Out>>,
    asks: RefCell<Asks>,
    timers: RefCell<Timers>,
    lives: RefCell<Vec<Life>>,
    counters: RefCell<Counters>,
    /// Whether what is sent is gathered, since its sender is kept.
    gathers: Cell<bool>,
    /// What the operation that runs has sent since it last waited.
    segment: RefCell<Vec<Sent>>,
    /// How many messages that take effect exactly once it may still send, and their bytes; `None`: what it does is in no
    /// commit.
    room: Cell<Option<(usize, usize)>>,
    /// For handles of activations that have ended.
    spare_random: Cell<u64>,
    pub(crate) wakes: Arc<Wakes>,
    /// Operations whose answers came, in their order; what stands in `wakes` was woken by a waker.
    woken: RefCell<VecDeque<Slot>>,
    /// The operation that is polled right now.
    polling: Cell<Option<Polling>>,
}

/// The operation that is polled, and by which waker it is known.
#[derive(Clone, Copy, Debug)]
struct Polling {
    slot: Slot,
    data: *const (),
    vtable: &'static RawWakerVTable,
}

impl Port {
    pub(crate) fn new(
        kinds: Kinds,
        seed: u64,
        me: WorkerId,
        placement: Placement,
        progress: Arc<Progress>,
    ) -> Rc<Self> {
        Rc::new(Self {
            kinds,
            me,
            across: RefCell::new(Outboxes::new(placement.workers())),
            rooms: RefCell::default(),
            placement,
            progress,
            now: Cell::new(Mono(0)),
            stopped: Cell::new(false),
            queues: RefCell::default(),
            out: RefCell::default(),
            asks: RefCell::default(),
            timers: RefCell::default(),
            lives: RefCell::default(),
            counters: RefCell::default(),
            gathers: Cell::new(false),
            segment: RefCell::default(),
            room: Cell::new(None),
            spare_random: Cell::new(seed),
            wakes: Wakes::new(),
            woken: RefCell::default(),
            polling: Cell::new(None),
        })
    }

    pub(crate) const fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    pub(crate) const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    pub(crate) const fn placement(&self) -> &Placement {
        &self.placement
    }

    pub(crate) const fn now(&self) -> Mono {
        self.now.get()
    }

    pub(crate) fn advance(&self, now: Mono) {
        self.now.set(self.now.get().max(now));
    }

    pub(crate) const fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    pub(crate) fn set_stopped(&self) {
        self.stopped.set(true);
    }

    pub(crate) fn count(&self, add: impl FnOnce(&mut Counters)) {
        add(&mut self.counters.borrow_mut());
    }

    pub(crate) fn counters(&self) -> Counters {
        Counters { wakes_foreign: self.wakes.foreign(), ..*self.counters.borrow() }
    }

    pub(crate) fn asks(&self) -> RefMut<'_, Asks> {
        self.asks.borrow_mut()
    }

    pub(crate) fn timers(&self) -> RefMut<'_, Timers> {
        self.timers.borrow_mut()
    }

    /// Runs code at the edge of user code, where a panic has nobody to blame: drops of messages, wakers.
    pub(crate) fn contain<R>(&self, edge: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(edge)) {
            Ok(value) => Some(value),
            Err(payload) => {
                self.count(|counters| counters.edges_failed += 1);
                // The payload of a panic may panic when it is dropped, and so on: it stays.
                std::mem::forget(payload);
                None
            }
        }
    }
}

/// Messages.
impl Port {
    /// Where a message of this lane to `target` may go. One that may be lost goes to another worker in any case: what gives way is
    /// decided there.
    ///
    /// # Errors
    /// Nothing can be sent there now; counted.
    pub(crate) fn admit(&self, target: Target, lane: Lane) -> Result<ActorId, CallError> {
        let Target::Actor(to) = target else { return Err(CallError::NotAllowed) };
        if !self.kinds.has(to.kind) {
            return Err(CallError::NoSuchKind(to.kind));
        }
        if self.is_stopped() {
            self.count(|counters| counters.after_stop += 1);
            return Err(CallError::Gone);
        }
        if let Some(worker) = self.elsewhere(to) {
            let is_full = lane.reliability.is_reliable()
                && !self.across.borrow().has_room(worker, Class::of(lane.priority));
            self.count(|counters| counters.across_full += u64::from(is_full));
            return if is_full { Err(CallError::Busy) } else { Ok(to) };
        }
        if self.queued(lane.priority) >= limits::QUEUE_MAX {
            self.count(|counters| counters.queue_full += 1);
            return Err(CallError::Busy);
        }
        Ok(to)
    }

    /// Whether actors of this kind run on this node.
    pub(crate) fn has_kind(&self, kind: Kind) -> bool {
        self.kinds.has(kind)
    }

    fn queued(&self, priority: Priority) -> usize {
        self.queues.borrow()[priority as usize].len()
    }

    /// Gathers what is sent from now on. `room`: how many messages may be among it that take effect exactly once; `None`:
    /// none, since what happens now is in no commit.
    pub(crate) fn begin_segment(&self, room: Option<(usize, usize)>) {
        self.gathers.set(true);
        self.room.set(room);
    }

    /// Sends a message that takes effect exactly once, with the commit of the operation that runs.
    ///
    /// # Errors
    /// It cannot be kept here, or there is no room for it. Nothing was sent.
    pub(crate) fn post(&self, posted: Posted) -> Result<(), CallError> {
        let maker = self.kinds.maker(posted.to.kind).ok_or(CallError::NoSuchKind(posted.to.kind))?;
        if !self.gathers.get() || maker.keeping().is_none() {
            return Err(CallError::NotKept);
        }
        let (messages, bytes) = self.room.get().ok_or(CallError::NotKept)?;
        let size = posted.arguments.len();
        if size > limits::POSTED_BYTES_MAX {
            let too_long = DecodeError::new(limits::POSTED_BYTES_MAX, DecodeReason::TooLong);
            return Err(CallError::BadArguments(too_long));
        }
        if messages == 0 || bytes < size {
            return Err(CallError::Busy);
        }
        self.room.set(Some((messages - 1, bytes - size)));
        self.count(|counters| counters.posted += 1);
        self.segment.borrow_mut().push(Sent::Posted(posted));
        Ok(())
    }

    /// What was sent since [`Self::begin_segment`]; nothing is gathered any more.
    pub(crate) fn end_segment(&self) -> Vec<Sent> {
        if self.gathers.replace(false) { self.segment.take() } else { Vec::new() }
    }

    /// Puts a message behind those of its priority, here or on the worker of its receiver.
    #[inline]
    pub(crate) fn enqueue(&self, envelope: Envelope) {
        if self.gathers.get() {
            self.segment.borrow_mut().push(Sent::Message(envelope));
            return;
        }
        if let Some(worker) = self.elsewhere(envelope.to) {
            return self.cross(worker, envelope);
        }
        self.queues.borrow_mut()[envelope.priority as usize].push_back(envelope);
    }

    /// The next message of a priority.
    #[inline]
    pub(crate) fn dequeue(&self, priority: Priority) -> Option<Envelope> {
        self.queues.borrow_mut()[priority as usize].pop_front()
    }

    /// Whether no message waits.
    pub(crate) fn is_quiet(&self) -> bool {
        self.queues.borrow().iter().all(VecDeque::is_empty)
    }

    /// Takes a message from outside in.
    pub(crate) fn enter(&self, mut envelope: Envelope) {
        if let ReplyTo::Outside(token) = envelope.reply_to {
            match self.open_outside(token, envelope.timeout_ms) {
                Some(id) => envelope.reply_to = ReplyTo::Ask(id),
                None => return self.refuse(envelope, CallError::Busy),
            }
        }
        self.let_in(envelope);
    }

    /// Puts a message that came from elsewhere behind those of its priority.
    fn let_in(&self, envelope: Envelope) {
        // The framework's own messages always enter: a session that is not told of leaves a ghost.
        let admitted = match self.admit(Target::Actor(envelope.to), envelope.lane()) {
            Err(CallError::Busy) if envelope.number.is_reserved() => Ok(envelope.to),
            other => other,
        };
        match admitted {
            Ok(_) => self.enqueue(envelope),
            Err(error) => {
                self.count(|counters| {
                    counters.unknown_kind += u64::from(matches!(error, CallError::NoSuchKind(_)))
                });
                self.refuse(envelope, error);
            }
        }
    }

    /// Sends a message out, to a session.
    pub(crate) fn leave(&self, envelope: Envelope) {
        // State on screen acknowledges nothing, so it waits for nothing.
        if self.gathers.get() && !crate::reserved::ToSession::is_on_screen(envelope.number) {
            self.segment.borrow_mut().push(Sent::Out(envelope));
            return;
        }
        if self.out.borrow().len() >= limits::OUTPUTS_PER_TURN {
            self.count(|counters| counters.outputs_full += 1);
            return;
        }
        self.put_out(Out::Envelope(envelope));
    }

    pub(crate) fn put_out(&self, out: Out) {
        self.out.borrow_mut().push(out);
    }

    pub(crate) fn take_out(&self, to: &mut Vec<Out>) {
        to.append(&mut self.out.borrow_mut());
    }

    /// Answers a message that is not served with an error, and drops it.
    pub(crate) fn refuse(&self, envelope: Envelope, error: CallError) {
        let Envelope { to, from, reply_to, id, body, .. } = envelope;
        self.contain(|| drop(body));
        self.delivered(to, from, id, DeliveryEnd::Unserved);
        self.answer(reply_to, Err(error));
    }

    /// Says what became of a message, if it is one that is delivered until it was taken.
    pub(crate) fn delivered(&self, to: ActorId, from: Caller, id: MessageId, end: DeliveryEnd) {
        if let (Caller::Actor(from), MessageId::Posted(delivery)) = (from, id) {
            let message = Taken { from, number: delivery.number };
            self.put_out(Out::Delivered { to, message, end });
        }
    }
}

/// Requests.
impl Port {
    /// A request of an operation, or a sleep, that ends at `until`. `None`: too many wait.
    pub(crate) fn open_ask(&self, origin: Origin, until: Mono) -> Option<AskId> {
        self.open(Sink::Future(Wants::Nothing), origin, until)
    }

    /// A request that has its answer already.
    pub(crate) fn open_answered(&self, error: CallError) -> Option<AskId> {
        self.asks().open_answered(Err(error))
    }

    fn open_outside(&self, token: u64, timeout_ms: u32) -> Option<AskId> {
        self.count(|counters| counters.asks += 1);
        self.open(Sink::Outside(token), Origin::default(), self.answer_until(timeout_ms))
    }

    fn answer_until(&self, timeout_ms: u32) -> Mono {
        let timeout_ms = if timeout_ms == 0 { limits::ANSWER_TIMEOUT_MS } else { timeout_ms };
        self.now() + std::time::Duration::from_millis(timeout_ms.into())
    }

    fn open(&self, sink: Sink, origin: Origin, until: Mono) -> Option<AskId> {
        let id = self.asks().open(sink, origin);
        match id {
            Some(id) => self.timers().set(until, Due::Ask(id)),
            None => self.count(|counters| counters.asks_full += 1),
        }
        id
    }

    /// Gives an answer to who waits for it.
    pub(crate) fn answer(&self, to: ReplyTo, result: Result<Answer, CallError>) {
        let arrived = match to {
            ReplyTo::Nobody => {
                self.count(|counters| counters.tells_failed += u64::from(result.is_err()));
                self.contain(|| drop(result));
                return;
            }
            ReplyTo::Outside(token) => Arrived::Outside(token, result),
            ReplyTo::Ask(id) => self.asks().answer(id, result),
        };
        match arrived {
            Arrived::Wake(Wants::Poll(slot)) => self.wake(slot),
            Arrived::Wake(Wants::Wake(waker)) => {
                self.contain(|| waker.wake());
            }
            Arrived::Wake(Wants::Nothing) => {}
            Arrived::Outside(token, result) => self.put_out(Out::Answer { token, result }),
            Arrived::Across(worker, ask, result) => self.put_across(worker, Crossing::Answer { ask, result }),
            Arrived::Late(result) => {
                self.count(|counters| counters.answers_late += 1);
                self.contain(|| drop(result));
            }
        }
        self.note_stale();
    }

    /// Forgets a request; what it held is for the caller to drop.
    pub(crate) fn cancel(&self, id: AskId) -> Cancelled {
        let held = self.asks().cancel(id);
        self.note_stale();
        held
    }

    /// The time of a request or sleep is over.
    pub(crate) fn time_out(&self, id: AskId) {
        let (waits, is_sleep) = {
            let mut asks = self.asks();
            let waits = asks.waits(id);
            asks.deadline_fell(id);
            (waits, asks.is_sleep(id))
        };
        if !waits {
            self.timers().stale_left();
        } else if is_sleep {
            self.answer(ReplyTo::Ask(id), Ok(None));
        } else {
            self.count(|counters| counters.timeouts += 1);
            self.answer(ReplyTo::Ask(id), Err(CallError::TimedOut));
        }
    }

    /// Answers every request of an operation with `Gone`: who waits may end. Sleeps go on: one that ends early would lie.
    pub(crate) fn give_up_asks(&self) {
        let waiting = self.asks().of_operations();
        for id in waiting {
            self.answer(ReplyTo::Ask(id), Err(CallError::Gone));
        }
    }

    fn note_stale(&self) {
        let count = self.asks().take_newly_stale();
        self.timers().became_stale(count);
    }

    /// Throws stale timers out when there are many.
    pub(crate) fn sweep_timers(&self) {
        let swept = {
            let (asks, lives) = (self.asks.borrow(), self.lives.borrow());
            let lives_on = |slot: Slot| lives.get(slot.at()).is_some_and(|life| life.is(slot));
            self.timers().sweep(|due| match due {
                Due::Ask(id) => asks.waits(*id),
                Due::Tell(slot, _)
                | Due::Alarm(slot)
                | Due::Repeat(slot, _)
                | Due::Save(slot)
                | Due::Snapshot(slot)
                | Due::Idle(slot) => lives_on(*slot),
                Due::Rested(_) | Due::Forget(_) => true,
            })
        };
        self.contain(|| drop(swept));
    }
}

/// Operations that are to be polled.
impl Port {
    /// The operation at `slot` is polled by `waker` from now on; `None`: no operation is polled any more.
    pub(crate) fn set_polling(&self, polling: Option<(Slot, &Waker)>) {
        self.polling.set(polling.map(|(slot, waker)| Polling {
            slot,
            data: waker.data(),
            vtable: waker.vtable(),
        }));
    }

    /// The operation that is polled, if it is the one that `waker` wakes. A part of an operation may be polled by a waker of
    /// the user's making; that has to be woken itself.
    pub(crate) fn polls_with(&self, waker: &Waker) -> Option<Slot> {
        let Polling { slot, data, vtable } = self.polling.get()?;
        (std::ptr::eq(data, waker.data()) && std::ptr::eq(vtable, waker.vtable())).then_some(slot)
    }

    /// Queues an operation to be polled, unless it is queued already or its activation has ended.
    fn wake(&self, slot: Slot) {
        let was_woken = self.with_life(slot, |life| std::mem::replace(&mut life.woken, true));
        if was_woken == Some(false) {
            self.woken.borrow_mut().push_back(slot);
        }
    }

    /// The next operation to poll.
    pub(crate) fn next_woken(&self) -> Option<Slot> {
        let woken = self.woken.borrow_mut().pop_front();
        let Some(slot) = woken else { return self.wakes.pop() };
        self.with_life(slot, |life| life.woken = false);
        Some(slot)
    }

    /// Whether any operation is to be polled.
    pub(crate) fn has_woken(&self) -> bool {
        !self.woken.borrow().is_empty() || !self.wakes.is_empty()
    }
}
