//! What of an actor is kept beyond its activation: the seam to whoever stores it.
//!
//! *Responsible for*: how a kind keeps its actors ([`Keeping`]), what goes over the seam. *Not responsible for*: what a
//! [`Parcel`] holds (the kind and the node know), storing it (`durable`, `store`), when to save and what waits for it
//! ([`crate::worker`]).
//!
//! Invariants:
//! - I1: an actor that keeps its state is activated only from what the store has of it.
//! - I2: what an activation of such a kind sends leaves only when every effect of a `sync` operation that it may tell of
//!   is durable. State on screen ([`crate::reserved::ToSession::View`], [`crate::reserved::ToSession::State`]) does not
//!   wait: it acknowledges nothing.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use lightmoon_contract::{ActorId, Caller, OperationNumber, Priority, SessionId};

/// How a kind of actors keeps what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keeping {
    /// Time from the first effect of a `behind` operation that is not saved to the commit that saves it; less if the
    /// operation's `max_loss_ms` is less. Default 2 s: many effects share a commit, and a flush that takes long still ends
    /// within the loss that is promised.
    pub flush_after: Duration,
    /// Time between two snapshots of a world that ticks; `None`: the whole state is in each commit. Default `None`.
    pub snapshot_every: Option<Duration>,
    /// Time after which an actor that served nothing is deactivated: its state is saved, and loaded again when it is called. Default
    /// [`crate::limits::IDLE_AFTER`]; `None`: as [`crate::WorkerOptions::idle_after`] says. Loading costs a read of the store, so a
    /// shorter time costs reads, a longer one memory.
    pub idle_after: Option<Duration>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            flush_after: Duration::from_secs(2),
            snapshot_every: None,
            idle_after: Some(crate::limits::IDLE_AFTER),
        }
    }
}

/// Something of an actor on its way to or from the store. Kinds and the node agree on what it holds.
pub type Parcel = Box<dyn Any + Send>;

/// What an activation wants saved.
#[derive(Default)]
pub struct Kept {
    /// What changed since the last save; `None`: nothing.
    pub parcel: Option<Parcel>,
    /// Whether the parcel has to be in a commit; a copy of a world alone need not.
    pub in_commit: bool,
    /// Its bytes, about.
    pub bytes: usize,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("parcel", &self.parcel.is_some())
            .field("in_commit", &self.in_commit)
            .field("bytes", &self.bytes)
            .finish()
    }
}

/// What is asked of a save.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Save {
    /// A copy of the whole world besides what changed. Only asked of kinds with [`Keeping::snapshot_every`].
    pub snapshot: bool,
}

/// Why an activation could not be saved. It ends, and starts over from its last commit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unsavable(pub String);

/// Why stored state cannot be an activation: a newer build wrote it, or it is damaged. It stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Why an actor could not be loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The store is away. What waits for the actor is answered `StoreUnavailable`; the next message tries again.
    #[error("the store is away")]
    Away,
    /// What is stored cannot be read. What waits is answered `Unreadable`, and so is what comes within the next minute.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// One logged operation, on its way into the commit of its effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    /// Who called.
    pub caller: Caller,
    /// Which operation.
    pub number: OperationNumber,
    /// Its arguments in the byte format.
    pub arguments: bytes::Bytes,
    /// Its answer in the byte format.
    pub reply: bytes::Bytes,
}

/// A message that takes effect exactly once, on its way into the commit of its sender that decided it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Posted {
    /// Who is to take it.
    pub to: ActorId,
    /// Which operation.
    pub operation: OperationNumber,
    /// How urgent it is.
    pub priority: Priority,
    /// Its arguments in the byte format.
    pub arguments: bytes::Bytes,
}

/// A message that was taken, on its way into the commit of its effect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Taken {
    /// Who sent it.
    pub from: ActorId,
    /// Its number among those of its sender.
    pub number: u64,
}

/// What tells a request from all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestKey {
    /// The session that it came through.
    pub session: SessionId,
    /// Its number in that session.
    pub request: u64,
}

/// The reply to a request, kept in case that the request comes again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replied {
    /// To which request.
    pub key: RequestKey,
    /// Which operation it called.
    pub operation: OperationNumber,
    /// A hash of its arguments: another request under the same number is none that comes again.
    pub check: u64,
    /// The reply in the byte format; `None`: it is too long to keep. Under request number 0 there is none, and `check` is the
    /// highest number of the session that was forgotten.
    pub reply: Option<bytes::Bytes>,
}

/// An amount of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// How many.
    pub messages: usize,
    /// Bytes of their arguments.
    pub bytes: usize,
}

/// What an actor remembers of messages, beside its state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// The last message taken of each sender.
    pub inbox: Vec<(ActorId, u64)>,
    /// Messages that it sent and that no receiver has taken yet.
    pub outbox: Load,
    /// Its last replies.
    pub replies: Vec<Replied>,
}

/// What the store has of an actor.
pub struct Stored {
    /// For [`crate::ActorKind::restore`].
    pub parcel: Parcel,
    /// What it remembers of messages.
    pub memory: Memory,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("memory", &self.memory).finish_non_exhaustive()
    }
}

/// A commit of one actor.
pub struct Commit {
    /// Whose.
    pub actor: ActorId,
    /// Its number among the commits of this actor that this worker hands out; they are dense and stay in order.
    pub number: u64,
    /// Whether an acknowledgement waits for it; such commits go first.
    pub is_urgent: bool,
    /// What changed; `None`: only log entries.
    pub parcel: Option<Parcel>,
    /// Operations whose effects are in it, in their order.
    pub log: Vec<Logged>,
    /// Messages that its operations sent and that take effect exactly once, in their order. They leave when it is durable.
    pub posted: Vec<Posted>,
    /// Messages whose effects are in it.
    pub taken: Vec<Taken>,
    /// Replies of requests whose effects are in it.
    pub replies: Vec<Replied>,
    /// Requests whose replies are kept no more.
    pub forgotten: Vec<RequestKey>,
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit")
            .field("actor", &self.actor)
            .field("number", &self.number)
            .field("is_urgent", &self.is_urgent)
            .field("log", &self.log.len())
            .finish_non_exhaustive()
    }
}
