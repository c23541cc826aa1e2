//! The node itself: one worker, one gateway, one turn.
//!
//! *Responsible for*: the order within a turn, routing between actors and sessions, starting and stopping.
//! *Not responsible for*: threads, clocks and sockets; the shell calls [`Node::turn`].
//!
//! A turn: inputs in their order → links and the store whose time has come → actors → their messages to sessions and answers
//! to clients, until quiet → what links transmit and the store is asked.
//!
//! Invariants:
//! - I1: outputs and the state of a node are a function of the game, the seed and the sequence of (now, inputs).
//! - I2: after [`Output::Stopped`] or [`Output::Fenced`] a node does nothing more.
//! - I3: what an actor hands out reaches the keeper before any outcome of the store that came later.

use std::time::Duration;

use lightmoon_actor::{Envelope, In, Out, Worker, WorkerOptions};
use lightmoon_contract::{ActorId, Kind, Mono};
use lightmoon_durable::DeadLetter;
use lightmoon_wire::Compatibility;
use lightmoon_zone::{ZoneLook, ZoneReport};

use crate::error::Error;
use crate::game::{Game, Parts};
use crate::gateway::{Gateway, GatewayParts};
use crate::keeping::Keeping;
use crate::report::NodeReport;
use crate::{Input, Next, NodeOptions, Output, limits};

/// Where a node is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Running,
    /// Clients were told; links and actors finish, and what they kept is stored, until then.
    Stopping(Mono),
    Stopped,
}

/// A node: actors, zones and sessions of a game, without threads, clock and sockets.
#[derive(Debug)]
pub struct Node {
    gateway: Gateway,
    worker: Worker,
    keeping: Keeping,
    stop_patience: Duration,
    phase: Phase,
    to_worker: Vec<In>,
    from_worker: Vec<Out>,
    activations_failed: u64,
    messages_unroutable: u64,
}

/// Rounds between worker and gateway within one turn: an answer may lead to another call at once, but two actors that
/// keep each other busy must not keep the node from its links.
const ROUNDS_MAX: usize = 4;

impl Node {
    /// A node that runs `game`. The seed decides session ids, random numbers of actors, and nothing else.
    ///
    /// # Errors
    /// The definition of the game does not fit together.
    pub fn new(game: Game, options: NodeOptions, seed: u64, now: Mono) -> Result<Self, Error> {
        let Parts { descriptor, kinds, operations, player, starts, authenticate } =
            game.into_parts(options.probe)?;
        let keeping = Keeping::new(kinds.any_kept(), now, &options);
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
        let mut worker =
            Worker::new(WorkerOptions { seed: seeds.u64(..), ..WorkerOptions::default() }, kinds);
        #[cfg(feature = "flaws")]
        if let Some(flaw) = options.worker_flaw {
            worker.set_flaw(flaw);
        }
        for start in starts {
            worker.start(now, start);
        }
        Ok(Self {
            gateway,
            worker,
            keeping,
            stop_patience: options.stop_patience,
            phase: Phase::Running,
            to_worker: Vec::new(),
            from_worker: Vec::new(),
            activations_failed: 0,
            messages_unroutable: 0,
        })
    }

    /// Takes what happened outside, lets everything act that can, and says what to do outside.
    ///
    /// Takes at most [`limits::INPUTS_PER_TURN_MAX`] inputs from the front of `inputs`; the rest stays for the next
    /// turn. Outputs are appended in the order they have to be done in. Cost: proportional to inputs, due work and the
    /// links they touch, not to idle links or actors.
    pub fn turn(&mut self, now: Mono, inputs: &mut Vec<Input>, out: &mut Vec<Output>) -> Next {
        if self.phase == Phase::Stopped {
            inputs.clear();
            return Next { deadline: None, more: false };
        }
        for input in inputs.drain(..inputs.len().min(limits::INPUTS_PER_TURN_MAX)) {
            self.take(now, input);
        }
        self.gateway.on_deadlines(now);
        self.keeping.on_deadline(now);
        let next = match self.run_actors(now) {
            Ok(next) => next,
            Err(reason) => return self.fenced(reason, out),
        };
        self.gateway.transmit(out);
        self.keeping.drain(now, out);
        let stop_by = match self.phase {
            Phase::Stopping(until)
                if self.gateway.is_empty() && (self.keeping.is_quiet() || now >= until) =>
            {
                return self.stopped(out);
            }
            Phase::Stopping(until) => Some(until),
            Phase::Running | Phase::Stopped => None,
        };
        let deadlines = [next.deadline, self.gateway.next_deadline(), self.keeping.next_deadline(), stop_by];
        let deadline = deadlines.into_iter().flatten().min();
        // Ends of links that only their draining showed are told to actors in the next turn, which follows at once.
        // Before the generation is taken nobody hears them: the store's answer brings the next turn.
        let has_messages = self.keeping.is_open() && self.gateway.has_messages();
        Next { deadline, more: next.more || !inputs.is_empty() || has_messages }
    }

    fn stopped(&mut self, out: &mut Vec<Output>) -> Next {
        self.phase = Phase::Stopped;
        if !self.keeping.is_quiet() {
            tracing::error!(
                "the store did not answer in time: what changed since the last commits is not stored"
            );
        }
        out.push(Output::Stopped);
        Next { deadline: None, more: false }
    }

    /// Somebody else owns what is stored: nothing that this node knows may leave it any more.
    fn fenced(&mut self, reason: String, out: &mut Vec<Output>) -> Next {
        self.phase = Phase::Stopped;
        out.clear();
        out.push(Output::Fenced { reason });
        Next { deadline: None, more: false }
    }

    /// A look at the node between two turns.
    #[must_use]
    pub fn report(&self) -> NodeReport {
        let (links_in_handshake, sessions) = self.gateway.report();
        let mut counters = self.gateway.counters;
        counters.activations_failed = self.activations_failed;
        counters.messages_unroutable = self.messages_unroutable;
        NodeReport {
            links_in_handshake,
            sessions,
            zones: self.zones(),
            actors: self.worker.actors(),
            set_aside: self.worker.set_aside(),
            worker: self.worker.counters(),
            store: self.keeping.report(self.worker.unsaved_bytes(), self.worker.held()),
            counters,
        }
    }

    /// Messages that were promised to take effect exactly once, and that their receivers could not take; they are tried no
    /// more until [`Input::Replay`]. At most [`lightmoon_durable::limits::DEAD_LETTERS_LISTED_MAX`]. For tools: it looks at
    /// every outbox.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.keeping.dead_letters()
    }

    /// What viewers may see of each zone, quantised, by id. Costs about a tick of every zone: for simulators and tools.
    #[must_use]
    pub fn looks(&self) -> Vec<(ActorId, ZoneLook)> {
        let looks = self.worker.looks().into_iter();
        looks.filter_map(|(id, look)| look.downcast::<ZoneLook>().ok().map(|look| (id, *look))).collect()
    }

    fn zones(&self) -> Vec<(ActorId, ZoneReport)> {
        let reports = self.worker.reports().into_iter();
        reports
            .filter_map(|(id, report)| report.downcast::<ZoneReport>().ok().map(|report| (id, *report)))
            .collect()
    }

    fn take(&mut self, now: Mono, input: Input) {
        match input {
            Input::Opened { link, remote, transport } => self.gateway.opened(now, link, remote, transport),
            Input::Stream { link, stream, bytes } => self.gateway.stream(now, link, stream, &bytes),
            Input::Datagram { link, bytes } => self.gateway.datagram(now, link, &bytes),
            Input::Closed { link, peer } => self.gateway.closed(now, link, peer),
            Input::Stored { ticket, outcome } => self.keeping.stored(now, ticket, outcome),
            Input::Replay { from, number } => {
                let is_there = self.keeping.replay(now, from, number);
                tracing::info!(%from, number, is_there, "a dead letter is to be sent again");
            }
            Input::Encoded(encoded) => self.keeping.encoded(encoded),
            Input::Stop { reason } => self.stop(now, &reason),
        }
    }

    fn stop(&mut self, now: Mono, reason: &str) {
        if self.phase == Phase::Running {
            self.phase = Phase::Stopping(now + self.stop_patience);
            self.gateway.stop(now, reason);
            self.to_worker.push(In::Stop);
        }
    }

    /// Runs actors until their messages to sessions and to each other are quiet, or the rounds are used up.
    ///
    /// # Errors
    /// The node is fenced: why.
    fn run_actors(&mut self, now: Mono) -> Result<Next, String> {
        let mut next = Next { deadline: None, more: false };
        if !self.keeping.is_open() {
            // What came for actors waits until the generation is taken; links are served.
            return Ok(next);
        }
        for _ in 0..ROUNDS_MAX {
            if let Some(reason) = self.keeping.tell_worker(self.worker.unsaved_bytes(), &mut self.to_worker) {
                return Err(reason);
            }
            self.to_worker.extend(self.gateway.take_messages().into_iter().map(In::Envelope));
            let turned = self.worker.turn(now, &mut self.to_worker, &mut self.from_worker);
            next = Next { deadline: turned.deadline, more: turned.more };
            for out in std::mem::take(&mut self.from_worker) {
                self.route(now, out);
            }
            if !self.gateway.has_messages() && !self.keeping.has_events() {
                return Ok(next);
            }
        }
        Ok(Next { more: true, ..next })
    }

    fn route(&mut self, now: Mono, out: Out) {
        match out {
            Out::Envelope(envelope) => self.leave(now, envelope),
            Out::Answer { token, result } => self.gateway.answer(token, result),
            Out::Load(actor) => self.keeping.load(now, actor),
            Out::Commit(commit) => self.keeping.commit(commit),
            Out::Snapshot { actor, parcel } => self.keeping.snapshot(actor, parcel),
            Out::Released(actor) => self.keeping.release(actor),
            Out::Delivered { to, message, end } => self.keeping.delivered(now, to, message, end),
            Out::Unreadable { actor, message } => {
                self.activations_failed += 1;
                tracing::error!(%actor, message, "the stored state of an actor cannot be read; it stays as it is");
            }
            Out::Failed { actor, operation, message } => {
                self.activations_failed += 1;
                tracing::error!(%actor, ?operation, message, "an actor failed and starts over");
                self.gateway.begins_anew(actor);
            }
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
