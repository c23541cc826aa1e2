//! The keeper: everything that is on its way between the actors of a node and its store.
//!
//! *Responsible for*: [`Keeper`], who owns which actor, which request is under way for whom, what to do while the store is
//! away. *Not responsible for*: reading an actor (`load`, and for people `peek`), its commits (`commit`), its snapshots (`snapshot`).
//!
//! Invariants:
//! - I1: an actor has one commit under way at most; its commits happen in the order in which they were handed in.
//! - I2: an actor is read only when nothing of it is under way, so that what is read is the last that was committed.
//! - I3: requests under way are at most [`limits::REQUESTS_IN_FLIGHT_MAX`]; what more there is waits here, urgent first.
//! - I4: while the store is away one request goes out every [`limits::PROBE_EVERY`], the oldest that waits.

mod commit;
mod load;
mod outboxes;
mod peek;
mod relay;
mod settle;
mod snapshot;
mod traffic;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use lightmoon_contract::{ActorId, Mono, NetId, Times};
use lightmoon_store::{Area, KeyRange, Outcome, Request, Ticket};

use crate::manifest::Manifest;
use crate::{Letter, Loaded, LogEntry, Mail, Posted, Saved, SnapshotJob, layout, limits};
pub use commit::log_entry;
pub(crate) use commit::open_entity_row;
use commit::{Flight, Work};
use load::Load;
use outboxes::Listed;
use peek::Peek;
use relay::Relay;
pub use relay::Undelivered;
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
    /// What is stored of an actor that somebody peeked at.
    Peeked {
        /// Which actor.
        actor: ActorId,
        /// Its state, a sealed record; `None`: there is none.
        state: Result<Option<Bytes>, LoadFailure>,
    },
    /// A commit is durable, and all before it.
    Committed {
        /// Which actor.
        actor: ActorId,
        /// The number it was handed in with.
        number: u64,
    },
    /// Deliver a message to [`Posted::to`]. It ends in a commit that has it in [`Mail::taken`], or by [`Keeper::delivered`].
    Deliver {
        /// Who sent it.
        from: ActorId,
        /// Its number among those of its sender.
        number: u64,
        /// The number of the one that has to be taken before; 0: none.
        after: u64,
        /// The message.
        posted: Posted,
    },
    /// Receivers have taken so many messages of the actor.
    Acknowledged {
        /// Which actor.
        actor: ActorId,
        /// How many.
        count: usize,
        /// Bytes of their arguments.
        bytes: usize,
    },
    /// A sender has nothing left to send to the actor, and the mark of its last message is gone.
    Settled {
        /// The receiver.
        actor: ActorId,
        /// The sender.
        from: ActorId,
        /// The last message.
        number: u64,
    },
    /// The actor has messages to send: bring it to life.
    Wake(ActorId),
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

/// What an activation wants to be durable, all of it or nothing.
#[derive(Debug, Default)]
pub struct Commit {
    /// Its number among those of its actor; [`Event::Committed`] names it.
    pub number: u64,
    /// Whether somebody waits for it.
    pub is_urgent: bool,
    /// What changed.
    pub saved: Saved,
    /// Operations for the log.
    pub log: Vec<LogEntry>,
    /// Messages and replies.
    pub mail: Mail,
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
    /// Messages that were sent in commits and take effect exactly once.
    pub letters_posted: u64,
    /// Of them, those that were taken.
    pub letters_taken: u64,
    /// Deliveries of them that failed when they were served.
    pub letters_failed: u64,
    /// Of them, those that became dead letters.
    pub letters_died: u64,
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
    /// Writes no mark of a message that was taken.
    MarkSkipped,
    /// Delivers a message before the commit that sends it.
    RelayBeforeCommit,
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
    /// Messages that no receiver has taken yet, by number.
    outbox: BTreeMap<u64, Letter>,
    /// Messages that were taken and whose rows are there still: number and receiver.
    settling: BTreeMap<u64, ActorId>,
    /// Letters whose rows are to be written again.
    changed: BTreeSet<u64>,
    /// Dead letters that are to be sent again.
    again: BTreeSet<u64>,
    /// The last message taken of each sender.
    marks: BTreeMap<ActorId, u64>,
    /// Marks that nobody needs, unless they have moved on.
    unneeded: BTreeMap<ActorId, u64>,
    settles_at: Option<Mono>,
    listed: Listed,
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
    now: Mono,
    /// When it was first told the time.
    began: Option<Mono>,
    relay: Relay,
    settle_timers: BTreeSet<(Mono, ActorId)>,
    /// When to read the list of outboxes again; `None`: it is being read.
    outboxes_at: Option<Mono>,
    next_encode: u64,
    /// Of an actor that somebody wants to see.
    peek: Option<Peek>,
    /// How many there were.
    peeks: u64,
    /// Bytes that wait for the store.
    bytes: usize,
    counters: Counters,
    commit_times: Times,
    #[cfg(feature = "flaws")]
    flaw: Option<Flaw>,
}

impl Keeper {
    /// A keeper of a node of this generation.
    #[must_use]
    pub fn new(generation: u64) -> Self {
        let mut keeper = Self {
            generation,
            actors: BTreeMap::new(),
            traffic: Traffic::default(),
            encodes: VecDeque::new(),
            events: VecDeque::new(),
            is_fenced: false,
            now: Mono(0),
            began: None,
            relay: Relay::default(),
            settle_timers: BTreeSet::new(),
            outboxes_at: None,
            next_encode: 1,
            peek: None,
            peeks: 0,
            bytes: 0,
            counters: Counters::default(),
            commit_times: Times::default(),
            #[cfg(feature = "flaws")]
            flaw: None,
        };
        keeper.read_outboxes();
        keeper
    }

    fn tell_time(&mut self, now: Mono) {
        self.now = self.now.max(now);
        self.began.get_or_insert(now);
    }

    /// Makes it wrong.
    #[cfg(feature = "flaws")]
    pub fn set_flaw(&mut self, flaw: Flaw) {
        self.flaw = Some(flaw);
    }

    /// Reads and claims an actor. [`Event::Loaded`] or [`Event::LoadFailed`] is the answer.
    pub fn load(&mut self, now: Mono, actor: ActorId) {
        self.tell_time(now);
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
    pub fn commit(&mut self, actor: ActorId, commit: Commit) {
        let Commit { number, is_urgent, mut saved, log, mail } = commit;
        let Some(owned) = self.actors.get_mut(&actor) else {
            // What it took is to be delivered again.
            return mail.taken.iter().for_each(|(from, number)| self.untaken(actor, *from, *number));
        };
        let (snapshot, ids) = (saved.snapshot.take(), saved.ids);
        let logged = log.iter().map(|row| row.arguments.len() + row.reply.len()).sum::<usize>();
        let bytes = saved.bytes() + mail.bytes() + logged;
        self.bytes += bytes;
        owned.queue.push_back(Work::Commit { number, is_urgent, saved, log, mail, bytes });
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
        self.tell_time(now);
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
            Purpose::List(actor) => self.list_outcome(now, actor, request, &outcome),
            Purpose::Outboxes => self.outboxes_outcome(now, &request, outcome),
            Purpose::Holds(actor, listed) => self.holds_outcome(actor, listed, &outcome),
            Purpose::Peek(number) => self.peek_outcome(number, outcome),
            Purpose::Bar(listed) => self.bar_outcome(listed, &outcome),
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
            Purpose::Sweep(_) | Purpose::Forget | Purpose::Bar(_) => {}
            Purpose::Holds(..) => self.look_again(),
            Purpose::Peek(number) => self.end_peek(number, Err(LoadFailure::Away)),
            Purpose::Outboxes => self.outboxes_at = Some(self.now + limits::PROBE_EVERY),
            Purpose::Commit(_) | Purpose::Ask(_) | Purpose::Chunk(..) | Purpose::List(_) => {
                self.traffic.send_first(purpose, request);
            }
        }
    }

    /// Lets requests go whose time has come.
    pub fn on_deadline(&mut self, now: Mono) {
        self.tell_time(now);
        self.traffic.on_deadline(now);
        self.relay_rested();
        self.settle_due(now);
        if self.outboxes_at.is_some_and(|at| at <= now) {
            self.read_outboxes();
        }
        if self.traffic.is_idle() && self.traffic.may_probe(now) {
            // Nobody waits who would find out that the store is back, and `sync` operations are refused until then.
            let (area, partition, keys) = (Area::Log, layout::outboxes(), KeyRange::all());
            let read = Request::Read { area, partition, keys, limit: 1, serial: false };
            self.traffic.send(Purpose::Forget, read, false);
        }
    }

    /// When [`Self::on_deadline`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        let settles = self.settle_timers.first().map(|(at, _)| *at);
        let own = [self.relay.next_deadline(), settles, self.outboxes_at];
        own.into_iter().flatten().chain(self.traffic.next_deadline()).min()
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

    /// How long commits took that happened, from their sending to the store's answer: to the turns in which that was.
    #[must_use]
    pub const fn commit_times(&self) -> &Times {
        &self.commit_times
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
        } else if owned.is_released && owned.has_settlement() {
            owned.queue.push_back(Work::Settle);
            self.send_next_commit(actor);
        } else if owned.is_released && owned.outbox.is_empty() {
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
            self.outbox_gone(actor, &owned.outbox);
            let flight = owned.flight.iter().flat_map(|flight| flight.taken());
            let taken: Vec<(ActorId, u64)> = flight.chain(owned.queue.iter().flat_map(Work::taken)).collect();
            taken.into_iter().for_each(|(from, number)| self.untaken(actor, from, number));
            let queued = owned.queue.iter().map(Work::bytes).sum::<usize>();
            let sent = owned.flight.as_ref().map_or(0, |flight| flight.bytes());
            let making = owned.making.as_ref().map_or(0, |making| making.bytes());
            let copied = owned.next_copy.as_ref().map_or(0, |copied| copied.bytes());
            self.bytes = self.bytes.saturating_sub(queued + sent + making + copied);
            self.events.push_back(Event::Lost { actor, message });
            if !owned.outbox.is_empty() {
                self.events.push_back(Event::Wake(actor));
            }
            if owned.wants_load {
                self.actors.insert(actor, Owned { wants_load: true, ..Owned::default() });
                self.go_on(actor);
            }
        }
    }

    /// A message that was taken will not be in a commit: it is delivered again.
    fn untaken(&mut self, to: ActorId, from: ActorId, number: u64) {
        self.delivered(self.now, to, from, number, Undelivered::Unserved);
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
