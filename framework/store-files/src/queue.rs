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

/// Both directions.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    outcomes: VecDeque<(Ticket, Outcome)>,
    in_flight: usize,
    is_closing: bool,
    is_idle: bool,
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
    /// A panic elsewhere leaves nothing half done in here.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request.
    pub(crate) fn submit(&self, ticket: Ticket, request: Request) -> Result<(), Rejected> {
        if let Err(why) = request.check() {
            return Err(Rejected::new(why, request));
        }
        let cost = cost(&request);
        let mut inner = self.lock();
        let is_full = inner.waiting.len() >= limits::QUEUE_REQUESTS_MAX
            || inner.waiting_bytes + cost > limits::QUEUE_BYTES_MAX
            || inner.in_flight >= limits::IN_FLIGHT_MAX;
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

    /// The next outcome.
    pub(crate) fn poll(&self) -> Option<(Ticket, Outcome)> {
        let mut inner = self.lock();
        let outcome = inner.outcomes.pop_front()?;
        inner.in_flight -= 1;
        Some(outcome)
    }

    /// Waits for requests, at most until `tick`.
    pub(crate) fn next(&self, tick: Instant) -> Next {
        let mut inner = self.lock();
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

    /// Makes outcomes ready.
    pub(crate) fn answer(&self, outcomes: Vec<(Ticket, Outcome)>) {
        self.lock().outcomes.extend(outcomes);
    }

    /// Takes nothing more; what waits is still done.
    pub(crate) fn close(&self) {
        self.lock().is_closing = true;
        self.arrived.notify_one();
    }

    /// Changes the report.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.lock().report);
    }

    /// The report as it stands.
    pub(crate) fn report(&self) -> Report {
        let inner = self.lock();
        let (queue_requests, queue_bytes) = (inner.waiting.len(), inner.waiting_bytes);
        Report { queue_requests, queue_bytes, ..inner.report.clone() }
    }
}

impl Inner {
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
        let refused = (0..1_000).find_map(|ticket| queue.submit(Ticket(ticket), chunk(large)).err());
        assert_eq!(refused.map(|rejected| rejected.why), Some(Why::Busy));
        let report = queue.report();
        assert!(report.queue_bytes <= limits::QUEUE_BYTES_MAX && report.queue_requests > 500, "{report:?}");
        let Next::Group(group) = queue.next(soon()) else { panic!("requests wait") };
        assert!(group.len() * large <= limits::GROUP_BYTES_MAX);
        assert!(queue.submit(Ticket(1_001), chunk(large)).is_ok(), "there is room again");
    }

    #[test]
    fn outcomes_that_nobody_polls_end_the_taking() {
        let queue = Queue::default();
        let mut taken = 0;
        while queue.submit(Ticket(taken), chunk(0)).is_ok() {
            taken += 1;
            if let Next::Group(group) = queue.next(soon()) {
                queue.answer(group.into_iter().map(|(ticket, _, _)| (ticket, Outcome::Unknown)).collect());
            }
        }
        assert_eq!(usize::try_from(taken), Ok(limits::IN_FLIGHT_MAX));
        assert_eq!(queue.poll(), Some((Ticket(0), Outcome::Unknown)));
        assert!(queue.submit(Ticket(taken), chunk(0)).is_ok());
    }

    #[test]
    fn what_waits_is_done_before_the_end() {
        let queue = Queue::default();
        queue.submit(Ticket(1), chunk(1)).unwrap();
        queue.close();
        assert!(queue.submit(Ticket(2), chunk(1)).is_err());
        assert!(matches!(queue.next(soon()), Next::Group(group) if group.len() == 1));
        assert!(matches!(queue.next(soon()), Next::End));
    }
}
