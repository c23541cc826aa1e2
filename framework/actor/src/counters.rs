//! What a worker counts.
//!
//! *Responsible for*: plain numbers, copied out. *Not responsible for*: exporting them (`lightmoon`).
//!
//! Invariants:
//! - I1: counters only grow while the worker lives.

use std::time::Duration;

use lightmoon_contract::{Kind, Times};

use crate::Step;

/// A kind of actors on one worker, and how long code of its actors took since the worker began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct KindReport {
    /// Its number.
    pub kind: Kind,
    /// What it is called.
    pub name: &'static str,
    /// Serving operations: each stretch between two waits.
    pub operations: Times,
    /// Handling alarms: ticks of zones.
    pub alarms: Times,
    /// Making, saving and ending activations.
    pub lives: Times,
}

impl KindReport {
    pub(crate) fn new(kind: Kind, name: &'static str) -> Self {
        let none = Times::default();
        Self { kind, name, operations: none, alarms: none, lives: none }
    }

    /// Counts a stretch.
    pub(crate) fn add(&mut self, step: Step, took: Duration) {
        let times = match step {
            Step::Operation(_) | Step::Delivery(_) => &mut self.operations,
            Step::Alarm => &mut self.alarms,
            Step::Activate | Step::Save | Step::Lost | Step::Stopping | Step::Drop => &mut self.lives,
        };
        times.add(took);
    }
}

/// Counts since the worker began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Operations served, whatever came of them.
    pub operations: u64,
    /// Polls of waiting operations, the first of each included.
    pub polls: u64,
    /// Alarms handled.
    pub alarms: u64,
    /// Activations made.
    pub activations: u64,
    /// Activations that ended in good order.
    pub deactivations: u64,
    /// Of them, those that ended because they idled.
    pub idled: u64,
    /// Of them, those whose last session had ended, and too many others' since ([`crate::limits::DEPARTED_MAX`]).
    pub departed: u64,
    /// Activations that ended by a panic.
    pub failures: u64,
    /// Times that an actor was set aside after too many panics.
    pub set_aside: u64,
    /// Messages refused or dropped because their actor was set aside.
    pub refused_set_aside: u64,
    /// Requests of actors and callers outside.
    pub asks: u64,
    /// Requests whose time was over before their answer.
    pub timeouts: u64,
    /// Messages that went to another worker.
    pub across_sent: u64,
    /// Messages and answers that came from another worker.
    pub across_taken: u64,
    /// Messages handed back because too much waited for another worker.
    pub across_full: u64,
    /// Unreliable messages dropped for the same reason, the oldest of their priority first.
    pub across_dropped: u64,
    /// Unreliable-latest messages that a newer one of their key replaced while they waited for another worker.
    pub across_replaced: u64,
    /// Waits of operations for room ([`crate::Cx::room`]).
    pub across_waited: u64,
    /// Stretches of user code that took longer than [`crate::limits::SLOW_AFTER`].
    pub slow: u64,
    /// Requests answered `Deadlock`.
    pub deadlocks: u64,
    /// Answers that nobody waited for any more.
    pub answers_late: u64,
    /// Runs of `every_ms` operations left out because the one before had not been served, or their time was long over.
    pub repeats_skipped: u64,
    /// Messages refused because the queue of their priority was full.
    pub queue_full: u64,
    /// Messages refused or dropped because too many waited for one actor.
    pub parked_full: u64,
    /// Messages refused because the worker has too many actors.
    pub actors_full: u64,
    /// Requests refused because too many waited.
    pub asks_full: u64,
    /// Delayed tells handed back because too many waited.
    pub timers_full: u64,
    /// Messages to sessions dropped because a turn had too many.
    pub outputs_full: u64,
    /// Messages from outside to kinds that the worker does not run.
    pub unknown_kind: u64,
    /// Messages that came after the worker had stopped.
    pub after_stop: u64,
    /// One-way operations that failed: not the message of their number, no such operation.
    pub tells_failed: u64,
    /// Actors whose stored state was asked for.
    pub loads: u64,
    /// Commits handed out.
    pub commits: u64,
    /// Messages and answers that never left, because what they told of will never be durable.
    pub discarded: u64,
    /// Actors whose stored state could not be read.
    pub unreadable: u64,
    /// Operations refused because their effects could not be kept.
    pub unkeepable: u64,
    /// Messages sent that take effect exactly once.
    pub posted: u64,
    /// Such messages that were taken.
    pub taken: u64,
    /// Deliveries of such messages that were taken before.
    pub deliveries_known: u64,
    /// Deliveries of such messages that came too early.
    pub deliveries_gap: u64,
    /// Deliveries of such messages that failed when they were served.
    pub deliveries_failed: u64,
    /// Requests that came again and were answered with the kept reply.
    pub requests_repeated: u64,
    /// Requests refused since their number was another's, or their reply is kept no more.
    pub requests_stale: u64,
    /// Panics at the edge of user code: in the drop of a message or answer, a report, a user's own waker. Only that value
    /// is lost.
    pub edges_failed: u64,
    /// Wakes from another thread; they are ignored (and panic there in debug builds).
    pub wakes_foreign: u64,
}

impl std::ops::AddAssign for Counters {
    /// Adds what another worker counted.
    fn add_assign(&mut self, other: Self) {
        macro_rules! add {
            ($($field:ident)*) => {{
                // Each field is named, so that none is forgotten.
                let Self { $($field),* } = other;
                $(self.$field += $field;)*
            }};
        }
        add!(
            operations
            polls
            alarms
            activations
            deactivations
            idled
            departed
            failures
            set_aside
            refused_set_aside
            asks
            timeouts
            across_sent
            across_taken
            across_full
            across_dropped
            across_replaced
            across_waited
            slow
            deadlocks
            answers_late
            repeats_skipped
            queue_full
            parked_full
            actors_full
            asks_full
            timers_full
            outputs_full
            unknown_kind
            after_stop
            tells_failed
            loads
            commits
            discarded
            unreadable
            unkeepable
            posted
            taken
            deliveries_known
            deliveries_gap
            deliveries_failed
            requests_repeated
            requests_stale
            edges_failed
            wakes_foreign
        );
    }
}
