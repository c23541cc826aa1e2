//! A call on its way into an actor: who calls, what body it has, how it is served and answered.
//!
//! *Responsible for*: the types that generated dispatch code and the actor runtime exchange.
//! *Not responsible for*: queues, locks and activations (`actor`).
//!
//! Invariants:
//! - I1: a body is decoded once, on the worker that runs the operation.
//! - I2: every request gets exactly one answer: a value or a [`CallError`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

pub use crate::shield::Shielded;

use crate::codec::{self, Limits};
use crate::operation::{Contract, Operation};
use crate::typed::Typed;
use crate::{ActorId, DecodeError, ErrorCode, OperationNumber, SessionId};

/// Who made a call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Caller {
    /// A client, through its session; `player` is stamped by the gateway, never claimed by the client.
    Client {
        /// The session it came through.
        session: SessionId,
        /// Key of the player that the session belongs to.
        player: u64,
    },
    /// Another actor.
    Actor(ActorId),
    /// The node itself: timers, sessions, the console.
    Node,
}

/// The message of a call or the value of an answer.
pub enum Body {
    /// A value of the operation's own type, handed over within the process.
    Typed(Typed),
    /// Encoded bytes, from or for the wire.
    Bytes(Bytes),
}

impl Body {
    /// A body that holds `value` itself.
    pub fn typed<T: Send + 'static>(value: T) -> Self {
        Self::Typed(Typed::new(value))
    }

    /// The message of an operation without arguments, for callers that know only its number.
    #[must_use]
    pub const fn empty_message() -> Self {
        // A growing struct without fields: its length.
        Self::Bytes(Bytes::from_static(&[0]))
    }

    /// The value inside, decoded if it came as bytes.
    ///
    /// # Errors
    /// The bytes are no `T`, or the typed value is of another type.
    pub fn open<T: codec::Data + 'static>(self, limits: Limits) -> Result<T, CallError> {
        match self {
            Self::Typed(value) => {
                value.take::<T>().map_err(|_| CallError::WrongType(std::any::type_name::<T>()))
            }
            Self::Bytes(bytes) => codec::decode(&bytes, limits).map_err(CallError::BadArguments),
        }
    }
}

// The room of a small value and the table of its type; a variant more would cost every envelope a word.
const _: () = assert!(size_of::<Body>() == 40);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed(_) => f.write_str("Typed(..)"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
        }
    }
}

/// In which form the caller wants its answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// None: the call is one-way.
    Nothing,
    /// As a value, for a caller in the same process.
    Typed,
    /// As bytes, for the wire.
    Bytes,
}

impl Form {
    /// Packs `reply` as the caller wants it.
    pub fn pack<T: codec::Data + Send + 'static>(self, reply: T) -> Answer {
        match self {
            Self::Nothing => None,
            Self::Typed => Some(Body::typed(reply)),
            Self::Bytes => Some(Body::Bytes(codec::encode(&reply).into())),
        }
    }
}

/// What an operation gave: `None` if it was one-way.
pub type Answer = Option<Body>;

/// What becomes of an actor that an operation was served on.
pub enum Served<A> {
    /// The operation ran to its end.
    Done(A, Result<Answer, CallError>),
    /// It waits; the actor is inside the future and comes back with the answer.
    Waits(Waiting<A>),
}

impl<A> fmt::Debug for Served<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(_, answer) => f.debug_tuple("Done").field(answer).finish(),
            Self::Waits(_) => f.write_str("Waits(..)"),
        }
    }
}

/// The future of a waiting operation, with the actor inside.
pub type Waiting<A> = Pin<Box<dyn Future<Output = (A, Result<Answer, CallError>)>>>;

/// Runs a contract's operations on an actor: implemented by the macro for every `A` that implements the contract's trait.
pub trait Serve<A, Cx>: Contract {
    /// Serves one operation.
    fn serve(actor: Box<A>, cx: &mut Cx, number: OperationNumber, body: Body, form: Form) -> Served<Box<A>>;
}

/// Runs a ticking contract's operations on a world: implemented by the macro for every `Z` that implements the contract's trait.
pub trait ServeWorld<Z, Cx, World>: Contract {
    /// Serves one operation.
    ///
    /// # Errors
    /// The number names no operation or the body is not its message.
    fn serve_world(
        world: &mut World,
        cx: &mut Cx,
        number: OperationNumber,
        body: Body,
        form: Form,
    ) -> Result<Answer, CallError>;
}

/// Why a call failed. Travels to the caller; see `docs/book/src/errors` for each code.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The contract has no such operation. Caller and server were built from different contracts; do not retry.
    #[error("operation {0} does not exist in this contract")]
    NoSuchOperation(OperationNumber),
    /// The arguments could not be read. Do not retry.
    #[error("arguments could not be read")]
    BadArguments(#[source] DecodeError),
    /// A typed body was of another type than the operation's; a fault of this process.
    #[error("body is not a {0}")]
    WrongType(&'static str),
    /// Clients may not call this operation, or not on this target. Do not retry.
    #[error("operation is not open to this caller")]
    NotAllowed,
    /// The session called faster than the contract's rate. Retry later.
    #[error("called faster than the contract allows")]
    TooFast,
    /// The session is attached to no zone. Retry once attached.
    #[error("not attached to a zone")]
    NotAttached,
    /// No actor of this kind runs here. Do not retry.
    #[error("no actor of kind {0} is registered")]
    NoSuchKind(crate::Kind),
    /// A queue on the way is full. Nothing was done; retry later.
    #[error("too busy, nothing was done")]
    Busy,
    /// No answer within the operation's timeout. It may have happened.
    #[error("no answer in time")]
    TimedOut,
    /// The actor panicked while serving the call and starts over. It may have happened.
    #[error("the actor failed while serving the call")]
    Panicked,
    /// The connection or the node went away before the answer. It may have happened.
    #[error("the other side went away before the answer")]
    Gone,
    /// The call came back to an actor that waits for it. Nothing was done; the operations call each other in a circle.
    #[error("the call came back to an actor that waits for it: {cycle}")]
    Deadlock {
        /// The actors that call each other, from the first to itself; empty where it is not known, as on clients.
        cycle: String,
    },
    /// What the call would change cannot be kept now: the store is away. Nothing was done; retry later.
    #[error("state cannot be kept now, nothing was done")]
    StoreUnavailable,
    /// The actor's stored state cannot be read: a newer version wrote it, or it is damaged. Nothing was done; do not
    /// retry, the server's log says what to do.
    #[error("the stored state of the actor cannot be read, nothing was done")]
    Unreadable,
    /// A request came under the number of another one of its session. Nothing was done; a fault of the client.
    #[error("another request of this session had this number, nothing was done")]
    RequestReused,
    /// The request was served before, so long ago that its answer is not kept any more. It was not served again.
    #[error("the request was served before and its answer is not kept any more")]
    AnswerForgotten,
    /// A message that is promised to take effect exactly once cannot be kept here: its sender keeps nothing, or it is sent
    /// by something whose effects are in no commit. Nothing was sent.
    #[error("the message cannot be kept where it is sent, nothing was sent")]
    NotKept,
    /// An error of a newer peer, by its code.
    #[error("error {0} of a newer peer")]
    Other(ErrorCode),
}

/// A message that was not delivered, handed back with the reason.
pub struct Undelivered<O> {
    /// Why.
    pub error: CallError,
    /// The message itself.
    pub message: O,
}

impl<O: Operation> fmt::Debug for Undelivered<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Undelivered({}: {})", O::SPEC.name, self.error)
    }
}
