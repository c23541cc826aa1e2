//! Lanes over real sockets: how long an urgent message takes beside bulk, and what a message of a lane costs beside raw quinn.
//!
//! *Responsible for*: the figures. *Not responsible for*: the two ends of a link ([`link`]), quinn alone ([`raw`]).
//!
//! A server and a client on loopback, each with a thread of its own, on a core of its own where there are two. Both are the real ones: the
//! network shell and the link's state machines of the server, quinn and the link's state machine of the client.

mod link;
mod raw;

use std::thread::JoinHandle;
use std::time::Duration;

use lightmoon_contract::{Lane, Priority, Reliability};

use crate::figure::{Figure, Goal};
use crate::measure::{Effort, median};

const HIGH: Lane = Lane::new(Priority::High, Reliability::ReliableOrdered);
const LOW: Lane = Lane::new(Priority::Low, Reliability::ReliableOrdered);

/// Bytes of a low lane that may be under way.
const LOW_WINDOW: u32 = 64 * 1_024;

/// Bytes of a message: a short call.
const MESSAGE_BYTES: usize = 64;

/// What is in flight cannot be overtaken, and of the low lane that is little.
const GOAL_P99: Goal = Goal::Aim(2.0);
/// As a time: 0.8 of quinn's throughput when that writes 64 messages at once.
const GOAL_BATCHED: Goal = Goal::Aim(1.25);
/// As a time: ten times quinn's throughput when that writes each message by itself.
const GOAL_SINGLE: Goal = Goal::Aim(0.1);

/// What one round measured.
struct Round {
    /// Urgent messages alone and beside bulk, in microseconds.
    idle: f64,
    beside: f64,
    low: Cost,
    normal: Cost,
    high: Cost,
    critical: Cost,
    batched: Cost,
    /// As `batched`, with no more under way than the window of a low lane.
    narrow: Cost,
    single: Cost,
}

pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let small = effort.is_small();
    let time = if small { Duration::from_millis(80) } else { Duration::from_millis(1_000) };
    let rounds: Vec<Round> = std::iter::repeat_with(|| round(time)).take(if small { 1 } else { 5 }).collect();
    // A ratio is one within a round: what disturbed one of both disturbed the other, too.
    let figure = |name: &str, unit, beside, goal, measured: &dyn Fn(&Round) -> (f64, f64)| Figure {
        name: name.to_owned(),
        value: median(rounds.iter().map(|round| measured(round).0).collect()),
        unit,
        ratio: median(rounds.iter().map(|round| measured(round).0 / measured(round).1).collect()),
        beside,
        goal,
    };
    let wall = |name: &str, beside, goal, pair: fn(&Round) -> (Cost, Cost)| {
        figure(name, "ns", beside, goal, &|round| (pair(round).0.wall, pair(round).1.wall))
    };
    let cpu = |name: &str, beside, pair: fn(&Round) -> (Cost, Cost)| {
        figure(name, "ns", beside, None, &|round| (pair(round).0.cpu, pair(round).1.cpu))
    };
    vec![
        figure("lanes.urgent.idle.p99", "us", "itself", None, &|round| (round.idle, round.idle)),
        figure("lanes.urgent.under-bulk.p99", "us", "idle", Some(GOAL_P99), &|round| {
            (round.beside, round.idle)
        }),
        wall("lanes.message.low", "quinn, 64/write", Some(GOAL_BATCHED), |round| (round.low, round.batched)),
        wall("lanes.message.low", "quinn, 1/write", Some(GOAL_SINGLE), |round| (round.low, round.single)),
        wall("lanes.message.low", "quinn, 64 KiB window", None, |round| (round.low, round.narrow)),
        wall("lanes.message.normal", "quinn, 64/write", None, |round| (round.normal, round.batched)),
        wall("lanes.message.high", "quinn, 64/write", None, |round| (round.high, round.batched)),
        wall("lanes.message.critical", "quinn, 64/write", None, |round| (round.critical, round.batched)),
        cpu("lanes.message.low.cpu", "quinn, 64/write", |round| (round.low, round.batched)),
        cpu("lanes.message.low.cpu", "quinn, 1/write", |round| (round.low, round.single)),
        cpu("lanes.message.critical.cpu", "quinn, 64/write", |round| (round.critical, round.batched)),
    ]
}

/// Each once, after one another: together they would share the two cores.
fn round(time: Duration) -> Round {
    let lane = |priority| link::cost(time, Lane::new(priority, Reliability::ReliableOrdered));
    Round {
        idle: percentile_99(link::urgent(time, false)),
        beside: percentile_99(link::urgent(time, true)),
        low: lane(Priority::Low),
        batched: raw::cost(time, 64, None),
        single: raw::cost(time, 1, None),
        narrow: raw::cost(time, 64, Some(LOW_WINDOW)),
        normal: lane(Priority::Normal),
        high: lane(Priority::High),
        critical: lane(Priority::Critical),
    }
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

/// A thread that a profiler can tell from the others.
fn named<T: Send + 'static>(name: &str, run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).expect("the machine has threads left")
}

/// A runtime for this thread.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the machine has descriptors left")
}
