//! What threads tell each other about the server's state.
//!
//! *Responsible for*: the latest report of the node, the time of its last turn, the published certificates. *Not
//! responsible for*: showing them (`web`, `console`).
//!
//! Invariants:
//! - I1: readers never make the node thread wait for longer than a pointer takes to copy.

use crate::ended_zones::EndedZones;
use crate::watch::Stall;
use crate::{clock, limits};
use lightmoon_contract::Mono;
use lightmoon_net::Counters as NetCounters;
use lightmoon_node::{DeadLetter, NodeReport};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A look at the node's thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) node: NodeReport,
    pub(crate) ended_zones: EndedZones,
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// Of a store of files.
    pub(crate) files: Option<lightmoon_store_files::Report>,
    /// Turns since the start.
    pub(crate) turns: u64,
    /// Longest turn since the last snapshot.
    pub(crate) turn_max: Duration,
    /// Events that wait for the node because a turn takes only so many.
    pub(crate) turns_full: u64,
}

/// Everything that metrics are read from.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) version: &'static str,
    /// Time since the start.
    pub(crate) up: Duration,
    pub(crate) is_healthy: bool,
    /// Turns that do not end now.
    pub(crate) stalled_now: usize,
    /// Turns that did not end in time since the start.
    pub(crate) stalled_ever: u64,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) net: NetCounters,
}

/// Shared by the threads of one server.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) title: String,
    pub(crate) version: &'static str,
    pub(crate) started: Mono,
    snapshot: Mutex<Arc<Snapshot>>,
    hashes: Mutex<Arc<Vec<String>>>,
    net: Mutex<NetCounters>,
    /// Turns that do not end now, and how many there were.
    stalls: Mutex<(Vec<Stall>, u64)>,
    /// Boot time of the last turn in ns. Relaxed: a reader wants a recent value, and nothing hangs on it.
    last_turn: AtomicU64,
}

impl Board {
    pub(crate) fn new(title: String, version: &'static str) -> Self {
        let now = clock::mono();
        Self {
            title,
            version,
            started: now,
            snapshot: Mutex::default(),
            hashes: Mutex::default(),
            net: Mutex::default(),
            stalls: Mutex::default(),
            last_turn: AtomicU64::new(now.0),
        }
    }

    pub(crate) fn turned(&self, now: Mono) {
        self.last_turn.store(now.0, Ordering::Relaxed);
    }

    /// Whether the node took a turn lately.
    pub(crate) fn is_healthy(&self) -> bool {
        let last = Mono(self.last_turn.load(Ordering::Relaxed));
        clock::mono().since(last) <= limits::TURN_SILENCE_MAX
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_snapshot(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        let old =
            std::mem::replace(&mut *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner), snapshot);
        // Freed here, after the lock is given back.
        drop(old);
    }

    /// A look at all of it; not one instant for everything.
    pub(crate) fn seen(&self) -> Seen {
        let (stalls, stalled_ever) = self.stalls();
        Seen {
            version: self.version,
            up: clock::mono().since(self.started),
            is_healthy: self.is_healthy(),
            stalled_now: stalls.len(),
            stalled_ever,
            snapshot: self.snapshot(),
            net: self.net(),
        }
    }

    /// Hashes of the certificates that clients may meet, hex, the shown one first.
    pub(crate) fn hashes(&self) -> Arc<Vec<String>> {
        Arc::clone(&self.hashes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_hashes(&self, hashes: Vec<String>) {
        *self.hashes.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(hashes);
    }

    /// Turns that do not end now, and how many there were since the start.
    pub(crate) fn stalls(&self) -> (Vec<Stall>, u64) {
        self.stalls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces them; `news`: how many of them are to be counted.
    pub(crate) fn set_stalls(&self, stalls: Vec<Stall>, news: usize) {
        let mut known = self.stalls.lock().unwrap_or_else(PoisonError::into_inner);
        known.0 = stalls;
        known.1 += u64::try_from(news).unwrap_or(0);
    }

    pub(crate) fn net(&self) -> NetCounters {
        *self.net.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_net(&self, counters: NetCounters) {
        *self.net.lock().unwrap_or_else(PoisonError::into_inner) = counters;
    }
}
