//! Serving one operation with an actor that moves through it by value: taken out of its activation, put back after.
//!
//! *Responsible for*: the way of the actor through one operation, waiting or not. *Not responsible for*: what the activation
//! does around it (the plain actors of this crate, the stored ones of `zone`).
//!
//! Invariants:
//! - I1: serving an operation that does not wait allocates nothing: the box around the activation and the one around the
//!   actor stay where they are.

use lightmoon_contract::call::{Body, Form, Serve, Served};
use lightmoon_contract::{CallError, OperationNumber};

use crate::reserved::ToActor;
use crate::{Activation, Cx};

/// An activation that gives its actor away for one operation.
pub trait Holder<A>: Activation + 'static {
    /// The actor; `None` only while an operation has it.
    fn take(&mut self) -> Option<Box<A>>;

    /// The actor comes back from the operation.
    fn put(&mut self, actor: Box<A>);

    /// The framework tells the actor something. Called only while no operation has it.
    ///
    /// # Errors
    /// The actor cannot be asked this.
    fn told(&mut self, cx: &mut Cx, message: ToActor) -> Result<(), CallError>;
}

/// Serves one operation of contract `C`, or passes on what the framework tells: [`Activation::serve`] of a holder.
///
/// # Panics
/// An operation has the actor. The worker serves the next one only after it gave the actor back.
pub fn serve<C, A, H>(
    mut holder: Box<H>,
    cx: &mut Cx,
    number: OperationNumber,
    body: Body,
    form: Form,
) -> Served<Box<dyn Activation>>
where
    C: Serve<A, Cx>,
    A: 'static,
    H: Holder<A>,
{
    if number.is_reserved() {
        let told = match ToActor::open(body) {
            Some(message) => holder.told(cx, message),
            None => Err(CallError::WrongType("message of the framework")),
        };
        return Served::Done(holder, told.map(|()| None));
    }
    let actor = holder.take().expect("an operation gives the actor back before the next one is served");
    match C::serve(actor, cx, number, body, form) {
        Served::Done(actor, result) => {
            holder.put(actor);
            Served::Done(holder, result)
        }
        Served::Waits(waiting) => Served::Waits(Box::pin(async move {
            let (actor, result) = waiting.await;
            holder.put(actor);
            (holder as Box<dyn Activation>, result)
        })),
    }
}
