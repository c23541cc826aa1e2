//! An actor while one of its operations runs.
//!
//! *Responsible for*: that an actor whose drop panics ends no process when its operation panicked before. *Not responsible for*: what
//! becomes of the panic of the operation (`actor`).
//!
//! Invariants:
//! - I1: dropping this never panics. An operation's panic drops its actor on the way; a second panic there would abort the process.

use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Holds an actor that moves through an operation by value. Made by generated code.
#[derive(Debug)]
pub struct Shielded<A>(Option<Box<A>>);

impl<A> Shielded<A> {
    /// Takes the actor.
    #[must_use]
    pub const fn new(actor: Box<A>) -> Self {
        Self(Some(actor))
    }

    /// Gives the actor back.
    ///
    /// # Panics
    /// Never: only this takes it out, and it takes `self`.
    #[must_use]
    pub fn into_inner(mut self) -> Box<A> {
        self.0.take().expect("it is taken out once")
    }
}

impl<A> Deref for Shielded<A> {
    type Target = A;

    fn deref(&self) -> &A {
        self.0.as_ref().expect("it is there until it is taken out, by value")
    }
}

impl<A> DerefMut for Shielded<A> {
    fn deref_mut(&mut self) -> &mut A {
        self.0.as_mut().expect("it is there until it is taken out, by value")
    }
}

impl<A> Drop for Shielded<A> {
    fn drop(&mut self) {
        let Some(actor) = self.0.take() else { return };
        // Nobody sees the actor afterwards, so it does not matter in which state a panic left it.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(actor))) {
            // It may panic when it is dropped, too. A few words are lost.
            std::mem::forget(payload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Mine;

    impl Drop for Mine {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[test]
    fn a_panic_on_the_way_of_a_panic_is_kept_inside() {
        let shielded = Shielded::new(Box::new(Mine));
        let caught = catch_unwind(AssertUnwindSafe(move || {
            let _shielded = shielded;
            panic!("first");
        }));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"first"));
    }

    #[test]
    fn what_it_holds_comes_back() {
        let mut shielded = Shielded::new(Box::new(1));
        *shielded += 1;
        assert_eq!(*shielded.into_inner(), 2);
    }
}
