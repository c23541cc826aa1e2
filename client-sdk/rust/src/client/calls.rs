//! Requests that wait for their answer, and answers that wait to be taken.
//!
//! *Responsible for*: numbers, timeouts, what is to be sent again, keeping answers and what was not delivered.
//! *Not responsible for*: sending (`lightmoon_wire`), when ([`super::resume`]).
//!
//! Invariants:
//! - I1: a request's number is never used twice, also over reconnects, so an answer never meets another ticket. The same request
//!   keeps its number when it is sent again.
//! - I2: every request ends: with its answer, with `timed-out` at its deadline, or with `gone` when its session does.
//! - I3: a message is handed back only if nothing was done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use lightmoon_contract::{CallError, Mono, Operation};
use lightmoon_wire::OutgoingCall;

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

/// How far a request is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Never sent.
    Queued,
    /// Sent over a connection that is gone: it may have arrived.
    Lost,
    /// Sent over the connection of now.
    Sent,
}

/// A request without an answer.
#[derive(Debug)]
struct Open {
    call: OutgoingCall,
    deadline: Mono,
    stage: Stage,
}

/// All requests of a client.
#[derive(Debug, Default)]
pub(super) struct Calls {
    last: u64,
    /// The highest number that was ever sent.
    sent_up_to: u64,
    open: BTreeMap<u64, Open>,
    /// The same by time.
    deadlines: BTreeSet<(Mono, u64)>,
    answers: BTreeMap<u64, Result<Bytes, CallError>>,
    /// Numbers of `answers`, oldest first; may hold some that were taken, at most as many again as may wait.
    order: VecDeque<u64>,
    /// Messages that were not delivered, for who wants them back.
    undelivered: BTreeMap<u64, Bytes>,
}

impl Calls {
    /// A number for the next request, from 1.
    pub(super) const fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The lowest number above all that were ever sent.
    pub(super) const fn first_new(&self) -> u64 {
        self.sent_up_to + 1
    }

    /// How many have no answer.
    pub(super) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// A request begins; it is not sent yet.
    pub(super) fn begin(&mut self, request: u64, call: OutgoingCall, deadline: Mono) {
        self.open.insert(request, Open { call, deadline, stage: Stage::Queued });
        self.deadlines.insert((deadline, request));
    }

    /// What a request sends, while it has no answer.
    pub(super) fn call(&self, request: u64) -> Option<&OutgoingCall> {
        self.open.get(&request).map(|open| &open.call)
    }

    /// A request was sent.
    pub(super) fn sent(&mut self, request: u64) {
        if let Some(open) = self.open.get_mut(&request) {
            open.stage = Stage::Sent;
            self.sent_up_to = self.sent_up_to.max(request);
        }
    }

    /// The connection is gone; what was sent over it may have to be sent again.
    pub(super) fn connection_lost(&mut self) {
        for open in self.open.values_mut().filter(|open| open.stage == Stage::Sent) {
            open.stage = Stage::Lost;
        }
    }

    /// Bytes of the messages that were sent over the connection of now and have no answer.
    pub(super) fn bytes_sent(&self) -> usize {
        let sent = self.open.values().filter(|open| open.stage == Stage::Sent);
        sent.map(|open| open.call.args.len()).sum()
    }

    /// Those of a stage, in their order.
    pub(super) fn of(&self, stage: Stage) -> Vec<u64> {
        self.open.iter().filter(|(_, open)| open.stage == stage).map(|(request, _)| *request).collect()
    }

    /// Those that are not sent over the connection of now, in their order, and whether each was ever sent.
    pub(super) fn unsent(&self) -> Vec<(u64, Stage)> {
        let unsent = self.open.iter().filter(|(_, open)| open.stage != Stage::Sent);
        unsent.map(|(request, open)| (*request, open.stage)).collect()
    }

    /// A request ends. `None` if it has ended before; else how many older answers had to go.
    pub(super) fn end(&mut self, request: u64, result: Result<Bytes, CallError>) -> Option<Dropped> {
        let open = self.open.remove(&request)?;
        self.deadlines.remove(&(open.deadline, request));
        if let Err(error) = &result
            && (open.stage == Stage::Queued || is_harmless(error))
        {
            while self.undelivered.len() >= limits::UNDELIVERED_WAITING_MAX {
                self.undelivered.pop_first();
            }
            self.undelivered.insert(request, open.call.args);
        }
        Some(self.keep(request, result))
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

    /// A request whose time is up.
    pub(super) fn overdue(&self, now: Mono) -> Option<u64> {
        let (deadline, request) = *self.deadlines.first()?;
        (now >= deadline).then_some(request)
    }

    /// Takes an answer.
    pub(super) fn take(&mut self, request: u64) -> Option<Result<Bytes, CallError>> {
        let answer = self.answers.remove(&request)?;
        if self.answers.is_empty() {
            self.order.clear();
        }
        Some(answer)
    }

    /// Takes back what a request said that was not served.
    pub(super) fn take_undelivered(&mut self, request: u64) -> Option<Bytes> {
        self.undelivered.remove(&request)
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
}

/// Whether an error says for certain that nothing was done.
fn is_harmless(error: &CallError) -> bool {
    error.code().entry().is_some_and(|entry| entry.nothing_was_done)
}

/// How many answers nobody took were dropped.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(super) struct Dropped(pub(super) u64);

#[cfg(test)]
mod tests {
    use lightmoon_contract::operation::Target;
    use lightmoon_contract::{Kind, Lane, OperationNumber};

    use super::*;

    fn begin(calls: &mut Calls, deadline: u64) -> u64 {
        let request = calls.number();
        let call = OutgoingCall {
            request: Some(request),
            lane: Lane::CONTROL,
            target: Target::Own,
            kind: Kind(1),
            number: OperationNumber(1),
            args: Bytes::from_static(b"message"),
        };
        calls.begin(request, call, Mono(deadline));
        request
    }

    #[test]
    fn answers_that_nobody_takes_are_bounded() {
        let mut calls = Calls::default();
        let mut dropped = 0;
        for _ in 0..5_000 {
            let request = begin(&mut calls, 1);
            dropped += calls.end(request, Ok(Bytes::new())).unwrap().0;
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
        let patient = begin(&mut calls, 1);
        let mut dropped = calls.end(patient, Err(CallError::Gone)).unwrap().0;
        for _ in 0..5_000 {
            let request = begin(&mut calls, 1);
            dropped += calls.end(request, Err(CallError::Busy)).unwrap().0;
            assert!(calls.take(request).is_some());
            assert!(calls.order.len() <= 2 * limits::ANSWERS_WAITING_MAX, "bounded");
            assert!(calls.undelivered.len() <= limits::UNDELIVERED_WAITING_MAX, "bounded");
        }
        assert_eq!(dropped, 0);
        assert!(calls.take(patient).is_some());
    }

    #[test]
    fn a_request_ends_once() {
        let mut calls = Calls::default();
        let (slow, quick) = (begin(&mut calls, 10), begin(&mut calls, 5));
        assert_eq!(calls.next_deadline(), Some(Mono(5)));
        assert_eq!(calls.overdue(Mono(4)), None);
        assert_eq!(calls.overdue(Mono(7)), Some(quick));
        assert!(calls.end(quick, Err(CallError::TimedOut)).is_some());
        assert_eq!(calls.overdue(Mono(7)), None);
        assert!(calls.end(quick, Ok(Bytes::new())).is_none(), "too late");
        assert_eq!(calls.of(Stage::Queued), [slow]);
        assert!(calls.end(slow, Err(CallError::Gone)).is_some());
        assert_eq!(calls.next_deadline(), None);
    }

    #[test]
    fn only_what_was_certainly_not_served_is_handed_back() {
        let ends = [
            (Stage::Queued, CallError::Gone, true),
            (Stage::Queued, CallError::TimedOut, true),
            (Stage::Sent, CallError::TooFast, true),
            (Stage::Lost, CallError::NotAllowed, true),
            (Stage::Sent, CallError::TimedOut, false),
            (Stage::Lost, CallError::Gone, false),
            (Stage::Sent, CallError::AnswerForgotten, false),
        ];
        for (stage, error, back) in ends {
            let mut calls = Calls::default();
            let request = begin(&mut calls, 1);
            if stage != Stage::Queued {
                calls.sent(request);
            }
            if stage == Stage::Lost {
                calls.connection_lost();
            }
            assert!(calls.end(request, Err(error.clone())).is_some());
            assert_eq!(calls.take_undelivered(request).is_some(), back, "{stage:?}, {error}");
            assert_eq!(calls.take_undelivered(request), None, "once");
        }
    }

    #[test]
    fn numbers_that_were_never_sent_are_new() {
        let mut calls = Calls::default();
        assert_eq!(calls.first_new(), 1);
        let (first, second) = (begin(&mut calls, 1), begin(&mut calls, 1));
        calls.sent(first);
        assert_eq!(calls.first_new(), second);
        calls.connection_lost();
        assert_eq!(calls.unsent(), [(first, Stage::Lost), (second, Stage::Queued)]);
    }
}
