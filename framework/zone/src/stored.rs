//! Actors whose whole state is in each commit: what worlds of players and durable actors have in common.
//!
//! *Responsible for*: being an actor, giving the state when it differs from what was saved last. *Not responsible for*: what
//! the state is (`world_actor`, `durable_actor`), when it is saved (`lightmoon_actor`).
//!
//! Invariants:
//! - I1: a state is given only if its bytes differ from those given or loaded before.

use std::marker::PhantomData;

use bytes::Bytes;
use lightmoon_actor::held::{self, Holder};
use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{
    Activation, ActorKind, Cx, Inspection, Keeping, Kept, Parcel, Save, Unreadable, Unsavable,
};
use lightmoon_contract::call::{Body, Form, Serve, Served};
use lightmoon_contract::operation::OperationSpec;
use lightmoon_contract::{ActorId, CallError, OperationNumber, SessionId};
use lightmoon_durable::Saved;
use lightmoon_durable::limits::STATE_BYTES_MAX;
use xxhash_rust::xxh3::xxh3_128;

use crate::kind::loaded;
use crate::persist::error::ReadError;

/// What a kind of such actors says of itself.
pub(crate) trait StoredForm<A>: 'static {
    /// The actor of a stored state; `None`: there is none yet.
    fn restore(cx: &mut Cx, key: u64, state: Option<&Bytes>) -> Result<A, ReadError>;
    /// Something was done with it.
    fn touched(actor: &mut A);
    /// Its state.
    fn state(actor: &mut A) -> State;
    /// Shows its state to an operator.
    fn inspect(actor: &mut A, to: &mut Inspection);
    /// Shows a stored state in the same way, without an actor.
    fn inspect_stored(key: u64, state: &Bytes, to: &mut Inspection) -> Result<(), ReadError>;
    /// Its session came.
    fn connected(actor: &mut A, cx: &mut Cx, session: SessionId);
    /// Its session went.
    fn disconnected(actor: &mut A, cx: &mut Cx, session: SessionId);
    /// The zone of its session begins anew.
    fn zone_lost(actor: &mut A, cx: &mut Cx, session: SessionId, zone: ActorId);
    /// It ends in good order.
    fn stopping(actor: &mut A, cx: &mut Cx);
}

/// A state on its way to the store.
#[derive(Debug)]
pub(crate) struct State {
    /// A sealed record.
    pub(crate) record: Bytes,
    /// The type that takes most of it, for people.
    pub(crate) largest: &'static str,
}

/// The kind of actors `A` that answer contract `C` and are kept as `F` says.
pub(crate) struct StoredKind<C, A, F> {
    contract: PhantomData<fn() -> C>,
    form: PhantomData<fn() -> (A, F)>,
}

impl<C, A, F> StoredKind<C, A, F> {
    pub(crate) const fn new() -> Self {
        Self { contract: PhantomData, form: PhantomData }
    }
}

impl<C, A, F> StoredKind<C, A, F>
where
    C: Serve<A, Cx>,
    A: 'static,
    F: StoredForm<A>,
{
    fn live(cx: &mut Cx, key: u64, state: Option<&Bytes>) -> Result<Box<dyn Activation>, ReadError> {
        let actor = Some(Box::new(F::restore(cx, key, state)?));
        let saved = state.map(|state| xxh3_128(state));
        Ok(Box::new(Stored::<C, A, F> { actor, key, saved, kind: PhantomData }))
    }
}

impl<C, A, F> ActorKind for StoredKind<C, A, F>
where
    C: Serve<A, Cx>,
    A: 'static,
    F: StoredForm<A>,
{
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        Self::live(cx, key, None).unwrap_or_else(|error| {
            unreachable!("nothing is read for an actor that begins anew: {error}");
        })
    }

    fn operations(&self) -> &'static [OperationSpec] {
        C::SPEC.operations
    }

    fn keeping(&self) -> Option<Keeping> {
        Some(Keeping::default())
    }

    fn restore(&self, cx: &mut Cx, key: u64, stored: Parcel) -> Result<Box<dyn Activation>, Unreadable> {
        let stored = loaded(stored)?;
        Self::live(cx, key, stored.state.as_ref())
            .map_err(|error| error.of(C::NAME, ActorId::new(C::KIND, key)))
    }

    fn inspect_stored(&self, key: u64, stored: Parcel, to: &mut Inspection) -> Result<(), Unreadable> {
        let Some(state) = loaded(stored)?.state else { return Ok(()) };
        F::inspect_stored(key, &state, to).map_err(|error| error.of(C::NAME, ActorId::new(C::KIND, key)))
    }
}

/// One actor that is alive.
struct Stored<C, A, F> {
    /// `None` only while an operation has it.
    actor: Option<Box<A>>,
    key: u64,
    /// Hash of the state that was saved last.
    saved: Option<u128>,
    kind: PhantomData<fn() -> (C, F)>,
}

impl<C, A, F> Holder<A> for Stored<C, A, F>
where
    C: Serve<A, Cx>,
    A: 'static,
    F: StoredForm<A>,
{
    fn take(&mut self) -> Option<Box<A>> {
        self.actor.take()
    }

    fn put(&mut self, mut actor: Box<A>) {
        F::touched(&mut actor);
        self.actor = Some(actor);
    }

    fn told(&mut self, cx: &mut Cx, message: ToActor) -> Result<(), CallError> {
        let Some(actor) = &mut self.actor else {
            return Err(CallError::WrongType("message of the framework"));
        };
        match message {
            ToActor::Connected { session } => F::connected(actor, cx, session),
            ToActor::Disconnected { session } => F::disconnected(actor, cx, session),
            ToActor::ZoneLost { session, zone } => F::zone_lost(actor, cx, session, zone),
            // Only worlds that tick can be looked at.
            ToActor::Subscribe { .. }
            | ToActor::Unsubscribe { .. }
            | ToActor::Received { .. }
            | ToActor::Enter { .. }
            | ToActor::Leave { .. }
            | ToActor::Entered { .. }
            | ToActor::Settle { .. } => return Err(CallError::NotAllowed),
        }
        F::touched(actor);
        Ok(())
    }
}

impl<C, A, F> Activation for Stored<C, A, F>
where
    C: Serve<A, Cx>,
    A: 'static,
    F: StoredForm<A>,
{
    fn serve(
        self: Box<Self>,
        cx: &mut Cx,
        number: OperationNumber,
        body: Body,
        form: Form,
    ) -> Served<Box<dyn Activation>> {
        held::serve::<C, A, Self>(self, cx, number, body, form)
    }

    fn alarm(&mut self, _cx: &mut Cx) {
        if let Some(actor) = &mut self.actor {
            F::touched(actor);
        }
    }

    fn stopping(&mut self, cx: &mut Cx) {
        if let Some(actor) = &mut self.actor {
            F::stopping(actor, cx);
            F::touched(actor);
        }
    }

    fn inspect(&mut self, inspection: &mut Inspection) -> bool {
        let Some(actor) = &mut self.actor else { return false };
        F::inspect(actor, inspection);
        true
    }

    fn save(&mut self, _what: Save) -> Result<Kept, Unsavable> {
        let Some(actor) = &mut self.actor else { return Ok(Kept::default()) };
        let state = F::state(actor);
        let hash = xxh3_128(&state.record);
        if self.saved == Some(hash) {
            return Ok(Kept::default());
        }
        let bytes = state.record.len();
        if bytes > STATE_BYTES_MAX {
            let (actor, most) = (ActorId::new(C::KIND, self.key), state.largest);
            return Err(Unsavable(format!(
                "{} {actor} has {bytes} bytes to keep, {STATE_BYTES_MAX} are possible; {most} takes most of them",
                C::NAME
            )));
        }
        self.saved = Some(hash);
        let saved = Saved { state: Some(state.record), ..Saved::default() };
        Ok(Kept { parcel: Some(Box::new(saved) as Parcel), in_commit: true, bytes })
    }
}
