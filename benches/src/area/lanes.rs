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
use crate::measure::{Effort, median};

const HIGH: Lane = Lane::new(Priority::High, Reliability::ReliableOrdered);
const LOW: Lane = Lane::new(Priority::Low, Reliability::ReliableOrdered);

/// Bytes of a message: a short call.
const MESSAGE_BYTES: usize = 64;

/// What is in flight cannot be overtaken, and of the low lane that is little.
const GOAL_P99: Goal = Goal::Aim(2.0);
/// As a time: 0.8 of quinn's throughput when that writes 64 messages at once.
const GOAL_BATCHED: Goal = Goal::Aim(1.25);
/// As a time: ten times quinn's throughput when that writes each message by itself.
const GOAL_SINGLE: Goal = Goal::Aim(0.1);

/// What one round measured, or the median over rounds.
const IDLE: usize = 0;
const BESIDE: usize = 1;
const LANE: usize = 2;
const BATCHED: usize = 3;
const SINGLE: usize = 4;
const LANE_CPU: usize = 5;
const BATCHED_CPU: usize = 6;
const SINGLE_CPU: usize = 7;

pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let small = effort.is_small();
    let time = if small { Duration::from_millis(80) } else { Duration::from_millis(1_500) };
    let rounds: Vec<[f64; 8]> =
        std::iter::repeat_with(|| round(time)).take(if small { 1 } else { 5 }).collect();
    let of = |what: usize| median(rounds.iter().map(|round| round[what]).collect());
    // Within a round: what disturbed one of both disturbed the other, too.
    let ratio = |what: usize, to: usize| median(rounds.iter().map(|round| round[what] / round[to]).collect());
    let figure = |name: &str, unit, (what, to): (usize, usize), beside, goal| Figure {
        name: name.to_owned(),
        value: of(what),
        unit,
        ratio: ratio(what, to),
        beside,
        goal,
    };
    vec![
        figure("lanes.urgent.idle.p99", "us", (IDLE, IDLE), "itself", None),
        figure("lanes.urgent.under-bulk.p99", "us", (BESIDE, IDLE), "idle", Some(GOAL_P99)),
        figure("lanes.message.low", "ns", (LANE, BATCHED), "quinn, 64/write", Some(GOAL_BATCHED)),
        figure("lanes.message.low", "ns", (LANE, SINGLE), "quinn, 1/write", Some(GOAL_SINGLE)),
        figure("lanes.message.low.cpu", "ns", (LANE_CPU, BATCHED_CPU), "quinn, 64/write", None),
        figure("lanes.message.low.cpu", "ns", (LANE_CPU, SINGLE_CPU), "quinn, 1/write", None),
    ]
}

/// Each once, after one another: together they would share the two cores.
fn round(time: Duration) -> [f64; 8] {
    let idle = percentile_99(link::urgent(time, false));
    let beside = percentile_99(link::urgent(time, true));
    let [lane, batched, single] = [link::cost(time), raw::cost(time, 64), raw::cost(time, 1)];
    [idle, beside, lane.wall, batched.wall, single.wall, lane.cpu, batched.cpu, single.cpu]
}

/// What one message costs, in nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// From message to message at the receiver.
    wall: f64,
    /// Of the processor, both ends together. On a machine that others use this is steadier.
    cpu: f64,
}

impl Cost {
    fn of(messages: usize, wall: Duration, cpu: Duration) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e9 / as_f64(messages);
        Self { wall: each(wall), cpu: each(cpu) }
    }
}

/// What the processor worked for this thread.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a thread's time does not run backwards")
}

#[expect(clippy::cast_precision_loss, reason = "counts of some millions; exact to 2^53")]
fn as_f64(count: usize) -> f64 {
    count as f64
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
