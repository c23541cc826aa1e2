//! Requests that come again: what a session asked, and what was answered.
//!
//! A client that lost its connection sends its open requests again over the next one, with the same numbers. What was handed to
//! an actor is not handed over twice.
//!
//! *Responsible for*: telling new requests from repeats, keeping answers within bounds. *Not responsible for*: what actors know of
//! requests themselves, also after a restart (`durable`).
//!
//! Invariants:
//! - I1: a number that was handed over once is never said to be new again, however much was forgotten since.
//! - I2: answers that are kept are at most [`limits::ANSWERS_KEPT_MAX`], hold at most [`limits::ANSWER_BYTES_KEPT_MAX`] and are
//!   not older than [`limits::ANSWERS_KEPT_TIME`].

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use lightmoon_contract::operation::Target;
use lightmoon_contract::{CallError, Kind, Mono, OperationNumber};
use lightmoon_wire::IncomingCall;
use xxhash_rust::xxh3::xxh3_128;

use crate::limits;

/// What makes two requests of one number the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Content {
    target: Target,
    kind: Kind,
    number: OperationNumber,
    /// Hash of the arguments.
    args: u128,
}

impl Content {
    pub(super) fn of(call: &IncomingCall) -> Self {
        Self { target: call.target, kind: call.kind, number: call.number, args: xxh3_128(&call.args) }
    }
}

/// What a number is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Never handed over.
    New,
    /// A repeat of a request whose answer is still to come.
    InFlight,
    /// A repeat of one that was answered like this.
    Answered(Result<Bytes, CallError>),
    /// The number of another request.
    Reused,
    /// A repeat of one whose answer is no longer known.
    Forgotten,
}

#[derive(Debug)]
enum State {
    InFlight,
    Answered { at: Mono, result: Result<Bytes, CallError> },
}

/// The requests of one session.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    known: BTreeMap<u64, (Content, State)>,
    /// Numbers of those that were answered, oldest answer first.
    answered: VecDeque<u64>,
    answer_bytes: usize,
    seen: Seen,
}

impl Repeats {
    /// What `request` is.
    pub(super) fn look(&mut self, now: Mono, request: u64, content: &Content) -> Verdict {
        self.forget_old(now);
        match self.known.get(&request) {
            Some((known, _)) if known != content => Verdict::Reused,
            Some((_, State::InFlight)) => Verdict::InFlight,
            Some((_, State::Answered { result, .. })) => Verdict::Answered(result.clone()),
            None if self.seen.has(request) => Verdict::Forgotten,
            None => Verdict::New,
        }
    }

    /// A new request was handed to its actor.
    pub(super) fn handed_over(&mut self, request: u64, content: Content) {
        self.seen.add(request);
        self.known.insert(request, (content, State::InFlight));
    }

    /// A request that was handed over has its answer.
    pub(super) fn answered(&mut self, now: Mono, request: u64, result: &Result<Bytes, CallError>) {
        let Some((_, state)) = self.known.get_mut(&request) else { return };
        *state = State::Answered { at: now, result: result.clone() };
        self.answered.push_back(request);
        self.answer_bytes += size(result);
        while self.answered.len() > limits::ANSWERS_KEPT_MAX
            || self.answer_bytes > limits::ANSWER_BYTES_KEPT_MAX
        {
            self.forget_oldest();
        }
    }

    /// Forgets answers that are too old.
    pub(super) fn forget_old(&mut self, now: Mono) {
        while let Some(oldest) = self.answered.front()
            && let Some((_, State::Answered { at, .. })) = self.known.get(oldest)
            && now.since(*at) > limits::ANSWERS_KEPT_TIME
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(request) = self.answered.pop_front()
            && let Some((_, State::Answered { result, .. })) = self.known.remove(&request)
        {
            self.answer_bytes -= size(&result);
        }
    }
}

fn size(result: &Result<Bytes, CallError>) -> usize {
    result.as_ref().map_or(0, Bytes::len)
}

/// Which of the newest numbers were handed over; of older ones it is taken for granted.
#[derive(Debug)]
struct Seen {
    newest: u64,
    /// A bit for each of the numbers up to the newest, at its remainder.
    bits: [u64; Self::WORDS],
}

impl Default for Seen {
    fn default() -> Self {
        Self { newest: 0, bits: [0; Self::WORDS] }
    }
}

impl Seen {
    /// Numbers that are told apart: four times what one client may have open, since those of a slow lane may come long after
    /// others.
    const NUMBERS: u64 = 1_024;
    const WORDS: usize = 16;

    fn has(&self, number: u64) -> bool {
        match self.newest.checked_sub(number) {
            None => false,
            Some(age) if age >= Self::NUMBERS => true,
            Some(_) => {
                let (word, bit) = place(number);
                self.bits[word] & bit != 0
            }
        }
    }

    fn add(&mut self, number: u64) {
        if number > self.newest {
            if number - self.newest >= Self::NUMBERS {
                self.bits = [0; Self::WORDS];
            } else {
                for skipped in self.newest + 1..=number {
                    let (word, bit) = place(skipped);
                    self.bits[word] &= !bit;
                }
            }
            self.newest = number;
        }
        if self.newest - number < Self::NUMBERS {
            let (word, bit) = place(number);
            self.bits[word] |= bit;
        }
    }
}

/// Word and bit of a number.
fn place(number: u64) -> (usize, u64) {
    let at = number % Seen::NUMBERS;
    (usize::try_from(at / 64).expect("below 16"), 1 << (at % 64))
}

#[cfg(test)]
mod tests;
