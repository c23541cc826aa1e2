//! The list of actors, and what the one that is looked at did last.
//!
//! *Responsible for*: the form of its messages. *Not responsible for*: finding actors (`actor`), the form of its state (`inspect`).

use super::events::step_text;
use super::inspect;
use crate::board::Snapshot;
use crate::clock;
use lightmoon_actor::{ActorLook, ActorState, Step, Traced};
use lightmoon_contract::descriptor::Descriptor;
use lightmoon_contract::{ActorId, Kind, OperationNumber};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What workers found.
pub(crate) fn json(snapshot: &Snapshot, descriptor: &Descriptor) -> Value {
    let surveys = || {
        snapshot
            .node
            .workers
            .iter()
            .enumerate()
            .filter_map(|(worker, report)| report.survey.as_deref().map(|survey| (worker, survey)))
    };
    let lists = || surveys().filter_map(|(worker, survey)| survey.actors.as_ref().map(|list| (worker, list)));
    let mut kinds: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut found: Vec<(usize, ActorLook)> = Vec::new();
    let mut total = 0;
    for (worker, list) in lists() {
        list.kinds.iter().for_each(|(kind, count)| *kinds.entry(*kind).or_default() += count);
        found.extend(list.actors.iter().map(|look| (worker, *look)));
        total += list.found;
    }
    found.sort_by_key(|(_, look)| look.actor);
    found.truncate(lightmoon_actor::limits::ACTORS_LISTED_MAX);
    let kinds: Vec<Value> = kinds
        .into_iter()
        .map(|(kind, count)| json!({ "kind": kind.0, "name": name(descriptor, kind), "count": count }))
        .collect();
    let traced: Vec<Value> = surveys().flat_map(|(_, survey)| &survey.traced).map(step_json).collect();
    json!({
        "kinds": kinds,
        "found": total,
        "actors": found.iter().map(|(worker, look)| look_json(*worker, look, descriptor)).collect::<Vec<_>>(),
        "traced": traced,
        "inspected": surveys().find_map(|(worker, survey)| {
            survey.inspected.as_ref().map(|(actor, inspected)| inspect::json(worker, *actor, inspected))
        }),
    })
}

fn name(descriptor: &Descriptor, kind: Kind) -> String {
    // Of the framework's own kinds the one that a game's author meets: its players, where they have no contract.
    if kind == Kind::VISITOR {
        return "Visitor".to_owned();
    }
    descriptor.contract(kind).map_or_else(|| format!("kind {kind}"), |contract| contract.name.clone())
}

fn look_json(worker: usize, look: &ActorLook, descriptor: &Descriptor) -> Value {
    let ActorId { kind, key } = look.actor;
    let state = match look.state {
        ActorState::Empty => "without activation".to_owned(),
        ActorState::Loading => "loading".to_owned(),
        ActorState::Idle => "ready".to_owned(),
        ActorState::Running => "running".to_owned(),
        ActorState::Waiting(number) => format!("waits in {}", operation(descriptor, kind, number)),
        ActorState::Resting => "rests after a panic".to_owned(),
        ActorState::SetAside => "set aside".to_owned(),
    };
    let idle_ms = (look.used.0 > 0).then(|| clock::mono().since(look.used).as_millis());
    json!({
        "kind": kind.0,
        "name": name(descriptor, kind),
        // As text: it has 64 bits, and a page's numbers have 53.
        "key": key.to_string(),
        "worker": worker,
        "state": state,
        "waiting": look.waiting,
        "sessions": look.sessions,
        "idleMs": idle_ms.and_then(|ms| u64::try_from(ms).ok()),
        "failures": look.failures,
        "kept": look.is_kept,
        "unsavedBytes": look.unsaved_bytes,
    })
}

fn operation(descriptor: &Descriptor, kind: Kind, number: OperationNumber) -> String {
    let entry = descriptor.contract(kind).and_then(|contract| contract.operation(number));
    entry.map_or_else(|| format!("operation {number}"), |entry| entry.name.clone())
}

fn step_json(traced: &Traced) -> Value {
    let number = match traced.step {
        Step::Operation(number) | Step::Delivery(number) => Some(number.0),
        Step::Activate | Step::Alarm | Step::Save | Step::Lost | Step::Stopping | Step::Drop => None,
    };
    json!({
        "agoMs": u64::try_from(clock::mono().since(traced.at).as_millis()).unwrap_or(u64::MAX),
        "step": step_text(traced.step),
        "operation": number,
        "tookMicros": u64::try_from(traced.took.as_micros()).unwrap_or(u64::MAX),
    })
}
