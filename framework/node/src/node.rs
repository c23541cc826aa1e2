//! The node in one piece: its hub and its workers on one thread, one turn.
//!
//! *Responsible for*: the order in which hub and workers have their turns. *Not responsible for*: what they do in them
//! ([`crate::Hub`], [`Worker`]); threads, clocks and sockets; the shell calls [`Node::turn`].
//!
//! A turn: inputs in their order → links and the store whose time has come → workers, one after the other; their messages to
//! sessions and to each other, answers to clients, until quiet → what links transmit and the store is asked.
//!
//! Invariants:
//! - I1: outputs and the state of a node are a function of the game, the seed, the number of workers and the sequence of
//!   (now, inputs).
//! - I2: of one worker, a turn is what it would be without any seam: nothing is copied, and no thread is changed.

use std::sync::Arc;
use std::time::Duration;

use lightmoon_actor::{In, Out, Progress, Worker, WorkerId};
use lightmoon_contract::{ActorId, Mono};
use lightmoon_durable::DeadLetter;
use lightmoon_zone::{Probe, ZoneLook};

use crate::error::Error;
use crate::game::Game;
use crate::hub::{Hub, WorkerPlan, split};
use crate::report::{NodeReport, WorkerReport};
use crate::{Event, Input, Next, NodeOptions, Output, Wanted};

/// One worker, and what waits for it.
#[derive(Debug)]
struct Seat {
    worker: Worker,
    inputs: Vec<In>,
    next: lightmoon_actor::Next,
    turns: u64,
    busy: Duration,
}

/// A node: actors, zones and sessions of a game, without threads, clock and sockets.
#[derive(Debug)]
pub struct Node {
    hub: Hub,
    seats: Vec<Seat>,
    probe: Probe,
    from_worker: Vec<Out>,
}

/// Rounds between workers and hub within one turn: an answer may lead to another call at once, but two actors that
/// keep each other busy must not keep the node from its links.
const ROUNDS_MAX: usize = 4;

impl Node {
    /// A node that runs `game`. The seed decides session ids, random numbers of actors, and nothing else.
    ///
    /// # Errors
    /// The definition of the game does not fit together.
    pub fn new(game: Game, options: NodeOptions, seed: u64, now: Mono) -> Result<Self, Error> {
        let (hub, plans) = split(game, options, seed, now)?;
        let seats = plans.into_iter().map(WorkerPlan::build).map(|worker| Seat {
            worker,
            inputs: Vec::new(),
            next: lightmoon_actor::Next { deadline: None, more: false },
            turns: 0,
            busy: Duration::ZERO,
        });
        Ok(Self { hub, seats: seats.collect(), probe: options.probe, from_worker: Vec::new() })
    }

    /// Takes what happened outside, lets everything act that can, and says what to do outside.
    ///
    /// Takes at most [`crate::limits::INPUTS_PER_TURN_MAX`] inputs from the front of `inputs`; the rest stays for the next
    /// turn. Outputs are appended in the order they have to be done in. Cost: proportional to inputs, due work and the
    /// links they touch, not to idle links or actors.
    pub fn turn(&mut self, now: Mono, inputs: &mut Vec<Input>, out: &mut Vec<Output>) -> Next {
        self.hub.take(now, inputs);
        let next = match self.run_actors(now) {
            Ok(next) => next,
            Err(reason) => {
                out.clear();
                out.push(Output::Fenced { reason });
                return Next { deadline: None, more: false };
            }
        };
        let hub = self.hub.finish(now, out);
        if self.hub.is_over() {
            return hub;
        }
        let deadline = next.deadline.into_iter().chain(hub.deadline).min();
        Next { deadline, more: next.more || hub.more || !inputs.is_empty() }
    }

    /// A look at the node between two turns.
    #[must_use]
    pub fn report(&self) -> NodeReport {
        let workers = self.seats.iter().map(|seat| WorkerReport::of(&seat.worker, seat.turns, seat.busy));
        self.hub.report(workers.collect())
    }

    /// As [`Self::report`], with what somebody looks at.
    #[must_use]
    pub fn survey(&mut self, wanted: &Wanted) -> NodeReport {
        let workers = self.seats.iter_mut().map(|seat| {
            WorkerReport::of(&seat.worker, seat.turns, seat.busy).surveyed(&mut seat.worker, wanted)
        });
        let workers = workers.collect();
        self.hub.report(workers)
    }

    /// As [`Hub::take_events`].
    pub fn take_events(&mut self) -> Vec<Event> {
        self.hub.take_events()
    }

    /// What each worker does right now, for other threads.
    #[must_use]
    pub fn progress(&self) -> Vec<Arc<Progress>> {
        self.seats.iter().map(|seat| seat.worker.progress()).collect()
    }

    /// As [`Hub::dead_letters`].
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.hub.dead_letters()
    }

    /// What viewers may see of each zone, quantised, by id. Costs about a tick of every zone: for simulators and tools.
    #[must_use]
    pub fn looks(&self) -> Vec<(ActorId, ZoneLook)> {
        let looks = self.seats.iter().flat_map(|seat| seat.worker.looks());
        let looks = looks.filter_map(|(id, look)| look.downcast::<ZoneLook>().ok().map(|look| (id, *look)));
        let mut looks: Vec<(ActorId, ZoneLook)> = looks.collect();
        looks.sort_by_key(|(zone, _)| *zone);
        looks
    }

    /// Runs actors until their messages to sessions and to each other are quiet, or the rounds are used up.
    ///
    /// # Errors
    /// The node is fenced: why.
    fn run_actors(&mut self, now: Mono) -> Result<Next, String> {
        for _ in 0..ROUNDS_MAX {
            let unsaved_bytes = self.seats.iter().map(|seat| seat.worker.unsaved_bytes()).sum();
            let seats = &mut self.seats;
            self.hub
                .tell_workers(now, unsaved_bytes, |worker, input| seats[worker.at()].inputs.push(input))?;
            for number in 0..self.hub.workers() {
                self.worker_turn(now, WorkerId(number));
            }
            if !self.hub.has_news() && self.seats.iter().all(|seat| seat.inputs.is_empty()) {
                return Ok(self.next(false));
            }
        }
        Ok(self.next(true))
    }

    fn next(&self, more: bool) -> Next {
        let deadline = self.seats.iter().filter_map(|seat| seat.next.deadline).min();
        Next { deadline, more: more || self.seats.iter().any(|seat| seat.next.more) }
    }

    /// A turn of one worker, if it wants one. What it has for the others reaches those behind it in this round.
    fn worker_turn(&mut self, now: Mono, id: WorkerId) {
        let seat = &mut self.seats[id.at()];
        let is_due = seat.next.more || seat.next.deadline.is_some_and(|at| at <= now);
        if seat.inputs.is_empty() && !is_due {
            return;
        }
        let began = (self.probe)();
        seat.next = seat.worker.turn(now, &mut seat.inputs, &mut self.from_worker);
        seat.turns += 1;
        seat.busy += (self.probe)().since(began);
        for out in self.from_worker.drain(..) {
            self.hub.route(now, out);
        }
        if self.seats.len() > 1 {
            self.hand_across(id);
        }
    }

    fn hand_across(&mut self, from: WorkerId) {
        for to in (0..self.hub.workers()).map(WorkerId) {
            let crossings = self.seats[from.at()].worker.take_across(to);
            let inputs = crossings.into_iter().map(|crossing| In::Across { from, crossing });
            self.seats[to.at()].inputs.extend(inputs);
        }
    }
}
