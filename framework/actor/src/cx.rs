//! What an operation may do besides changing its own state.
//!
//! *Responsible for*: the handle [`Cx`]. *Not responsible for*: carrying it out ([`crate::port`], [`crate::worker`]).
//!
//! Kinds, time, chance and ids come from here, so that a whole node runs from one seed. User code reads no clock and no
//! random source of its own, and awaits nothing but what `Cx` gives.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::call::Undelivered;
use lightmoon_contract::operation::{CallForm, Link, Target};
use lightmoon_contract::{
    ActorId, ActorRef, Body, CallError, Caller, Contract, Mono, NetId, Operation, OperationNumber, Priority,
    Reliability, SessionId, codec,
};

use crate::ask::Origin;
use crate::port::Port;
use crate::reserved::{ToActor, ToSession};
use crate::slot::Slot;
use crate::timers::Due;
use crate::{Ask, AskId, Envelope, MessageId, Posted, ReplyTo, Room, Sleep, limits};

/// The handle of one operation to the world around its actor.
///
/// Owned and cheap to clone; it stays on its worker's thread. What is sent through it leaves in order, when the
/// operation sends it, not when it ends.
#[derive(Clone)]
pub struct Cx {
    pub(crate) port: Rc<Port>,
    pub(crate) me: ActorId,
    pub(crate) slot: Slot,
    pub(crate) caller: Caller,
    pub(crate) origin: Origin,
}

impl Cx {
    /// The actor itself.
    #[must_use]
    pub const fn me(&self) -> ActorId {
        self.me
    }

    /// The actor's key within its kind.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.me.key
    }

    /// Who called the operation. A client's player is stamped by the gateway, never claimed by the client.
    #[must_use]
    pub const fn caller(&self) -> Caller {
        self.caller
    }

    /// The time of this turn of the worker. It stands still within a turn and never runs backwards.
    #[must_use]
    pub fn now(&self) -> Mono {
        self.port.now()
    }

    /// A random generator of the actor's own, another one with each call. Follows from the node's seed.
    #[must_use]
    pub fn random(&self) -> fastrand::Rng {
        self.port.random(self.slot)
    }

    /// The caller's side of another actor: one method for each operation.
    pub fn to<C: Contract>(&mut self, actor: ActorRef<C>) -> C::Proxy<'_, Self> {
        C::proxy(self, actor.into())
    }

    /// Calls a push operation on the client of a session. A session that is gone is passed over.
    ///
    /// Another player's session is not known here: call an operation of that player's actor, which pushes.
    pub fn push<O: Operation>(&mut self, session: SessionId, message: O) {
        self.push_all([session], message);
    }

    /// As [`Self::push`], to several; the message is encoded once.
    pub fn push_all<O: Operation>(&mut self, sessions: impl IntoIterator<Item = SessionId>, message: O) {
        const { assert!(matches!(O::SPEC.form, CallForm::Push), "only push operations go to clients") };
        let bytes = Bytes::from(codec::encode(&message));
        for session in sessions {
            let push = ToSession::Push { number: O::SPEC.number, lane: O::SPEC.lane, bytes: bytes.clone() };
            self.tell_session(session, push);
        }
    }

    /// Sends a message of the framework to a session.
    pub fn tell_session(&mut self, session: SessionId, message: ToSession) {
        let envelope = self.framework(ActorId::session(session), message.number(), Body::typed(message));
        self.port.leave(envelope);
    }

    /// Sends a message of the framework to an actor. It always finds room: a zone that is not told of a visit has a ghost.
    pub fn tell_actor(&mut self, to: ActorId, message: ToActor) {
        let envelope = self.framework(to, message.number(), Body::typed(message));
        if self.port.has_kind(to.kind) {
            self.port.enqueue(envelope);
        } else {
            self.port.refuse(envelope, CallError::NoSuchKind(to.kind));
        }
    }

    /// Tells this actor a message of the framework after `delay`. Forgotten if the activation ends before.
    pub fn tell_later(&mut self, delay: Duration, message: ToActor) {
        let envelope = Box::new(self.framework(self.me, message.number(), Body::typed(message)));
        self.port.set_timer(self.slot, self.now() + delay, Due::Tell(self.slot, envelope));
    }

    /// An envelope of the framework's own, from this actor.
    fn framework(&self, to: ActorId, number: OperationNumber, body: Body) -> Envelope {
        Envelope {
            to,
            from: Caller::Actor(self.me),
            number,
            priority: Priority::High,
            reliability: Reliability::ReliableOrdered,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body,
        }
    }

    /// Lets the client of a session of this player look at `zone` from now on, as `avatar`, and send its input there.
    /// Only obeyed from the session's own player. Attaching again moves the view; no detach is needed between.
    pub fn attach(&mut self, session: SessionId, zone: ActorId, avatar: NetId) {
        self.tell_session(session, ToSession::Attach { zone, avatar });
    }

    /// Ends what [`Self::attach`] began.
    pub fn detach(&mut self, session: SessionId) {
        self.tell_session(session, ToSession::Detach);
    }

    /// Ends a session; its client is told the reason.
    pub fn close(&mut self, session: SessionId, reason: impl Into<String>) {
        self.tell_session(session, ToSession::Close { reason: reason.into() });
    }

    /// Tells this actor `message` after `delay`. Forgotten if the activation ends before.
    ///
    /// # Errors
    /// [`CallError::NoSuchOperation`]: the message is of another contract than the actor's.
    /// [`CallError::Busy`]: too many delayed messages wait on this worker.
    pub fn after<O: Operation>(&mut self, delay: Duration, message: O) -> Result<(), Undelivered<O>> {
        const { assert!(!matches!(O::SPEC.form, CallForm::Push), "an actor does not serve its pushes") };
        const { assert!(!O::SPEC.exactly_once, "a delayed message is in no commit: send it at once") };
        let refused = |error, message| Err(Undelivered { error, message });
        if O::Contract::KIND != self.me.kind {
            return refused(CallError::NoSuchOperation(O::SPEC.number), message);
        }
        if !self.port.timers().has_room_for_tell() {
            self.port.count(|counters| counters.timers_full += 1);
            return refused(CallError::Busy, message);
        }
        let envelope = Box::new(self.one_way(self.me, message));
        self.port.set_timer(self.slot, self.now() + delay, Due::Tell(self.slot, envelope));
        Ok(())
    }

    /// Lets the worker call [`crate::Activation::alarm`] at `at`, or at once if that is over. There is one alarm for an
    /// activation: setting it again moves it.
    pub fn set_alarm(&mut self, at: Mono) {
        self.port.set_alarm(self.slot, at);
    }

    /// Takes the alarm back.
    pub fn clear_alarm(&mut self) {
        self.port.clear_alarm(self.slot);
    }

    /// Notes where within a long piece of work the actor is, for [`crate::Progress`]. For kinds that the framework makes.
    pub fn note_phase(&self, phase: u8) {
        self.port.progress().phase(phase);
    }

    /// Ends this activation after the present operation. The next message makes a new one.
    pub fn stop(&mut self) {
        self.port.request_stop(self.slot);
    }

    /// Waits. The actor's other messages wait meanwhile.
    #[must_use = "a sleep does nothing until it is awaited"]
    pub fn sleep(&self, length: Duration) -> Sleep {
        let id = self.port.open_ask(Origin::default(), self.now() + length);
        Sleep::new(Rc::clone(&self.port), id, length)
    }

    /// Waits until there is room on the way to `actor` for a message of this priority: what is refused with
    /// [`CallError::Busy`] now may be sent then. Who waited longest is let on first; where others took the room meanwhile, it waits
    /// again. At once where there is room.
    ///
    /// # Errors
    /// [`CallError::TimedOut`]: there was none within 30 seconds. [`CallError::Busy`]: too many wait for something on this worker.
    /// [`CallError::Gone`]: the worker stops.
    #[must_use = "it does nothing until it is awaited"]
    pub fn room(&self, actor: ActorId, priority: Priority) -> Room {
        Room::new(Rc::clone(&self.port), self.port.open_room(self.origin, actor, priority))
    }

    /// Sends a message that takes effect exactly once: with the commit of this operation.
    fn post<O: Operation>(&self, to: Target, message: &O) -> Told {
        let Target::Actor(to) = to else { return Err(CallError::NotAllowed) };
        let arguments = codec::encode(message).into();
        let (operation, priority) = (O::SPEC.number, O::SPEC.lane.priority);
        self.port.post(Posted { to, operation, priority, arguments })
    }

    fn one_way<O: Operation>(&self, to: ActorId, message: O) -> Envelope {
        self.envelope(to, message, ReplyTo::Nobody)
    }

    fn envelope<O: Operation>(&self, to: ActorId, message: O, reply_to: ReplyTo) -> Envelope {
        Envelope {
            to,
            from: Caller::Actor(self.me),
            number: O::SPEC.number,
            priority: O::SPEC.lane.priority,
            reliability: if matches!(reply_to, ReplyTo::Nobody) {
                O::SPEC.lane.reliability
            } else {
                // Each request has an answer.
                Reliability::ReliableOrdered
            },
            reply_to,
            timeout_ms: O::SPEC.timeout_ms,
            id: MessageId::None,
            // What stands in an operation log stands there as bytes.
            body: if O::SPEC.logged {
                Body::Bytes(codec::encode(&message).into())
            } else {
                Body::typed(message)
            },
        }
    }

    fn ask_of<O: Operation>(&self, to: Target, message: O) -> Option<AskId> {
        let to = match self.port.admit(to, O::SPEC.lane) {
            Ok(to) => to,
            Err(error) => return self.port.open_answered(error),
        };
        let timeout_ms = if O::SPEC.timeout_ms == 0 { limits::ANSWER_TIMEOUT_MS } else { O::SPEC.timeout_ms };
        let until = self.now() + Duration::from_millis(timeout_ms.into());
        let id = self.port.open_ask(self.origin, until)?;
        self.port.count(|counters| counters.asks += 1);
        self.port.enqueue(self.envelope(to, message, ReplyTo::Ask(id)));
        Some(id)
    }
}

impl Link for Cx {
    /// `Err` hands the message back: nothing was done.
    type Told = Told;
    type Asked<O: Operation> = Ask<O>;

    fn tell<O: Operation>(&mut self, to: Target, message: O) -> Told {
        const { assert!(!matches!(O::SPEC.form, CallForm::Push), "pushes go to clients: use `cx.push`") };
        if O::SPEC.exactly_once {
            return self.post(to, &message);
        }
        let to = self.port.admit(to, O::SPEC.lane)?;
        self.port.enqueue(self.one_way(to, message));
        Ok(())
    }

    fn ask<O: Operation>(&mut self, to: Target, message: O) -> Ask<O> {
        Ask::new(Rc::clone(&self.port), self.ask_of(to, message))
    }
}

/// What a tell returns: an error means that nothing was sent.
pub type Told = Result<(), CallError>;

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cx").field("me", &self.me).field("caller", &self.caller).finish_non_exhaustive()
    }
}
