//! Requests that wait for their answer, and answers that wait to be taken.
//!
//! *Responsible for*: numbers, timeouts, keeping answers. *Not responsible for*: sending (`lightmoon_wire`).
//!
//! Invariants:
//! - I1: a request's number is never used twice, also over reconnects, so an answer never meets another ticket.
//! - I2: every request ends: with its answer, with `timed-out` at its deadline, or with `gone` when the connection does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use lightmoon_contract::{CallError, Mono, Operation};

use crate::limits;

/// The ticket of a request: look for its answer by [`crate::Client::reply`].
pub struct Pending<O> {
    request: u64,
    operation: PhantomData<fn() -> O>,
}

impl<O> Pending<O> {
    pub(super) const fn new(request: u64) -> Self {
        Self { request, operation: PhantomData }
    }

    /// The number that [`crate::Event::Answered`] names.
    #[must_use]
    pub const fn request(&self) -> u64 {
        self.request
    }
}

impl<O: Operation> fmt::Debug for Pending<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pending({} {})", O::SPEC.name, self.request)
    }
}

/// All requests of a client.
#[derive(Debug, Default)]
pub(super) struct Calls {
    last: u64,
    open: BTreeMap<u64, Mono>,
    /// The same by time.
    deadlines: BTreeSet<(Mono, u64)>,
    answers: BTreeMap<u64, Result<Bytes, CallError>>,
    /// Numbers of `answers`, oldest first; may hold some that were taken, at most as many again as may wait.
    order: VecDeque<u64>,
}

impl Calls {
    /// A number for the next request, from 1.
    pub(super) const fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A request was sent.
    pub(super) fn sent(&mut self, request: u64, deadline: Mono) {
        self.open.insert(request, deadline);
        self.deadlines.insert((deadline, request));
    }

    /// An answer came. False if nobody waits for it any more. True `dropped`: an older answer had to go.
    pub(super) fn answered(&mut self, request: u64, result: Result<Bytes, CallError>) -> Option<Dropped> {
        let deadline = self.open.remove(&request)?;
        self.deadlines.remove(&(deadline, request));
        Some(self.keep(request, result))
    }

    /// A request that could not even be sent.
    pub(super) fn failed(&mut self, request: u64, error: CallError) -> Dropped {
        self.keep(request, Err(error))
    }

    fn keep(&mut self, request: u64, result: Result<Bytes, CallError>) -> Dropped {
        let mut dropped = Dropped(0);
        while self.answers.len() >= limits::ANSWERS_WAITING_MAX {
            let Some(oldest) = self.order.pop_front() else { break };
            dropped.0 += u64::from(self.answers.remove(&oldest).is_some());
        }
        if self.order.len() >= 2 * limits::ANSWERS_WAITING_MAX {
            self.order.retain(|request| self.answers.contains_key(request));
        }
        self.answers.insert(request, result);
        self.order.push_back(request);
        dropped
    }

    /// A request whose time is up, taken out of the open ones.
    pub(super) fn overdue(&mut self, now: Mono) -> Option<u64> {
        let (deadline, request) = *self.deadlines.first()?;
        if now < deadline {
            return None;
        }
        self.deadlines.pop_first();
        self.open.remove(&request);
        Some(request)
    }

    /// All open requests, taken out.
    pub(super) fn abandon(&mut self) -> Vec<u64> {
        self.deadlines.clear();
        std::mem::take(&mut self.open).into_keys().collect()
    }

    /// Takes an answer.
    pub(super) fn take(&mut self, request: u64) -> Option<Result<Bytes, CallError>> {
        let answer = self.answers.remove(&request)?;
        if self.answers.is_empty() {
            self.order.clear();
        }
        Some(answer)
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}

/// How many answers nobody took were dropped.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(super) struct Dropped(pub(super) u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_nobody_takes_are_bounded() {
        let mut calls = Calls::default();
        let mut dropped = 0;
        for _ in 0..5_000 {
            let request = calls.number();
            calls.sent(request, Mono(1));
            dropped += calls.answered(request, Ok(Bytes::new())).unwrap().0;
            assert!(calls.order.len() <= 2 * limits::ANSWERS_WAITING_MAX);
        }
        assert_eq!(calls.answers.len() + usize::try_from(dropped).unwrap(), 5_000);
        assert!(calls.take(1).is_none());
        assert!(calls.take(5_000).is_some());
        assert!(calls.take(5_000).is_none(), "an answer is taken once");
    }

    #[test]
    fn an_answer_that_waits_does_not_give_way_to_answers_that_were_taken() {
        let mut calls = Calls::default();
        let patient = calls.number();
        let mut dropped = calls.failed(patient, CallError::Gone).0;
        for _ in 0..5_000 {
            let request = calls.number();
            dropped += calls.failed(request, CallError::Busy).0;
            assert!(calls.take(request).is_some());
            assert!(calls.order.len() <= 2 * limits::ANSWERS_WAITING_MAX, "bounded");
        }
        assert_eq!(dropped, 0);
        assert!(calls.take(patient).is_some());
    }

    #[test]
    fn a_request_ends_once() {
        let mut calls = Calls::default();
        calls.sent(1, Mono(10));
        calls.sent(2, Mono(5));
        assert_eq!(calls.next_deadline(), Some(Mono(5)));
        assert_eq!(calls.overdue(Mono(7)), Some(2));
        assert_eq!(calls.overdue(Mono(7)), None);
        assert!(calls.answered(2, Ok(Bytes::new())).is_none(), "too late");
        assert_eq!(calls.abandon(), [1]);
        assert_eq!(calls.next_deadline(), None);
    }
}
