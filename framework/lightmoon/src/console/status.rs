//! The server's state as JSON, for the status page and scripts.
//!
//! *Responsible for*: the form of `/status.json`. *Not responsible for*: the numbers.

use crate::board::Board;
use crate::clock;
use lightmoon_contract::ActorId;
use lightmoon_node::Transport;
use lightmoon_node::report::{StoreReport, WorkerReport};
use lightmoon_store_files::{Report as FilesReport, State};
use lightmoon_zone::ZoneReport;
use serde_json::{Map, Value, json};

/// Sessions listed one by one; more are only counted, so that the page stays small.
const SESSIONS_LISTED_MAX: usize = 200;

/// Everything the status page shows.
pub(crate) fn json(board: &Board) -> Value {
    let snapshot = board.snapshot();
    let node = &snapshot.node;
    let zones: Vec<Value> = node.zones.iter().map(|(zone, report)| zone_json(*zone, report)).collect();
    let sessions: Vec<Value> = node
        .sessions
        .iter()
        .take(SESSIONS_LISTED_MAX)
        .map(|session| {
            json!({
                "session": session.session.to_string(),
                // As text: it has 64 bits, and a page's numbers have 53.
                "player": session.player.to_string(),
                "remote": session.remote,
                "waits": session.is_waiting,
                "transport": match session.transport {
                    Transport::Native => "native",
                    Transport::WebTransport => "browser",
                },
                "requests": session.requests_in_flight,
                "zone": session.zone.map(|zone| zone.to_string()),
            })
        })
        .collect();
    let net: Map<String, Value> =
        board.net().list().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({
        "title": board.title,
        "version": board.version,
        "healthy": board.is_healthy(),
        "upSeconds": clock::mono().since(board.started).as_secs(),
        "draining": node.is_draining,
        "handshakes": node.links_in_handshake,
        "setAside": node.set_aside.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "turns": snapshot.turns,
        "turnMaxMicros": u64::try_from(snapshot.turn_max.as_micros()).unwrap_or(u64::MAX),
        "sessions": { "open": node.sessions.len(), "list": sessions },
        "stalled": board.stalls().0.iter().map(ToString::to_string).collect::<Vec<String>>(),
        "actors": node.actors,
        "workers": node.workers.iter().map(worker_json).collect::<Vec<Value>>(),
        "zones": zones,
        "deadLetters": snapshot.dead_letters.len(),
        "store": store_json(&node.store, snapshot.files.as_ref()),
        "node": counters(&node.counters),
        "net": net,
    })
}

fn store_json(store: &StoreReport, files: Option<&FilesReport>) -> Value {
    json!({
        "generation": store.generation,
        "away": store.is_away,
        "waitingBytes": store.waiting_bytes,
        "unsavedBytes": store.unsaved_bytes,
        "held": store.held,
        "commits": store.counters.commits,
        "snapshots": store.counters.snapshots,
        "letters": store.letters,
        "lettersTaken": store.counters.letters_taken,
        "files": files.map(|files| json!({
            "state": match &files.state {
                State::Up => "up".to_owned(),
                State::LowSpace => "the disk is nearly full".to_owned(),
                State::Fenced { reason } => format!("fenced: {reason}"),
            },
            "lastCommit": files.last_commit,
            "groups": files.groups,
            "latencyMaxMicros": u64::try_from(files.latency_max.as_micros()).unwrap_or(u64::MAX),
            "freeBytes": files.free_bytes,
            "bufferedBytes": files.buffered_bytes,
        })),
    })
}

fn worker_json(worker: &WorkerReport) -> Value {
    json!({
        "actors": worker.actors,
        "zones": worker.zones.len(),
        // By priority, the most urgent first.
        "queued": worker.queued,
        "across": worker.across,
        "turns": worker.turns,
        "busySeconds": worker.busy.as_secs_f64(),
        "sentAcross": worker.counters.across_sent,
        "refusedAcross": worker.counters.across_full,
        "droppedAcross": worker.counters.across_dropped,
        "replacedAcross": worker.counters.across_replaced,
        "waitedAcross": worker.counters.across_waited,
        "panics": worker.counters.failures,
        "slow": worker.counters.slow,
    })
}

fn zone_json(zone: ActorId, report: &ZoneReport) -> Value {
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    json!({
        "zone": zone.to_string(),
        "tick": report.tick.0,
        "rateHz": report.rate_hz,
        "entities": report.entities,
        "viewers": report.viewers,
        "tickMicros": micros(report.phases.total()),
        "schedulesMicros": micros(report.phases.schedules),
        "replicationMicros": micros(report.phases.replication),
        "longestTickMicros": micros(report.longest_tick),
        "rung": report.rung.number(),
        // Of all ticks so far, so that who looks twice knows what was in between.
        "ticks": report.counters.ticks,
        "tickTimes": report.tick_times.buckets().collect::<Vec<_>>(),
        "totalMicros": {
            "schedules": micros(report.phases_total.schedules),
            "collect": micros(report.phases_total.collect),
            "grid": micros(report.phases_total.grid),
            "replication": micros(report.phases_total.replication),
            "send": micros(report.phases_total.send),
        },
        "states": report.counters.states,
        "stateBytes": report.counters.state_bytes,
        "stateRecords": report.counters.state_records,
        "stateDeferred": report.counters.state_deferred,
        "views": report.counters.views,
        "viewBytes": report.counters.view_bytes,
        "enters": report.counters.enters,
        "ticksSkipped": report.counters.ticks_skipped,
    })
}

fn counters(counters: &lightmoon_node::report::Counters) -> Value {
    json!({
        "sessionsOpened": counters.sessions_opened,
        "sessionsClosed": counters.sessions_closed,
        "sessionsReplaced": counters.sessions_replaced,
        "sessionsResumed": counters.sessions_resumed,
        "sessionsRestored": counters.sessions_restored,
        "sessionsAbandoned": counters.sessions_abandoned,
        "ticketsRefused": counters.tickets_refused,
        "answersRepeated": counters.answers_repeated,
        "loginsRefused": counters.logins_refused,
        "calls": counters.calls,
        "callsRefused": counters.calls_refused,
        "activationsFailed": counters.activations_failed,
        "sessionsKicked": counters.sessions_kicked,
        "states": counters.states,
        "stateBytes": counters.state_bytes,
        "views": counters.views,
        "viewBytes": counters.view_bytes,
    })
}
