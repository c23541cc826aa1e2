//! The part of a node that is there once: sessions, what is kept, and the routing between them and the workers.
//!
//! *Responsible for*: the gateway, the keeper, starting and stopping, which worker a message goes to. *Not responsible for*: actors
//! (the workers), threads, clocks and sockets (the shell), rings (the shell).
//!
//! Two assemblies drive it: [`crate::Node`] with all workers on its thread, and a shell with a thread for each worker. Both do the
//! same for a turn:
//!
//! ```text
//! route what workers said ─► take inputs ─► tell workers ─► (until quiet) ─► finish: what links transmit and the store is asked
//! ```
//!
//! Invariants:
//! - I1: after [`Output::Stopped`] or [`Output::Fenced`] a node does nothing more.
//! - I2: what a worker handed out is routed before any outcome of the store that came later: the keeper has seen each commit
//!   before it answers for its actor.
//! - I3: no worker is told anything before the generation is taken; the first that it is told is what to start.
//! - I4: a node has stopped when every worker has, and what they handed out last is stored or given up.

use std::sync::Arc;
use std::time::Duration;

use lightmoon_actor::{
    DeliveryEnd, Envelope, In, Inspect, MessageId, Out, Placement, Progress, ReplyTo, Taken, Worker,
    WorkerId, WorkerOptions,
};
use lightmoon_contract::{ActorId, CallError, Caller, Kind, Mono};
use lightmoon_durable::DeadLetter;
use lightmoon_store::Outcome;
use lightmoon_wire::Compatibility;

use crate::chronicle::{Event, Happened};
use crate::error::Error;
use crate::game::{Above, Game, Parts, Recipe};
use crate::gateway::operator::{Command, Refused};
use crate::gateway::{Gateway, GatewayParts};
use crate::keeping::Keeping;
use crate::report::{NodeReport, WorkerReport};
use crate::{Input, Next, NodeOptions, Output, limits};

/// Where a node is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Running,
    /// Clients were told; links and actors finish, and what they kept is stored.
    Stopping {
        /// How long the store may be silent.
        until: Mono,
        /// How long it may take in all.
        latest: Mono,
    },
    Stopped,
}

/// Sessions, routing and what is kept of a node, without its workers.
#[derive(Debug)]
pub struct Hub {
    gateway: Gateway,
    keeping: Keeping,
    placement: Placement,
    /// Actors that live from the start, until they were told to their workers.
    starts: Vec<ActorId>,
    stop_patience: Duration,
    stop_time_max: Duration,
    phase: Phase,
    /// Whether workers are to be told that the node stops.
    stops_workers: bool,
    /// Whether workers are to be told to make snapshots.
    snapshots_wanted: bool,
    /// What somebody looks at, until its worker is told.
    peek: Option<Inspect>,
    /// Workers that have not stopped.
    workers_left: u16,
    events: Vec<In>,
    /// Workers for which too much waits.
    full: Vec<bool>,
    activations_failed: u64,
    messages_unroutable: u64,
}

/// A worker that is to be made on its own thread.
pub struct WorkerPlan {
    id: WorkerId,
    placement: Placement,
    options: WorkerOptions,
    recipe: Recipe,
    progress: Arc<Progress>,
    #[cfg(feature = "flaws")]
    flaw: Option<lightmoon_actor::Flaw>,
}

impl WorkerPlan {
    /// Which worker it is.
    #[must_use]
    pub const fn id(&self) -> WorkerId {
        self.id
    }

    /// What the worker does, once it is made; for other threads.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Makes the worker, which belongs to the current thread from then on.
    #[must_use]
    pub fn build(self) -> Worker {
        let mut worker =
            Worker::one_of(self.options, self.recipe.kinds(), self.id, self.placement, self.progress);
        self.recipe.idle().for_each(|(kind, length)| worker.set_idle_after(kind, length));
        #[cfg(feature = "flaws")]
        if let Some(flaw) = self.flaw {
            worker.set_flaw(flaw);
        }
        worker
    }
}

impl std::fmt::Debug for WorkerPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerPlan").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A node that runs `game`, in parts: its hub, and a plan for each worker. The seed decides session ids, random numbers of
/// actors, and nothing else.
///
/// # Errors
/// The definition of the game does not fit together.
pub fn split(
    game: Game,
    options: NodeOptions,
    seed: u64,
    now: Mono,
) -> Result<(Hub, Vec<WorkerPlan>), Error> {
    let Parts { descriptor, keeps, recipe, places, operations, player, starts, authenticate } =
        game.into_parts(Above::of(&options))?;
    let placement = Placement::new(options.workers.clamp(1, limits::WORKERS_MAX), places);
    let mut seeds = fastrand::Rng::with_seed(seed);
    let gateway = Gateway::new(GatewayParts {
        operations,
        player,
        authenticate,
        compatibility: Compatibility::new(descriptor),
        wire: options.wire,
        resume_time: options.resume_time,
        sessions_per_source_max: options.sessions_per_source_max,
        ticket_key: options.ticket_key,
        utc_at_zero: options.utc_at_zero,
        seed: seeds.u64(..),
    });
    let plans = (0..placement.workers()).map(|number| WorkerPlan {
        id: WorkerId(number),
        placement: placement.clone(),
        options: WorkerOptions { seed: seeds.u64(..), probe: options.probe, ..WorkerOptions::default() },
        recipe: recipe.clone(),
        progress: Arc::default(),
        #[cfg(feature = "flaws")]
        flaw: options.worker_flaw,
    });
    let plans = plans.collect();
    let hub = Hub {
        gateway,
        keeping: Keeping::new(keeps, now, &options),
        workers_left: placement.workers(),
        starts,
        stop_patience: options.stop_patience,
        stop_time_max: options.stop_time_max,
        phase: Phase::Running,
        stops_workers: false,
        snapshots_wanted: false,
        peek: None,
        events: Vec::new(),
        full: vec![false; usize::from(placement.workers())],
        placement,
        activations_failed: 0,
        messages_unroutable: 0,
    };
    Ok((hub, plans))
}

impl Hub {
    /// How many workers it has.
    #[must_use]
    pub const fn workers(&self) -> u16 {
        self.placement.workers()
    }

    /// Whether the node has stopped, in order or because it is fenced.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Stopped
    }

    /// Does what a worker said. To be called for everything that workers said before inputs that came later are taken.
    pub fn route(&mut self, now: Mono, out: Out) {
        match out {
            Out::Envelope(envelope) => self.leave(now, envelope),
            Out::Answer { token, result } => self.gateway.answer(token, result),
            Out::Load(actor) => self.keeping.load(now, actor),
            Out::Peek(actor) => self.keeping.peek(now, actor),
            Out::Commit(commit) => self.keeping.commit(commit),
            Out::Snapshot { actor, parcel } => self.keeping.snapshot(actor, parcel),
            Out::Released(actor) => self.keeping.release(actor),
            Out::Delivered { to, message, end } => self.keeping.delivered(now, to, message, end),
            Out::Stopped => self.workers_left = self.workers_left.saturating_sub(1),
            Out::Unreadable { actor, message } => {
                self.activations_failed += 1;
                self.gateway
                    .chronicle
                    .note(now, || Happened::ActorUnreadable { actor, message: message.clone() });
                tracing::error!(%actor, message, "the stored state of an actor cannot be read; it stays as it is");
            }
            Out::Failed { actor, operation, message } => {
                self.activations_failed += 1;
                let step = operation;
                self.gateway.chronicle.note(now, || Happened::ActorFailed {
                    actor,
                    step,
                    message: message.clone(),
                });
                tracing::error!(%actor, ?operation, message, "an actor failed and starts over");
                self.gateway.begins_anew(actor);
            }
        }
    }

    /// Takes what happened outside, at most [`limits::INPUTS_PER_TURN_MAX`] from the front of `inputs`; the rest stays for the
    /// next turn. Then lets links and the store act whose time has come.
    pub fn take(&mut self, now: Mono, inputs: &mut Vec<Input>) {
        if self.is_over() {
            return inputs.clear();
        }
        for input in inputs.drain(..inputs.len().min(limits::INPUTS_PER_TURN_MAX)) {
            self.take_one(now, input);
        }
        self.gateway.on_deadlines(now);
        self.keeping.on_deadline(now);
    }

    /// Hands what came about for workers to `to`, in its order. `unsaved_bytes`: of all workers together.
    ///
    /// # Errors
    /// The node is fenced: why. Nothing that it knows may leave it any more.
    pub fn tell_workers(
        &mut self,
        now: Mono,
        unsaved_bytes: usize,
        mut to: impl FnMut(WorkerId, In),
    ) -> Result<(), String> {
        if !self.keeping.is_open() || self.is_over() {
            // What came for actors waits until the generation is taken; links are served.
            return Ok(());
        }
        for actor in std::mem::take(&mut self.starts) {
            to(self.placement.worker_of(actor), In::Start(actor));
        }
        if let Some(reason) = self.keeping.tell_worker(unsaved_bytes, &mut self.events) {
            self.phase = Phase::Stopped;
            return Err(reason);
        }
        let mut refused = Vec::new();
        for event in self.events.drain(..) {
            match (actor_of(&event), event) {
                (Some(actor), In::Envelope(envelope)) if self.full[self.placement.worker_of(actor).at()] => {
                    refused.push(envelope);
                }
                (Some(actor), event) => to(self.placement.worker_of(actor), event),
                (None, In::Store(state)) => {
                    (0..self.placement.workers()).for_each(|number| to(WorkerId(number), In::Store(state)));
                }
                // The keeper says nothing else.
                (None, _) => {}
            }
        }
        let mut messages = self.gateway.take_messages();
        for envelope in messages.drain(..) {
            let worker = self.placement.worker_of(envelope.to);
            // What sessions say always enters: a session that is not told of leaves a ghost.
            if self.full[worker.at()] && !envelope.number.is_reserved() {
                refused.push(envelope);
            } else {
                to(worker, In::Envelope(envelope));
            }
        }
        self.gateway.give_back(messages);
        refused.into_iter().for_each(|envelope| self.refuse(now, envelope));
        if let Some(wanted) = self.peek.take() {
            to(self.placement.worker_of(wanted.actor), In::Peek(wanted));
        }
        if std::mem::take(&mut self.snapshots_wanted) {
            (0..self.placement.workers()).for_each(|number| to(WorkerId(number), In::SnapshotAll));
        }
        if std::mem::take(&mut self.stops_workers) {
            (0..self.placement.workers()).for_each(|number| to(WorkerId(number), In::Stop));
        }
        Ok(())
    }

    /// Says whether too much waits for a worker: what clients send to its actors is refused while it does.
    pub fn set_full(&mut self, worker: WorkerId, is_full: bool) {
        self.full[worker.at()] = is_full;
    }

    /// Answers what is not handed to a worker.
    fn refuse(&mut self, now: Mono, envelope: Envelope) {
        self.gateway.counters.messages_refused += 1;
        match (envelope.reply_to, envelope.id, envelope.from) {
            (ReplyTo::Outside(token), ..) => self.gateway.answer(token, Err(CallError::Busy)),
            (_, MessageId::Posted(delivery), Caller::Actor(from)) => {
                let message = Taken { from, number: delivery.number };
                self.keeping.delivered(now, envelope.to, message, DeliveryEnd::Unserved);
            }
            (ReplyTo::Nobody | ReplyTo::Ask(_), ..) => {}
        }
    }

    /// Whether something came about for workers.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.keeping.is_open()
            && !self.is_over()
            && (self.gateway.has_messages()
                || self.keeping.has_events()
                || self.stops_workers
                || self.snapshots_wanted)
    }

    /// Ends a turn: what links transmit and the store is asked is appended to `out`, in the order it has to be done in.
    pub fn finish(&mut self, now: Mono, out: &mut Vec<Output>) -> Next {
        if self.is_over() {
            return Next { deadline: None, more: false };
        }
        self.gateway.transmit(out);
        self.gateway.operated(out);
        self.keeping.drain(now, out);
        let stop_by = match self.phase {
            Phase::Stopping { until, .. } if self.gateway.is_empty() && (self.is_quiet() || now >= until) => {
                self.stopped(out);
                return Next { deadline: None, more: false };
            }
            Phase::Stopping { until, .. } => Some(until),
            Phase::Running | Phase::Stopped => None,
        };
        let deadlines = [self.gateway.next_deadline(), self.keeping.next_deadline(), stop_by];
        let deadline = deadlines.into_iter().flatten().min();
        // Ends of links that only their draining showed are told to actors in the next turn, which follows at once.
        // Before the generation is taken nobody hears them: the store's answer brings the next turn.
        Next { deadline, more: self.keeping.is_open() && self.gateway.has_messages() }
    }

    /// Whether workers have ended and everything that they handed out is stored. Workers that were never told anything because the
    /// generation was not taken have nothing to end.
    fn is_quiet(&self) -> bool {
        (self.workers_left == 0 || !self.keeping.is_open()) && self.keeping.is_quiet()
    }

    fn stopped(&mut self, out: &mut Vec<Output>) {
        self.phase = Phase::Stopped;
        if !self.is_quiet() {
            tracing::error!(
                "the store did not answer in time: what changed since the last commits is not stored"
            );
        }
        out.push(Output::Stopped);
    }

    /// A look at the node between two turns, with what its workers said of themselves, in their order.
    #[must_use]
    pub fn report(&self, workers: Vec<WorkerReport>) -> NodeReport {
        let mut report = self.gateway.report();
        report.counters.activations_failed = self.activations_failed;
        report.counters.messages_unroutable = self.messages_unroutable;
        let (mut unsaved_bytes, mut held) = (0, 0);
        for worker in &workers {
            report.zones.extend(worker.zones.iter().cloned());
            report.set_aside.extend(&worker.set_aside);
            report.actors += worker.actors;
            report.worker += worker.counters;
            unsaved_bytes += worker.unsaved_bytes;
            held += worker.held;
        }
        report.zones.sort_by_key(|(zone, _)| *zone);
        report.set_aside.sort_unstable();
        report.store = self.keeping.report(unsaved_bytes, held);
        report.workers = workers;
        report
    }

    /// Messages that were promised to take effect exactly once, and that their receivers could not take; they are tried no
    /// more until [`Input::Replay`]. At most [`lightmoon_durable::limits::DEAD_LETTERS_LISTED_MAX`]. For tools: it looks at
    /// every outbox.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.keeping.dead_letters()
    }

    /// What happened since it was asked last.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.gateway.chronicle.take()
    }

    fn take_one(&mut self, now: Mono, input: Input) {
        match input {
            Input::Opened { link, remote, transport } => self.gateway.opened(now, link, remote, transport),
            Input::Stream { link, stream, bytes } => self.gateway.stream(now, link, stream, &bytes),
            Input::Datagram { link, bytes } => self.gateway.datagram(now, link, &bytes),
            Input::Path { link, path } => self.gateway.path(now, link, path),
            Input::Closed { link, peer } => self.gateway.closed(now, link, peer),
            Input::Stored { ticket, outcome } => {
                if outcome != Outcome::Unavailable {
                    self.store_works(now);
                }
                self.keeping.stored(now, ticket, outcome);
            }
            Input::Replay { from, number } => {
                let is_there = self.keeping.replay(now, from, number);
                tracing::info!(%from, number, is_there, "a dead letter is to be sent again");
            }
            Input::Peek(wanted) => self.peek = Some(wanted),
            Input::Operate { token, command } => self.operate(now, token, command),
            Input::Encoded(encoded) => self.keeping.encoded(encoded),
            Input::Stop { reason } => self.stop(now, &reason),
        }
    }

    fn operate(&mut self, now: Mono, token: u64, command: Command) {
        self.snapshots_wanted |= command == Command::Snapshot;
        let result = match self.phase {
            Phase::Running => self.gateway.operate(now, token, command),
            Phase::Stopping { .. } | Phase::Stopped => Some(Err(Refused::Stopping)),
        };
        if let Some(result) = result {
            self.gateway.answer_operator(token, result);
        }
    }

    fn stop(&mut self, now: Mono, reason: &str) {
        if self.phase == Phase::Running {
            self.phase =
                Phase::Stopping { until: now + self.stop_patience, latest: now + self.stop_time_max };
            self.gateway.stop(now, reason);
            self.stops_workers = true;
        }
    }

    /// The store did something: a stop waits for the rest.
    fn store_works(&mut self, now: Mono) {
        if let Phase::Stopping { until, latest } = &mut self.phase {
            *until = (now + self.stop_patience).min(*latest);
        }
    }

    /// A message to something that no actor of this node is: a session, or nothing.
    fn leave(&mut self, now: Mono, envelope: Envelope) {
        if envelope.to.kind == Kind::SESSION {
            self.gateway.deliver(now, envelope);
        } else {
            self.messages_unroutable += 1;
            tracing::warn!(to = %envelope.to, "a message to a kind that is not registered was dropped");
        }
    }
}

/// Whom something for a worker is about; `None`: all workers.
const fn actor_of(event: &In) -> Option<ActorId> {
    match event {
        In::Envelope(envelope) => Some(envelope.to),
        In::Loaded { actor, .. }
        | In::Committed { actor, .. }
        | In::Snapshotted { actor }
        | In::Acknowledged { actor, .. }
        | In::Settled { actor, .. }
        | In::Wake(actor)
        | In::Lost { actor, .. }
        | In::Peek(Inspect { actor, .. })
        | In::Peeked { actor, .. }
        | In::Start(actor) => Some(*actor),
        In::Store(_) | In::Across { .. } | In::SnapshotAll | In::Stop => None,
    }
}
