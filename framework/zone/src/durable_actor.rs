//! Actors without a world whose state is stored: a struct, its contract's trait, [`Actor`] and [`DurableActor`].
//!
//! *Responsible for*: their state as a record. *Not responsible for*: commits (`lightmoon_durable`), when they happen
//! (`lightmoon_actor`), worlds ([`crate::WorldActor`]).
//!
//! It stands here and not in `lightmoon_actor`, which knows no storage, beside the other kinds that are kept.

use std::any::type_name;

use bytes::Bytes;
use lightmoon_actor::{Actor, ActorKind, Cx, Inspection, ValueKind};
use lightmoon_contract::call::Serve;
use lightmoon_contract::{ActorId, Persist, SessionId, codec};
use lightmoon_durable::record;

use crate::persist::column::read_value;
use crate::persist::error::ReadError;
use crate::stored::{State, StoredForm, StoredKind};

/// An actor whose state is stored: it is what it was after a crash.
///
/// [`Actor::activate`] makes an actor that was never stored, [`DurableActor::restore`] every other. What is beside the state
/// is not kept: caches, sessions. The state has at most [`lightmoon_durable::limits::STATE_BYTES_MAX`] bytes; all of it is
/// written whenever it differs from what was written last.
///
/// ```
/// use lightmoon_actor::{Actor, Cx};
/// use lightmoon_contract::{contract, data};
/// use lightmoon_zone::DurableActor;
///
/// #[contract(number = 9)]
/// pub trait Bank {
///     #[operation(durability = sync)]
///     fn pay_in(amount: u64) -> u64;
/// }
///
/// #[data(persist = "account")]
/// #[derive(Default)]
/// pub struct Account {
///     pub balance: u64,
/// }
///
/// #[derive(Default)]
/// struct Teller(Account);
///
/// impl Bank<Cx> for Teller {
///     fn pay_in(&mut self, _: &mut Cx, amount: u64) -> u64 {
///         self.0.balance += amount;
///         self.0.balance
///     }
/// }
///
/// impl Actor for Teller {
///     fn activate(_: &mut Cx, _: u64) -> Self {
///         Self::default()
///     }
/// }
///
/// impl DurableActor for Teller {
///     type State = Account;
///
///     fn state(&self) -> &Account {
///         &self.0
///     }
///
///     fn restore(_: &mut Cx, _: u64, state: Account) -> Self {
///         Self(state)
///     }
/// }
/// # fn main() {
/// # let _kind = lightmoon_zone::durable::<BankContract, Teller>();
/// # }
/// ```
pub trait DurableActor: Actor {
    /// What is kept.
    type State: Persist;

    /// The state as it is. Called between two operations.
    fn state(&self) -> &Self::State;

    /// The actor `key` with the state that it had.
    fn restore(cx: &mut Cx, key: u64, state: Self::State) -> Self;
}

/// The kind of actors `A` that answer contract `C` and are kept.
#[must_use]
pub fn durable<C, A>() -> impl ActorKind
where
    C: Serve<A, Cx>,
    A: DurableActor,
{
    StoredKind::<C, A, OneValue>::new()
}

/// The state is one value.
struct OneValue;

impl<A: DurableActor> StoredForm<A> for OneValue {
    fn restore(cx: &mut Cx, key: u64, state: Option<&Bytes>) -> Result<A, ReadError> {
        let Some(state) = state else { return Ok(A::activate(cx, key)) };
        Ok(A::restore(cx, key, read::<A>(state)?))
    }

    fn touched(_: &mut A) {}

    fn state(actor: &mut A) -> State {
        let body = codec::encode(actor.state());
        State {
            record: record::seal(A::State::NAME, A::State::VERSION, &body),
            largest: type_name::<A::State>(),
        }
    }

    fn inspect(actor: &mut A, to: &mut Inspection) {
        show(actor.state(), to);
    }

    fn inspect_stored(_: u64, state: &Bytes, to: &mut Inspection) -> Result<(), ReadError> {
        show(&read::<A>(state)?, to);
        Ok(())
    }

    fn connected(actor: &mut A, cx: &mut Cx, session: SessionId) {
        actor.connected(cx, session);
    }

    fn disconnected(actor: &mut A, cx: &mut Cx, session: SessionId) {
        actor.disconnected(cx, session);
    }

    fn zone_lost(actor: &mut A, cx: &mut Cx, session: SessionId, zone: ActorId) {
        actor.zone_lost(cx, session, zone);
    }

    fn stopping(actor: &mut A, cx: &mut Cx) {
        actor.stopping(cx);
    }
}

fn read<A: DurableActor>(state: &Bytes) -> Result<A::State, ReadError> {
    let record = record::open_as(A::State::NAME, state)?;
    read_value(record.version, &record.body)
}

fn show<S: Persist>(state: &S, to: &mut Inspection) {
    to.show(None, ValueKind { name: S::NAME, describe: S::describe }, &codec::encode(state));
}
