//! The commit thread.
//!
//! *Responsible for*: group after group: decide, write, sync, anchor, outcomes; the fence at a failed write, and coming up
//! again. *Not responsible for*: what a group decides (`group`), the files (`engine`, `anchor`, `space`).
//!
//! Invariants:
//! - I1: the order is batch and sync, anchor, outcomes. An outcome `Done` is never ahead of what lasts.
//! - I2: after a failed write nothing is acknowledged until the engine was opened again and compared with the anchor.
//! - I3: a panic of the engine is a failed write, never a dead thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lightmoon_store::{Outcome, Request, Ticket};

use crate::anchor::{Anchor, Known};
use crate::engine::{Engine, Found};
use crate::group::{self, Group};
use crate::heads::Heads;
use crate::queue::{Next, Queue, Waiting};
use crate::space::{self, Ballast};
use crate::{FilesOptions, OpenError, State, limits};

/// Everything that the commit thread owns.
pub(crate) struct Worker<W> {
    pub(crate) folder: PathBuf,
    pub(crate) store: PathBuf,
    pub(crate) options: FilesOptions,
    pub(crate) anchor: Anchor,
    pub(crate) ballast: Ballast,
    /// `None`: fenced.
    pub(crate) engine: Option<Engine>,
    pub(crate) heads: Heads,
    pub(crate) wake: W,
}

/// What came of a group.
#[derive(Default)]
struct Decided {
    outcomes: Vec<(Ticket, Outcome)>,
    rows: u64,
    refused: u64,
    unreadable: u64,
    /// Until its acknowledgement; only where it wrote.
    took: Duration,
}

impl<W: Fn()> Worker<W> {
    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self, queue: &Queue) {
        let mut tick = Instant::now() + limits::TICK;
        loop {
            match queue.next(tick) {
                Next::Group(requests) => self.group(queue, requests),
                Next::Tick => {
                    self.tick(queue);
                    tick = Instant::now() + limits::TICK;
                }
                Next::End => break,
            }
        }
        self.sync_anchor(queue);
    }

    fn group(&mut self, queue: &Queue, requests: Vec<Waiting>) {
        let started = Instant::now();
        let (count, bytes) = (requests.len(), requests.iter().map(|(_, _, cost)| *cost as u64).sum::<u64>());
        let tickets: Vec<(Ticket, bool)> =
            requests.iter().map(|(ticket, request, _)| (*ticket, writes(request))).collect();
        let done = catch_unwind(AssertUnwindSafe(|| self.decide(requests, started)));
        let decided = done.unwrap_or_else(|_| Err("the engine panicked".to_owned()));
        let decided = decided.unwrap_or_else(|reason| {
            self.fence(queue, reason);
            let outcome = |writes| if writes { Outcome::Unknown } else { Outcome::Unavailable };
            let outcomes = tickets.into_iter().map(|(ticket, writes)| (ticket, outcome(writes))).collect();
            Decided { outcomes, ..Decided::default() }
        });
        let last_commit = self.engine.as_ref().map_or(0, Engine::number);
        let is_first = queue.answer(decided.outcomes, |report| {
            report.requests += count as u64;
            report.bytes += bytes;
            report.group_last = count;
            report.group_max = report.group_max.max(count);
            report.unreadable += decided.unreadable;
            report.refused += decided.refused;
            if decided.rows > 0 {
                report.rows += decided.rows;
                report.groups += 1;
                report.syncs += 1;
                report.last_commit = last_commit;
                report.latency_last = decided.took;
                report.latency_max = report.latency_max.max(decided.took);
                report.latencies.add(decided.took);
            }
        });
        if is_first {
            (self.wake)();
        }
    }

    /// What came of a group, or why its write failed.
    fn decide(&mut self, requests: Vec<Waiting>, started: Instant) -> Result<Decided, String> {
        let Some(engine) = self.engine.as_mut() else {
            let outcomes =
                requests.into_iter().map(|(ticket, _, _)| (ticket, Outcome::Unavailable)).collect();
            return Ok(Decided { outcomes, ..Decided::default() });
        };
        let mut group = Group::default();
        for (ticket, request, _) in requests {
            group.take(engine, &mut self.heads, ticket, request);
        }
        let Group { writes, heads, outcomes, reads, unreadable } = group;
        let mut decided = Decided { outcomes, unreadable, rows: writes.len() as u64, ..Decided::default() };
        if decided.rows > 0 {
            if self.options.faults.delay_ms > 0 {
                std::thread::sleep(Duration::from_millis(self.options.faults.delay_ms));
            }
            engine.commit(writes).map_err(|error| format!("the log cannot be written: {error}"))?;
            if !self.options.faults.no_anchor {
                let known = Known { number: engine.number(), ..self.anchor.known() };
                self.anchor.write(known).map_err(|error| format!("the anchor cannot be written: {error}"))?;
            }
            self.heads.set_all(heads);
            decided.took = started.elapsed();
        }
        let is_refusal = |(_, outcome): &&(Ticket, Outcome)| matches!(outcome, Outcome::Refused(_));
        decided.refused = decided.outcomes.iter().filter(is_refusal).count() as u64;
        for (ticket, request) in reads {
            let answered = group::answer(engine, &mut self.heads, &request);
            decided.unreadable += u64::from(answered.is_none());
            decided.outcomes.push((ticket, answered.unwrap_or(Outcome::Damaged)));
        }
        Ok(decided)
    }

    /// Lets go of the engine, and of the ballast, so that it can come up again.
    fn fence(&mut self, queue: &Queue, reason: String) {
        tracing::error!(reason, "the store is fenced: nothing is acknowledged until it has come up again");
        self.ballast.give_back();
        let engine = self.engine.take();
        // Closing flushes what may be flushed; the engine may panic over its own state here as well.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(engine)));
        self.heads = Heads::default();
        queue.count(|report| {
            report.fences += 1;
            report.state = State::Fenced { reason };
            report.has_ballast = false;
        });
    }

    fn tick(&mut self, queue: &Queue) {
        if let Some(engine) = &self.engine {
            if let Err(error) = engine.probe() {
                self.fence(queue, format!("the engine has failed: {error}"));
            }
        } else {
            self.come_up(queue);
        }
        self.sync_anchor(queue);
        self.look_at_space(queue);
    }

    /// Opens the engine again, if there is room, and compares it with the anchor.
    fn come_up(&mut self, queue: &Queue) {
        let free = space::free(&self.folder);
        if free.is_some_and(|free| free < self.ballast.bytes() / 2) {
            return;
        }
        let opened =
            Engine::open(&self.store, self.anchor.known(), &self.options).and_then(|(engine, found)| {
                settle(&mut self.anchor, &found, &self.options)?;
                Ok((engine, found))
            });
        match opened {
            Ok((engine, found)) => {
                let last_commit = engine.number();
                for warning in found.warnings {
                    tracing::warn!("{warning}");
                }
                tracing::info!(last_commit, "the store has come up again");
                self.engine = Some(engine);
                queue.count(|report| {
                    report.state = State::Up;
                    report.last_commit = last_commit;
                });
                (self.wake)();
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store cannot come up yet");
                let reason = error.to_string();
                queue.count(|report| report.state = State::Fenced { reason });
            }
        }
    }

    fn sync_anchor(&mut self, queue: &Queue) {
        if self.options.faults.no_sync {
            return;
        }
        match self.anchor.sync() {
            Ok(()) => queue.count(|report| report.syncs += 1),
            Err(error) => tracing::error!(%error, "the anchor cannot be synced"),
        }
    }

    fn look_at_space(&mut self, queue: &Queue) {
        let free = space::free(&self.folder);
        let low = self.options.free_low_bytes;
        if self.engine.is_some()
            && !self.ballast.is_whole()
            && free.is_none_or(|free| free > low.saturating_add(self.ballast.bytes()))
            && let Err(error) = self.ballast.make()
        {
            tracing::warn!(%error, "the ballast cannot be made");
        }
        let buffered = self.engine.as_ref().map(Engine::buffered_bytes);
        let (has_ballast, is_low) = (self.ballast.is_whole(), free.is_some_and(|free| free < low));
        queue.count(|report| {
            report.free_bytes = free;
            report.has_ballast = has_ballast;
            report.buffered_bytes = buffered.unwrap_or(0);
            match (&report.state, is_low) {
                (State::Up, true) => {
                    tracing::warn!(free, "the disk is nearly full: make room");
                    report.state = State::LowSpace;
                }
                (State::LowSpace, false) => report.state = State::Up,
                (State::Up | State::LowSpace | State::Fenced { .. }, _) => {}
            }
        });
    }
}

/// Tells the anchor what opening found, before the first commit.
pub(crate) fn settle(anchor: &mut Anchor, found: &Found, options: &FilesOptions) -> Result<(), OpenError> {
    if options.faults.no_anchor || found.known == anchor.known() {
        return Ok(());
    }
    let failed = |source| OpenError::of_io(std::path::Path::new("anchor"), source);
    anchor.write(found.known).map_err(failed)?;
    anchor.sync().map_err(failed)
}

/// Whether a request may have happened although its group failed.
const fn writes(request: &Request) -> bool {
    !matches!(request, Request::Read { .. } | Request::Scan(lightmoon_store::Scan::Partitions { .. }))
}
