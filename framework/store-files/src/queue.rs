//! What lies between callers and the commit thread.
//!
//! *Responsible for*: waiting requests, ready outcomes, their bounds. *Not responsible for*: answering (`worker`).
//!
//! Invariants:
//! - I1: requests leave in the order in which they came.
//! - I2: each request taken is in flight until its outcome is polled; bounds are those of [`limits`].

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lightmoon_store::{Change, Outcome, Rejected, Request, Row, Scan, Ticket, Why};

use crate::{Report, limits};

/// A request that waits, with its cost in bytes.
pub(crate) type Waiting = (Ticket, Request, usize);

/// Both directions, each behind a lock of its own. Whoever takes both takes `incoming` first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    incoming: Mutex<Incoming>,
    arrived: Condvar,
    outgoing: Mutex<Outgoing>,
}

#[derive(Debug, Default)]
struct Incoming {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    in_flight: usize,
    is_closing: bool,
    /// Whether the commit thread sleeps.
    is_idle: bool,
}

#[derive(Debug, Default)]
struct Outgoing {
    outcomes: VecDeque<(Ticket, Outcome)>,
    report: Report,
}

/// What the commit thread is to do next.
pub(crate) enum Next {
    /// These requests.
    Group(Vec<Waiting>),
    /// What is done now and then.
    Tick,
    /// Nothing more.
    End,
}

impl Queue {
    fn incoming(&self) -> MutexGuard<'_, Incoming> {
        lock(&self.incoming)
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        lock(&self.outgoing)
    }

    /// Takes a request. The caller has `unpolled` outcomes with itself.
    pub(crate) fn submit(&self, ticket: Ticket, request: Request, unpolled: usize) -> Result<(), Rejected> {
        if let Err(why) = request.check() {
            return Err(Rejected::new(why, request));
        }
        let cost = cost(&request);
        let mut inner = self.incoming();
        let is_full = inner.waiting.len() >= limits::QUEUE_REQUESTS_MAX
            || inner.waiting_bytes + cost > limits::QUEUE_BYTES_MAX
            || inner.in_flight + unpolled >= limits::IN_FLIGHT_MAX;
        if is_full || inner.is_closing {
            return Err(Rejected::new(Why::Busy, request));
        }
        inner.waiting_bytes += cost;
        inner.in_flight += 1;
        inner.waiting.push_back((ticket, request, cost));
        let wake = std::mem::take(&mut inner.is_idle);
        drop(inner);
        if wake {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Takes all outcomes that are ready, into an empty place.
    pub(crate) fn take_outcomes(&self, into: &mut VecDeque<(Ticket, Outcome)>) {
        std::mem::swap(&mut self.outgoing().outcomes, into);
        if !into.is_empty() {
            self.incoming().in_flight -= into.len();
        }
    }

    /// Waits for requests, at most until `tick`.
    pub(crate) fn next(&self, tick: Instant) -> Next {
        let mut inner = self.incoming();
        loop {
            let left = tick.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Next::Tick;
            }
            if !inner.waiting.is_empty() {
                return Next::Group(inner.group());
            }
            if inner.is_closing {
                return Next::End;
            }
            inner.is_idle = true;
            inner = self.arrived.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Makes outcomes ready and changes the report; whether nobody was told of ready outcomes before.
    pub(crate) fn answer(&self, outcomes: Vec<(Ticket, Outcome)>, change: impl FnOnce(&mut Report)) -> bool {
        let mut inner = self.outgoing();
        let is_first = inner.outcomes.is_empty();
        inner.outcomes.extend(outcomes);
        change(&mut inner.report);
        is_first
    }

    /// Takes nothing more; what waits is still done.
    pub(crate) fn close(&self) {
        self.incoming().is_closing = true;
        self.arrived.notify_one();
    }

    /// Changes the report.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.outgoing().report);
    }

    /// The report as it stands.
    pub(crate) fn report(&self) -> Report {
        let inner = self.incoming();
        let (queue_requests, queue_bytes) = (inner.waiting.len(), inner.waiting_bytes);
        drop(inner);
        Report { queue_requests, queue_bytes, ..self.outgoing().report.clone() }
    }
}

/// A panic elsewhere leaves nothing half done in here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Incoming {
    fn group(&mut self) -> Vec<Waiting> {
        let (mut group, mut bytes) = (Vec::new(), 0);
        while let Some((_, _, cost)) = self.waiting.front()
            && (group.is_empty() || bytes + cost <= limits::GROUP_BYTES_MAX)
            && group.len() < limits::GROUP_REQUESTS_MAX
        {
            bytes += cost;
            group.extend(self.waiting.pop_front());
        }
        self.waiting_bytes -= bytes;
        group
    }
}

/// Bytes that a request counts for.
fn cost(request: &Request) -> usize {
    let row = |row: &Row| row.key.len() + row.value.len() + limits::REQUEST_COST_BYTES;
    let named = |keys: &[bytes::Bytes]| keys.iter().map(|key| key.len() + limits::REQUEST_COST_BYTES).sum();
    let body: usize = match request {
        Request::Commit { changes, .. } => changes
            .iter()
            .map(|change| match change {
                Change::Put(put) => row(put),
                Change::Delete(_) | Change::DeleteRange(_) => 2 * limits::REQUEST_COST_BYTES,
            })
            .sum(),
        Request::PutChunk { chunk, .. } => row(chunk),
        Request::Append { rows, .. } => rows.iter().map(row).sum(),
        Request::Scan(Scan::RemoveChunks { keys, .. } | Scan::RemoveFromLog { keys, .. }) => named(keys),
        Request::Read { .. } | Request::Scan(Scan::Partitions { .. }) => 0,
    };
    body + limits::REQUEST_COST_BYTES
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::{Duration, Instant};

    use bytes::Bytes;
    use lightmoon_store::{Outcome, Partition, Request, Row, Space, Ticket, Why};

    use super::{Next, Queue};
    use crate::limits;

    fn chunk(bytes: usize) -> Request {
        let partition = Partition { space: Space(1), key: Bytes::new() };
        Request::PutChunk { partition, chunk: Row { key: Bytes::new(), value: vec![0; bytes].into() } }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn a_full_queue_hands_requests_back() {
        let queue = Queue::default();
        let large = lightmoon_store::limits::VALUE_BYTES_MAX;
        let refused = (0..1_000).find_map(|ticket| queue.submit(Ticket(ticket), chunk(large), 0).err());
        assert_eq!(refused.map(|rejected| rejected.why), Some(Why::Busy));
        let report = queue.report();
        assert!(report.queue_bytes <= limits::QUEUE_BYTES_MAX && report.queue_requests > 500, "{report:?}");
        let Next::Group(group) = queue.next(soon()) else { panic!("requests wait") };
        assert!(group.len() * large <= limits::GROUP_BYTES_MAX);
        assert!(queue.submit(Ticket(1_001), chunk(large), 0).is_ok(), "there is room again");
    }

    #[test]
    fn outcomes_that_nobody_polls_end_the_taking() {
        let queue = Queue::default();
        let mut taken = 0;
        while queue.submit(Ticket(taken), chunk(0), 0).is_ok() {
            taken += 1;
            if let Next::Group(group) = queue.next(soon()) {
                queue.answer(
                    group.into_iter().map(|(ticket, _, _)| (ticket, Outcome::Unknown)).collect(),
                    |_| (),
                );
            }
        }
        assert_eq!(usize::try_from(taken), Ok(limits::IN_FLIGHT_MAX));
        let mut unpolled = VecDeque::new();
        queue.take_outcomes(&mut unpolled);
        assert_eq!(unpolled.len(), limits::IN_FLIGHT_MAX);
        assert!(queue.submit(Ticket(taken), chunk(0), unpolled.len()).is_err(), "they are still not polled");
        assert_eq!(unpolled.pop_front(), Some((Ticket(0), Outcome::Unknown)));
        assert!(queue.submit(Ticket(taken), chunk(0), unpolled.len()).is_ok());
    }

    #[test]
    fn what_waits_is_done_before_the_end() {
        let queue = Queue::default();
        queue.submit(Ticket(1), chunk(1), 0).unwrap();
        queue.close();
        assert!(queue.submit(Ticket(2), chunk(1), 0).is_err());
        assert!(matches!(queue.next(soon()), Next::Group(group) if group.len() == 1));
        assert!(matches!(queue.next(soon()), Next::End));
    }
}
