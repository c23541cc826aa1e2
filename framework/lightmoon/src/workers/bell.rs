//! What wakes a thread that sleeps.
//!
//! *Responsible for*: that no wake is lost and few are needed. *Not responsible for*: what there is to do (rings).
//!
//! ```text
//! sender: put into the ring ─► ring the bell; who rings first wakes       receiver: answer the bell ─► take from the rings ─► sleep
//! ```
//!
//! There is no flag that says who sleeps: waking one who does not costs an exchange of one word, and the next sleep then
//! returns at once (`park` keeps a token, a channel keeps its message).
//!
//! Invariants:
//! - I1: what was put before a ring is seen by the receiver that answers after it. Both are exchanges of one word, so the answer
//!   reads the ring's value or that of a later ring, and acquires what was before it.
//! - I2: between two answers one sender wakes, however many ring.

// The test of all interleavings compiles this file into itself, with other atomics (`tests/bell.rs`).
use super::atomic::{AtomicBool, Ordering};

/// The word between senders and a receiver.
#[derive(Debug)]
pub(crate) struct Bell {
    rung: AtomicBool,
}

impl Bell {
    pub(crate) fn new() -> Self {
        Self { rung: AtomicBool::new(false) }
    }

    /// Says that there is something. `true`: the caller has to wake the receiver.
    pub(crate) fn ring(&self) -> bool {
        // Release what was put; acquire the receiver's answer, so that what it set up before is seen.
        !self.rung.swap(true, Ordering::AcqRel)
    }

    /// The receiver is about to look: who rings from now on wakes it again.
    pub(crate) fn answer(&self) {
        // Pairs with [`Self::ring`]: an exchange, since a plain store would not acquire what was put before the ring.
        self.rung.swap(false, Ordering::AcqRel);
    }

    /// Whether somebody rang since the last answer; a hint for who looks without sleeping.
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }
}
