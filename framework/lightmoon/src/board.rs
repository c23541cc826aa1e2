//! What threads tell each other about the server's state.
//!
//! *Responsible for*: the latest report of the node, the time of its last turn, the published certificates. *Not
//! responsible for*: showing them (`web`, `console`).
//!
//! Invariants:
//! - I1: readers never make the node thread wait for longer than a pointer takes to copy.

use crate::console::{ConsoleCounts, Counted, Desk, EventLog, What};
use crate::ended_zones::EndedZones;
use crate::watch::Stall;
use crate::{clock, limits};
use lightmoon_contract::descriptor::Descriptor;
use lightmoon_contract::{ActorId, Mono};
use lightmoon_net::Counters as NetCounters;
use lightmoon_node::{DeadLetter, NodeReport};
use lightmoon_zone::ZoneChart;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

impl Snapshot {
    /// Charts of zones, if somebody looks, in order of workers.
    pub(crate) fn charts(&self) -> impl Iterator<Item = (ActorId, &ZoneChart)> {
        let surveys = self.node.workers.iter().filter_map(|worker| worker.survey.as_deref());
        surveys.flat_map(|survey| survey.charts.iter().map(|(zone, chart)| (*zone, chart)))
    }
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
    /// What the console counted.
    pub(crate) console: ConsoleCounts,
}

/// Shared by the threads of one server.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) title: String,
    pub(crate) version: &'static str,
    pub(crate) started: Mono,
    /// The game's contracts.
    pub(crate) descriptor: Arc<Descriptor>,
    /// What happened.
    pub(crate) events: EventLog,
    /// Commands under way.
    pub(crate) desk: Desk,
    /// What the console counts.
    pub(crate) counted: Counted,
    snapshot: Mutex<Arc<Snapshot>>,
    hashes: Mutex<Arc<Vec<String>>>,
    net: Mutex<NetCounters>,
    /// Turns that do not end now, and how many there were.
    stalls: Mutex<(Vec<Stall>, u64)>,
    /// Relaxed, both: a reader wants a recent value, and nothing hangs on them.
    has_reported: AtomicBool,
    is_stopping: AtomicBool,
    /// Boot time of the last turn in ns. Relaxed: a reader wants a recent value, and nothing hangs on it.
    last_turn: AtomicU64,
}

impl Board {
    pub(crate) fn new(title: String, version: &'static str, descriptor: Arc<Descriptor>) -> Self {
        let now = clock::mono();
        Self {
            title,
            version,
            started: now,
            descriptor,
            events: EventLog::default(),
            desk: Desk::default(),
            counted: Counted::default(),
            snapshot: Mutex::default(),
            hashes: Mutex::default(),
            net: Mutex::default(),
            stalls: Mutex::default(),
            has_reported: AtomicBool::new(false),
            is_stopping: AtomicBool::new(false),
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

    /// Whether the node took a turn within the time that a stop waits for it.
    pub(crate) fn takes_turns(&self) -> bool {
        let last = Mono(self.last_turn.load(Ordering::Relaxed));
        clock::mono().since(last) <= limits::STOP_NODE_MAX
    }

    /// The server is about to stop.
    pub(crate) fn stops(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Whether new clients are let in now; else why not.
    pub(crate) fn readiness(&self) -> Result<(), &'static str> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Err("the server stops");
        }
        if !self.is_healthy() {
            return Err("the node does not take its turns");
        }
        let node = &self.snapshot().node;
        if !self.has_reported.load(Ordering::Relaxed) || node.store.is_opening {
            return Err("the stored state is not there yet");
        }
        if node.sessions.len() >= lightmoon_node::limits::SESSIONS_MAX {
            return Err("no more clients fit");
        }
        Ok(())
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
        self.has_reported.store(true, Ordering::Relaxed);
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
            console: self.counted.counts(),
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
        if news > 0 {
            stalls.iter().for_each(|stall| {
                self.events.note(clock::unix_millis(), What::Stalled(stall.to_string()));
            });
        }
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

/// A board of no game, for tests.
#[cfg(test)]
pub(crate) fn blank() -> Board {
    let (contracts, components, types) = (Vec::new(), Vec::new(), Vec::new());
    let descriptor = Descriptor { game: "game".to_owned(), contracts, components, types };
    Board::new("Game".to_owned(), "1", Arc::new(descriptor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_ready_once_its_state_is_there_and_until_it_stops() {
        let board = blank();
        assert!(board.readiness().unwrap_err().contains("state"), "it has not reported yet");
        let mut opening = Snapshot::default();
        opening.node.store.is_opening = true;
        board.set_snapshot(opening);
        assert!(board.readiness().unwrap_err().contains("state"));
        board.set_snapshot(Snapshot::default());
        assert_eq!(board.readiness(), Ok(()));
        board.turned(Mono(0));
        assert!(board.readiness().unwrap_err().contains("turns"));
        board.turned(clock::mono());
        board.stops();
        assert!(board.readiness().unwrap_err().contains("stops"));
        assert!(board.is_healthy(), "nobody is to kill a server that stops");
    }
}
