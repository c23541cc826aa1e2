//! Metrics as Prometheus reads them.
//!
//! *Responsible for*: the names of all metrics, in one table, and their text. *Not responsible for*: counting.
//!
//! Invariants:
//! - I1: a name is in [`TABLE`] or is not exported; counters end in `_total`, units are base units and in the name.
//! - I2: no metric has a label that names a player, a session or an actor's key; zones are added up.

use super::ConsoleCounts;
use crate::board::{Board, Snapshot};
use crate::clock;
use lightmoon_contract::Priority;
use lightmoon_net::Counters as NetCounters;
use lightmoon_zone::ZoneReport;
use std::fmt::Write as _;

/// How a metric behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Type {
    Counter,
    Gauge,
}

/// One metric: name, type, help, value.
type Row = (&'static str, Type, &'static str, fn(&Sources) -> f64);

/// Where values come from.
struct Sources {
    snapshot: std::sync::Arc<Snapshot>,
    net: NetCounters,
    up_seconds: f64,
    is_healthy: bool,
    console: ConsoleCounts,
    /// Turns that do not end now, and how many there were.
    stalls: (usize, u64),
}

impl Sources {
    fn sum_zones(&self, value: impl Fn(&ZoneReport) -> f64) -> f64 {
        self.snapshot.node.zones.iter().map(|(_, zone)| value(zone)).sum()
    }

    /// A value of the store of files; 0 without one.
    fn files(&self, value: impl Fn(&lightmoon_store_files::Report) -> f64) -> f64 {
        self.snapshot.files.as_ref().map_or(0.0, value)
    }

    fn queued(&self, priority: Priority) -> f64 {
        self.snapshot.node.workers.iter().map(|worker| size(worker.queued[priority as usize])).sum()
    }

    fn max_of_zones(&self, value: impl Fn(&ZoneReport) -> f64) -> f64 {
        self.snapshot.node.zones.iter().map(|(_, zone)| value(zone)).fold(0.0, f64::max)
    }
}

/// Counts stay exact up to 2^53, which no counter here reaches in a process's life.
fn count(value: u64) -> f64 {
    let (high, low) =
        (u32::try_from(value >> 32).unwrap_or(u32::MAX), u32::try_from(value & 0xFFFF_FFFF).unwrap_or(0));
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

fn size(value: usize) -> f64 {
    count(u64::try_from(value).unwrap_or(u64::MAX))
}

/// Every metric of a server. Documentation and dashboards are checked against it.
const TABLE: &[Row] = &[
    ("lightmoon_up_seconds", Type::Gauge, "Time since the server started.", |s| s.up_seconds),
    ("lightmoon_healthy", Type::Gauge, "1 when the node took a turn lately.", |s| {
        f64::from(u8::from(s.is_healthy))
    }),
    ("lightmoon_turn_total", Type::Counter, "Turns of the node.", |s| count(s.snapshot.turns)),
    ("lightmoon_turn_full_total", Type::Counter, "Turns that left events for the next.", |s| {
        count(s.snapshot.turns_full)
    }),
    ("lightmoon_turn_max_seconds", Type::Gauge, "Longest turn within the last quarter of a second.", |s| {
        s.snapshot.turn_max.as_secs_f64()
    }),
    ("lightmoon_turn_stalled", Type::Gauge, "Workers whose turn does not end.", |s| size(s.stalls.0)),
    ("lightmoon_turn_stalled_total", Type::Counter, "Turns that took longer than a second.", |s| {
        count(s.stalls.1)
    }),
    ("lightmoon_worker_count", Type::Gauge, "Workers.", |s| size(s.snapshot.node.workers.len())),
    ("lightmoon_worker_turn_total", Type::Counter, "Turns of all workers.", |s| {
        s.snapshot.node.workers.iter().map(|worker| count(worker.turns)).sum()
    }),
    ("lightmoon_worker_busy_seconds_total", Type::Counter, "Time in turns of all workers.", |s| {
        s.snapshot.node.workers.iter().map(|worker| worker.busy.as_secs_f64()).sum()
    }),
    (
        "lightmoon_worker_busy_max_seconds_total",
        Type::Counter,
        "Time in turns of the worker that has the most of it.",
        |s| s.snapshot.node.workers.iter().map(|worker| worker.busy.as_secs_f64()).fold(0.0, f64::max),
    ),
    ("lightmoon_worker_queued_critical", Type::Gauge, "Critical messages that wait to be served.", |s| {
        s.queued(Priority::Critical)
    }),
    ("lightmoon_worker_queued_high", Type::Gauge, "High messages that wait to be served.", |s| {
        s.queued(Priority::High)
    }),
    ("lightmoon_worker_queued_normal", Type::Gauge, "Normal messages that wait to be served.", |s| {
        s.queued(Priority::Normal)
    }),
    ("lightmoon_worker_queued_low", Type::Gauge, "Low messages that wait to be served.", |s| {
        s.queued(Priority::Low)
    }),
    (
        "lightmoon_worker_across_waiting",
        Type::Gauge,
        "Messages and answers that wait for room on the way to another worker.",
        |s| s.snapshot.node.workers.iter().map(|worker| size(worker.across)).sum(),
    ),
    ("lightmoon_worker_across_sent_total", Type::Counter, "Messages that went to another worker.", |s| {
        count(s.snapshot.node.worker.across_sent)
    }),
    (
        "lightmoon_worker_across_refused_total",
        Type::Counter,
        "Messages handed back because too much waited for another worker.",
        |s| count(s.snapshot.node.worker.across_full),
    ),
    (
        "lightmoon_worker_across_dropped_total",
        Type::Counter,
        "Unreliable messages dropped for that reason.",
        |s| count(s.snapshot.node.worker.across_dropped),
    ),
    (
        "lightmoon_worker_across_replaced_total",
        Type::Counter,
        "Unreliable-latest messages replaced by a newer one of their key for that reason.",
        |s| count(s.snapshot.node.worker.across_replaced),
    ),
    (
        "lightmoon_worker_across_waited_total",
        Type::Counter,
        "Waits of operations for room on the way to another actor.",
        |s| count(s.snapshot.node.worker.across_waited),
    ),
    (
        "lightmoon_worker_refused_total",
        Type::Counter,
        "Messages of clients refused because too much waited for a worker.",
        |s| count(s.snapshot.node.counters.messages_refused),
    ),
    ("lightmoon_worker_queue_full_total", Type::Counter, "Messages refused because a queue was full.", |s| {
        count(s.snapshot.node.worker.queue_full)
    }),
    ("lightmoon_worker_slow_total", Type::Counter, "Stretches of code of actors over 5 ms.", |s| {
        count(s.snapshot.node.worker.slow)
    }),
    (
        "lightmoon_worker_deadlock_total",
        Type::Counter,
        "Requests that came back to who waits for them.",
        |s| count(s.snapshot.node.worker.deadlocks),
    ),
    ("lightmoon_actor_idled_total", Type::Counter, "Activations that ended because they idled.", |s| {
        count(s.snapshot.node.worker.idled)
    }),
    (
        "lightmoon_actor_departed_total",
        Type::Counter,
        "Activations that ended because their session had, and too many others since.",
        |s| count(s.snapshot.node.worker.departed),
    ),
    ("lightmoon_session_open", Type::Gauge, "Sessions open now.", |s| size(s.snapshot.node.sessions.len())),
    ("lightmoon_session_handshakes", Type::Gauge, "Links that have not said who they are.", |s| {
        size(s.snapshot.node.links_in_handshake)
    }),
    (
        "lightmoon_session_handshake_evicted_total",
        Type::Counter,
        "Links that said nothing and gave way to others.",
        |s| count(s.snapshot.node.counters.handshakes_evicted),
    ),
    (
        "lightmoon_session_closed_for_bytes_total",
        Type::Counter,
        "Links closed because they brought more bytes than they may.",
        |s| count(s.snapshot.node.counters.links_closed_for_bytes),
    ),
    (
        "lightmoon_session_link_violating_total",
        Type::Counter,
        "Links closed for bytes that the protocol does not allow.",
        |s| count(s.snapshot.node.counters.links_violating),
    ),
    (
        "lightmoon_session_link_too_large_total",
        Type::Counter,
        "Links closed for a frame over its limit.",
        |s| count(s.snapshot.node.counters.links_too_large),
    ),
    (
        "lightmoon_session_handshake_timed_out_total",
        Type::Counter,
        "Links closed because no handshake came in time.",
        |s| count(s.snapshot.node.counters.handshakes_timed_out),
    ),
    (
        "lightmoon_session_link_unread_total",
        Type::Counter,
        "Links closed because their client did not read.",
        |s| count(s.snapshot.node.counters.links_unread),
    ),
    (
        "lightmoon_session_link_idle_total",
        Type::Counter,
        "Links closed because nothing was heard for too long.",
        |s| count(s.snapshot.node.counters.links_idle),
    ),
    (
        "lightmoon_login_refused_address_total",
        Type::Counter,
        "Of clients refused, those whose address has its share.",
        |s| count(s.snapshot.node.counters.logins_refused_source),
    ),
    (
        "lightmoon_session_link_refused_total",
        Type::Counter,
        "Links closed at once because the node stops.",
        |s| count(s.snapshot.node.counters.links_refused),
    ),
    ("lightmoon_session_opened_total", Type::Counter, "Clients let in.", |s| {
        count(s.snapshot.node.counters.sessions_opened)
    }),
    ("lightmoon_session_closed_total", Type::Counter, "Sessions that ended.", |s| {
        count(s.snapshot.node.counters.sessions_closed)
    }),
    (
        "lightmoon_session_replaced_total",
        Type::Counter,
        "Sessions ended by a second login of their player.",
        |s| count(s.snapshot.node.counters.sessions_replaced),
    ),
    (
        "lightmoon_session_closed_for_rate_total",
        Type::Counter,
        "Sessions closed because they called too fast.",
        |s| count(s.snapshot.node.counters.sessions_closed_for_rate),
    ),
    ("lightmoon_session_waiting", Type::Gauge, "Sessions that wait for their clients to come back.", |s| {
        size(s.snapshot.node.sessions.iter().filter(|session| session.is_waiting).count())
    }),
    (
        "lightmoon_session_resumed_total",
        Type::Counter,
        "Sessions that went on over another connection.",
        |s| count(s.snapshot.node.counters.sessions_resumed),
    ),
    (
        "lightmoon_session_restored_total",
        Type::Counter,
        "Sessions of a process before this one that went on.",
        |s| count(s.snapshot.node.counters.sessions_restored),
    ),
    ("lightmoon_session_abandoned_total", Type::Counter, "Sessions that waited in vain.", |s| {
        count(s.snapshot.node.counters.sessions_abandoned)
    }),
    ("lightmoon_ticket_refused_total", Type::Counter, "Tickets that resumed nothing.", |s| {
        count(s.snapshot.node.counters.tickets_refused)
    }),
    (
        "lightmoon_request_rejoined_total",
        Type::Counter,
        "Requests that came again before their answer.",
        |s| count(s.snapshot.node.counters.requests_rejoined),
    ),
    (
        "lightmoon_request_answered_again_total",
        Type::Counter,
        "Requests that came again and were answered from memory.",
        |s| count(s.snapshot.node.counters.answers_repeated),
    ),
    ("lightmoon_request_reused_total", Type::Counter, "Requests under the number of another one.", |s| {
        count(s.snapshot.node.counters.requests_reused)
    }),
    (
        "lightmoon_request_forgotten_total",
        Type::Counter,
        "Requests that came again after their answer was forgotten.",
        |s| count(s.snapshot.node.counters.answers_forgotten),
    ),
    (
        "lightmoon_push_missed_total",
        Type::Counter,
        "Pushes dropped because their client was away, and too old to have them kept.",
        |s| count(s.snapshot.node.counters.pushes_missed),
    ),
    ("lightmoon_push_kept_total", Type::Counter, "Pushes kept for clients that were away.", |s| {
        count(s.snapshot.node.counters.pushes_kept)
    }),
    (
        "lightmoon_session_overflowed_total",
        Type::Counter,
        "Sessions ended because more was promised to their client than is kept.",
        |s| count(s.snapshot.node.counters.sessions_overflowed),
    ),
    (
        "lightmoon_login_refused_total",
        Type::Counter,
        "Clients refused by token, contracts or lack of room.",
        |s| count(s.snapshot.node.counters.logins_refused),
    ),
    ("lightmoon_call_total", Type::Counter, "Calls of clients handed to actors.", |s| {
        count(s.snapshot.node.counters.calls)
    }),
    ("lightmoon_call_refused_total", Type::Counter, "Calls of clients refused.", |s| {
        count(s.snapshot.node.counters.calls_refused)
    }),
    ("lightmoon_call_refused_rate_total", Type::Counter, "Of calls refused, those above their rate.", |s| {
        count(s.snapshot.node.counters.calls_too_fast)
    }),
    (
        "lightmoon_call_unreadable_total",
        Type::Counter,
        "Requests of clients whose arguments could not be read.",
        |s| count(s.snapshot.node.counters.calls_unreadable),
    ),
    ("lightmoon_call_doubled_total", Type::Counter, "Unreliable calls that came twice; dropped.", |s| {
        count(s.snapshot.node.counters.calls_doubled)
    }),
    ("lightmoon_answer_late_total", Type::Counter, "Answers whose session was gone.", |s| {
        count(s.snapshot.node.counters.answers_late)
    }),
    ("lightmoon_message_stale_total", Type::Counter, "Messages to sessions that were gone.", |s| {
        count(s.snapshot.node.counters.messages_stale)
    }),
    ("lightmoon_message_unroutable_total", Type::Counter, "Messages to kinds that do not run here.", |s| {
        count(s.snapshot.node.counters.messages_unroutable)
    }),
    ("lightmoon_actor_alive", Type::Gauge, "Activations in the worker.", |s| size(s.snapshot.node.actors)),
    ("lightmoon_actor_failed_total", Type::Counter, "Activations ended by a panic.", |s| {
        count(s.snapshot.node.counters.activations_failed)
    }),
    (
        "lightmoon_worker_parked_full_total",
        Type::Counter,
        "Messages refused because too many wait for one actor.",
        |s| count(s.snapshot.node.worker.parked_full),
    ),
    (
        "lightmoon_worker_actors_full_total",
        Type::Counter,
        "Messages refused because there are too many actors.",
        |s| count(s.snapshot.node.worker.actors_full),
    ),
    (
        "lightmoon_worker_asks_full_total",
        Type::Counter,
        "Requests refused because too many of actors wait.",
        |s| count(s.snapshot.node.worker.asks_full),
    ),
    ("lightmoon_worker_timers_full_total", Type::Counter, "Delayed messages refused.", |s| {
        count(s.snapshot.node.worker.timers_full)
    }),
    (
        "lightmoon_worker_across_full_total",
        Type::Counter,
        "Messages between workers refused or dropped because too many wait.",
        |s| count(s.snapshot.node.worker.across_full),
    ),
    (
        "lightmoon_worker_outputs_full_total",
        Type::Counter,
        "Messages to sessions dropped because one turn made too many.",
        |s| count(s.snapshot.node.worker.outputs_full),
    ),
    (
        "lightmoon_worker_discarded_total",
        Type::Counter,
        "Messages of worlds dropped because too many wait for commits.",
        |s| count(s.snapshot.node.worker.discarded),
    ),
    ("lightmoon_actor_loaded_total", Type::Counter, "Actors read from the store.", |s| {
        count(s.snapshot.node.store.counters.loads)
    }),
    ("lightmoon_actor_unreadable_total", Type::Counter, "Actors whose stored state cannot be read.", |s| {
        count(s.snapshot.node.worker.unreadable)
    }),
    ("lightmoon_store_generation", Type::Gauge, "The node's generation; 0: it keeps nothing.", |s| {
        count(s.snapshot.node.store.generation)
    }),
    ("lightmoon_store_away", Type::Gauge, "1 while the store does not answer.", |s| {
        f64::from(u8::from(s.snapshot.node.store.is_away))
    }),
    ("lightmoon_store_outage_total", Type::Counter, "Times that the store was away.", |s| {
        count(s.snapshot.node.store.counters.outages)
    }),
    ("lightmoon_store_request_waiting", Type::Gauge, "Requests that wait or are under way.", |s| {
        size(s.snapshot.node.store.requests)
    }),
    ("lightmoon_store_waiting_bytes", Type::Gauge, "Bytes of commits and snapshots that wait.", |s| {
        size(s.snapshot.node.store.waiting_bytes)
    }),
    (
        "lightmoon_store_unsaved_bytes",
        Type::Gauge,
        "Bytes of effects that are in no commit yet, about.",
        |s| size(s.snapshot.node.store.unsaved_bytes),
    ),
    ("lightmoon_store_held", Type::Gauge, "Messages and answers that wait for commits.", |s| {
        size(s.snapshot.node.store.held)
    }),
    ("lightmoon_letter_waiting", Type::Gauge, "Messages in outboxes that nobody has taken yet.", |s| {
        size(s.snapshot.node.store.letters)
    }),
    ("lightmoon_letter_dead", Type::Gauge, "Dead letters; more than a thousand count as that.", |s| {
        size(s.snapshot.dead_letters.len())
    }),
    ("lightmoon_letter_posted_total", Type::Counter, "Messages sent exactly once, in commits.", |s| {
        count(s.snapshot.node.store.counters.letters_posted)
    }),
    ("lightmoon_letter_taken_total", Type::Counter, "Of them, those taken.", |s| {
        count(s.snapshot.node.store.counters.letters_taken)
    }),
    ("lightmoon_letter_failed_total", Type::Counter, "Deliveries that failed when they were served.", |s| {
        count(s.snapshot.node.store.counters.letters_failed)
    }),
    ("lightmoon_letter_died_total", Type::Counter, "Messages that became dead letters.", |s| {
        count(s.snapshot.node.store.counters.letters_died)
    }),
    ("lightmoon_letter_known_total", Type::Counter, "Deliveries of messages that were taken before.", |s| {
        count(s.snapshot.node.worker.deliveries_known)
    }),
    (
        "lightmoon_request_repeated_total",
        Type::Counter,
        "Requests that came again and were answered with a stored reply.",
        |s| count(s.snapshot.node.worker.requests_repeated),
    ),
    (
        "lightmoon_request_stale_total",
        Type::Counter,
        "Requests refused: their number was another's, or their reply is kept no more.",
        |s| count(s.snapshot.node.worker.requests_stale),
    ),
    ("lightmoon_store_commit_total", Type::Counter, "Commits of actors.", |s| {
        count(s.snapshot.node.store.counters.commits)
    }),
    ("lightmoon_store_commit_bytes_total", Type::Counter, "Bytes of their rows.", |s| {
        count(s.snapshot.node.store.counters.commit_bytes)
    }),
    ("lightmoon_store_unknown_total", Type::Counter, "Commits whose outcome had to be found out.", |s| {
        count(s.snapshot.node.store.counters.unknown)
    }),
    ("lightmoon_store_lost_total", Type::Counter, "Activations that lost their actor.", |s| {
        count(s.snapshot.node.store.counters.lost)
    }),
    (
        "lightmoon_store_refused_total",
        Type::Counter,
        "Operations refused because they cannot be kept.",
        |s| count(s.snapshot.node.worker.unkeepable),
    ),
    ("lightmoon_snapshot_total", Type::Counter, "Snapshots of zones published.", |s| {
        count(s.snapshot.node.store.counters.snapshots)
    }),
    ("lightmoon_snapshot_bytes_total", Type::Counter, "Bytes of them.", |s| {
        count(s.snapshot.node.store.counters.snapshot_bytes)
    }),
    ("lightmoon_snapshot_given_up_total", Type::Counter, "Snapshots that were too large.", |s| {
        count(s.snapshot.node.store.counters.snapshots_given_up)
    }),
    ("lightmoon_snapshot_damaged_total", Type::Counter, "Snapshots that could not be read.", |s| {
        count(s.snapshot.node.store.counters.snapshots_damaged)
    }),
    (
        "lightmoon_files_group_total",
        Type::Counter,
        "Groups of commits written to files, one sync each.",
        |s| s.files(|files| count(files.groups)),
    ),
    ("lightmoon_files_sync_total", Type::Counter, "Syncs of log and anchor.", |s| {
        s.files(|files| count(files.syncs))
    }),
    ("lightmoon_files_fence_total", Type::Counter, "Writes that failed and fenced the store.", |s| {
        s.files(|files| count(files.fences))
    }),
    ("lightmoon_files_unreadable_total", Type::Counter, "Requests whose records are damaged.", |s| {
        s.files(|files| count(files.unreadable))
    }),
    ("lightmoon_files_latency_max_seconds", Type::Gauge, "The slowest group so far.", |s| {
        s.files(|files| files.latency_max.as_secs_f64())
    }),
    ("lightmoon_files_queue_requests", Type::Gauge, "Requests that wait for the commit thread.", |s| {
        s.files(|files| size(files.queue_requests))
    }),
    ("lightmoon_files_free_bytes", Type::Gauge, "Bytes free where the data folder lies.", |s| {
        s.files(|files| files.free_bytes.map_or(0.0, count))
    }),
    ("lightmoon_zone_running", Type::Gauge, "Zones that run.", |s| size(s.snapshot.node.zones.len())),
    ("lightmoon_zone_entities", Type::Gauge, "Entities with an identity in all zones.", |s| {
        s.sum_zones(|zone| size(zone.entities))
    }),
    ("lightmoon_zone_viewers", Type::Gauge, "Sessions that look at a zone.", |s| {
        s.sum_zones(|zone| size(zone.viewers))
    }),
    ("lightmoon_zone_tick_total", Type::Counter, "Ticks of all zones.", |s| {
        s.sum_zones(|zone| count(zone.counters.ticks))
    }),
    ("lightmoon_zone_tick_skipped_total", Type::Counter, "Ticks given up because a zone was late.", |s| {
        s.sum_zones(|zone| count(zone.counters.ticks_skipped))
    }),
    (
        "lightmoon_zone_overload_rung",
        Type::Gauge,
        "The highest rung of the ladder of overload that a zone is on: 0 calm to 4.",
        |s| s.max_of_zones(|zone| f64::from(zone.rung.number())),
    ),
    ("lightmoon_zone_overload_climb_total", Type::Counter, "Steps up that ladder.", |s| {
        s.sum_zones(|zone| count(zone.counters.overload_climbs))
    }),
    (
        "lightmoon_zone_optional_rested_total",
        Type::Counter,
        "Ticks in which optional systems of an overloaded zone rested.",
        |s| s.sum_zones(|zone| count(zone.counters.optional_rested)),
    ),
    (
        "lightmoon_zone_state_spared_total",
        Type::Counter,
        "State packets of an overloaded zone left out, or held to the own avatar.",
        |s| s.sum_zones(|zone| count(zone.counters.states_spared)),
    ),
    (
        "lightmoon_zone_narrowed_total",
        Type::Counter,
        "Ticks in which viewers of an overloaded zone saw less far.",
        |s| s.sum_zones(|zone| count(zone.counters.ticks_narrowed)),
    ),
    (
        "lightmoon_zone_enter_deferred_total",
        Type::Counter,
        "Entities that came into a view later, since it or its share of a tick was full.",
        |s| s.sum_zones(|zone| count(zone.counters.enters_deferred)),
    ),
    ("lightmoon_zone_viewer_refused_total", Type::Counter, "Viewers that a full zone did not take.", |s| {
        s.sum_zones(|zone| count(zone.counters.viewers_refused))
    }),
    (
        "lightmoon_zone_visit_refused_total",
        Type::Counter,
        "Players that asked to visit a zone and got no avatar: it is full or said no.",
        |s| s.sum_zones(|zone| count(zone.counters.visits_refused)),
    ),
    (
        "lightmoon_zone_outgoing_dropped_total",
        Type::Counter,
        "Messages of systems dropped because a tick queued too many.",
        |s| s.sum_zones(|zone| count(zone.counters.outgoing_dropped)),
    ),
    ("lightmoon_zone_tick_seconds", Type::Gauge, "The last tick of the slowest zone.", |s| {
        s.max_of_zones(|zone| zone.phases.total().as_secs_f64())
    }),
    (
        "lightmoon_zone_tick_longest_seconds",
        Type::Gauge,
        "The longest tick so far of any zone that runs.",
        |s| s.max_of_zones(|zone| zone.longest_tick.as_secs_f64()),
    ),
    ("lightmoon_zone_operation_total", Type::Counter, "Operations that zones served.", |s| {
        s.sum_zones(|zone| count(zone.counters.operations))
    }),
    (
        "lightmoon_zone_state_deferred_total",
        Type::Counter,
        "Entities in view that found no room in a packet.",
        |s| s.sum_zones(|zone| count(zone.counters.state_deferred)),
    ),
    (
        "lightmoon_zone_state_whole_total",
        Type::Counter,
        "Records against nothing: of entities that had just entered, or that a client had lost.",
        |s| s.sum_zones(|zone| count(zone.counters.state_whole)),
    ),
    (
        "lightmoon_zone_state_stalest_ticks",
        Type::Gauge,
        "The most ticks so far that an entity which changed waited for room in a packet.",
        |s| s.max_of_zones(|zone| count(zone.counters.state_stalest_ticks)),
    ),
    ("lightmoon_state_total", Type::Counter, "State packets handed to links.", |s| {
        count(s.snapshot.node.counters.states)
    }),
    ("lightmoon_state_bytes_total", Type::Counter, "Bytes of state packets.", |s| {
        count(s.snapshot.node.counters.state_bytes)
    }),
    ("lightmoon_view_total", Type::Counter, "View payloads handed to links.", |s| {
        count(s.snapshot.node.counters.views)
    }),
    ("lightmoon_view_bytes_total", Type::Counter, "Bytes of view payloads.", |s| {
        count(s.snapshot.node.counters.view_bytes)
    }),
    ("lightmoon_link_open", Type::Gauge, "Connections open now.", |s| count(s.net.links)),
    ("lightmoon_link_handshakes", Type::Gauge, "Handshakes in progress.", |s| count(s.net.handshakes)),
    ("lightmoon_link_opened_total", Type::Counter, "Connections that opened.", |s| count(s.net.links_opened)),
    (
        "lightmoon_link_handshake_failed_total",
        Type::Counter,
        "Handshakes that failed or took too long.",
        |s| count(s.net.handshakes_failed),
    ),
    ("lightmoon_link_refused_total", Type::Counter, "Connections refused by a limit.", |s| {
        count(s.net.refused)
    }),
    (
        "lightmoon_link_refused_source_total",
        Type::Counter,
        "Connections refused because their address has its share.",
        |s| count(s.net.refused_source),
    ),
    (
        "lightmoon_link_handshake_evicted_total",
        Type::Counter,
        "Handshakes that gave way to those of others.",
        |s| count(s.net.handshakes_evicted),
    ),
    ("lightmoon_link_retried_total", Type::Counter, "Connections asked to prove their address.", |s| {
        count(s.net.retried)
    }),
    (
        "lightmoon_link_overloaded_total",
        Type::Counter,
        "Connections closed because they did not read.",
        |s| count(s.net.overloaded),
    ),
    ("lightmoon_link_stream_received_bytes_total", Type::Counter, "Bytes of streams received.", |s| {
        count(s.net.stream_bytes_received)
    }),
    ("lightmoon_link_stream_sent_bytes_total", Type::Counter, "Bytes handed to streams.", |s| {
        count(s.net.stream_bytes_sent)
    }),
    ("lightmoon_link_datagram_received_total", Type::Counter, "Datagrams received.", |s| {
        count(s.net.datagrams_received)
    }),
    ("lightmoon_link_datagram_sent_total", Type::Counter, "Datagrams sent.", |s| count(s.net.datagrams_sent)),
    ("lightmoon_link_datagram_dropped_total", Type::Counter, "Datagrams dropped for lack of room.", |s| {
        count(s.net.datagrams_dropped)
    }),
    ("lightmoon_link_datagram_too_large_total", Type::Counter, "Datagrams that fit no packet.", |s| {
        count(s.net.datagrams_too_large)
    }),
    (
        "lightmoon_link_read_stall_total",
        Type::Counter,
        "Times a link was not read because the node was behind.",
        |s| count(s.net.read_stalls),
    ),
    (
        "lightmoon_console_stream_refused_total",
        Type::Counter,
        "Streams of console pages refused because too many were open.",
        |s| count(s.console.streams_refused),
    ),
    (
        "lightmoon_console_message_dropped_total",
        Type::Counter,
        "Messages that a console page had no room for.",
        |s| count(s.console.messages_dropped),
    ),
    (
        "lightmoon_console_command_refused_total",
        Type::Counter,
        "Commands of operators that were not carried out.",
        |s| count(s.console.commands_refused),
    ),
    ("lightmoon_operator_call_total", Type::Counter, "Calls of operators handed to actors.", |s| {
        count(s.snapshot.node.counters.calls_of_operators)
    }),
    (
        "lightmoon_operator_call_refused_total",
        Type::Counter,
        "Calls of operators refused because too many waited.",
        |s| count(s.snapshot.node.counters.operator_calls_refused),
    ),
    ("lightmoon_session_kicked_total", Type::Counter, "Sessions that an operator ended.", |s| {
        count(s.snapshot.node.counters.sessions_kicked)
    }),
    (
        "lightmoon_node_event_dropped_total",
        Type::Counter,
        "Events for the console's list that were only counted.",
        |s| count(s.snapshot.node.counters.events_dropped),
    ),
];

/// All metrics as text, format 0.0.4.
pub(crate) fn text(board: &Board) -> String {
    let (stalls, stalled) = board.stalls();
    let sources = Sources {
        snapshot: board.snapshot(),
        net: board.net(),
        up_seconds: clock::mono().since(board.started).as_secs_f64(),
        is_healthy: board.is_healthy(),
        console: board.counted.counts(),
        stalls: (stalls.len(), stalled),
    };
    TABLE.iter().fold(String::new(), |mut text, (name, kind, help, value)| {
        let kind = match kind {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
        };
        let value = value(&sources);
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
            .expect("writing to a string cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        let mut seen = std::collections::BTreeSet::new();
        for (name, kind, help, _) in TABLE {
            assert!(seen.insert(name), "{name} twice");
            assert!(name.starts_with("lightmoon_") && help.ends_with('.'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Type::Counter, "{name}");
        }
    }

    #[test]
    fn the_text_has_a_value_for_each_metric() {
        let text = text(&crate::board::blank());
        for (name, ..) in TABLE {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        }
        assert!(text.contains("\nlightmoon_healthy 1\n"));
    }

    #[test]
    fn counts_are_exact() {
        assert!((count(1 << 40) - 1_099_511_627_776.0).abs() < f64::EPSILON);
    }
}
