//! What an operator may have done: calls as the node itself, ends of sessions, draining, snapshots.
//!
//! *Responsible for*: carrying commands out between two turns, one answer for each. *Not responsible for*: who may give them, a trail
//! of them (`lightmoon`).
//!
//! Invariants:
//! - I1: each command is answered once by [`crate::Output::Operated`].
//! - I2: a call of an operator is served as one of the node's own ([`Caller::Node`]): no rate, no session, no role of a client.

use bytes::Bytes;
use lightmoon_actor::{Envelope, MessageId, ReplyTo};
use lightmoon_contract::call::Body;
use lightmoon_contract::operation::CallForm;
use lightmoon_contract::{ActorId, CallError, Caller, Mono, OperationNumber, SessionId};
use lightmoon_wire::CloseCode;

use super::Gateway;
use crate::chronicle::Happened;
use crate::limits;

/// What an operator wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Call an operation of an actor.
    Call {
        /// Which actor. Zones only if they are started by the game: a call makes none.
        to: ActorId,
        /// Which operation.
        number: OperationNumber,
        /// Its arguments, encoded.
        arguments: Bytes,
    },
    /// End a session; its client is told why, and does not come back by itself.
    Kick {
        /// Which one.
        session: SessionId,
        /// For the player.
        reason: String,
    },
    /// Take new players no more, or again. Those that are here play on, and may come back.
    Drain(bool),
    /// Make a snapshot of every world now.
    Snapshot,
}

/// What came of a command.
pub type Operated = Result<Bytes, Refused>;

/// Why a command was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The operation failed, or was not served. As its code says.
    #[error(transparent)]
    Call(CallError),
    /// Operations of this form are not called.
    #[error("a push goes to clients and cannot be called")]
    Push,
    /// A zone that the game does not start.
    #[error("no zone {0} runs: a call must not make one; look at the map for those that run")]
    NoSuchZone(ActorId),
    /// There is no such session.
    #[error("session {0} is over already, or never was")]
    NoSuchSession(SessionId),
    /// Too many calls of operators wait.
    #[error(
        "{} calls wait for their answers already: try again when some have them",
        limits::OPERATOR_CALLS_MAX
    )]
    Busy,
    /// The node stops.
    #[error("the node stops")]
    Stopping,
}

impl Gateway {
    /// Carries a command out; `None`: its answer comes later.
    pub(crate) fn operate(&mut self, now: Mono, token: u64, command: Command) -> Option<Operated> {
        match command {
            Command::Call { to, number, arguments } => self.call_for(token, to, number, arguments),
            Command::Kick { session, reason } => Some(self.kick(now, session, &reason)),
            Command::Drain(drains) => {
                if std::mem::replace(&mut self.is_draining, drains) != drains {
                    self.chronicle.note(now, || Happened::Draining(drains));
                }
                Some(Ok(Bytes::new()))
            }
            // The hub's.
            Command::Snapshot => Some(Ok(Bytes::new())),
        }
    }

    fn kick(&mut self, now: Mono, session: SessionId, reason: &str) -> Operated {
        if !self.sessions.contains_key(&session) {
            return Err(Refused::NoSuchSession(session));
        }
        self.counters.sessions_kicked += 1;
        self.close_session(now, session, CloseCode::Normal, reason);
        Ok(Bytes::new())
    }

    fn call_for(
        &mut self,
        token: u64,
        to: ActorId,
        number: OperationNumber,
        arguments: Bytes,
    ) -> Option<Operated> {
        let Some(spec) = self.operations.find(to.kind, number) else {
            return Some(Err(Refused::Call(CallError::NoSuchOperation(number))));
        };
        if !self.operations.may_be_named(to) {
            return Some(Err(Refused::NoSuchZone(to)));
        }
        if self.asked.len() >= limits::OPERATOR_CALLS_MAX {
            return Some(Err(Refused::Busy));
        }
        let reply_to = match spec.form {
            CallForm::Push => return Some(Err(Refused::Push)),
            CallForm::OneWay => ReplyTo::Nobody,
            CallForm::Request => {
                let asked = self.next_token;
                self.next_token += 1;
                self.asked.insert(asked, token);
                ReplyTo::Outside(asked)
            }
        };
        self.counters.calls_of_operators += 1;
        self.to_actors.push(Envelope {
            to,
            from: Caller::Node,
            number,
            priority: spec.lane.priority,
            reliability: spec.lane.reliability,
            reply_to,
            timeout_ms: spec.timeout_ms,
            id: MessageId::None,
            body: Body::Bytes(arguments),
        });
        (reply_to == ReplyTo::Nobody).then(|| Ok(Bytes::new()))
    }
}
