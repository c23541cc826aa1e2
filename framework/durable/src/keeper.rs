//! The keeper: everything that is on its way between the actors of a node and its store.
//!
//! *Responsible for*: [`Keeper`], who owns which actor, which request is under way for whom, what to do while the store is
//! away. *Not responsible for*: reading an actor (`load`), its commits (`commit`), its snapshots (`snapshot`).
//!
//! Invariants:
//! - I1: an actor has one commit under way at most; its commits happen in the order in which they were handed in.
//! - I2: an actor is read only when nothing of it is under way, so that what is read is the last that was committed.
//! - I3: requests under way are at most [`limits::REQUESTS_IN_FLIGHT_MAX`]; what more there is waits here, urgent first.
//! - I4: while the store is away one request goes out every [`limits::PROBE_EVERY`], the oldest that waits.

mod commit;
mod load;
mod snapshot;
mod traffic;

use std::collections::{BTreeMap, VecDeque};

use lightmoon_contract::{ActorId, Mono, NetId};
use lightmoon_store::{Outcome, Request, Ticket};

use crate::manifest::Manifest;
use crate::{Loaded, LogEntry, Saved, SnapshotJob, limits};
pub use commit::log_entry;
pub(crate) use commit::open_entity_row;
use commit::{Flight, Work};
use load::Load;
use snapshot::{Copied, Making};
use traffic::{Purpose, Traffic};

/// Something that happened to an actor, or to the store.
#[derive(Debug)]
pub enum Event {
    /// The actor is ours; this is what the store has of it.
    Loaded {
        /// Which actor.
        actor: ActorId,
        /// What there is.
        loaded: Loaded,
    },
    /// The actor could not be loaded.
    LoadFailed {
        /// Which actor.
        actor: ActorId,
        /// Why.
        error: LoadFailure,
    },
    /// A commit is durable, and all before it.
    Committed {
        /// Which actor.
        actor: ActorId,
        /// The number it was handed in with.
        number: u64,
    },
    /// A snapshot is published, or was given up: the next one may come.
    Snapshotted {
        /// Which actor.
        actor: ActorId,
    },
    /// The actor is no longer ours, or a commit of it can never happen.
    Lost {
        /// Which actor.
        actor: ActorId,
        /// Why, for people.
        message: String,
    },
    /// A newer generation owns what is stored: this node must do nothing more.
    Fenced {
        /// Why, for people.
        reason: String,
    },
}

/// Why an actor could not be loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadFailure {
    /// The store is away; ask again later.
    #[error("the store is away")]
    Away,
    /// What is stored cannot be read; it stays as it is. Do not ask again soon.
    #[error("{0}")]
    Unreadable(String),
}

/// A copy of a world to be encoded elsewhere; give its parts back by [`Keeper::encoded`].
#[derive(Debug)]
pub struct Encode {
    /// Whose it is.
    pub actor: ActorId,
    /// Which one.
    pub id: u64,
    /// The copy.
    pub job: SnapshotJob,
}

/// What the keeper counted since it began, and what waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Actors loaded.
    pub loads: u64,
    /// Commits that happened.
    pub commits: u64,
    /// Bytes of their rows.
    pub commit_bytes: u64,
    /// Outcomes that were not known, and found out by a serial read.
    pub unknown: u64,
    /// Snapshots published.
    pub snapshots: u64,
    /// Bytes of their parts.
    pub snapshot_bytes: u64,
    /// Snapshots that were given up: too large.
    pub snapshots_given_up: u64,
    /// Snapshots that were damaged or missing when they were read; an older one was taken.
    pub snapshots_damaged: u64,
    /// Activations that lost their actor.
    pub lost: u64,
    /// Times that the store was away.
    pub outages: u64,
}

/// A deliberately wrong keeper, to prove that the checkers see.
#[cfg(feature = "flaws")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Commits whoever owns the actor.
    NoFence,
    /// Repeats a commit whose outcome is not known under the next number, without asking whether it happened.
    BlindRetry,
    /// Leaves durable entities out of their commit.
    EntityLeftOut,
    /// Publishes a snapshot before its parts and the commits that it shows are there.
    ManifestOutside,
}

/// What is known of one actor.
#[derive(Debug, Default)]
struct Owned {
    epoch: u64,
    /// Commits that happened.
    seq: u64,
    load: Option<Box<Load>>,
    /// Whether it is to be read as soon as nothing is under way.
    wants_load: bool,
    queue: VecDeque<Work>,
    flight: Option<Box<Flight>>,
    /// Parts of the state that are stored.
    state_parts: u64,
    manifest: Manifest,
    /// Durable entities that are rows: the commit that wrote each.
    entities: BTreeMap<NetId, u64>,
    making: Option<Box<Making>>,
    /// A copy that was made while another one was on its way: the last of an activation.
    next_copy: Option<Box<Copied>>,
    /// Ids given, as far as commits told.
    ids: u64,
    /// Snapshots of this epoch.
    snapshots: u64,
    /// Whether the first snapshot is not published yet: what it shows is in no commit, so commits wait for it.
    awaits_first: bool,
    /// Whether its activation is over.
    is_released: bool,
}

impl Owned {
    fn is_busy(&self) -> bool {
        self.flight.is_some() || !self.queue.is_empty() || self.making.is_some() || self.next_copy.is_some()
    }
}

/// Everything on its way between actors and store.
#[derive(Debug)]
pub struct Keeper {
    generation: u64,
    actors: BTreeMap<ActorId, Owned>,
    traffic: Traffic,
    encodes: VecDeque<Encode>,
    events: VecDeque<Event>,
    is_fenced: bool,
    next_encode: u64,
    /// Bytes that wait for the store.
    bytes: usize,
    counters: Counters,
    #[cfg(feature = "flaws")]
    flaw: Option<Flaw>,
}

impl Keeper {
    /// A keeper of a node of this generation.
    #[must_use]
    pub fn new(generation: u64) -> Self {
        Self {
            generation,
            actors: BTreeMap::new(),
            traffic: Traffic::default(),
            encodes: VecDeque::new(),
            events: VecDeque::new(),
            is_fenced: false,
            next_encode: 1,
            bytes: 0,
            counters: Counters::default(),
            #[cfg(feature = "flaws")]
            flaw: None,
        }
    }

    /// Makes it wrong.
    #[cfg(feature = "flaws")]
    pub fn set_flaw(&mut self, flaw: Flaw) {
        self.flaw = Some(flaw);
    }

    /// Reads and claims an actor. [`Event::Loaded`] or [`Event::LoadFailed`] is the answer.
    pub fn load(&mut self, now: Mono, actor: ActorId) {
        if self.traffic.is_away() && !self.traffic.may_probe(now) {
            self.fail_load(actor, LoadFailure::Away);
            return;
        }
        let owned = self.actors.entry(actor).or_default();
        owned.is_released = false;
        owned.wants_load = true;
        self.go_on(actor);
    }

    /// Takes a commit. [`Event::Committed`] or [`Event::Lost`] is the answer.
    pub fn commit(&mut self, actor: ActorId, number: u64, is_urgent: bool, saved: Saved, log: Vec<LogEntry>) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let mut saved = saved;
        let (snapshot, ids) = (saved.snapshot.take(), saved.ids);
        let bytes =
            saved.bytes() + log.iter().map(|row| row.arguments.len() + row.reply.len()).sum::<usize>();
        self.bytes += bytes;
        owned.queue.push_back(Work::Commit { number, is_urgent, saved, log, bytes });
        if let Some(job) = snapshot {
            self.snapshot(actor, ids, job);
        }
        self.go_on(actor);
    }

    /// The activation of an actor is over and its commits are handed in.
    pub fn release(&mut self, actor: ActorId) {
        if let Some(owned) = self.actors.get_mut(&actor) {
            owned.is_released = true;
            self.go_on(actor);
        }
    }

    /// The store answered a request.
    pub fn outcome(&mut self, now: Mono, ticket: Ticket, outcome: Outcome) {
        let Some((purpose, request)) = self.traffic.take(ticket) else { return };
        if matches!(outcome, Outcome::Unavailable) {
            self.counters.outages += u64::from(self.traffic.went_away(now));
            self.unavailable(purpose, request);
            return;
        }
        self.traffic.came_back();
        match purpose {
            Purpose::Load(actor) => self.load_outcome(now, actor, request, outcome),
            Purpose::Commit(actor) => self.commit_outcome(actor, outcome),
            Purpose::Ask(actor) => self.ask_outcome(now, actor, request, outcome),
            Purpose::Chunk(actor, id) => self.chunk_outcome(now, actor, id, request, outcome),
            Purpose::Sweep(actor) => self.swept(actor, &outcome),
            Purpose::Forget => {}
        }
    }

    /// A request never reached the store.
    fn unavailable(&mut self, purpose: Purpose, request: Request) {
        match purpose {
            // The worker asks again when somebody needs the actor.
            Purpose::Load(actor) => {
                if let Some(owned) = self.actors.get_mut(&actor) {
                    owned.load = None;
                    owned.is_released = true;
                }
                self.fail_load(actor, LoadFailure::Away);
                self.go_on(actor);
            }
            // What is left over is found at the next load.
            Purpose::Sweep(_) | Purpose::Forget => {}
            Purpose::Commit(_) | Purpose::Ask(_) | Purpose::Chunk(..) => {
                self.traffic.send_first(purpose, request);
            }
        }
    }

    /// Lets requests go whose time has come.
    pub fn on_deadline(&mut self, now: Mono) {
        self.traffic.on_deadline(now);
    }

    /// When [`Self::on_deadline`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.traffic.next_deadline()
    }

    /// The next request for the store.
    pub fn poll_request(&mut self, now: Mono) -> Option<(Ticket, Request)> {
        if self.is_fenced {
            return None;
        }
        self.traffic.poll(now)
    }

    /// The next copy to be encoded.
    pub fn poll_encode(&mut self) -> Option<Encode> {
        self.encodes.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether something happened that was not taken.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Whether every commit and snapshot that was handed in is through.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.actors.values().all(|owned| !owned.is_busy())
    }

    /// Whether the store does not answer.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        self.traffic.is_away()
    }

    /// Bytes that wait for the store: commits and copies of worlds.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Requests that wait or are under way.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.traffic.len()
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Does what can be done next for an actor: send a commit, read it, forget it.
    fn go_on(&mut self, actor: ActorId) {
        self.send_next_commit(actor);
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        if owned.is_busy() || owned.load.is_some() {
            return;
        }
        if std::mem::take(&mut owned.wants_load) {
            self.begin_load(actor);
        } else if owned.is_released {
            self.actors.remove(&actor);
        }
    }

    fn fail_load(&mut self, actor: ActorId, error: LoadFailure) {
        self.events.push_back(Event::LoadFailed { actor, error });
    }

    /// Nothing of an actor that was not committed ever will be.
    fn lose(&mut self, actor: ActorId, message: String) {
        self.counters.lost += 1;
        tracing::error!(%actor, message, "an actor was lost: its activation ends");
        if let Some(owned) = self.actors.remove(&actor) {
            let queued = owned.queue.iter().map(Work::bytes).sum::<usize>();
            let sent = owned.flight.as_ref().map_or(0, |flight| flight.bytes());
            let making = owned.making.as_ref().map_or(0, |making| making.bytes());
            let copied = owned.next_copy.as_ref().map_or(0, |copied| copied.bytes());
            self.bytes = self.bytes.saturating_sub(queued + sent + making + copied);
            self.events.push_back(Event::Lost { actor, message });
            if owned.wants_load {
                self.actors.insert(actor, Owned { wants_load: true, ..Owned::default() });
                self.go_on(actor);
            }
        }
    }

    /// A newer generation is at work.
    fn fence(&mut self, epoch: u64) {
        if !std::mem::replace(&mut self.is_fenced, true) {
            let newer = epoch >> limits::EPOCH_SHIFT;
            let reason = format!("generation {newer} has taken over from generation {}", self.generation);
            self.events.push_back(Event::Fenced { reason });
        }
    }

    const fn is_newer(&self, epoch: u64) -> bool {
        epoch >> limits::EPOCH_SHIFT > self.generation
    }

    #[cfg(feature = "flaws")]
    fn has_flaw(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}
