//! Kinds that begin anew each time: the rules of the game on a worker without a store.
//!
//! *Responsible for*: hiding from the worker that a kind is kept, or that anything is stored of it. What is kept, and how it
//! comes back, is tried by the trials.

use lightmoon::actor::{Activation, ActorKind, Cx, Keeping, Parcel, Unreadable};
use lightmoon::contract::operation::OperationSpec;

/// A kind whose actors are not kept.
pub(crate) struct Forgetful<K>(pub(crate) K);

impl<K: ActorKind> ActorKind for Forgetful<K> {
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        self.0.activate(cx, key)
    }

    fn operations(&self) -> &'static [OperationSpec] {
        self.0.operations()
    }
}

/// A kind whose actors are kept, but were never stored before.
pub(crate) struct Newborn<K>(pub(crate) K);

impl<K: ActorKind> ActorKind for Newborn<K> {
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        self.0.activate(cx, key)
    }

    fn operations(&self) -> &'static [OperationSpec] {
        self.0.operations()
    }

    fn keeping(&self) -> Option<Keeping> {
        self.0.keeping()
    }

    fn restore(&self, cx: &mut Cx, key: u64, _: Parcel) -> Result<Box<dyn Activation>, Unreadable> {
        Ok(self.0.activate(cx, key))
    }
}
