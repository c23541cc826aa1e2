//! What tools see of the actors of a worker: who there is, in which state, what one of them did last.
//!
//! *Responsible for*: a bounded list, a trace of one actor while somebody looks at it, asking it for its state. *Not responsible for*: what actors say of
//! themselves ([`Worker::reports`]), who asks.
//!
//! Invariants:
//! - I1: without somebody who looks, an operation costs one comparison more, and nothing is kept.
//! - I2: a survey changes nothing that an actor can observe.

use std::any::Any;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use lightmoon_contract::{ActorId, Kind, Mono, OperationNumber};

use super::Worker;
use super::places::{Place, State};
use crate::inspect::{Inspect, Inspected, Inspection};
use crate::{Step, limits};

/// How an actor is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActorState {
    /// It has no activation; messages may wait.
    Empty,
    /// The store was asked for what it has of it.
    Loading,
    /// It can serve.
    Idle,
    /// Its code runs right now.
    Running,
    /// This operation of it waits.
    Waiting(OperationNumber),
    /// It panicked and starts over after a rest.
    Resting,
    /// It panicked too often, or what is stored of it cannot be read.
    SetAside,
}

/// A look at one actor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ActorLook {
    /// Which one.
    pub actor: ActorId,
    /// How it is.
    pub state: ActorState,
    /// Messages that wait at its door. Those in the worker's queues are on their way to any actor.
    pub waiting: usize,
    /// Sessions that this life of it was told of.
    pub sessions: u16,
    /// When it last served something; 0: not yet.
    pub used: Mono,
    /// How many activations there were at its place in memory, also of others before it.
    pub generation: u32,
    /// Panics that still count.
    pub failures: usize,
    /// Whether its state is kept.
    pub is_kept: bool,
    /// Bytes of effects that are in no commit yet, about.
    pub unsaved_bytes: usize,
}

/// A step of the actor that is traced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traced {
    /// When it ended.
    pub at: Mono,
    /// What it was; an operation that waits is there once for each time that it went on.
    pub step: Step,
    /// How long its code ran, by the probe.
    pub took: Duration,
}

/// Which actors are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sought {
    /// Of this kind only.
    pub kind: Option<Kind>,
    /// With this key only.
    pub key: Option<u64>,
}

/// The actors of a worker.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ActorList {
    /// The first ones that were sought, by actor; at most [`limits::ACTORS_LISTED_MAX`].
    pub actors: Vec<ActorLook>,
    /// How many were sought in all.
    pub found: usize,
    /// How many there are of each kind that has any.
    pub kinds: BTreeMap<Kind, usize>,
}

/// What one actor did last.
#[derive(Debug)]
pub(super) struct Trail {
    actor: ActorId,
    steps: VecDeque<Traced>,
}

impl Worker {
    /// Notes what `actor` does from now on; `None`: of nobody. What was noted of another is forgotten.
    pub fn trace(&mut self, actor: Option<ActorId>) {
        self.forget_peek(actor);
        if self.trail.as_ref().map(|trail| trail.actor) != actor {
            self.trail = actor.map(|actor| Trail { actor, steps: VecDeque::new() });
        }
    }

    /// What the traced actor did last, the newest at the end; at most [`limits::TRACED_MAX`].
    #[must_use]
    pub fn traced(&self) -> Vec<Traced> {
        self.trail.as_ref().map(|trail| trail.steps.iter().copied().collect()).unwrap_or_default()
    }

    /// Who there is. For tools: walks over all actors.
    #[must_use]
    pub fn seek(&self, sought: Sought) -> ActorList {
        let mut list = ActorList::default();
        // The greatest of those that are listed stands on top, and gives way to a smaller one.
        let mut first: BinaryHeap<(ActorId, u32)> = BinaryHeap::new();
        for (index, place) in self.places.in_use() {
            let ActorId { kind, key } = place.actor;
            *list.kinds.entry(kind).or_default() += 1;
            if sought.kind.is_some_and(|sought| sought != kind)
                || sought.key.is_some_and(|sought| sought != key)
            {
                continue;
            }
            list.found += 1;
            first.push((place.actor, index));
            if first.len() > limits::ACTORS_LISTED_MAX {
                first.pop();
            }
        }
        let first = first.into_sorted_vec();
        list.actors = first.into_iter().filter_map(|(_, index)| self.places.get(index).map(look)).collect();
        list
    }

    /// What activations show of their places on a map, by actor. Those that wait inside an operation are left out.
    #[must_use]
    pub fn charts(&self, places_max: usize) -> Vec<(ActorId, Box<dyn Any>)> {
        self.ask_idle(|activation| activation.chart(places_max))
    }

    /// What an actor shows of its state; of one that does not live what is stored of it, once [`crate::In::Peek`] asked for it. `None`:
    /// there is nothing to be shown here. Costs its encoding, as a save does.
    pub fn inspect(&mut self, wanted: Inspect) -> Option<Inspected> {
        if let Some(stored) = self.inspect_stored(wanted) {
            return Some(stored);
        }
        let index = self.places.find(wanted.actor)?;
        let place = self.places.at(index);
        let State::Idle(activation) = &mut place.state else {
            let state = look(place).state;
            return (state != ActorState::Empty).then_some(Inspected::Away(state));
        };
        let mut inspection = Inspection::new(wanted.entities_from);
        Some(match self.port.contain(|| activation.inspect(&mut inspection)) {
            None => Inspected::Failed,
            Some(false) => Inspected::Nothing,
            Some(true) => Inspected::Shown(inspection.finish()),
        })
    }

    /// How an actor is.
    pub(super) fn state_of(&self, actor: ActorId) -> ActorState {
        let place = self.places.find(actor).and_then(|index| self.places.get(index));
        place.map_or(ActorState::Empty, |place| look(place).state)
    }

    /// A step of an actor has ended.
    pub(super) fn note_step(&mut self, actor: ActorId, step: Step, took: Duration) {
        let at = self.port.now();
        let Some(trail) = self.trail.as_mut().filter(|trail| trail.actor == actor) else { return };
        if trail.steps.len() >= limits::TRACED_MAX {
            trail.steps.pop_front();
        }
        trail.steps.push_back(Traced { at, step, took });
    }
}

fn look(place: &Place) -> ActorLook {
    let state = match &place.state {
        State::Empty => ActorState::Empty,
        State::Loading => ActorState::Loading,
        State::Idle(_) => ActorState::Idle,
        State::Running => ActorState::Running,
        State::Waiting(task) => ActorState::Waiting(task.number),
        State::Resting => ActorState::Resting,
        State::SetAside => ActorState::SetAside,
    };
    ActorLook {
        actor: place.actor,
        state,
        waiting: place.parked.as_ref().map_or(0, |parked| parked.len()),
        sessions: place.sessions,
        used: place.used,
        generation: place.generation,
        failures: place.failures.as_ref().map_or(0, |failures| failures.times.len()),
        is_kept: place.keep.is_some(),
        unsaved_bytes: place.keep.as_ref().map_or(0, |keep| keep.unsaved_bytes()),
    }
}
