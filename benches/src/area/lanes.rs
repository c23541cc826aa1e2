//! Lanes over real sockets: how long an urgent message takes beside bulk, and what a message of a lane costs beside raw quinn.
//!
//! *Responsible for*: the figures. *Not responsible for*: the two ends of a link ([`link`]), quinn alone ([`raw`]).
//!
//! A server and a client on loopback, each with a thread of its own, on a core of its own where there are two. Both are the real ones: the
//! network shell and the link's state machines of the server, quinn and the link's state machine of the client.

mod link;
mod raw;

use std::time::Duration;

use lightmoon_contract::{Lane, Priority, Reliability};

use crate::figure::{Figure, Goal};
use crate::measure::Effort;

const HIGH: Lane = Lane::new(Priority::High, Reliability::ReliableOrdered);
const LOW: Lane = Lane::new(Priority::Low, Reliability::ReliableOrdered);

/// Bytes of a message: a short call.
const MESSAGE_BYTES: usize = 64;

/// In flight on loopback is little, so what is left is the machine's.
const GOAL_P99: Goal = Goal::Aim(2.0);
/// As a time: 0.8 of quinn's throughput when that writes 64 messages at once.
const GOAL_BATCHED: Goal = Goal::Aim(1.25);
/// As a time: ten times quinn's throughput when that writes each message by itself.
const GOAL_SINGLE: Goal = Goal::Aim(0.1);

pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let time = effort.time(Duration::from_secs(4), Duration::from_millis(80));
    let rounds = if effort.is_full() { 3 } else { 1 };
    let idle = median(rounds, || percentile_99(link::urgent(time, false)));
    let beside = median(rounds, || percentile_99(link::urgent(time, true)));
    let lane = median(rounds, || link::cost(time));
    let batched = median(rounds, || raw::cost(time, 64));
    let single = median(rounds, || raw::cost(time, 1));
    let figure = |name: &str, value, unit, ratio, beside, goal| Figure {
        name: name.to_owned(),
        value,
        unit,
        ratio,
        beside,
        goal,
    };
    vec![
        figure("lanes.urgent.idle.p99", idle, "us", 1.0, "itself", None),
        figure("lanes.urgent.under-bulk.p99", beside, "us", beside / idle, "idle", Some(GOAL_P99)),
        figure("lanes.message.low", lane, "ns", lane / batched, "quinn, 64/write", Some(GOAL_BATCHED)),
        figure("lanes.message.low", lane, "ns", lane / single, "quinn, 1/write", Some(GOAL_SINGLE)),
    ]
}

fn median(rounds: usize, mut measure: impl FnMut() -> f64) -> f64 {
    let mut values: Vec<f64> = std::iter::repeat_with(&mut measure).take(rounds).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// In microseconds.
fn percentile_99(mut took: Vec<Duration>) -> f64 {
    took.sort();
    let at = took.len().saturating_sub(1) * 99 / 100;
    took.get(at).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

/// Keeps this thread on the first or second core, if there are two.
fn pin(core: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let Some(cpu) = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).nth(core) else { return };
    let mut one = CpuSet::new();
    one.set(cpu);
    // It runs without, too.
    let _ = sched_setaffinity(None, &one);
}

/// A runtime for this thread.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the machine has descriptors left")
}
