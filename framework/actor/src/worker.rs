//! The worker: one thread's actors, and the loop that runs them.
//!
//! *Responsible for*: the order within a turn, budgets, starting and stopping. *Not responsible for*: threads and clocks;
//! the shell calls [`Worker::turn`].
//!
//! A turn: inputs into the queues → due timers → rounds (actors that were released, messages by weight, operations that
//! were woken) until quiet or out of budget → due alarms → rounds again → what is to be saved. Alarms come behind messages, so that a world's
//! tick sees the input that arrived before it.
//!
//! Invariants:
//! - I1: a message for an actor that has parked ones goes behind them.
//! - I2: a turn serves at most [`limits::OPERATIONS_PER_TURN`] operations and as many alarms as were due.

mod departed;
mod due;
mod keep;
mod life;
mod mail;
mod parked;
mod peek;
mod places;
mod serve;
mod slow;
mod survey;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use lightmoon_contract::{ActorId, CallError, Kind, Mono, OperationNumber, Priority};

use crate::port::Port;
use crate::slot::Slot;
use crate::{
    Activation, Class, Counters, Courier, Crossing, In, KindReport, Kinds, Next, Out, Placement, Progress,
    StoreState, WorkerId, limits,
};
use departed::Departed;
use peek::Peek;
use places::{Places, State};
pub use survey::{ActorList, ActorLook, ActorState, Sought, Traced};

/// How a worker behaves. `Default` is fit for play.
#[derive(Clone, Copy, Debug)]
pub struct WorkerOptions {
    /// Decides all random numbers of actors. Default 0; the node draws it from its own seed.
    pub seed: u64,
    /// Time after which an actor that served nothing is deactivated, where its kind says nothing. Default `None`: never, since what
    /// an actor remembers is lost with its activation. Actors that were started, that have an alarm set, repeat operations or have a
    /// session are left alone.
    pub idle_after: Option<Duration>,
    /// Reads a clock before and after code of an actor, to name what is slow; the game never sees it. Default: always 0, so nothing is
    /// slow and runs from one seed are equal. Cost of a real one: a read for each operation, and one for each turn.
    pub probe: fn() -> Mono,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { seed: 0, idle_after: None, probe: || Mono(0) }
    }
}

/// A deliberately wrong worker, to prove that the checkers see.
#[cfg(feature = "flaws")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Answers before the effect is durable.
    ReplyBeforeCommit,
    /// Lets messages to actors and sessions out before the effect that they tell of is durable.
    TellPastGate,
    /// Serves what was served before.
    NoDedup,
}

/// Work left in this turn.
#[derive(Debug)]
struct Budget {
    operations: usize,
    polls: usize,
}

impl Budget {
    const fn is_spent(&self) -> bool {
        self.operations == 0 || self.polls == 0
    }
}

/// Actors of one thread.
///
/// Bound to the thread that made it: operations are woken on it only.
pub struct Worker {
    port: Rc<Port>,
    options: WorkerOptions,
    places: Places,
    /// Actors with parked messages that can serve them now.
    released: VecDeque<u32>,
    /// Activations whose alarm rings.
    ringing: VecDeque<Slot>,
    /// Actors that live without being called.
    started: BTreeSet<ActorId>,
    /// Of them, those whose first activation is to come.
    to_start: Vec<ActorId>,
    /// Actors that are to be brought to life because they may have messages to send, as soon as they can be loaded.
    to_wake: BTreeSet<ActorId>,
    /// Actors that want a commit at the end of this turn.
    unsaved: Vec<u32>,
    /// Bytes of effects that are in no commit yet, about.
    unsaved_sum: usize,
    store: StoreState,
    /// `every_ms` operations that wait in a queue.
    repeats_queued: BTreeSet<(ActorId, OperationNumber)>,
    /// Activations whose last session ended.
    departed: Departed,
    /// Serial of the last operation; 0 is none.
    operation: u64,
    /// What the game says of how long kinds may idle.
    idle_kinds: BTreeMap<Kind, Option<Duration>>,
    stopping: bool,
    /// Until when nothing slow is named again.
    slow_said_until: Mono,
    /// By number: how long code of their actors took.
    kind_reports: Vec<KindReport>,
    /// When the last code of an actor ended in this turn, by the probe.
    clock_read: Option<Mono>,
    /// What the actor that somebody looks at did last.
    trail: Option<survey::Trail>,
    /// What is stored of the actor that somebody looks at, if it does not live.
    peek: Option<Peek>,
    #[cfg(feature = "flaws")]
    flaw: Option<Flaw>,
}

impl Worker {
    /// A worker that runs actors of `kinds`, on the current thread.
    #[must_use]
    pub fn new(options: WorkerOptions, kinds: Kinds) -> Self {
        Self::one_of(options, kinds, WorkerId(0), Placement::default(), Arc::default())
    }

    /// As [`Self::new`], as one of several workers. Each has its own seed, and all of them the same kinds and placement. What it does
    /// is noted in `progress`.
    #[must_use]
    pub fn one_of(
        options: WorkerOptions,
        kinds: Kinds,
        me: WorkerId,
        placement: Placement,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            kind_reports: kinds.names().map(|(kind, name)| KindReport::new(kind, name)).collect(),
            port: Port::new(kinds, options.seed, me, placement, progress),
            options,
            places: Places::new(options.seed),
            released: VecDeque::new(),
            ringing: VecDeque::new(),
            started: BTreeSet::new(),
            to_start: Vec::new(),
            to_wake: BTreeSet::new(),
            unsaved: Vec::new(),
            unsaved_sum: 0,
            store: StoreState::default(),
            repeats_queued: BTreeSet::new(),
            departed: Departed::default(),
            operation: 0,
            idle_kinds: BTreeMap::new(),
            stopping: false,
            slow_said_until: Mono(0),
            clock_read: None,
            trail: None,
            peek: None,
            #[cfg(feature = "flaws")]
            flaw: None,
        }
    }

    /// Activates `actor` with the next turn, without a message, and again after every panic. It is never deactivated for
    /// idling. An actor whose kind is not registered is passed over and counted.
    pub fn start(&mut self, now: Mono, actor: ActorId) {
        self.port.advance(now);
        if !self.port.kinds().has(actor.kind) {
            self.port.count(|counters| counters.unknown_kind += 1);
        } else if self.started.insert(actor) {
            self.to_start.push(actor);
        }
    }

    /// Takes what arrived, lets everything act that can, and says what to do outside.
    ///
    /// `inputs` is emptied, outputs are appended in their order. Time that runs backwards counts as standing still. Cost:
    /// proportional to the messages, timers and wakes served, not to idle actors.
    pub fn turn(&mut self, now: Mono, inputs: &mut Vec<In>, out: &mut Vec<Out>) -> Next {
        self.port.advance(now);
        self.port.progress().begin_turn(now);
        self.clock_read = None;
        for input in inputs.drain(..) {
            match input {
                In::Envelope(envelope) => self.port.enter(envelope),
                In::Loaded { actor, result } => self.loaded(actor, result),
                In::Committed { actor, number } => self.committed(actor, number),
                In::Snapshotted { actor } => self.snapshotted(actor),
                In::Acknowledged { actor, load } => self.acknowledged(actor, load),
                In::Settled { actor, last } => self.settled(actor, last),
                In::Wake(actor) => self.wake_kept(actor),
                In::Lost { actor, message } => self.lost(actor, message),
                In::Store(state) => self.set_store(state),
                In::Across { from, crossing } => self.port.arrive(from, crossing),
                In::Start(actor) => self.start(now, actor),
                In::Peek(wanted) => self.peek(wanted),
                In::Peeked { actor, result } => self.peeked(actor, result),
                In::SnapshotAll => self.snapshot_all(),
                In::Stop => self.stopping = true,
            }
        }
        for actor in std::mem::take(&mut self.to_start) {
            self.wake_up(actor);
        }
        self.fire_timers();
        self.serve_all();
        self.let_departed_go();
        self.save_listed();
        if self.stopping && !self.port.is_stopped() {
            self.stop_all();
            self.port.put_out(Out::Stopped);
        }
        debug_assert!(self.is_summed(), "each change of what is unsaved is summed");
        self.port.flush_across();
        self.port.give_room();
        self.port.take_out(out);
        self.port.sweep_timers();
        self.port.progress().end_turn();
        let deadline = self.port.timers().next();
        let more = !self.port.is_quiet()
            || !self.released.is_empty()
            || !self.ringing.is_empty()
            || self.port.has_woken()
            || !self.to_start.is_empty()
            || deadline.is_some_and(|at| at <= self.port.now());
        Next { deadline, more }
    }

    /// Makes it wrong.
    #[cfg(feature = "flaws")]
    pub fn set_flaw(&mut self, flaw: Flaw) {
        self.flaw = Some(flaw);
    }

    /// Says how long actors of a kind may idle before they are deactivated, instead of what their kind says; `None`: for ever.
    /// To be said before any of them lives.
    pub fn set_idle_after(&mut self, kind: Kind, idle_after: Option<Duration>) {
        self.idle_kinds.insert(kind, idle_after);
    }

    /// Lets `courier` carry what goes to other workers, from now on. Without one it waits for [`Self::take_across`].
    pub fn set_courier(&self, courier: Box<dyn Courier>) {
        self.port.set_courier(courier);
    }

    /// What goes to another worker, in its order; for assemblies that run all workers on one thread.
    #[must_use]
    pub fn take_across(&self, to: WorkerId) -> Vec<Crossing> {
        self.port.take_across(to)
    }

    /// Messages and answers that wait for other workers. A worker on a thread of its own takes another turn soon while there are
    /// any: its courier had no room.
    #[must_use]
    pub fn waiting_across(&self) -> usize {
        self.port.waiting_across()
    }

    /// Messages that wait to be served, by priority, the most urgent first.
    #[must_use]
    pub fn queue_lengths(&self) -> [usize; Priority::ALL.len()] {
        self.port.queue_lengths()
    }

    /// Whether more messages of a class are to be taken out of rings: below [`limits::QUEUED_MAX`] of them wait. Answers come with
    /// the urgent ones and wait in no queue, so that class is always taken; each of its messages is still admitted or refused.
    #[must_use]
    pub fn has_room(&self, class: Class) -> bool {
        let lengths = self.queue_lengths();
        match class {
            Class::Urgent => true,
            Class::Bulk => {
                lengths[Priority::Normal as usize] + lengths[Priority::Low as usize] < limits::QUEUED_MAX
            }
        }
    }

    /// What it does right now, for other threads.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(self.port.progress())
    }

    /// Activations that live now.
    #[must_use]
    pub fn actors(&self) -> usize {
        self.places.alive()
    }

    /// Actors that take memory: those that live, rest after a panic, have messages waiting or panicked within the last
    /// minute.
    #[must_use]
    pub fn actors_known(&self) -> usize {
        self.places.known()
    }

    /// What was counted since the worker began.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.port.counters()
    }

    /// The kinds that run here, by number, and how long code of their actors took.
    #[must_use]
    pub fn kind_reports(&self) -> &[KindReport] {
        &self.kind_reports
    }

    /// What activations report about themselves, by actor. Those that wait inside an operation are left out.
    #[must_use]
    pub fn reports(&self) -> Vec<(ActorId, Box<dyn Any>)> {
        self.ask_idle(|activation| activation.report())
    }

    /// What activations show of their state, by actor. Those that wait inside an operation are left out.
    #[must_use]
    pub fn looks(&self) -> Vec<(ActorId, Box<dyn Any>)> {
        self.ask_idle(|activation| activation.look())
    }

    fn ask_idle(
        &self,
        ask: impl Fn(&dyn Activation) -> Option<Box<dyn Any>>,
    ) -> Vec<(ActorId, Box<dyn Any>)> {
        let mut answers: Vec<_> = self
            .places
            .idle()
            .filter_map(|(actor, activation)| {
                let answer = self.port.contain(|| ask(activation)).flatten()?;
                Some((actor, answer))
            })
            .collect();
        answers.sort_by_key(|(actor, _)| *actor);
        answers
    }

    /// Actors that were set aside after too many panics, in order.
    #[must_use]
    pub fn set_aside(&self) -> Vec<ActorId> {
        let mut actors: Vec<ActorId> = self.places.set_aside().collect();
        actors.sort_unstable();
        actors
    }

    fn serve_all(&mut self) {
        let mut budget = Budget { operations: limits::OPERATIONS_PER_TURN, polls: limits::POLLS_PER_TURN };
        while !budget.is_spent() && self.round(&mut budget) {}
        for slot in std::mem::take(&mut self.ringing) {
            self.ring(slot);
        }
        while !budget.is_spent() && self.round(&mut budget) {}
    }

    /// One round by weights. Returns whether there was something to do.
    fn round(&mut self, budget: &mut Budget) -> bool {
        let mut any = false;
        for _ in 0..limits::RELEASED_PER_ROUND.min(budget.operations) {
            let Some(index) = self.released.pop_front() else { break };
            any = true;
            budget.operations -= 1;
            self.serve_parked(index);
        }
        for (priority, weight) in Priority::ALL.into_iter().zip(limits::WEIGHTS) {
            for _ in 0..weight.min(budget.operations) {
                let Some(envelope) = self.port.dequeue(priority) else { break };
                any = true;
                budget.operations -= 1;
                self.deliver(envelope);
            }
        }
        for _ in 0..limits::RELEASED_PER_ROUND.min(budget.polls) {
            let Some(slot) = self.port.next_woken() else { break };
            any = true;
            budget.polls -= 1;
            self.woken(slot);
        }
        any
    }

    /// Operations that wait for requests get `Gone`, so that they end and their actors can be saved. Those that sleep are
    /// dropped, with what their actors have not saved.
    fn let_waiting_end(&mut self) {
        for _ in 0..limits::STOP_ROUNDS_MAX {
            self.port.give_up_asks();
            let mut any = false;
            while let Some(slot) = self.port.next_woken() {
                any = true;
                self.woken(slot);
            }
            if !any {
                return;
            }
        }
    }

    /// Ends every activation in order, and answers everybody who waits.
    fn stop_all(&mut self) {
        self.port.set_stopped();
        self.started.clear();
        self.to_start.clear();
        self.to_wake.clear();
        self.let_waiting_end();
        for index in self.places.by_actor() {
            for envelope in self.places.take_parked(index) {
                self.port.refuse(envelope, CallError::Gone);
            }
            match self.places.set_state(index, State::Running) {
                State::Idle(activation) => self.deactivate(index, activation),
                State::Waiting(task) => {
                    let reply_to = task.reply_to;
                    self.port.contain(|| drop(task));
                    self.port.answer(reply_to, Err(CallError::Gone));
                    self.end_life(index);
                }
                State::Empty | State::Loading | State::Running | State::Resting | State::SetAside => {
                    self.places.set_state(index, State::Empty);
                    self.forget_keep(index);
                }
            }
        }
        self.unsaved.clear();
        self.released.clear();
        self.ringing.clear();
        self.repeats_queued.clear();
        self.port.empty();
    }
}

impl Drop for Worker {
    /// Drops what users made inside of a catch: a panic in one drop does not keep the others.
    fn drop(&mut self) {
        for index in self.places.by_actor() {
            let state = self.places.set_state(index, State::Empty);
            self.port.contain(|| drop(state));
            let parked = self.places.take_parked(index);
            self.port.contain(|| drop(parked));
        }
        self.port.empty();
        for worker in 0..self.port.placement().workers() {
            for crossing in self.port.take_across(WorkerId(worker)) {
                self.port.contain(|| drop(crossing));
            }
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("actors", &self.actors())
            .field("started", &self.started)
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
