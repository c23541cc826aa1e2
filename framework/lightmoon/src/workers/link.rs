//! The sending end of a ring between hub and worker.
//!
//! *Responsible for*: keeping what does not fit, in order. *Not responsible for*: how much may wait; who sends asks
//! [`Sending::waiting`].

use std::collections::VecDeque;
use std::sync::Arc;

use rtrb::Producer;

use super::courier::pour;
use super::doorbell::Doorbell;

/// A ring, what waits for room in it, and what wakes its reader.
pub(crate) struct Sending<T> {
    ring: Producer<T>,
    waiting: VecDeque<T>,
    bell: Arc<Doorbell>,
}

impl<T> Sending<T> {
    pub(crate) const fn new(ring: Producer<T>, bell: Arc<Doorbell>) -> Self {
        Self { ring, waiting: VecDeque::new(), bell }
    }

    /// Leaves with the next [`Self::flush`]; the first of many leaves at once, so that a reader who sleeps wakes up meanwhile.
    pub(crate) fn put(&mut self, message: T) {
        let is_first = self.waiting.is_empty();
        self.waiting.push_back(message);
        if is_first {
            self.flush();
        }
    }

    /// Sends what fits.
    pub(crate) fn flush(&mut self) {
        if !self.waiting.is_empty() && pour(&mut self.waiting, &mut self.ring) {
            self.bell.ring();
        }
    }

    /// What wakes its reader.
    pub(crate) fn bell(&self) -> Arc<Doorbell> {
        Arc::clone(&self.bell)
    }

    /// How much waits for room.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
