//! Where the actors of a worker stand, and how one is found.
//!
//! *Responsible for*: the slab of places, the table from actor to place. *Not responsible for*: what happens to the
//! activations in them.
//!
//! Invariants:
//! - I1: an actor has at most one place; it keeps it while it is alive, rests, has parked messages or recent panics.
//! - I2: the table is only looked up, never walked; what is listed comes from the slab, and is sorted by its caller.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use lightmoon_contract::call::Waiting;
use lightmoon_contract::{ActorId, Caller, Mono, OperationNumber};

use super::keep::Keep;
use super::mail::Trace;
use super::parked::Parked;
use crate::slot::Slot;
use crate::wake::OperationWaker;
use crate::{Activation, Envelope, ReplyTo, limits};

/// What stands at a place.
pub(super) enum State {
    /// Nothing: the next message activates.
    Empty,
    /// The store was asked for what it has of it; messages wait.
    Loading,
    /// An activation that can serve.
    Idle(Box<dyn Activation>),
    /// Its user's code runs right now.
    Running,
    /// An operation waits; the activation is inside.
    Waiting(Box<Task>),
    /// It panicked and starts over after a rest.
    Resting,
    /// It panicked too often.
    SetAside,
}

/// An operation that waits.
pub(super) struct Task {
    pub(super) waiting: Waiting<Box<dyn Activation>>,
    pub(super) reply_to: ReplyTo,
    pub(super) number: OperationNumber,
    pub(super) caller: Caller,
    /// Its arguments, if it is logged.
    pub(super) arguments: Option<bytes::Bytes>,
    pub(super) trace: Trace,
    /// Serial of the operation.
    pub(super) operation: u64,
    pub(super) waker: std::sync::Arc<OperationWaker>,
}

/// Panics of one actor that still count.
#[derive(Debug, Default)]
pub(super) struct Failures {
    pub(super) times: Vec<Mono>,
    /// Whether a timer is set that forgets them.
    pub(super) forgets: bool,
}

/// One place.
pub(super) struct Place {
    pub(super) actor: ActorId,
    pub(super) generation: u32,
    /// Whether it stands in the list of released ones.
    pub(super) released: bool,
    /// Whether its alarm rang while it could not hear it.
    pub(super) alarm_waits: bool,
    pub(super) state: State,
    pub(super) parked: Option<Box<Parked>>,
    pub(super) failures: Option<Box<Failures>>,
    /// Of an actor that is kept: what is under way to the store.
    pub(super) keep: Option<Box<Keep>>,
    /// Sessions that this life of it was told of.
    pub(super) sessions: u16,
    /// When it last served something.
    pub(super) used: Mono,
}

impl Place {
    /// Whether so much of it waits for a commit that it serves nothing more.
    pub(super) fn is_choked(&self) -> bool {
        self.keep.as_ref().is_some_and(|keep| keep.is_choked())
    }

    /// Whether an operation has to wait until the effects before it are in a commit.
    pub(super) fn is_too_early(&self, number: OperationNumber) -> bool {
        self.keep.as_ref().is_some_and(|keep| keep.is_too_early(number))
    }

    /// Whether the first of the messages that wait can be served.
    pub(super) fn may_go_on(&self) -> bool {
        let next = self.parked.as_ref().and_then(|parked| parked.next());
        !self.is_choked()
            && matches!(self.state, State::Empty | State::Idle(_))
            && next.is_some_and(|next| !self.is_too_early(next.number))
    }
}

/// All places of a worker.
pub(super) struct Places {
    places: Vec<Place>,
    free: Vec<u32>,
    table: HashMap<ActorId, u32, Mix>,
    alive: usize,
}

impl Places {
    pub(super) fn new(seed: u64) -> Self {
        Self { places: Vec::new(), free: Vec::new(), table: HashMap::with_hasher(Mix { seed }), alive: 0 }
    }

    /// The place of `actor`, opened if it has none; `None`: there are too many.
    pub(super) fn open(&mut self, actor: ActorId) -> Option<u32> {
        if let Some(index) = self.table.get(&actor) {
            return Some(*index);
        }
        let index = match self.free.pop() {
            Some(index) => {
                self.at(index).actor = actor;
                index
            }
            None if self.places.len() >= limits::ACTORS_MAX => return None,
            None => {
                let index = u32::try_from(self.places.len()).ok()?;
                self.places.push(Place {
                    actor,
                    generation: 0,
                    released: false,
                    alarm_waits: false,
                    state: State::Empty,
                    parked: None,
                    failures: None,
                    keep: None,
                    sessions: 0,
                    used: Mono(0),
                });
                index
            }
        };
        self.table.insert(actor, index);
        Some(index)
    }

    /// The place of `actor`, if it has one.
    pub(super) fn find(&self, actor: ActorId) -> Option<u32> {
        self.table.get(&actor).copied()
    }

    pub(super) fn at(&mut self, index: u32) -> &mut Place {
        &mut self.places[index as usize]
    }

    /// The place at an index.
    pub(super) fn get(&self, index: u32) -> Option<&Place> {
        self.places.get(index as usize)
    }

    /// Places in use, by index.
    pub(super) fn in_use(&self) -> impl Iterator<Item = (u32, &Place)> {
        (0u32..).zip(&self.places).filter(|(index, place)| self.table.get(&place.actor) == Some(index))
    }

    /// The slot of the present life at `index`.
    pub(super) fn slot(&self, index: u32) -> Slot {
        Slot { index, generation: self.places[index as usize].generation }
    }

    /// Whether the life that `slot` names is the present one.
    pub(super) fn is_present(&self, slot: Slot) -> bool {
        self.places.get(slot.at()).is_some_and(|place| place.generation == slot.generation)
    }

    /// Puts `state` at a place and returns what was there.
    pub(super) fn set_state(&mut self, index: u32, state: State) -> State {
        let place = &mut self.places[index as usize];
        let was_alive = place.state.is_alive();
        let before = std::mem::replace(&mut place.state, state);
        self.alive = self.alive + usize::from(place.state.is_alive()) - usize::from(was_alive);
        before
    }

    /// Gives the place back if nothing holds it.
    pub(super) fn free_if_unused(&mut self, index: u32) {
        let place = &mut self.places[index as usize];
        if matches!(place.state, State::Empty)
            && place.parked.is_none()
            && place.failures.is_none()
            && place.keep.is_none()
            && !place.released
        {
            let actor = place.actor;
            if self.table.get(&actor) == Some(&index) {
                self.table.remove(&actor);
                self.free.push(index);
            }
        }
    }

    pub(super) fn take_parked(&mut self, index: u32) -> Vec<Envelope> {
        let parked = self.at(index).parked.take();
        parked.map(|parked| parked.into_messages().collect()).unwrap_or_default()
    }

    pub(super) fn known(&self) -> usize {
        self.table.len()
    }

    pub(super) const fn alive(&self) -> usize {
        self.alive
    }

    /// Indices of all places in use, in order of their actors.
    pub(super) fn by_actor(&self) -> Vec<u32> {
        let mut actors: Vec<(ActorId, u32)> = self
            .places
            .iter()
            .filter_map(|place| self.table.get(&place.actor).map(|index| (place.actor, *index)))
            .collect();
        actors.sort_unstable();
        actors.dedup();
        actors.into_iter().map(|(_, index)| index).collect()
    }

    /// Activations between two operations, by place.
    pub(super) fn idle(&self) -> impl Iterator<Item = (ActorId, &dyn Activation)> {
        self.places.iter().filter_map(|place| match &place.state {
            State::Idle(activation) => Some((place.actor, &**activation)),
            State::Empty
            | State::Loading
            | State::Running
            | State::Waiting(_)
            | State::Resting
            | State::SetAside => None,
        })
    }

    /// Of all actors that are kept, by place.
    pub(super) fn keeps(&self) -> impl Iterator<Item = &Keep> {
        self.places.iter().filter_map(|place| place.keep.as_deref())
    }

    /// Actors that were set aside, by place.
    pub(super) fn set_aside(&self) -> impl Iterator<Item = ActorId> {
        self.places.iter().filter(|place| matches!(place.state, State::SetAside)).map(|place| place.actor)
    }
}

impl State {
    const fn is_alive(&self) -> bool {
        match self {
            Self::Idle(_) | Self::Running | Self::Waiting(_) => true,
            Self::Empty | Self::Loading | Self::Resting | Self::SetAside => false,
        }
    }
}

/// Mixes an actor's id into a hash. Clients choose keys, so the seed is in it: nobody can aim at one bucket.
#[derive(Clone, Copy, Debug)]
struct Mix {
    seed: u64,
}

impl BuildHasher for Mix {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        Mixer { state: self.seed ^ 0x9E37_79B9_7F4A_7C15 }
    }
}

/// Source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014), once for each word.
#[derive(Clone, Copy, Debug)]
struct Mixer {
    state: u64,
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.state
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u16(&mut self, word: u16) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        let mut mixed = self.state ^ word;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.state = mixed ^ (mixed >> 31);
    }
}
