//! Places in a worker.
//!
//! *Responsible for*: naming one life of one place. *Not responsible for*: what stands there ([`crate::worker`]).
//!
//! Invariants:
//! - I1: a slot never leaves the crate.
//! - I2: the generation changes with every activation, so that timers and wakes of an older one miss.

/// A place in one worker, in one of its lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl Slot {
    /// The index into a list.
    pub(crate) const fn at(self) -> usize {
        self.index as usize
    }
}
