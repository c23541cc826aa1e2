//! Addressed messages inside a node, and what goes into and out of a worker.
//!
//! *Responsible for*: the types. *Not responsible for*: queues ([`crate::port`]).

use lightmoon_contract::call::{Answer, Body};
use lightmoon_contract::{ActorId, CallError, Caller, Mono, OperationNumber, Priority};

use crate::AskId;

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
    /// Who waits for an answer.
    pub reply_to: ReplyTo,
    /// Milliseconds within which the caller outside wants its answer; 0: the default of
    /// [`crate::limits::ANSWER_TIMEOUT_MS`]. Meaningless for [`ReplyTo::Nobody`].
    pub timeout_ms: u32,
    /// The arguments.
    pub body: Body,
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
#[derive(Debug)]
pub enum In {
    /// A message to one of its actors.
    Envelope(Envelope),
    /// End: what came before is served as far as one turn reaches, every activation is told
    /// [`crate::Activation::stopping`], whoever still waits gets `Gone`.
    Stop,
}

/// Something that a worker wants done, in this order.
#[derive(Debug)]
pub enum Out {
    /// A message to a kind of the framework that the worker does not run: sessions.
    Envelope(Envelope),
    /// The one answer to a request with [`ReplyTo::Outside`].
    Answer {
        /// The token of the request.
        token: u64,
        /// What came of it; a value is [`Body::Bytes`].
        result: Result<Answer, CallError>,
    },
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

/// What an activation was doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It was being made.
    Activate,
    /// It served this operation.
    Operation(OperationNumber),
    /// It handled its alarm.
    Alarm,
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
