//! A store behind a bad network: outcomes get lost, requests do not arrive.

use std::collections::VecDeque;

use lightmoon_contract::Mono;
use lightmoon_store::{MemoryStore, Outcome, Rejected, Request, Store, Ticket, conformance};

use crate::clock;

/// What is wrong with it, besides the network.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// A commit of an unknown outcome happens after the read that did not show it.
    LateCommit,
    /// A commit that was said not to have been sent was sent.
    FalselyUnavailable,
    /// A serial read shows what was there before the last commit.
    StaleRead,
}

struct Disturbed {
    inner: MemoryStore,
    /// What the reads of a stale store see: one commit behind.
    behind: MemoryStore,
    last_commit: Option<Request>,
    late: Option<Request>,
    outcomes: VecDeque<(Ticket, Outcome)>,
    random: fastrand::Rng,
    wrong: Wrong,
}

impl Disturbed {
    fn new(seed: u64, wrong: Wrong) -> Self {
        Self {
            inner: MemoryStore::new(),
            behind: MemoryStore::new(),
            last_commit: None,
            late: None,
            outcomes: VecDeque::new(),
            random: fastrand::Rng::with_seed(seed),
            wrong,
        }
    }

    fn run(store: &mut MemoryStore, request: Request) -> Outcome {
        store.submit(Ticket(0), request).expect("it was checked");
        store.poll(Mono(0)).expect("a memory store answers at once").1
    }

    fn commit(&mut self, request: Request) -> Outcome {
        match self.random.u8(..10) {
            0 if self.wrong == Wrong::FalselyUnavailable => {
                Self::run(&mut self.inner, request);
                Outcome::Unavailable
            }
            0 => Outcome::Unavailable,
            1 if self.wrong == Wrong::LateCommit => {
                self.late = Some(request);
                Outcome::Unknown
            }
            1 => Outcome::Unknown,
            2 => {
                self.apply(request);
                Outcome::Unknown
            }
            _ => self.apply(request),
        }
    }

    fn apply(&mut self, request: Request) -> Outcome {
        if let Some(before) = self.last_commit.replace(request.clone()) {
            Self::run(&mut self.behind, before);
        }
        Self::run(&mut self.inner, request)
    }

    fn read(&mut self, request: Request) -> Outcome {
        if self.random.u8(..10) == 0 {
            return [Outcome::Unknown, Outcome::Unavailable][self.random.usize(..2)].clone();
        }
        let store = if self.wrong == Wrong::StaleRead { &mut self.behind } else { &mut self.inner };
        let outcome = Self::run(store, request);
        if let Some(late) = self.late.take() {
            self.apply(late);
        }
        outcome
    }
}

impl Store for Disturbed {
    fn submit(&mut self, ticket: Ticket, request: Request) -> Result<(), Rejected> {
        if let Err(why) = request.check() {
            return Err(Rejected::new(why, request));
        }
        let outcome = match request {
            Request::Commit { .. } => self.commit(request),
            Request::Read { .. } => self.read(request),
            Request::PutChunk { .. } | Request::Append { .. } | Request::Scan(_) => {
                Self::run(&mut self.inner, request)
            }
        };
        self.outcomes.push_back((ticket, outcome));
        Ok(())
    }

    fn poll(&mut self, _now: Mono) -> Option<(Ticket, Outcome)> {
        self.outcomes.pop_front()
    }
}

fn failures(seed: u64, wrong: Wrong) -> Vec<conformance::Failure> {
    conformance::check_disturbed(|| Box::new(Disturbed::new(seed, wrong)), clock())
}

#[test]
fn a_right_store_behind_a_bad_network_is_right() {
    for seed in 0..50 {
        let failures = failures(seed, Wrong::Nothing);
        assert!(failures.is_empty(), "seed {seed}: {}", conformance::report(&failures));
    }
}

#[test]
fn wrong_stores_behind_a_bad_network_are_found_out() {
    for wrong in [Wrong::LateCommit, Wrong::FalselyUnavailable, Wrong::StaleRead] {
        for seed in 0..20 {
            assert!(!failures(seed, wrong).is_empty(), "seed {seed}");
        }
    }
}

#[test]
fn the_suite_for_undisturbed_stores_does_not_pass_a_disturbed_one() {
    assert!(!conformance::check(|| Box::new(Disturbed::new(1, Wrong::Nothing)), clock()).is_empty());
}
