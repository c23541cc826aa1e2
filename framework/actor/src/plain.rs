//! Actors that users write: a struct, its contract's trait, and [`Actor`].
//!
//! *Responsible for*: making an activation of them. *Not responsible for*: worlds (`zone`).

use std::marker::PhantomData;

use lightmoon_contract::call::{Body, Form, Serve, Served};
use lightmoon_contract::{ActorId, CallError, OperationNumber, OperationSpec, SessionId};

use crate::held::{self, Holder};
use crate::reserved::ToActor;
use crate::{Activation, ActorKind, Cx};

/// A plain actor: state without a world.
///
/// Its operations are those of the contract that it implements; here stands what happens around them.
pub trait Actor: Sized + 'static {
    /// The state of the actor `key` when it is used for the first time, and again after a panic.
    fn activate(cx: &mut Cx, key: u64) -> Self;

    /// To players: a client logged in. A second login of a player disconnects the first before. Comes again, with the
    /// same session, when the player was activated anew after a panic: it has to bear repetition.
    fn connected(&mut self, cx: &mut Cx, session: SessionId) {
        let _ = (cx, session);
    }

    /// To players: the client is gone. What is pushed to the session from now on reaches nobody.
    fn disconnected(&mut self, cx: &mut Cx, session: SessionId) {
        let _ = (cx, session);
    }

    /// To players: the zone that the session looks at failed and begins anew. What was only in its memory is gone, the
    /// player's entity with it. The session stays attached; attach it again to give it a new entity.
    fn zone_lost(&mut self, cx: &mut Cx, session: SessionId, zone: ActorId) {
        let _ = (cx, session, zone);
    }

    /// The activation ends in good order; not called after a panic.
    fn stopping(&mut self, cx: &mut Cx) {
        let _ = cx;
    }
}

/// The kind of actors `A` that answer contract `C`.
#[must_use]
pub fn plain<C, A>() -> impl ActorKind
where
    C: Serve<A, Cx>,
    A: Actor,
{
    PlainKind::<C, A>(PhantomData)
}

struct PlainKind<C, A>(PhantomData<fn() -> (C, A)>);

impl<C: Serve<A, Cx>, A: Actor> ActorKind for PlainKind<C, A> {
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        let actor = Some(Box::new(A::activate(cx, key)));
        Box::new(Plain::<C, A> { actor, contract: PhantomData })
    }

    fn operations(&self) -> &'static [OperationSpec] {
        C::SPEC.operations
    }
}

/// One plain actor. The box around it stays where it is while the actor's own moves through an operation, so that
/// serving one allocates nothing.
struct Plain<C, A> {
    /// `None` only while an operation has it.
    actor: Option<Box<A>>,
    contract: PhantomData<fn() -> C>,
}

impl<C: Serve<A, Cx>, A: Actor> Holder<A> for Plain<C, A> {
    fn take(&mut self) -> Option<Box<A>> {
        self.actor.take()
    }

    fn put(&mut self, actor: Box<A>) {
        self.actor = Some(actor);
    }

    fn told(&mut self, cx: &mut Cx, message: ToActor) -> Result<(), CallError> {
        let Some(actor) = &mut self.actor else {
            return Err(CallError::WrongType("message of the framework"));
        };
        match message {
            ToActor::Connected { session } => actor.connected(cx, session),
            ToActor::Disconnected { session } => actor.disconnected(cx, session),
            ToActor::ZoneLost { session, zone } => actor.zone_lost(cx, session, zone),
            // Only worlds can be looked at. A player that attached to something else finds that its client sees nothing.
            ToActor::Subscribe { .. }
            | ToActor::Unsubscribe { .. }
            | ToActor::Received { .. }
            | ToActor::Enter { .. }
            | ToActor::Leave { .. }
            | ToActor::Entered { .. }
            | ToActor::Settle { .. } => return Err(CallError::NotAllowed),
        }
        Ok(())
    }
}

impl<C: Serve<A, Cx>, A: Actor> Activation for Plain<C, A> {
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
        // A plain actor has no use for one: it has `after` and `every_ms`.
    }

    fn stopping(&mut self, cx: &mut Cx) {
        if let Some(actor) = &mut self.actor {
            actor.stopping(cx);
        }
    }
}
