//! The client's copy of what it sees.
//!
//! *Responsible for*: applying View payloads and state packets, keeping each entity's components with their last ticks,
//! telling what changed. *Not responsible for*: frames and attach order (`wire`), drawing.
//!
//! Invariants:
//! - I1: entities are made by Enter and dropped by Leave, a new layout or a new attach, by nothing else.
//! - I2: a state value is replaced only by one of a higher tick.
//! - I3: memory is bounded: entities, sticky bytes, history and waiting events have maxima (`limits`).

mod column;
mod entities;
mod entity;
mod indexes;
mod layout;
mod read_delta;
mod read_state;
mod read_view;

use std::collections::VecDeque;

use lightmoon_contract::{NetId, Tick};

pub(crate) use column::Track;
pub use entity::Entity;
pub use read_delta::{DeltaHeader, Receipt};
pub use read_state::StateHeader;

use crate::client::entities::Entities;
use crate::client::layout::Layout;
use crate::client::read_delta::Received;
use crate::limits;
use crate::{ReplicaError, Schema};

/// What became of a payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// The view is as the payload says.
    Taken,
    /// It was a repetition, or of an attachment that is over; nothing changed.
    Ignored,
}

/// Why an entity left the view.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LeaveReason {
    /// It is out of sight, or the whole view was given up.
    OutOfView,
    /// It is gone from the world.
    Gone,
}

impl LeaveReason {
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::OutOfView => 0,
            Self::Gone => 1,
        }
    }

    const fn from_number(number: u8) -> Result<Self, ReplicaError> {
        match number {
            0 => Ok(Self::OutOfView),
            1 => Ok(Self::Gone),
            other => Err(ReplicaError::Reason(other)),
        }
    }
}

/// Something that changed in the view. Components are named by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewEvent {
    /// An entity came into view, with all its components.
    Entered(NetId),
    /// An entity left the view; it cannot be looked up any more.
    Left(NetId, LeaveReason),
    /// A sticky component has a new value.
    StickyChanged(NetId, u16),
    /// A component was added to an entity in view.
    ComponentAdded(NetId, u16),
    /// A component was removed from an entity in view.
    ComponentRemoved(NetId, u16),
}

/// What one client sees of one zone at a time.
#[derive(Debug)]
pub struct ClientView {
    entities: Entities,
    /// Generation of the last attach; `is_attached` tells whether it still holds.
    generation: Option<u32>,
    is_attached: bool,
    layout: Option<Layout>,
    sequence_next: u64,
    view_tick: Tick,
    newest_tick: Tick,
    received: Received,
    /// One component's fields while they are read.
    scratch: Vec<u32>,
    events: VecDeque<ViewEvent>,
    events_dropped: u64,
}

impl ClientView {
    /// A view that sees nothing yet, for a client that knows the components of `schema`.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        Self {
            entities: Entities::new(schema),
            generation: None,
            is_attached: false,
            layout: None,
            sequence_next: 0,
            view_tick: Tick(0),
            newest_tick: Tick(0),
            received: Received::default(),
            scratch: Vec::new(),
            events: VecDeque::new(),
            events_dropped: 0,
        }
    }

    /// Starts the view of another attachment: all entities leave, payloads of older generations are ignored from now on.
    pub fn attach(&mut self, generation: u32) {
        self.detach();
        self.generation = Some(generation);
        self.is_attached = true;
    }

    /// Ends the view: all entities leave, later payloads of this attachment are ignored.
    pub fn detach(&mut self) {
        self.drop_all(LeaveReason::OutOfView);
        self.is_attached = false;
        self.layout = None;
        self.sequence_next = 0;
        self.view_tick = Tick(0);
        self.newest_tick = Tick(0);
        self.received = Received::default();
    }

    /// Applies a View payload.
    ///
    /// # Errors
    /// The payload is malformed or does not follow the last one: close the connection. Events before the fault were applied.
    pub fn apply_view(&mut self, generation: u32, payload: &[u8]) -> Result<Applied, ReplicaError> {
        if self.is_present(generation) {
            return self.read_view(payload);
        }
        let is_old = self.generation.is_some_and(|last| last.wrapping_sub(generation) < 1 << 31);
        if is_old { Ok(Applied::Ignored) } else { Err(ReplicaError::NotAttached(generation)) }
    }

    /// Applies a state packet. `None`: it is of another attachment or came before the view did; nothing changed.
    ///
    /// # Errors
    /// The packet is malformed: close the connection. Records before the fault were applied.
    pub fn apply_state(
        &mut self,
        generation: u32,
        packet: &[u8],
    ) -> Result<Option<StateHeader>, ReplicaError> {
        if self.is_present(generation) { self.read_state(packet) } else { Ok(None) }
    }

    /// Applies a delta packet. `None`: it is of another attachment, came before the view did, or is not newer than the last
    /// one; nothing changed.
    ///
    /// # Errors
    /// As [`Self::apply_state`].
    pub fn apply_delta(
        &mut self,
        generation: u32,
        packet: &[u8],
    ) -> Result<Option<DeltaHeader>, ReplicaError> {
        if self.is_present(generation) { self.read_delta(packet) } else { Ok(None) }
    }

    /// What the server has to know of what arrived, to write deltas against it; `None`: no view arrived yet, or the server
    /// writes none.
    #[must_use]
    pub fn receipt(&self) -> Option<Receipt> {
        let generation = self.generation()?;
        self.layout.as_ref().filter(|layout| layout.has_fields())?;
        Some(self.received.receipt(generation, self.sequence_next))
    }

    /// All entities in view, in order of their ids.
    pub fn entities(&self) -> impl Iterator<Item = Entity<'_>> {
        self.entities.slots().map(|slot| Entity::new(&self.entities, slot))
    }

    /// The entity of this id, if it is in view.
    #[must_use]
    pub fn entity(&self, id: NetId) -> Option<Entity<'_>> {
        Some(Entity::new(&self.entities, self.entities.slot_of(id)?))
    }

    /// How many entities are in view.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entities.len()
    }

    /// Whether nothing is in view.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.len() == 0
    }

    /// Takes what changed since the last call, in order. Drain once per frame: beyond [`limits::EVENTS_MAX`] the oldest are
    /// dropped and counted by [`ClientView::events_dropped`].
    pub fn drain_events(&mut self) -> impl Iterator<Item = ViewEvent> + '_ {
        self.events.drain(..)
    }

    /// Events that were dropped because nobody drained them.
    #[must_use]
    pub const fn events_dropped(&self) -> u64 {
        self.events_dropped
    }

    /// The highest tick heard of in this attachment, by either kind of payload.
    #[must_use]
    pub const fn newest_tick(&self) -> Tick {
        self.newest_tick
    }

    /// Generation of the attachment that is shown.
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        self.generation.filter(|_| self.is_attached)
    }

    fn is_present(&self, generation: u32) -> bool {
        self.is_attached && self.generation == Some(generation)
    }

    fn say(&mut self, event: ViewEvent) {
        if self.events.len() >= limits::EVENTS_MAX {
            self.events.pop_front();
            self.events_dropped += 1;
        }
        self.events.push_back(event);
    }

    fn drop_all(&mut self, reason: LeaveReason) {
        for id in self.entities.clear() {
            self.say(ViewEvent::Left(id, reason));
        }
    }

    /// Takes an entity out of the view.
    fn remove(&mut self, index: u16, reason: LeaveReason) -> Result<(), ReplicaError> {
        let id = self.entities.remove(index).ok_or(ReplicaError::UnknownIndex(index))?;
        self.say(ViewEvent::Left(id, reason));
        Ok(())
    }
}
