//! Who may begin a handshake.
//!
//! *Responsible for*: counting handshakes and links, and deciding on each attempt. *Not responsible for*: who the client
//! is (`node`).
//!
//! Invariants:
//! - I1: handshakes in progress and links open are never more than their limits; both are given back when dropped.

use crate::counters::Tally;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What to do with an attempt.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Go on; hold the place until the link is gone.
    Accept(Place),
    /// Ask the client to show that it owns its address, which costs us no memory.
    Retry,
    /// Full.
    Refuse,
}

/// The limits of one endpoint and what is taken of them.
#[derive(Debug)]
pub(crate) struct Admission {
    handshakes_max: usize,
    links_max: usize,
    handshakes: AtomicUsize,
    links: AtomicUsize,
    tally: Arc<Tally>,
}

impl Admission {
    pub(crate) fn new(handshakes_max: usize, links_max: usize, tally: Arc<Tally>) -> Arc<Self> {
        let handshakes_max = handshakes_max.max(1);
        let links_max = links_max.max(1);
        Arc::new(Self {
            handshakes_max,
            links_max,
            handshakes: AtomicUsize::new(0),
            links: AtomicUsize::new(0),
            tally,
        })
    }

    /// Decides on an attempt whose sender did (or did not yet) show that it owns its address. Called by the one accept
    /// loop of an endpoint, so that looking and taking need not be one step.
    pub(crate) fn decide(self: &Arc<Self>, validated: bool) -> Verdict {
        // Relaxed: each counter stands for itself, and only their accept loop raises them.
        let handshakes = self.handshakes.load(Ordering::Relaxed);
        let links = self.links.load(Ordering::Relaxed);
        if handshakes >= self.handshakes_max || links + handshakes >= self.links_max {
            self.tally.refused.add(1);
            return Verdict::Refuse;
        }
        if handshakes * 2 >= self.handshakes_max && !validated {
            self.tally.retried.add(1);
            return Verdict::Retry;
        }
        self.handshakes.fetch_add(1, Ordering::Relaxed);
        self.tally.handshakes.add(1);
        Verdict::Accept(Place { admission: Arc::clone(self), is_link: false })
    }
}

/// One handshake or one link; gives its place back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    is_link: bool,
}

impl Place {
    /// The handshake is done: the place counts as a link from now on.
    pub(crate) fn into_link(mut self) -> Self {
        let admission = &self.admission;
        admission.links.fetch_add(1, Ordering::Relaxed);
        admission.tally.links.add(1);
        admission.tally.links_opened.add(1);
        admission.handshakes.fetch_sub(1, Ordering::Relaxed);
        admission.tally.handshakes.sub(1);
        self.is_link = true;
        self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_link {
            self.admission.links.fetch_sub(1, Ordering::Relaxed);
            self.admission.tally.links.sub(1);
        } else {
            self.admission.handshakes.fetch_sub(1, Ordering::Relaxed);
            self.admission.tally.handshakes.sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(admission: &Arc<Admission>, validated: bool) -> Place {
        match admission.decide(validated) {
            Verdict::Accept(place) => place,
            other @ (Verdict::Retry | Verdict::Refuse) => panic!("{other:?}"),
        }
    }

    #[test]
    fn half_open_handshakes_are_bounded() {
        let tally = Arc::new(Tally::default());
        let admission = Admission::new(4, 100, Arc::clone(&tally));
        let first = accept(&admission, false);
        let _second = accept(&admission, false);
        assert!(matches!(admission.decide(false), Verdict::Retry), "half taken: the address must be shown");
        let _third = accept(&admission, true);
        let _fourth = accept(&admission, true);
        assert!(matches!(admission.decide(true), Verdict::Refuse));
        drop(first);
        drop(accept(&admission, true));
        assert_eq!((tally.refused.get(), tally.retried.get(), tally.handshakes.get()), (1, 1, 3));
    }

    #[test]
    fn links_are_bounded_and_given_back() {
        let tally = Arc::new(Tally::default());
        let admission = Admission::new(8, 2, Arc::clone(&tally));
        let first = accept(&admission, false).into_link();
        let _second = accept(&admission, false).into_link();
        assert!(matches!(admission.decide(true), Verdict::Refuse));
        drop(first);
        let _third = accept(&admission, true);
        assert!(matches!(admission.decide(true), Verdict::Refuse), "a handshake will be a link");
        assert_eq!((tally.links.get(), tally.links_opened.get()), (1, 2));
    }
}
