//! The beat of the console: what is looked at is made into messages, a few times a second.
//!
//! *Responsible for*: when each topic is sent, telling the node what is looked at, noticing limits that were reached. *Not responsible
//! for*: the form of messages (`status`, `map`, `actors`, …), streams (`live`).
//!
//! Invariants:
//! - I1: of what nobody looks at no message is made.

use super::events::What;
use super::live::{self, Topic};
use super::{Console, actors, letters, map, status};
use crate::board::Snapshot;
use crate::node_thread::ToNode;
use crate::{clock, limits};
use lightmoon_node::Wanted;
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

/// Beats between two looks at the counters of limits.
const LIMITS_EVERY: u64 = 4;

/// What is said of a limit that was reached, and how often it was.
type Limit = (&'static str, fn(&Snapshot) -> u64);

/// Counters that say that a limit was reached: what is in the list of events when they grow.
const LIMITS: &[Limit] = &[
    ("messages refused: a queue was full", |s| s.node.worker.queue_full),
    ("messages refused: too much waited for another worker", |s| s.node.worker.across_full),
    ("messages of clients refused: too much waited for a worker", |s| s.node.counters.messages_refused),
    ("calls refused: too fast", |s| s.node.counters.calls_too_fast),
    ("sessions closed: calls kept coming that are refused", |s| s.node.counters.sessions_closed_for_rate),
    ("clients refused: too many sessions of one address", |s| s.node.counters.logins_refused_source),
    ("links closed: too many bytes", |s| s.node.counters.links_closed_for_bytes),
    ("links closed: bytes that the protocol does not allow", |s| s.node.counters.links_violating),
    ("links closed: their client did not read", |s| s.node.counters.links_unread),
    ("sessions ended: too much was promised to a client that is away", |s| {
        s.node.counters.sessions_overflowed
    }),
    ("handshakes that gave way to others", |s| s.node.counters.handshakes_evicted),
    ("operations called each other in a circle", |s| s.node.worker.deadlocks),
    ("ticks given up: a zone was too late", |s| {
        s.node.zones.iter().map(|(_, zone)| zone.counters.ticks_skipped).sum()
    }),
    ("zones that began to give something up: their ticks take too long", |s| {
        s.node.zones.iter().map(|(_, zone)| zone.counters.overload_climbs).sum()
    }),
    ("events of the node that were only counted", |s| s.node.counters.events_dropped),
];

/// Beats until the console is gone.
pub(crate) async fn beat(console: Console) {
    let mut beats = interval(limits::LIVE_EVERY);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pulse =
        Pulse { console, number: 0, wanted: Wanted::default(), sent: Sent::default(), seen: Vec::new() };
    loop {
        beats.tick().await;
        pulse.beat();
    }
}

struct Pulse {
    console: Console,
    number: u64,
    /// What the node was told.
    wanted: Wanted,
    sent: Sent,
    /// The counters of [`LIMITS`] at the last look.
    seen: Vec<u64>,
}

/// What pages that look know already.
#[derive(Default)]
struct Sent {
    event: u64,
    audit: u64,
}

impl Pulse {
    fn beat(&mut self) {
        let (topics, wanted) = self.console.live.wanted(clock::mono());
        if wanted != self.wanted {
            self.wanted = wanted;
            // When the node is gone, so will be the process.
            let _ = self.console.to_node.send(ToNode::Watch(wanted));
        }
        if self.number.is_multiple_of(LIMITS_EVERY) {
            self.look_at_limits();
        }
        // Read before messages are made: what happens meanwhile is said twice rather than never.
        let now = Sent { event: self.console.board.events.newest(), audit: self.console.audit.changes() };
        for topic in Topic::ALL.into_iter().filter(|topic| topics.has(*topic)) {
            if self.is_due(topic, &now) {
                let message = live::event(topic, &message(topic, &self.console, self.sent.event));
                self.console.live.send(topic, &message, &self.console.board.counted);
            }
        }
        self.sent = now;
        self.number += 1;
    }

    fn is_due(&self, topic: Topic, now: &Sent) -> bool {
        match topic {
            Topic::Map => true,
            Topic::Status => self.number.is_multiple_of(2),
            Topic::Actors | Topic::Letters => self.number.is_multiple_of(4),
            Topic::Events => now.event != self.sent.event,
            Topic::Audit => now.audit != self.sent.audit,
        }
    }

    fn look_at_limits(&mut self) {
        let snapshot = self.console.board.snapshot();
        let now: Vec<u64> = LIMITS.iter().map(|(_, count)| count(&snapshot)).collect();
        for ((name, _), (now, before)) in LIMITS.iter().zip(now.iter().zip(&self.seen)) {
            // Zones that end take their counters with them.
            if let Some(more) = now.checked_sub(*before).filter(|more| *more > 0) {
                self.console.board.events.note(clock::unix_millis(), What::Limit(name, more));
            }
        }
        self.seen = now;
    }
}

/// What there is to say of a topic; of events those after a number.
pub(crate) fn message(topic: Topic, console: &Console, events_after: u64) -> Value {
    let board = &console.board;
    match topic {
        Topic::Status => status::json(board),
        Topic::Map => map::json(&board.snapshot(), &board.descriptor),
        Topic::Actors => actors::json(&board.snapshot(), &board.descriptor),
        Topic::Events => board.events.since(events_after),
        Topic::Audit => console.audit.json(),
        Topic::Letters => letters::json(&board.snapshot()),
    }
}
