//! What goes into the store and what comes out of it, as kinds of actors see it.
//!
//! *Responsible for*: [`Saved`], [`Loaded`] and their parts. *Not responsible for*: rows and keys (`layout`), bytes of
//! states and chunks (the kinds).

use std::fmt;

use bytes::Bytes;
use lightmoon_contract::{ActorId, NetId};

use crate::{Posted, Reply};

/// What one commit of an actor changes. Everything in it happens together or not at all.
#[derive(Debug, Default)]
pub struct Saved {
    /// The whole state, a sealed record; `None`: as it was. At most [`crate::limits::STATE_BYTES_MAX`].
    pub state: Option<Bytes>,
    /// Durable entities, each a sealed record; `None`: it is gone.
    pub entities: Vec<(NetId, Option<Bytes>)>,
    /// Ids given to entities so far; kinds without entities leave it 0.
    pub ids: u64,
    /// A copy of the whole world as it is at this moment, to be encoded elsewhere.
    pub snapshot: Option<SnapshotJob>,
}

impl Saved {
    /// Whether nothing has to be written in a commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.is_none() && self.entities.is_empty()
    }

    /// Bytes of its rows.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let entities = self.entities.iter().map(|(_, row)| row.as_ref().map_or(0, Bytes::len) + 32);
        self.state.as_ref().map_or(0, Bytes::len) + entities.sum::<usize>()
    }
}

/// The copy of a world, not encoded yet.
pub struct SnapshotJob {
    /// The tick that it shows.
    pub tick: u64,
    /// Bytes that the copy holds until it is encoded, about.
    pub bytes: usize,
    /// Makes the parts. Runs on another thread, for as long as it takes.
    pub encode: Box<dyn FnOnce() -> Vec<Bytes> + Send>,
}

impl fmt::Debug for SnapshotJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotJob")
            .field("tick", &self.tick)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// What the store has of an actor.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// Whether the actor was never committed before.
    pub is_new: bool,
    /// The whole state, a sealed record.
    pub state: Option<Bytes>,
    /// The newest snapshot that is whole.
    pub snapshot: Option<Snapshot>,
    /// Durable entities that the snapshot does not cover, to be laid over it; ascending by id.
    pub entities: Vec<(NetId, Option<Bytes>)>,
    /// The last message that it took of each sender.
    pub inbox: Vec<(ActorId, u64)>,
    /// Messages in its outbox, and bytes of their arguments.
    pub outbox: (usize, usize),
    /// Its replies to requests.
    pub replies: Vec<Reply>,
    /// Ids up to this one may have been given before: go on behind it. The claim reserved
    /// [`crate::limits::IDS_RESERVED`] more.
    pub ids: u64,
}

/// A world as it was at one tick.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// The tick that it shows.
    pub tick: u64,
    /// The parts, as they were encoded.
    pub parts: Vec<Bytes>,
}

/// A row of an operation log: one operation, in the commit that made its effect last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// Who called: the player of a client's session; 0: an actor or the node.
    pub player: u64,
    /// Which operation.
    pub operation: u16,
    /// Its arguments in the byte format.
    pub arguments: Bytes,
    /// Its answer in the byte format.
    pub reply: Bytes,
}

/// A message that its receiver could not take, and that is tried no more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// Who sent it; it stands in this actor's outbox.
    pub from: ActorId,
    /// Its number there.
    pub number: u64,
    /// How often it was tried.
    pub tries: u32,
    /// The message.
    pub posted: Posted,
}
