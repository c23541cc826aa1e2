//! Messages of the framework itself, between actors and the sessions of a node.
//!
//! *Responsible for*: their bodies and numbers. *Not responsible for*: acting on them (`node` for sessions, `zone` and
//! [`crate::plain`] for actors).
//!
//! A body travels typed: [`Body::typed`] of a [`ToSession`] or [`ToActor`].
//!
//! To reach a client of which only the player is known, call an operation of the player actor: it learns its session
//! from [`ToActor::Connected`] and pushes to it. Nobody else has to follow logins.

use bytes::Bytes;
use lightmoon_contract::call::Body;
use lightmoon_contract::{ActorId, Lane, NetId, OperationNumber, SessionId};

/// From an actor to a session; the sender is the envelope's `from`.
#[derive(Clone, PartialEq, Debug)]
pub enum ToSession {
    /// Look at this zone from now on, as this entity. Obeyed only from the session's own player.
    Attach {
        /// The zone.
        zone: ActorId,
        /// The player's entity in it; [`NetId::NONE`]: an onlooker.
        avatar: NetId,
    },
    /// Look at nothing. Obeyed only from the session's own player.
    Detach,
    /// Call a push operation of the sender's contract on the client.
    Push {
        /// The operation.
        number: OperationNumber,
        /// The lane that its contract gives it.
        lane: Lane,
        /// Its message, encoded.
        bytes: Bytes,
    },
    /// Changes of what is in view, reliable and in order.
    View {
        /// The attachment that it belongs to.
        generation: u32,
        /// For `replica`.
        bytes: Bytes,
    },
    /// The state of what is in view at one tick; may be lost.
    State {
        /// The attachment that it belongs to.
        generation: u32,
        /// For `replica`, within the budget of the subscription.
        bytes: Bytes,
        /// Whether it is against what the session told by [`ToActor::Received`].
        is_delta: bool,
    },
    /// End the session.
    Close {
        /// For people.
        reason: String,
    },
}

impl ToSession {
    const fn offset(&self) -> u16 {
        match self {
            Self::Attach { .. } => 0,
            Self::Detach => 1,
            Self::Push { .. } => 2,
            Self::View { .. } => Self::VIEW,
            Self::State { .. } => Self::STATE,
            Self::Close { .. } => 5,
        }
    }

    /// Its number on an envelope.
    #[must_use]
    pub const fn number(&self) -> OperationNumber {
        OperationNumber(OperationNumber::FIRST_RESERVED + self.offset())
    }

    /// Whether a message with this number shows state, which acknowledges nothing.
    pub(crate) fn is_on_screen(number: OperationNumber) -> bool {
        let offset = number.0.wrapping_sub(OperationNumber::FIRST_RESERVED);
        (Self::VIEW..=Self::STATE).contains(&offset)
    }

    const VIEW: u16 = 3;
    const STATE: u16 = 4;
}

/// From the node to an actor, or from the framework's part of one to that of another.
#[derive(Clone, PartialEq, Debug)]
pub enum ToActor {
    /// To a player: this session is its from now on.
    Connected {
        /// The session.
        session: SessionId,
    },
    /// To a player: the session is over.
    Disconnected {
        /// The session.
        session: SessionId,
    },
    /// To a zone: show yourself to this session.
    Subscribe {
        /// The session.
        session: SessionId,
        /// Key of its player.
        player: u64,
        /// The player's entity here; [`NetId::NONE`]: an onlooker.
        avatar: NetId,
        /// Stamp of the views and states that answer it.
        generation: u32,
        /// Bytes of one state payload, at most.
        budget_bytes: usize,
        /// Whether the client takes deltas, and tells what arrived.
        takes_deltas: bool,
    },
    /// To a zone: the session no longer looks. Means nothing if a newer generation has subscribed.
    Unsubscribe {
        /// The session.
        session: SessionId,
        /// The attachment that ended.
        generation: u32,
    },
    /// To a zone: what arrived of an attachment. Means nothing if it is not the present one.
    Received {
        /// The session.
        session: SessionId,
        /// The attachment.
        generation: u32,
        /// Tick of the newest state payload that was applied.
        tick: u64,
        /// Bit `k`: that of `k` ticks before was applied too.
        received: u32,
        /// View payloads that were applied.
        views: u64,
    },
    /// To a player: the zone that its session looks at failed and begins anew. What was only in its memory is gone, the
    /// player's entity with it; the session goes on looking.
    ZoneLost {
        /// The session that looks.
        session: SessionId,
        /// The zone.
        zone: ActorId,
    },
    /// To a zone: a player wants to be in it. Answered by [`Self::Entered`], once its avatar is there.
    Enter {
        /// Key of the player.
        player: u64,
        /// The session it comes with; comes back with the answer.
        session: SessionId,
    },
    /// To a zone: a player is in it no more. Means nothing if it is not in it.
    Leave {
        /// Key of the player.
        player: u64,
    },
    /// To a player: its avatar is in the zone that sent this.
    Entered {
        /// The session it came with.
        session: SessionId,
        /// The avatar; [`NetId::NONE`]: it gets none now.
        avatar: NetId,
    },
    /// To a player, from itself: time has passed, see to your visit.
    Settle {
        /// Means nothing unless it is the newest.
        serial: u32,
    },
}

impl ToActor {
    /// The number of [`Self::Connected`].
    pub(crate) const CONNECTED: OperationNumber = OperationNumber(OperationNumber::FIRST_RESERVED + 32);
    /// The number of [`Self::Disconnected`].
    pub(crate) const DISCONNECTED: OperationNumber = OperationNumber(OperationNumber::FIRST_RESERVED + 33);

    const fn offset(&self) -> u16 {
        match self {
            Self::Connected { .. } => 32,
            Self::Disconnected { .. } => 33,
            Self::Subscribe { .. } => 34,
            Self::Unsubscribe { .. } => 35,
            Self::ZoneLost { .. } => 36,
            Self::Received { .. } => 37,
            Self::Enter { .. } => 38,
            Self::Leave { .. } => 39,
            Self::Entered { .. } => 40,
            Self::Settle { .. } => 41,
        }
    }

    /// Its number on an envelope.
    #[must_use]
    pub const fn number(&self) -> OperationNumber {
        OperationNumber(OperationNumber::FIRST_RESERVED + self.offset())
    }

    /// The message inside `body`; `None` if it is something else.
    #[must_use]
    pub fn open(body: Body) -> Option<Self> {
        match body {
            Body::Typed(value) => value.take::<Self>().ok(),
            Body::Bytes(_) => None,
        }
    }
}
