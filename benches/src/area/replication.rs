//! What clients cost a zone: finding whom they see, and bringing each up to date, at each tick.
//!
//! *Responsible for*: the workloads and figures. *Not responsible for*: that views are right (the tests of `replica` and `zone`);
//! the way of a packet to its client (`load`).
//!
//! Two views of the same work. `parts` calls `replica` alone: collecting a tick's rows, writing each entity once, gathering for
//! each client, beside packing the same entities without memory and beside copying as many bytes. `zone` is a whole zone on its
//! worker: its phases, by its own clock, with everything that enters and leaves, in the packets of at most 1,100 bytes that it sends.
//!
//! Clients tell what arrived after 150 ms; nothing is lost.

mod crowd;
mod interest;
mod meadow;
mod readers;
mod walker;

use std::time::{Duration, Instant};

use bevy_ecs::prelude::{Schedule, World};
use lightmoon_zone::Phases;

use crate::figure::{Figure, Goal};
use crate::measure::{Effort, Times, count_as_f64};
use crowd::{Crowd, Parts};
use meadow::Arena;
use readers::Readers;

/// Who sees how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    entities: usize,
    clients: usize,
    /// Entities that each client sees, on average.
    visible: usize,
    /// Each client looks around at each fourth tick only.
    is_staggered: bool,
}

impl Workload {
    const fn new(entities: usize, clients: usize, visible: usize) -> Self {
        Self { entities, clients, visible, is_staggered: false }
    }
}

/// The design's workloads, with the time that a tick's replication is to take, in microseconds.
const WORKLOADS: [(&str, Workload, Option<f64>); 3] = [
    ("1000-x-50.all", Workload::new(1_000, 50, 1_000), Some(1_000.0)),
    ("1000-x-50-x-100", Workload::new(1_000, 50, 100), None),
    ("10000-x-1000-x-100", Workload::new(10_000, 1_000, 100), Some(2_000.0)),
];

/// What an entity that is visible and moves costs a packet, its head included, at 150 ms. Where not all fit, each is told of every
/// few ticks, and costs more then.
fn bytes_goal(workload: Workload) -> Goal {
    if workload.visible > 200 { Goal::Value(3.5) } else { Goal::Count(3.5) }
}

/// Measures all.
pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let mut figures = interest::run(effort);
    for (name, workload, goal_us) in WORKLOADS {
        let workload =
            if effort.is_small() { Workload::new(100, 10, workload.visible / 10) } else { workload };
        parts(effort, name, workload, &mut figures);
        whole(effort, name, workload, goal_us, &mut figures);
        if workload.clients >= 1_000 {
            let staggered = Workload { is_staggered: true, ..workload };
            whole(effort, &format!("{name}.staggered"), staggered, goal_us, &mut figures);
        }
    }
    figures.push(applying(effort));
    idle(effort, &mut figures);
    figures
}

/// What a record costs who reads it, in a program of many clients.
fn applying(effort: Effort) -> Figure {
    let (mut many, mut one) =
        (Readers::new(if effort.is_small() { 10 } else { 1_000 }, 50), Readers::new(1, 50));
    let each = |(nanos, records): (f64, u32)| nanos / f64::from(records.max(1));
    let rounds = (0..effort.rounds(101)).map(|_| vec![each(many.tick()), each(one.tick())]);
    let times = Times::of_rounds(rounds.collect());
    Figure {
        name: "client.1000-x-50.apply".to_owned(),
        value: times.of(0),
        unit: "ns",
        ratio: times.ratio(0, 1),
        beside: "one client",
        goal: Some(Goal::Aim(3.0)),
    }
}

/// `replica` alone.
fn parts(effort: Effort, name: &str, workload: Workload, figures: &mut Vec<Figure>) {
    let mut crowd = Crowd::new(workload);
    let (mut bytes, mut records) = (0, 0);
    let rounds = effort.rounds(101);
    let rounds = (0..rounds).map(|_| {
        let Parts { collect, encode, gather, packed, copied } = crowd.tick();
        bytes += crowd.sent_bytes;
        records += u64::from(crowd.gathered.records);
        vec![collect, encode, gather, packed, copied, collect + encode + gather]
    });
    let times = Times::of_rounds(rounds.collect());
    let pairs = count_as_f64((workload.clients * workload.visible) as u64);
    let entities = count_as_f64(workload.entities as u64);
    let mut push = |part: &str, value, unit, ratio, beside, goal| {
        let name = format!("parts.{name}.{part}");
        figures.push(Figure { name, value, unit, ratio, beside, goal: Some(goal) });
    };
    let packed = "packing only";
    push("collect", times.of(0) / entities, "ns", times.ratio(0, 3), packed, Goal::Value(20.0));
    push("encode", times.of(1) / entities, "ns", times.ratio(1, 3), packed, Goal::Value(20.0));
    push("gather", times.of(2) / pairs, "ns", times.ratio(2, 3), packed, Goal::Value(8.0));
    push("all", times.of(5) * 1e-3, "us", times.ratio(5, 3), packed, Goal::Aim(3.0));
    push("packing-only", times.of(3) / pairs, "ns", times.ratio(3, 4), "copying", Goal::Value(4.0));
    let each = count_as_f64(bytes) / count_as_f64(records.max(1));
    let whole = count_as_f64(u64::from(pose_bits())) / 8.0;
    push("bytes", each, "B", each / whole, "whole values", bytes_goal(workload));
}

/// Bits of a pose.
fn pose_bits() -> u32 {
    use lightmoon_contract::Replicate as _;
    walker::Pose::SPEC.fields.iter().map(|field| u32::from(field.bits)).sum()
}

/// A zone on its worker.
fn whole(effort: Effort, name: &str, workload: Workload, goal_us: Option<f64>, figures: &mut Vec<Figure>) {
    let mut arena = Arena::new(workload);
    let before = arena.report().counters;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let rounds: Vec<Vec<f64>> = (0..effort.rounds(101))
        .map(|_| {
            arena.hear();
            arena.tick();
            let Phases { schedules, collect, grid, replication, .. } = arena.phases();
            let (collect, grid, replication) = (micros(collect), micros(grid), micros(replication));
            vec![collect + grid + replication, collect, grid, replication, micros(schedules)]
        })
        .collect();
    let ticks = count_as_f64(rounds.len() as u64);
    arena.check();
    let counters = arena.report().counters;
    let times = Times::of_rounds(rounds);
    let mut push = |part: &str, value, unit, of, goal| {
        let (name, beside) = (format!("zone.{name}.{part}"), "moving all");
        figures.push(Figure { name, value, unit, ratio: times.ratio(of, 4), beside, goal });
    };
    push("tick", times.of(0), "us", 0, goal_us.map(Goal::Value));
    push("collect", times.of(1), "us", 1, None);
    push("grid", times.of(2), "us", 2, None);
    push("replication", times.of(3), "us", 3, None);
    let pairs = ticks * count_as_f64((workload.clients * workload.visible) as u64);
    push("per-pair", times.of(0) * 1e3 * ticks / pairs, "ns", 0, Some(Goal::Value(8.0)));
    let since = |of: fn(&lightmoon_zone::Counters) -> u64| count_as_f64(of(&counters) - of(&before));
    let each = since(|counters| counters.state_bytes) / since(|counters| counters.state_records).max(1.0);
    let whole = count_as_f64(u64::from(pose_bits())) / 8.0;
    figures.push(Figure {
        name: format!("zone.{name}.bytes"),
        value: each,
        unit: "B",
        ratio: each / whole,
        beside: "whole values",
        goal: Some(bytes_goal(workload)),
    });
}

/// Zones that nobody looks at: one with 10,000 walkers beside its schedule alone, one with nothing.
fn idle(effort: Effort, figures: &mut Vec<Figure>) {
    let entities = if effort.is_small() { 100 } else { 10_000 };
    let mut full = Arena::new(Workload::new(entities, 0, entities));
    let mut empty = Arena::new(Workload::new(0, 0, 0));
    let mut world = World::new();
    let mut schedule = Schedule::default();
    schedule.add_systems(meadow::wander);
    world.insert_resource(meadow::Side(400.0));
    meadow::fill(&mut world, entities, 400.0);
    let rounds = (0..effort.rounds(501)).map(|_| {
        let timed = |act: &mut dyn FnMut()| {
            let began = Instant::now();
            act();
            began.elapsed().as_secs_f64() * 1e6
        };
        vec![
            timed(&mut || full.tick()),
            timed(&mut || {
                schedule.run(&mut world);
                world.clear_trackers();
            }),
            timed(&mut || empty.tick()),
        ]
    });
    let times = Times::of_rounds(rounds.collect());
    let mut push = |name: &str, of, goal| {
        let (value, ratio) = (times.of(of), times.ratio(of, 1));
        figures.push(Figure {
            name: name.to_owned(),
            value,
            unit: "us",
            ratio,
            beside: "raw bevy_ecs",
            goal,
        });
    };
    push("zone.unwatched.10k", 0, Some(Goal::Ratio(3.0)));
    push("zone.empty.tick", 2, Some(Goal::Value(5.0)));
}
