//! What happened, for the application.
//!
//! *Responsible for*: events and reading pushes. *Not responsible for*: when they are made (`client`).

use bytes::Bytes;
use lightmoon_contract::codec::{self, Limits};
use lightmoon_contract::{ActorId, Contract, DecodeError, Operation, OperationNumber, SessionId, Tick};
use lightmoon_replica::ViewEvent;
use lightmoon_wire::{Attach, Closing};

/// Something that happened, in the order the server said it within each lane.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A session began, or goes on: calls may go. Comes again after each reconnect; the view is empty until an Attach, which a session
    /// that goes on gets by itself.
    Connected(Connected),
    /// The connection broke and the client comes back by itself. Requests without an answer are asked again when the session goes on,
    /// and end with `gone` when it does not; one-way calls and pushes of the time between are lost.
    Resuming(Closing),
    /// The connection ended for good. Nothing else will come.
    Lost(Closing),
    /// The client looks at a zone from here on.
    Attached(Attach),
    /// The client looks at no zone from here on.
    Detached,
    /// The view changed.
    View(ViewEvent),
    /// A state packet of this tick came, and the view shows it. Only with [`crate::ClientOptions::state_events`].
    State(Tick),
    /// An answer came, or the request failed: take it by [`crate::Client::reply`].
    Answered {
        /// As [`crate::Pending::request`].
        request: u64,
    },
    /// A message of an actor.
    Push(PushMessage),
}

/// The session that calls belong to from here on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Connected {
    /// The session.
    pub session: SessionId,
    /// Key of its player.
    pub player: u64,
    /// Whether the session of before the break goes on: the player in the game noticed nothing. Else it is a new one, and whatever
    /// the game does when a client comes has to be done again.
    pub is_resumed: bool,
}

impl Event {
    /// The message, if this is a push of operation `O` and its bytes can be read.
    ///
    /// ```text
    /// if let Some(said) = event.push::<space::Said>() { chat.add(said.line) }
    /// ```
    #[must_use]
    pub fn push<O: Operation>(&self) -> Option<O> {
        match self {
            Self::Push(push) if push.is::<O>() => push.open().ok(),
            Self::Push(_)
            | Self::Connected(_)
            | Self::Resuming(_)
            | Self::Lost(_)
            | Self::Attached(_)
            | Self::Detached
            | Self::View(_)
            | Self::State(_)
            | Self::Answered { .. } => None,
        }
    }
}

/// A message of an actor to this client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushMessage {
    /// The actor.
    pub from: ActorId,
    /// The operation within the actor's contract.
    pub number: OperationNumber,
    /// The encoded message.
    pub args: Bytes,
}

impl PushMessage {
    /// Whether it is of operation `O`.
    #[must_use]
    pub fn is<O: Operation>(&self) -> bool {
        self.from.kind == O::Contract::KIND && self.number == O::SPEC.number
    }

    /// The message. Ask [`Self::is`] first: bytes of another operation may read as something else.
    ///
    /// # Errors
    /// The bytes are no `O`: client and server were built from contracts that do not fit.
    pub fn open<O: Operation>(&self) -> Result<O, DecodeError> {
        codec::decode(&self.args, Limits::NODE)
    }
}
