//! The node itself: one worker, one gateway, one turn.
//!
//! *Responsible for*: the order within a turn, routing between actors and sessions, starting and stopping.
//! *Not responsible for*: threads, clocks and sockets; the shell calls [`Node::turn`].
//!
//! A turn: inputs in their order → links whose time has come → actors → their messages to sessions and answers to
//! clients, until quiet → what links transmit.
//!
//! Invariants:
//! - I1: outputs and the state of a node are a function of the game, the seed and the sequence of (now, inputs).
//! - I2: after [`Output::Stopped`] a node does nothing more.

use lightmoon_actor::{Envelope, In, Out, Worker, WorkerOptions};
use lightmoon_contract::{ActorId, Kind, Mono};
use lightmoon_wire::Compatibility;
use lightmoon_zone::{ZoneLook, ZoneReport};

use crate::error::Error;
use crate::game::{Game, Parts};
use crate::gateway::{Gateway, GatewayParts};
use crate::report::NodeReport;
use crate::{Input, Next, NodeOptions, Output, limits};

/// Where a node is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Running,
    /// Clients were told; links and actors finish.
    Stopping,
    Stopped,
}

/// A node: actors, zones and sessions of a game, without threads, clock and sockets.
#[derive(Debug)]
pub struct Node {
    gateway: Gateway,
    worker: Worker,
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
        let mut seeds = fastrand::Rng::with_seed(seed);
        let gateway = Gateway::new(GatewayParts {
            operations,
            player,
            authenticate,
            compatibility: Compatibility::new(descriptor),
            wire: options.wire,
            seed: seeds.u64(..),
        });
        let mut worker =
            Worker::new(WorkerOptions { seed: seeds.u64(..), ..WorkerOptions::default() }, kinds);
        for start in starts {
            worker.start(now, start);
        }
        Ok(Self {
            gateway,
            worker,
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
        let next = self.run_actors(now);
        self.gateway.transmit(out);
        if self.phase == Phase::Stopping && self.gateway.is_empty() {
            self.phase = Phase::Stopped;
            out.push(Output::Stopped);
            return Next { deadline: None, more: false };
        }
        let deadline = [next.deadline, self.gateway.next_deadline()].into_iter().flatten().min();
        // Ends of links that only their draining showed are told to actors in the next turn, which follows at once.
        Next { deadline, more: next.more || !inputs.is_empty() || self.gateway.has_messages() }
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
            counters,
        }
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
            Input::Closed { link } => self.gateway.closed(now, link),
            Input::Stop { reason } => self.stop(now, &reason),
        }
    }

    fn stop(&mut self, now: Mono, reason: &str) {
        if self.phase == Phase::Running {
            self.phase = Phase::Stopping;
            self.gateway.stop(now, reason);
            self.to_worker.push(In::Stop);
        }
    }

    /// Runs actors until their messages to sessions and to each other are quiet, or the rounds are used up.
    fn run_actors(&mut self, now: Mono) -> Next {
        let mut next = Next { deadline: None, more: false };
        for _ in 0..ROUNDS_MAX {
            self.to_worker.extend(self.gateway.take_messages().into_iter().map(In::Envelope));
            let turned = self.worker.turn(now, &mut self.to_worker, &mut self.from_worker);
            next = Next { deadline: turned.deadline, more: turned.more };
            for out in std::mem::take(&mut self.from_worker) {
                self.route(now, out);
            }
            if !self.gateway.has_messages() {
                return next;
            }
        }
        Next { more: true, ..next }
    }

    fn route(&mut self, now: Mono, out: Out) {
        match out {
            Out::Envelope(envelope) => self.leave(now, envelope),
            Out::Answer { token, result } => self.gateway.answer(token, result),
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
