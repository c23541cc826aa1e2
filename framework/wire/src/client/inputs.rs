//! When a client speaks unreliably: shortly after it was spoken to.
//!
//! A Delta of the server is answered by one Input, a moment later ([`Pace`] says how long), with all unreliable calls of the
//! meantime. So the transport's acknowledgement of the Delta rides in the Input's packet, and that of the Input in the packet of the
//! next Delta: 20 packets a second each way instead of 30 or 40. Nothing leaves on a clock of its own.
//!
//! *Responsible for*: what waits, and until when. *Not responsible for*: how long (`pace`), which Deltas count (`replica` says
//! that).
//!
//! Invariants:
//! - I1: a call waits at most [`limits::INPUT_HOLD_MAX`] if no Delta comes, else at most the delay after the next Delta.
//! - I2: each Delta that was applied is told of, with calls or without.

use std::time::Duration;

use lightmoon_contract::{Mono, Priority};

use crate::frame::{Input, Received, UnreliableCall};
use crate::limits;

use super::pace::Pace;

/// What waits to be said unreliably.
#[derive(Debug)]
pub(super) struct Inputs {
    pace: Pace,
    /// When the last Delta was applied.
    applied_at: Mono,
    /// How long after its Delta the last answer left.
    left_after: Duration,
    received: Option<Received>,
    /// Whether `received` is news.
    is_news: bool,
    calls: Vec<UnreliableCall>,
    bytes: usize,
    due: Option<Due>,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    at: Mono,
    /// Because a Delta came, not because a call waits for one.
    is_answer: bool,
}

impl Inputs {
    /// Nothing waits. `delay_max`: from a Delta to its answer.
    pub(super) const fn new(delay_max: Duration) -> Self {
        Self {
            pace: Pace::new(delay_max),
            applied_at: Mono(0),
            left_after: delay_max,
            received: None,
            is_news: false,
            calls: Vec::new(),
            bytes: 0,
            due: None,
        }
    }

    /// The server says of the newest answer how long it had waited for the tick of a zone with this time between ticks.
    pub(super) fn waited(&mut self, period: Duration, waited: Duration) {
        self.pace.waited(period, self.left_after, waited);
    }

    /// A Delta or a View payload was applied.
    pub(super) fn applied(&mut self, received: Received, now: Mono) {
        let is_delta = self
            .received
            .is_none_or(|last| last.generation != received.generation || last.tick != received.tick);
        self.received = Some(received);
        self.is_news = true;
        if (is_delta && self.due.is_none_or(|due| !due.is_answer)) || self.due.is_none() {
            self.applied_at = now;
            self.due = Some(Due { at: now + self.pace.delay(), is_answer: true });
        }
    }

    /// Whether a call should wait for the next Input.
    pub(super) const fn takes(&self) -> bool {
        self.received.is_some()
    }

    /// A call waits from now on. Whether it must leave at once, with all that waits.
    ///
    /// `replaces`: one of the same operation and target that still waits is dropped for it.
    pub(super) fn call(&mut self, call: UnreliableCall, replaces: bool, now: Mono) -> bool {
        let key = |call: &UnreliableCall| (call.target, call.kind, call.number, call.lane);
        if replaces && let Some(old) = self.calls.iter().position(|old| key(old) == key(&call)) {
            let old = self.calls.remove(old);
            self.bytes -= old.args.len() + limits::HEADER_BYTES_MAX;
        }
        let is_critical = call.lane.priority == Priority::Critical;
        self.bytes += call.args.len() + limits::HEADER_BYTES_MAX;
        self.calls.push(call);
        if self.due.is_none() {
            self.due = Some(Due { at: now + limits::INPUT_HOLD_MAX, is_answer: false });
        }
        is_critical || self.calls.len() == limits::INPUT_CALLS_MAX
    }

    /// Whether a call with so many bytes of arguments fits beside what waits.
    pub(super) const fn has_room(&self, args_bytes: usize) -> bool {
        let head = 2 * limits::HEADER_BYTES_MAX;
        head + self.bytes + args_bytes <= limits::DATAGRAM_BYTES_MAX
    }

    /// When [`Self::take`] has something.
    pub(super) fn due(&self) -> Option<Mono> {
        self.due.map(|due| due.at)
    }

    /// What waits.
    pub(super) fn take(&mut self, now: Mono) -> Option<Input> {
        if let Some(due) = self.due.take().filter(|due| due.is_answer) {
            self.left_after = now.since(self.applied_at);
            self.pace.left(now.since(due.at));
        }
        self.bytes = 0;
        let calls = std::mem::take(&mut self.calls);
        let received = self.received.filter(|_| self.is_news || !calls.is_empty())?;
        self.is_news = false;
        Some(Input { received, calls })
    }

    /// The attachment ended. What waits is for it, or does not mind to leave sooner.
    pub(super) fn detach(&mut self, now: Mono) -> Option<Input> {
        let last = self.take(now);
        self.received = None;
        self.is_news = false;
        last
    }

    /// Bytes that wait.
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.bytes
    }
}
