//! Actors: ours beside tasks of tokio, actix, ractor and kameo, and beside a call through a queue.
//!
//! *Responsible for*: the rows, whom they are compared with, the goals. *Not responsible for*: the work of a row
//! (`actor/table.rs`), how each contestant spells it (a file each).
//!
//! Rows of two threads stand in `actor/across.rs`. The others: one thread, pinned to a core, the same work for all: messages of 32 bytes, actors that add numbers. Peers are built
//! with their default features off; each has an actor's whole equipment but tokio's tasks, which have none. What is
//! compared are medians within rounds of the same run; the absolute times belong to the machine.
//!
//! Goals are printed and not held yet ([`Goal::Aim`]): they are the design's for the finished worker.

mod across;
mod limit;
mod ours;
mod table;
mod tasks;
mod with_actix;
mod with_kameo;
mod with_ractor;

use std::time::{Duration, Instant};

use crate::figure::{Figure, Goal};
use crate::measure::{Body, Effort, Times, median};
use crate::memory::{allocations, held};
use table::{Driven, Table};

/// Makes so many actors; whether each knows the next one.
type Make = fn(usize) -> Box<dyn Table>;

/// Work of so many messages.
type Work = fn(&mut dyn Table, u64);

/// One of those that are compared.
struct Contestant {
    name: &'static str,
    beside: &'static str,
    make: Make,
    linked: Make,
}

const LIMIT: usize = 0;
const OURS: usize = 1;
const TOKIO: usize = 2;
const ACTIX: usize = 3;
const RACTOR: usize = 4;
const KAMEO: usize = 5;

/// All of them; the constants above are places in here.
const CONTESTANTS: [Contestant; 6] = [
    Contestant {
        name: "limit",
        beside: "call via queue",
        make: |count| Box::new(limit::Limit::new(count)),
        linked: |count| Box::new(limit::Limit::new(count)),
    },
    Contestant {
        name: "ours",
        beside: "ours",
        make: |count| Box::new(ours::Ours::new(count)),
        linked: |count| Box::new(ours::Ours::new(count)),
    },
    Contestant {
        name: "tokio",
        beside: "tokio tasks",
        make: |count| Box::new(Driven::<tasks::Tasks>::new(count)),
        linked: |count| Box::new(Driven::<tasks::Tasks>::linked(count)),
    },
    Contestant {
        name: "actix",
        beside: "actix 0.13.5",
        make: |count| Box::new(Driven::<with_actix::Actix>::new(count)),
        linked: |count| Box::new(Driven::<with_actix::Actix>::linked(count)),
    },
    Contestant {
        name: "ractor",
        beside: "ractor 0.16.5",
        make: |count| Box::new(Driven::<with_ractor::Ractor>::new(count)),
        linked: |count| Box::new(Driven::<with_ractor::Ractor>::linked(count)),
    },
    Contestant {
        name: "kameo",
        beside: "kameo 0.22.2",
        make: |count| Box::new(Driven::<with_kameo::Kameo>::new(count)),
        linked: |count| Box::new(Driven::<with_kameo::Kameo>::linked(count)),
    },
];

/// Work that is timed.
struct Row {
    name: &'static str,
    actors: usize,
    work: Work,
    /// The most that ours may take of a peer's time.
    goals: &'static [(usize, f64)],
}

/// "1.5 times actix" of a rate is 1 / 1.5 of its time.
const ROWS: [Row; 6] = [
    Row {
        name: "tell",
        actors: 1,
        work: |table, count| table.tell(count),
        goals: &[(ACTIX, 1.0 / 1.5), (RACTOR, 1.0 / 8.0), (KAMEO, 1.0 / 8.0)],
    },
    Row {
        name: "fan-10000",
        actors: 10_000,
        work: |table, count| table.fan(count),
        goals: &[(TOKIO, 1.0 / 3.0), (ACTIX, 1.0 / 4.0)],
    },
    Row { name: "ring-1000", actors: 1_000, work: |table, count| table.ring(count), goals: &[(ACTIX, 0.45)] },
    Row { name: "ask", actors: 1, work: |table, count| table.ask(count), goals: &[(ACTIX, 0.7)] },
    Row {
        name: "ask-64",
        actors: 1,
        work: |table, count| table.ask_many(count),
        goals: &[(ACTIX, 1.0 / 1.8), (TOKIO, 1.0 / 1.1)],
    },
    Row { name: "relay", actors: 2, work: |table, count| table.relay(count), goals: &[(ACTIX, 0.6)] },
];

/// Bytes of an idle actor, its state of 8 included.
const GOAL_IDLE: Goal = Goal::Value(208.0);
/// Megabytes of a million actors.
const GOAL_MILLION: Goal = Goal::Value(300.0);
/// Time of a spawn, of actix's.
const GOAL_SPAWN: f64 = 1.0 / 3.0;
/// Messages of 32 bytes are to fit into what is there already.
const GOAL_ALLOCATIONS: Goal = Goal::Value(0.0);

/// Measures all rows.
pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    // On a thread of its own, so that nobody else is pinned.
    std::thread::scope(|scope| {
        let measured = scope.spawn(|| {
            pin();
            let mut figures: Vec<Figure> = ROWS.iter().flat_map(|row| timed(effort, row)).collect();
            figures.extend(counted());
            figures.extend(idle(effort));
            figures.push(million(effort));
            figures
        });
        let mut figures = measured.join().expect("the bodies hold what they promise");
        let across = scope.spawn(|| across::run(effort));
        figures.extend(across.join().expect("the bodies hold what they promise"));
        figures
    })
}

/// Keeps the thread on the last core that it may use.
fn pin() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let Some(last) = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)) else { return };
    let mut one = CpuSet::new();
    one.set(last);
    // Where it is not allowed, the figures only spread more.
    let _ = sched_setaffinity(None, &one);
}

fn timed(effort: Effort, row: &Row) -> Vec<Figure> {
    let effort = effort.with(101, Duration::from_millis(2));
    let mut tables: Vec<Box<dyn Table>> = CONTESTANTS.iter().map(|one| (one.linked)(row.actors)).collect();
    let mut bodies: Vec<Body<'_>> = tables
        .iter_mut()
        .map(|table| Box::new(|count| (row.work)(&mut **table, count)) as Body<'_>)
        .collect();
    let times = Times::measure(effort, &mut bodies);
    let figure = |contestant: usize, other: usize, goal| Figure {
        name: format!("actor.{}.{}", row.name, CONTESTANTS[contestant].name),
        value: times.of(contestant),
        unit: "ns",
        ratio: times.ratio(contestant, other),
        beside: CONTESTANTS[other].beside,
        goal,
    };
    let mut figures: Vec<Figure> =
        row.goals.iter().map(|(peer, goal)| figure(OURS, *peer, Some(Goal::Aim(*goal)))).collect();
    figures.push(figure(OURS, LIMIT, None));
    figures.extend([LIMIT, TOKIO, ACTIX, RACTOR, KAMEO].map(|one| figure(one, OURS, None)));
    figures
}

/// Allocations of a tell and an ask.
fn counted() -> Vec<Figure> {
    const MESSAGES: u64 = 4 * 1_024;
    let each = |one: &Contestant, work: Work| {
        let mut table = (one.linked)(1);
        work(&mut *table, 2 * MESSAGES);
        let few = allocations(|| work(&mut *table, MESSAGES));
        let many = allocations(|| work(&mut *table, 2 * MESSAGES));
        ratio_of(many.saturating_sub(few), MESSAGES)
    };
    let mut figures = Vec::new();
    let works: [(&str, Work); 2] =
        [("tell", |table, count| table.tell(count)), ("ask", |table, count| table.ask(count))];
    for (name, work) in works {
        let ours = each(&CONTESTANTS[OURS], work);
        for one in &CONTESTANTS {
            let value = each(one, work);
            figures.push(Figure {
                name: format!("actor.{name}.allocations.{}", one.name),
                value,
                unit: "",
                ratio: if ours > 0.0 { value / ours } else { f64::NAN },
                beside: CONTESTANTS[OURS].beside,
                goal: (one.name == CONTESTANTS[OURS].name).then_some(GOAL_ALLOCATIONS),
            });
        }
    }
    figures
}

/// Bytes of an idle actor and the time until it lives, over so many.
fn idle(effort: Effort) -> Vec<Figure> {
    let (count, rounds) = if effort.is_small() { (1_000, 1) } else { (100_000, 5) };
    let mut bytes = vec![Vec::new(); CONTESTANTS.len()];
    let mut times = vec![Vec::new(); CONTESTANTS.len()];
    for _ in 0..rounds {
        for (index, one) in CONTESTANTS.iter().enumerate() {
            let (before, began) = (held(), Instant::now());
            let table = (one.make)(count);
            times[index].push(began.elapsed().as_secs_f64() * 1e9 / as_f64(count));
            bytes[index].push(ratio_of(u64::try_from(held() - before).unwrap_or(0), count as u64));
            drop(table);
        }
    }
    let bytes: Vec<f64> = bytes.into_iter().map(median).collect();
    let spawn = |one: usize, other: usize| {
        let ratios = times[one].iter().zip(&times[other]).map(|(one, other)| one / other);
        (median(times[one].clone()), median(ratios.collect()))
    };
    let mut figures = Vec::new();
    for (index, one) in CONTESTANTS.iter().enumerate() {
        let (value, ratio) = (bytes[index], bytes[index] / bytes[OURS]);
        let goal = (index == OURS).then_some(GOAL_IDLE);
        let beside = CONTESTANTS[OURS].beside;
        figures.push(Figure {
            name: format!("actor.idle.{}", one.name),
            value,
            unit: "B",
            ratio,
            beside,
            goal,
        });
    }
    for (index, one) in CONTESTANTS.iter().enumerate() {
        let other = if index == OURS { ACTIX } else { OURS };
        let (value, ratio) = spawn(index, other);
        let goal = (index == OURS).then_some(Goal::Aim(GOAL_SPAWN));
        let beside = CONTESTANTS[other].beside;
        let name = format!("actor.spawn.{}", one.name);
        figures.push(Figure { name, value, unit: "ns", ratio, beside, goal });
    }
    figures
}

/// Megabytes of a million of ours, beside a million of the limit's.
fn million(effort: Effort) -> Figure {
    let count = if effort.is_small() { 1_000 } else { 1_000_000 };
    let [limit, ours] = [LIMIT, OURS].map(|index| {
        let before = held();
        let table = (CONTESTANTS[index].make)(count);
        let bytes = held() - before;
        drop(table);
        ratio_of(u64::try_from(bytes).unwrap_or(0), 1_000_000)
    });
    Figure {
        name: "actor.million.ours".to_owned(),
        value: ours,
        unit: "MB",
        ratio: ours / limit,
        beside: CONTESTANTS[LIMIT].beside,
        goal: Some(GOAL_MILLION),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes stay below 2^53")]
fn ratio_of(value: u64, count: u64) -> f64 {
    value as f64 / count as f64
}

fn as_f64(count: usize) -> f64 {
    ratio_of(count as u64, 1)
}

#[cfg(test)]
mod tests {
    use super::{CONTESTANTS, ROWS};

    #[test]
    fn every_contestant_does_the_work_of_every_row() {
        for row in &ROWS {
            for one in &CONTESTANTS {
                let mut table = (one.linked)(row.actors.min(10));
                // More than one burst, and no whole number of them.
                (row.work)(&mut *table, 300);
            }
        }
    }
}
