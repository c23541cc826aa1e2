//! The two traits behind every actor: its kind, which makes activations, and the activation itself.
//!
//! *Responsible for*: the seam between the worker and what runs on it. *Not responsible for*: the actors that users
//! write by hand ([`crate::Actor`]) and worlds (`zone`), which are built on it.

use std::any::Any;

use lightmoon_contract::call::{Body, Form, Served};
use lightmoon_contract::{OperationNumber, OperationSpec};

use crate::Cx;
use crate::inspect::Inspection;
use crate::keep::{Keeping, Kept, Parcel, Save, Unreadable, Unsavable};

/// A kind of actor: makes an activation when an actor is used for the first time.
pub trait ActorKind: 'static {
    /// An activation of the actor `key`. A panic ends it before it began: who called the actor gets `Panicked`.
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation>;

    /// The operations among which the worker finds those that the actor calls itself every so often
    /// ([`OperationSpec::every_ms`]).
    fn operations(&self) -> &'static [OperationSpec] {
        &[]
    }

    /// How actors of this kind are kept; `None`: not at all, they are made by [`Self::activate`]. The others are made by
    /// [`Self::restore`].
    fn keeping(&self) -> Option<Keeping> {
        None
    }

    /// An activation of the actor `key` from what the store has of it.
    ///
    /// # Errors
    /// What is stored cannot be read by this build. It stays as it is.
    fn restore(&self, cx: &mut Cx, key: u64, stored: Parcel) -> Result<Box<dyn Activation>, Unreadable> {
        drop(stored);
        Ok(self.activate(cx, key))
    }

    /// Shows what the store has of the actor `key` to an operator, as [`Activation::inspect`] would show an activation of it, and makes
    /// none. Only called of kinds that keep the whole state in each commit. A panic is shown as one, and counted.
    ///
    /// # Errors
    /// What is stored cannot be read by this build.
    fn inspect_stored(&self, key: u64, stored: Parcel, to: &mut Inspection) -> Result<(), Unreadable> {
        let _ = (key, stored, to);
        Ok(())
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

    /// What changed since the last save, for a commit. Called between two operations, never while one waits; only for
    /// kinds with [`ActorKind::keeping`]. What it gives counts as saved: if the commit fails, the activation ends.
    ///
    /// # Errors
    /// The state cannot be stored, because it is too large.
    fn save(&mut self, what: Save) -> Result<Kept, Unsavable> {
        let _ = what;
        Ok(Kept::default())
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

    /// What the activation shows of itself on a map, with at most so many places; see [`crate::Worker::charts`]. Costs a walk over
    /// what it holds. Otherwise as [`Activation::report`].
    fn chart(&self, places_max: usize) -> Option<Box<dyn Any>> {
        let _ = places_max;
        None
    }

    /// Shows the values of its state to an operator; false: its kind shows none. See [`crate::Worker::inspect`]. It changes nothing that
    /// anybody can observe. Otherwise as [`Activation::report`].
    fn inspect(&mut self, inspection: &mut Inspection) -> bool {
        let _ = inspection;
        false
    }
}
