//! Kinds that keep nothing: the rules of the game on a worker without a store.
//!
//! *Responsible for*: hiding from the worker that a kind is kept. What is kept, and how it comes back, is tried by the trials.

use lightmoon::actor::{Activation, ActorKind, Cx};
use lightmoon::contract::operation::OperationSpec;

/// A kind whose actors begin anew each time.
pub(crate) struct Forgetful<K>(pub(crate) K);

impl<K: ActorKind> ActorKind for Forgetful<K> {
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        self.0.activate(cx, key)
    }

    fn operations(&self) -> &'static [OperationSpec] {
        self.0.operations()
    }
}
