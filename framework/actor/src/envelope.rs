//! Addressed messages inside a node, and what goes into and out of a worker.
//!
//! *Responsible for*: the types. *Not responsible for*: queues ([`crate::port`]).

use std::fmt;

use lightmoon_contract::call::{Answer, Body};
use lightmoon_contract::{ActorId, CallError, Caller, Lane, Mono, OperationNumber, Priority, Reliability};

use crate::inspect::Inspect;
use crate::keep::{Commit, Load, LoadError, Parcel, Stored, Taken};
use crate::{AskId, Crossing, WorkerId};

/// An addressed message inside a node.
#[derive(Debug)]
pub struct Envelope {
    /// Who is to serve it.
    pub to: ActorId,
    /// Who sent it.
    pub from: Caller,
    /// Which operation; numbers from [`OperationNumber::FIRST_RESERVED`] on are the framework's own.
    pub number: OperationNumber,
    /// How urgent it is.
    pub priority: Priority,
    /// What gives way when too much waits on its way to another worker.
    pub reliability: Reliability,
    /// Who waits for an answer.
    pub reply_to: ReplyTo,
    /// Milliseconds within which the caller outside wants its answer; 0: the default of
    /// [`crate::limits::ANSWER_TIMEOUT_MS`]. Meaningless for [`ReplyTo::Nobody`].
    pub timeout_ms: u32,
    /// What tells a repeat of the message from another message.
    pub id: MessageId,
    /// The arguments.
    pub body: Body,
}

impl Envelope {
    /// Priority and reliability.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        Lane { priority: self.priority, reliability: self.reliability }
    }
}

/// What tells a repeat of a message from another message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MessageId {
    /// Nothing: it is sent once at most.
    #[default]
    None,
    /// The number of a request among those of its session, which a client keeps over reconnects.
    Request(u64),
    /// A message that is sent until it was taken; see [`Posted`](crate::Posted).
    Posted(Delivery),
}

/// One try to deliver a message that takes effect exactly once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Its number among those of its sender; grows.
    pub number: u64,
    /// The number of the message that the same sender sent before to the same receiver and that was not taken yet when this
    /// one was sent; 0: none. It has to be taken before.
    pub after: u64,
}

/// Who waits for the answer to an envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyTo {
    /// Nobody: the message is one-way.
    Nobody,
    /// An ask of an actor on the same worker; the answer is a typed value.
    Ask(AskId),
    /// A caller outside, by a token of its choice; the answer comes as bytes in [`Out::Answer`].
    Outside(u64),
}

/// Something for a worker.
pub enum In {
    /// A message to one of its actors.
    Envelope(Envelope),
    /// What the store has of an actor, as [`Out::Load`] asked.
    Loaded {
        /// Which actor.
        actor: ActorId,
        /// What there is.
        result: Result<Stored, LoadError>,
    },
    /// A commit is durable, and all of this actor before it.
    Committed {
        /// Which actor.
        actor: ActorId,
        /// [`Commit::number`].
        number: u64,
    },
    /// A copy of a world is published, or was given up: the next one may be made.
    Snapshotted {
        /// Which actor.
        actor: ActorId,
    },
    /// Receivers have taken messages of this actor: it has room for as many more.
    Acknowledged {
        /// Which actor.
        actor: ActorId,
        /// How much.
        load: Load,
    },
    /// A sender has nothing left to send to this actor: its mark is needed no more.
    Settled {
        /// Which actor.
        actor: ActorId,
        /// The last message that it took, and of whom.
        last: Taken,
    },
    /// Bring this actor to life, if it is of a kind that is kept: it may have messages to send.
    Wake(ActorId),
    /// Another owner claimed the actor, or a commit of it cannot be made: its activation ends.
    Lost {
        /// Which actor.
        actor: ActorId,
        /// Why, for people.
        message: String,
    },
    /// What the store is like from now on.
    Store(StoreState),
    /// Something that another worker sent.
    Across {
        /// Which one.
        from: WorkerId,
        /// What.
        crossing: Crossing,
    },
    /// Keep this actor alive from now on, as [`crate::Worker::start`] does.
    Start(ActorId),
    /// Somebody looks at this actor: if it does not live, show what is stored of it in [`crate::Worker::inspect`]. To be said again to
    /// see what changed.
    Peek(Inspect),
    /// What is stored of an actor, as [`Out::Peek`] asked.
    Peeked {
        /// Which actor.
        actor: ActorId,
        /// For [`crate::ActorKind::inspect_stored`]; `None`: nothing is.
        result: Result<Option<Parcel>, LoadError>,
    },
    /// Make a snapshot of every world now.
    SnapshotAll,
    /// End: what came before is served as far as one turn reaches, every activation is told
    /// [`crate::Activation::stopping`], whoever still waits gets `Gone`.
    Stop,
}

/// What a worker has to know of the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StoreState {
    /// It does not answer: `sync` operations are refused with `StoreUnavailable`, `behind` ones go on.
    pub is_away: bool,
    /// Too much waits for it: `behind` operations are refused, too.
    pub is_full: bool,
}

/// Something that a worker wants done, in this order.
pub enum Out {
    /// Read what the store has of this actor; [`In::Loaded`] is the answer. What comes for it waits.
    Load(ActorId),
    /// Read what is stored of this actor, which nobody brings to life; [`In::Peeked`] is the answer.
    Peek(ActorId),
    /// Commit; [`In::Committed`] or [`In::Lost`] is the answer.
    Commit(Commit),
    /// Publish a copy of a world that goes into no commit; [`In::Snapshotted`] is the answer.
    Snapshot {
        /// Whose.
        actor: ActorId,
        /// The copy.
        parcel: Parcel,
    },
    /// The activation of an actor is over and its commits are through: nothing of it needs to be remembered.
    Released(ActorId),
    /// What is stored of an actor cannot be read. It stays as it is; callers get `Unreadable`.
    Unreadable {
        /// Which one.
        actor: ActorId,
        /// What is wrong, for people.
        message: String,
    },
    /// A delivery of a message that takes effect exactly once came to its end without a commit. One that was taken is in
    /// [`Commit::taken`] instead; each has one or the other.
    Delivered {
        /// To whom it was.
        to: ActorId,
        /// Which message.
        message: Taken,
        /// What became of it.
        end: DeliveryEnd,
    },
    /// A message to a kind of the framework that the worker does not run: sessions.
    Envelope(Envelope),
    /// The one answer to a request with [`ReplyTo::Outside`].
    Answer {
        /// The token of the request.
        token: u64,
        /// What came of it; a value is [`Body::Bytes`].
        result: Result<Answer, CallError>,
    },
    /// It has stopped, as [`In::Stop`] said: every activation has ended, and its last commit stands before this.
    Stopped,
    /// An activation ended by a panic. Its memory is lost, what is queued for it stays, it starts over.
    Failed {
        /// Which one.
        actor: ActorId,
        /// What it was doing.
        operation: Step,
        /// What the panic said, at most [`crate::limits::FAILURE_TEXT_BYTES_MAX`] bytes.
        message: String,
    },
}

/// What became of a delivery that led to no commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryEnd {
    /// It was taken before, in a commit of an earlier activation.
    Known,
    /// A message that has to be taken before it is missing.
    Gap,
    /// It was served and failed: a panic, or arguments that are none. Trying again may fail again.
    Failed,
    /// It was not served, or what it did was undone with its activation. Trying again is safe.
    Unserved,
}

/// What an activation was doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It was being made.
    Activate,
    /// It served this operation.
    Operation(OperationNumber),
    /// It served this operation for a message that takes effect exactly once, which is tried again by itself.
    Delivery(OperationNumber),
    /// It handled its alarm.
    Alarm,
    /// It was being saved.
    Save,
    /// Another owner claimed it.
    Lost,
    /// It was told that it ends.
    Stopping,
    /// It was being dropped.
    Drop,
}

/// When the next turn is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// At the latest then; `None`: when an input arrives.
    pub deadline: Option<Mono>,
    /// At once: the turn ended at its budget with work left.
    pub more: bool,
}

impl fmt::Debug for In {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope(envelope) => f.debug_tuple("Envelope").field(envelope).finish(),
            Self::Loaded { actor, result } => {
                f.debug_tuple("Loaded").field(actor).field(&result.as_ref().err()).finish()
            }
            Self::Committed { actor, number } => {
                f.debug_tuple("Committed").field(actor).field(number).finish()
            }
            Self::Snapshotted { actor } => f.debug_tuple("Snapshotted").field(actor).finish(),
            Self::Acknowledged { actor, load } => {
                f.debug_tuple("Acknowledged").field(actor).field(load).finish()
            }
            Self::Settled { actor, last } => f.debug_tuple("Settled").field(actor).field(last).finish(),
            Self::Wake(actor) => f.debug_tuple("Wake").field(actor).finish(),
            Self::Lost { actor, message } => f.debug_tuple("Lost").field(actor).field(message).finish(),
            Self::Store(state) => f.debug_tuple("Store").field(state).finish(),
            Self::Across { from, crossing } => f.debug_tuple("Across").field(from).field(crossing).finish(),
            Self::Start(actor) => f.debug_tuple("Start").field(actor).finish(),
            Self::Peek(wanted) => f.debug_tuple("Peek").field(wanted).finish(),
            Self::Peeked { actor, result } => {
                f.debug_tuple("Peeked").field(actor).field(&result.as_ref().err()).finish()
            }
            Self::SnapshotAll => f.write_str("SnapshotAll"),
            Self::Stop => f.write_str("Stop"),
        }
    }
}

impl fmt::Debug for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(actor) => f.debug_tuple("Load").field(actor).finish(),
            Self::Peek(actor) => f.debug_tuple("Peek").field(actor).finish(),
            Self::Commit(commit) => f.debug_tuple("Commit").field(commit).finish(),
            Self::Snapshot { actor, .. } => f.debug_tuple("Snapshot").field(actor).finish(),
            Self::Released(actor) => f.debug_tuple("Released").field(actor).finish(),
            Self::Unreadable { actor, message } => {
                f.debug_tuple("Unreadable").field(actor).field(message).finish()
            }
            Self::Delivered { to, message, end } => {
                f.debug_tuple("Delivered").field(to).field(message).field(end).finish()
            }
            Self::Envelope(envelope) => f.debug_tuple("Envelope").field(envelope).finish(),
            Self::Answer { token, result } => f.debug_tuple("Answer").field(token).field(result).finish(),
            Self::Stopped => f.write_str("Stopped"),
            Self::Failed { actor, operation, message } => {
                f.debug_tuple("Failed").field(actor).field(operation).field(message).finish()
            }
        }
    }
}
