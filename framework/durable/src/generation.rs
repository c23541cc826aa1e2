//! The generation of a node: one more at each start, so that a former one can be told and fenced.
//!
//! *Responsible for*: taking the next generation by compare-and-set. *Not responsible for*: that two processes do not run
//! at once (the lock on the data folder; leases in a cluster).
//!
//! Invariants:
//! - I1: no generation is taken twice, whatever the outcome of a try: an unknown one is read again, and a number that may
//!   have been taken by us is ours only if it reads as written by us; else the next one is tried.

use lightmoon_store::{Area, Condition, Done, Head, Is, KeyRange, Outcome, Request, Test, Ticket};

use crate::layout;

/// The name of a node that runs alone.
pub const SINGLE_NODE: &str = "node";

/// Takes the next generation: submit what [`Self::request`] gives, hand the outcome to [`Self::outcome`], until it is
/// [`Step::Taken`].
#[derive(Debug)]
pub struct Opening {
    name: String,
    /// What was read: the generation there, if any.
    seen: Option<Option<u64>>,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Submit the next request.
    Ask,
    /// The same request once more, in a moment: the store was away.
    AskLater,
    /// This generation is ours.
    Taken(u64),
}

/// Tickets of an opening; it ends before a keeper gives its own.
pub const OPENING_TICKET: Ticket = Ticket(0);

impl Opening {
    /// Of the node `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), seen: None }
    }

    /// The next request.
    #[must_use]
    pub fn request(&self) -> Request {
        let partition = layout::node(&self.name);
        let Some(seen) = self.seen else {
            let (area, keys) = (Area::Commits, KeyRange::all());
            return Request::Read { area, partition, keys, limit: 1, serial: true };
        };
        let condition = seen.map_or(Condition::Absent, |value| {
            Condition::Holds(vec![Test { field: layout::GENERATION, is: Is::Equal, value }])
        });
        let head = Head::of([(layout::GENERATION, next(seen))]);
        Request::Commit { partition, condition, head, changes: Vec::new() }
    }

    /// Takes an outcome.
    pub fn outcome(&mut self, outcome: &Outcome) -> Step {
        match (self.seen, outcome) {
            (_, Outcome::Unavailable) => Step::AskLater,
            // An operator has to look; until then the node stays closed.
            (_, Outcome::Damaged) => Step::AskLater,
            (None, Outcome::Done(Done::Page(page))) => {
                self.seen = Some(page.head.as_ref().and_then(|head| head.get(layout::GENERATION)));
                Step::Ask
            }
            (Some(seen), Outcome::Done(Done::Written)) => Step::Taken(next(seen)),
            // Somebody was faster, or nobody knows: what is there now decides. A generation that we may have taken
            // without knowing is passed over.
            (_, _) => {
                self.seen = None;
                Step::Ask
            }
        }
    }
}

fn next(seen: Option<u64>) -> u64 {
    seen.unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use lightmoon_contract::Mono;
    use lightmoon_store::{MemoryStore, Store as _};

    use super::*;

    fn open(store: &mut MemoryStore, mut disturb: impl FnMut(Outcome) -> Outcome) -> u64 {
        let mut opening = Opening::new(SINGLE_NODE);
        for _ in 0..100 {
            store.submit(OPENING_TICKET, opening.request()).unwrap();
            let (_, outcome) = store.poll(Mono(0)).unwrap();
            if let Step::Taken(generation) = opening.outcome(&disturb(outcome)) {
                return generation;
            }
        }
        panic!("no generation was taken");
    }

    #[test]
    fn each_start_takes_the_next_generation() {
        let mut store = MemoryStore::new();
        for generation in 1..=5 {
            assert_eq!(open(&mut store, |outcome| outcome), generation);
        }
    }

    #[test]
    fn a_generation_that_may_have_been_taken_is_not_taken_again() {
        let mut store = MemoryStore::new();
        let mut left = 3;
        let lossy = |outcome| {
            if matches!(outcome, Outcome::Done(Done::Written)) && left > 0 {
                left -= 1;
                return Outcome::Unknown;
            }
            outcome
        };
        assert_eq!(open(&mut store, lossy), 4);
        assert_eq!(open(&mut store, |outcome| outcome), 5);
    }
}
