//! Names of things: kinds, actors, entities, sessions.
//!
//! *Responsible for*: the identifiers and their byte forms. *Not responsible for*: placing or finding what they name.
//!
//! Invariants:
//! - I1: an id is a value; it holds no pointer, no reference count and stays valid over restarts and moves.
//! - I2: [`NetId::NONE`] (0) names nothing; an id is never used for a second entity.

mod bytes;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// The number of a contract's kind of actor, taken from `contracts.lock`.
///
/// 0 is not a kind; numbers from [`Kind::FIRST_RESERVED`] on belong to the framework.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kind(pub u16);

impl Kind {
    /// The first number games cannot use: 0xFF00. The 256 above it name parts of a node (its sessions, for one).
    pub const FIRST_RESERVED: u16 = 0xFF00;
    /// Sessions of a node's gateway, addressed like actors: key = [`SessionId`].
    pub const SESSION: Self = Self(0xFF01);
    /// The players of a game that has no contract for its players: they visit a zone, and that is all.
    pub const VISITOR: Self = Self(0xFF02);
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The name of an actor: its kind and a key. Key 0 is the singleton of its kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ActorId {
    /// What it is.
    pub kind: Kind,
    /// Which one it is.
    pub key: u64,
}

impl ActorId {
    /// The actor of this kind and key.
    #[must_use]
    pub const fn new(kind: Kind, key: u64) -> Self {
        Self { kind, key }
    }

    /// The address of a session, for messages to a client.
    #[must_use]
    pub const fn session(session: SessionId) -> Self {
        Self { kind: Kind::SESSION, key: session.0 }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.0, self.key)
    }
}

/// What users hold of an actor: its id, typed by the contract it answers.
///
/// `Copy`, without a reference count; it stays good while the actor sleeps, restarts or moves.
pub struct ActorRef<C: ?Sized> {
    id: ActorId,
    contract: PhantomData<fn() -> C>,
}

impl<C: crate::Contract> ActorRef<C> {
    /// The actor of this contract with `key`; key 0 is the singleton.
    #[must_use]
    pub const fn new(key: u64) -> Self {
        Self { id: ActorId::new(C::KIND, key), contract: PhantomData }
    }
}

impl<C: ?Sized> ActorRef<C> {
    /// The untyped name.
    #[must_use]
    pub const fn id(self) -> ActorId {
        self.id
    }

    /// The key within the kind.
    #[must_use]
    pub const fn key(self) -> u64 {
        self.id.key
    }
}

impl<C: ?Sized> Clone for ActorRef<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: ?Sized> Copy for ActorRef<C> {}

impl<C: ?Sized> PartialEq for ActorRef<C> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<C: ?Sized> Eq for ActorRef<C> {}

impl<C: ?Sized> Hash for ActorRef<C> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl<C: ?Sized> fmt::Debug for ActorRef<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorRef({})", self.id)
    }
}

/// The identity of a replicated entity outside its world.
///
/// The upper 24 bits are the allocator block of the zone it was born in, the lower 40 a counter; never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct NetId(pub u64);

impl NetId {
    /// No entity.
    pub const NONE: Self = Self(0);
    /// Bits of the counter below the allocator block.
    pub const COUNTER_BITS: u32 = 40;

    /// Entity `counter` of allocator block `block` (24 bits are used).
    #[must_use]
    pub const fn from_parts(block: u32, counter: u64) -> Self {
        Self(((block as u64 & 0xFF_FFFF) << Self::COUNTER_BITS) | (counter & ((1 << Self::COUNTER_BITS) - 1)))
    }
}

impl fmt::Display for NetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0 >> Self::COUNTER_BITS, self.0 & ((1 << Self::COUNTER_BITS) - 1))
    }
}

/// A client's connection that outlives its sockets. Drawn by the node, unique within it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The number of an operation within its contract, from `contracts.lock`.
///
/// Numbers from [`OperationNumber::FIRST_RESERVED`] on are messages of the framework itself and cannot come from a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OperationNumber(pub u16);

impl OperationNumber {
    /// The first number that contracts cannot use: 0xFF00.
    pub const FIRST_RESERVED: u16 = 0xFF00;

    /// Whether this number belongs to the framework.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.0 >= Self::FIRST_RESERVED
    }
}

impl fmt::Display for OperationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
