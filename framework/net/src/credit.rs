//! How much of what a link sent the receiver of events may hold.
//!
//! *Responsible for*: counting what is held, and telling the driver when a link that had to wait may be read again. *Not responsible
//! for*: reading (`peer::inbox`).
//!
//! Invariants:
//! - I1: a [`Credit`] that is dropped lets exactly what it was taken for be read again.
//! - I2: a pool that was reported as exhausted wakes the driver once half of it is free.

use crate::commands::Commands;
use crate::event::LinkId;
use crate::limits::{CREDIT_BYTES, EVENT_COST_MIN};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// What is held of one link's streams, or of its datagrams.
pub(crate) struct Pool {
    held: AtomicU32,
    is_exhausted: AtomicBool,
    link: LinkId,
    commands: Commands,
}

impl Pool {
    pub(crate) fn new(link: LinkId, commands: Commands) -> Arc<Self> {
        Arc::new(Self { held: AtomicU32::new(0), is_exhausted: AtomicBool::new(false), link, commands })
    }

    /// How many bytes may be read now; `None`: too few. Then the driver hears of the link once half of the pool is free.
    pub(crate) fn room(&self) -> Option<usize> {
        let held = || self.held.load(Ordering::SeqCst);
        let left = CREDIT_BYTES.saturating_sub(held());
        if left >= EVENT_COST_MIN {
            return usize::try_from(left).ok();
        }
        // Sequentially consistent, as is giving back: either that sees the mark, or we see what it gave back.
        self.is_exhausted.store(true, Ordering::SeqCst);
        if held() > CREDIT_BYTES / 2 || !self.is_exhausted.swap(false, Ordering::SeqCst) {
            return None;
        }
        usize::try_from(CREDIT_BYTES / 2).ok()
    }

    /// The right to hold so many bytes.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Credit {
        let cost = u32::try_from(bytes).unwrap_or(CREDIT_BYTES).max(EVENT_COST_MIN);
        self.held.fetch_add(cost, Ordering::SeqCst);
        Credit { pool: Arc::clone(self), cost }
    }

    fn give_back(&self, cost: u32) {
        let left = self.held.fetch_sub(cost, Ordering::SeqCst) - cost;
        if left <= CREDIT_BYTES / 2
            && self.is_exhausted.load(Ordering::SeqCst)
            && self.is_exhausted.swap(false, Ordering::SeqCst)
        {
            self.commands.resume(self.link);
        }
    }
}

/// The right to hold the bytes of one event. While too many are held, the link is not read.
pub struct Credit {
    pool: Arc<Pool>,
    cost: u32,
}

impl Drop for Credit {
    fn drop(&mut self) {
        self.pool.give_back(self.cost);
    }
}

impl fmt::Debug for Credit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credit").field("cost", &self.cost).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_had_to_wait_is_read_again_once_half_is_given_back() {
        let commands = Commands::default();
        let pool = Pool::new(LinkId(7), commands.clone());
        let mut held: Vec<Credit> = (0..CREDIT_BYTES / 1_024).map(|_| pool.take(1_024)).collect();
        assert_eq!(pool.room(), None);
        held.truncate(held.len() / 2 + 1);
        assert!(commands.take_resumed().is_empty(), "not for a little");
        held.pop();
        assert_eq!(commands.take_resumed(), [LinkId(7)]);
        held.clear();
        assert!(commands.take_resumed().is_empty(), "once");
        assert_eq!(pool.room(), usize::try_from(CREDIT_BYTES).ok());
    }

    #[test]
    fn tiny_events_are_bounded_in_number() {
        let pool = Pool::new(LinkId(1), Commands::default());
        let mut held = Vec::new();
        while pool.room().is_some() {
            held.push(pool.take(1));
        }
        assert_eq!(held.len(), usize::try_from(CREDIT_BYTES / EVENT_COST_MIN).unwrap());
    }
}
