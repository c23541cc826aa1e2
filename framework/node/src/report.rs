//! What a node says about itself: for the console, metrics and tests.
//!
//! *Responsible for*: plain counts and lists, copied out. *Not responsible for*: exporting them (`lightmoon`).
//!
//! Invariants:
//! - I1: counters only grow while the node lives.

use std::sync::Arc;
use std::time::Duration;

use lightmoon_actor::Worker;
use lightmoon_contract::{ActorId, Priority, SessionId};
use lightmoon_zone::ZoneReport;

use crate::{Survey, Transport, Wanted};

/// A look at a node between two turns.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct NodeReport {
    /// Links that have not said who they are yet.
    pub links_in_handshake: usize,
    /// Sessions, by id, also those that wait for their clients.
    pub sessions: Vec<SessionReport>,
    /// Zones that run, by id.
    pub zones: Vec<(ActorId, ZoneReport)>,
    /// Activations on all workers.
    pub actors: usize,
    /// Actors that panicked too often: their callers get `Panicked` until they are tried again.
    pub set_aside: Vec<ActorId>,
    /// Each worker by itself, in order.
    pub workers: Vec<WorkerReport>,
    /// What the workers counted: their limits, timeouts, late answers.
    pub worker: lightmoon_actor::Counters,
    /// What is kept, and how far that is.
    pub store: StoreReport,
    /// Whether it takes no new players.
    pub is_draining: bool,
    /// What was counted since the node began.
    pub counters: Counters,
}

/// One worker.
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct WorkerReport {
    /// Activations.
    pub actors: usize,
    /// Actors that panicked too often.
    pub set_aside: Vec<ActorId>,
    /// Zones that run, by id.
    pub zones: Vec<(ActorId, ZoneReport)>,
    /// Messages that wait to be served, by priority, the most urgent first.
    pub queued: [usize; Priority::ALL.len()],
    /// Messages and answers that wait for room on the way to other workers.
    pub across: usize,
    /// Bytes of effects that are in no commit yet, about.
    pub unsaved_bytes: usize,
    /// Messages and answers that wait for commits.
    pub held: usize,
    /// What somebody who looks wants to see; `None`: nobody looks.
    pub survey: Option<Arc<Survey>>,
    /// What it counted since it began.
    pub counters: lightmoon_actor::Counters,
    /// Turns since it began.
    pub turns: u64,
    /// Time in them; 0 without a clock.
    pub busy: Duration,
}

impl WorkerReport {
    /// A look at a worker between two turns. Costs a walk over its actors.
    #[must_use]
    pub fn of(worker: &Worker, turns: u64, busy: Duration) -> Self {
        let zones = worker
            .reports()
            .into_iter()
            .filter_map(|(id, report)| report.downcast::<ZoneReport>().ok().map(|report| (id, *report)));
        Self {
            actors: worker.actors(),
            set_aside: worker.set_aside(),
            zones: zones.collect(),
            queued: worker.queue_lengths(),
            across: worker.waiting_across(),
            unsaved_bytes: worker.unsaved_bytes(),
            held: worker.held(),
            survey: None,
            counters: worker.counters(),
            turns,
            busy,
        }
    }

    /// The same, with what somebody looks at.
    #[must_use]
    pub fn surveyed(self, worker: &mut Worker, wanted: &Wanted) -> Self {
        Self { survey: Survey::of(worker, wanted).map(Arc::new), ..self }
    }
}

/// What a node keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct StoreReport {
    /// The node's generation; 0: its game keeps nothing, or it is not taken yet.
    pub generation: u64,
    /// Whether the generation is still being taken.
    pub is_opening: bool,
    /// Whether the store does not answer.
    pub is_away: bool,
    /// Requests that wait or are under way.
    pub requests: usize,
    /// Bytes of commits and copies of worlds that wait for the store.
    pub waiting_bytes: usize,
    /// Bytes of effects that are in no commit yet, about.
    pub unsaved_bytes: usize,
    /// Messages and answers that wait for commits.
    pub held: usize,
    /// Messages that take effect exactly once, in outboxes: nobody has taken them yet.
    pub letters: usize,
    /// What was counted since the generation was taken.
    pub counters: lightmoon_durable::Counters,
}

/// One session.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct SessionReport {
    /// Its id.
    pub session: SessionId,
    /// Key of its player.
    pub player: u64,
    /// Where it comes from.
    pub remote: String,
    /// Native QUIC or a browser.
    pub transport: Transport,
    /// Whether it has no connection and waits for its client.
    pub is_waiting: bool,
    /// The zone it sees, if any.
    pub zone: Option<ActorId>,
    /// Requests that wait for their answer.
    pub requests_in_flight: usize,
}

/// Counts since the node began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Links that were opened.
    pub links_opened: u64,
    /// Links closed at once because the node stops.
    pub links_refused: u64,
    /// Links that had said nothing and were closed since others wanted to come in.
    pub handshakes_evicted: u64,
    /// Links closed because they brought more bytes than they may.
    pub links_closed_for_bytes: u64,
    /// Links closed for bytes that the protocol does not allow.
    pub links_violating: u64,
    /// Links closed for a frame over its limit.
    pub links_too_large: u64,
    /// Links closed because no handshake came in time.
    pub handshakes_timed_out: u64,
    /// Links closed because their client did not read what it was sent.
    pub links_unread: u64,
    /// Links closed because nothing was heard for too long.
    pub links_idle: u64,
    /// Clients refused because their address has as many sessions as it may; also among the logins refused.
    pub logins_refused_source: u64,
    /// Clients that were let in.
    pub sessions_opened: u64,
    /// Sessions that ended, for whatever reason.
    pub sessions_closed: u64,
    /// Sessions that a second login of their player ended.
    pub sessions_replaced: u64,
    /// Sessions that went on over another connection.
    pub sessions_resumed: u64,
    /// Sessions of a process before this one that went on here.
    pub sessions_restored: u64,
    /// Sessions that waited for their client in vain.
    pub sessions_abandoned: u64,
    /// Tickets that resumed nothing: expired, not ours, of a session that ended or was followed by another login.
    pub tickets_refused: u64,
    /// Clients whose token or contracts were refused, or for whom there was no room, or another login of whose player counts.
    pub logins_refused: u64,
    /// Calls handed to an actor.
    pub calls: u64,
    /// Calls refused: not allowed, too fast, not attached, too many.
    pub calls_refused: u64,
    /// Of the calls refused, those above their rate.
    pub calls_too_fast: u64,
    /// Requests whose arguments could not be read.
    pub calls_unreadable: u64,
    /// Unreliable calls that came twice, or so late that this cannot be told; dropped.
    pub calls_doubled: u64,
    /// Requests that came again while their answer was still to come.
    pub requests_rejoined: u64,
    /// Requests that came again and were answered from memory.
    pub answers_repeated: u64,
    /// Requests refused because their number was another request's.
    pub requests_reused: u64,
    /// Requests that came again after their answer was forgotten.
    pub answers_forgotten: u64,
    /// Sessions closed because they kept calling what was refused.
    pub sessions_closed_for_rate: u64,
    /// Answers whose session was gone.
    pub answers_late: u64,
    /// Answers too large for the wire; their requests failed.
    pub answers_refused: u64,
    /// Pushes too large for the wire, or of a link that was just over.
    pub pushes_refused: u64,
    /// Pushes dropped because their client was away, of clients that speak no version that keeps them.
    pub pushes_missed: u64,
    /// Pushes kept for clients that were away.
    pub pushes_kept: u64,
    /// Sessions ended because more was promised to their client than is kept.
    pub sessions_overflowed: u64,
    /// Messages to sessions that were gone, or of an older attachment.
    pub messages_stale: u64,
    /// Messages to kinds that this node does not run.
    pub messages_unroutable: u64,
    /// Messages refused because too much waited for the worker of their actor.
    pub messages_refused: u64,
    /// Activations that ended by a panic.
    pub activations_failed: u64,
    /// Calls of operators handed to actors.
    pub calls_of_operators: u64,
    /// Calls of operators refused because too many waited.
    pub operator_calls_refused: u64,
    /// Sessions that an operator ended.
    pub sessions_kicked: u64,
    /// Events that were only counted, since too many waited to be taken.
    pub events_dropped: u64,
    /// State packets handed to links.
    pub states: u64,
    /// Bytes of their payloads.
    pub state_bytes: u64,
    /// View payloads handed to links.
    pub views: u64,
    /// Bytes of them.
    pub view_bytes: u64,
}
