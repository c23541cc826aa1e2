//! The two traits behind every actor: its kind, which makes activations, and the activation itself.
//!
//! *Responsible for*: the seam between the worker and what runs on it. *Not responsible for*: the actors that users
//! write by hand ([`crate::Actor`]) and worlds (`zone`), which are built on it.

use std::any::Any;

use lightmoon_contract::call::{Body, Form, Served};
use lightmoon_contract::{OperationNumber, OperationSpec};

use crate::Cx;

/// A kind of actor: makes an activation when an actor is used for the first time.
pub trait ActorKind: 'static {
    /// An activation of the actor `key`. A panic ends it before it began: who called the actor gets `Panicked`.
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation>;

    /// The operations among which the worker finds those that the actor calls itself every so often
    /// ([`OperationSpec::every_ms`]).
    fn operations(&self) -> &'static [OperationSpec] {
        &[]
    }
}

/// An actor that is alive in one place. The worker calls it from one thread, one call at a time.
pub trait Activation {
    /// Serves one operation. Numbers from [`OperationNumber::FIRST_RESERVED`] on carry a
    /// [`ToActor`](crate::reserved::ToActor) as their typed body.
    fn serve(
        self: Box<Self>,
        cx: &mut Cx,
        number: OperationNumber,
        body: Body,
        form: Form,
    ) -> Served<Box<dyn Activation>>;

    /// The time set by [`Cx::set_alarm`] has come. Called once for each; set it again to be called again.
    fn alarm(&mut self, cx: &mut Cx);

    /// The activation ends in good order: it idled, [`Cx::stop`] was called, or the node stops. Not called after a panic.
    fn stopping(&mut self, cx: &mut Cx) {
        let _ = cx;
    }

    /// Something about the activation for the console and metrics; see [`crate::Worker::reports`]. Called between two
    /// operations, never while one waits. A panic leaves it out and is counted.
    fn report(&self) -> Option<Box<dyn Any>> {
        None
    }

    /// Everything that others may see of the activation's state, for the simulator's checkers and for tools; see
    /// [`crate::Worker::looks`]. Unlike a report it may cost as much as a tick. Otherwise as [`Activation::report`].
    fn look(&self) -> Option<Box<dyn Any>> {
        None
    }
}
