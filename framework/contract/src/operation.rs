//! What generated code says about contracts and their operations.
//!
//! *Responsible for*: the specs that macros fill in, and the traits that tie a message type to its contract.
//! *Not responsible for*: running operations ([`crate::call`]) or sending them (`actor`, clients).
//!
//! Invariants:
//! - I1: a spec is a constant; two builds of the same contract and `contracts.lock` have equal specs.
//! - I2: an operation without an [`Aim`] cannot be called from outside the cluster.

use lightmoon_contract_macros::data;

use crate::{ActorId, ActorRef, Data, Kind, Lane, OperationNumber};

/// How an operation is called.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CallForm {
    /// No answer; the caller learns nothing.
    OneWay,
    /// An answer with a value, or an error.
    Request,
    /// From an actor to a client; the actor does not implement it, the client handles it.
    Push,
}

/// Which actors a client may call an operation on.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Aim {
    /// The session's own player.
    Own,
    /// The zone the session is attached to.
    Zone,
    /// Any actor of the kind.
    Any,
}

/// How often one session may call an operation: a token bucket.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    /// Calls per second that refill the bucket.
    pub per_second: u32,
    /// Calls that a full bucket holds.
    pub burst: u32,
}

/// What is kept of an operation's changes when the node crashes. Means nothing for kinds that keep nothing.
#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Durability {
    /// Nothing that this operation alone changed.
    None,
    /// All but the last [`OperationSpec::max_loss_ms`]; the caller does not wait.
    #[default]
    Behind,
    /// Everything that was answered: the answer waits for the commit.
    Sync,
}

impl Durability {
    /// The word of `#[operation(durability = …)]`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Behind => "behind",
            Self::Sync => "sync",
        }
    }
}

/// Everything a contract says about one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OperationSpec {
    /// Name in the trait.
    pub name: &'static str,
    /// Number within the contract.
    pub number: OperationNumber,
    /// One-way, request or push.
    pub form: CallForm,
    /// Priority and reliability of the call (and of its answer).
    pub lane: Lane,
    /// From where clients may call it; `None`: not at all.
    pub aim: Option<Aim>,
    /// Limit per session; meaningless without an aim.
    pub rate: Rate,
    /// Milliseconds until a request without answer ends with [`crate::CallError::TimedOut`].
    pub timeout_ms: u32,
    /// Milliseconds between two calls that the actor makes to itself; `None`: it is not repeated.
    pub every_ms: Option<u32>,
    /// What is kept of its changes; [`Durability::None`] for pushes.
    pub durability: Durability,
    /// Milliseconds of its changes that a crash may take; meaningless unless they are kept [`Durability::Behind`].
    pub max_loss_ms: u32,
    /// Whether caller, arguments and answer go to the actor's operation log; only with [`Durability::Sync`].
    pub logged: bool,
    /// Whether it may wait for others: it is an `async fn`.
    pub waits: bool,
    /// Whether each message takes effect exactly once: it stands in a commit of its sender until it stands in one of its
    /// receiver. Only between actors that are kept, one-way, never to wait.
    pub exactly_once: bool,
}

/// Everything a contract says about itself.
#[derive(Clone, Copy, Debug)]
pub struct ContractSpec {
    /// Name of the trait.
    pub name: &'static str,
    /// Number of the kind.
    pub kind: Kind,
    /// Whether its actors hold a world that ticks.
    pub ticking: bool,
    /// Its operations, in order of declaration.
    pub operations: &'static [OperationSpec],
}

impl ContractSpec {
    /// The operation with this number.
    #[must_use]
    pub fn operation(&self, number: OperationNumber) -> Option<&'static OperationSpec> {
        self.operations.iter().find(|operation| operation.number == number)
    }
}

/// A contract as a type: the marker `<Trait>Contract` that the macro makes beside the trait.
pub trait Contract: Sized + 'static {
    /// Name of the trait.
    const NAME: &'static str;
    /// Number of its kind of actor.
    const KIND: Kind;
    /// All that it says.
    const SPEC: ContractSpec;
    /// The caller's side: one method for each operation.
    type Proxy<'l, L: Link + 'l>;

    /// A proxy that sends over `link` to `target`.
    fn proxy<'l, L: Link + 'l>(link: &'l mut L, target: Target) -> Self::Proxy<'l, L>;
}

/// A message type: the arguments of one operation.
pub trait Operation: Data + Send + 'static {
    /// The contract it belongs to.
    type Contract: Contract;
    /// What comes back; `()` for one-way operations and pushes.
    type Reply: Data + Send + 'static;
    /// All that the contract says about it.
    const SPEC: OperationSpec;
}

/// Where a call goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// This actor.
    Actor(ActorId),
    /// The caller's own player (clients only).
    Own,
    /// The zone the caller is attached to (clients only).
    Zone,
}

impl<C> From<ActorRef<C>> for Target {
    fn from(to: ActorRef<C>) -> Self {
        Self::Actor(to.id())
    }
}

/// Something that carries operations: the `Cx` of an actor, a client.
pub trait Link {
    /// What a one-way call returns.
    type Told;
    /// What a request returns: a future, or a ticket to look for its answer with.
    type Asked<O: Operation>;

    /// Sends a one-way call.
    fn tell<O: Operation>(&mut self, to: Target, message: O) -> Self::Told;

    /// Sends a request.
    fn ask<O: Operation>(&mut self, to: Target, message: O) -> Self::Asked<O>;
}
