//! Actors on two workers: messages between two threads.
//!
//! *Responsible for*: tell, ask and many asks at once from an actor on one worker to one on another, beside a ring alone, a channel and
//! tasks of tokio. *Not responsible for*: one thread (`super`), the threads of a real node (`lightmoon`), which also sleep.
//!
//! Two threads, each on a core of its own, which look for work all the time; tokio's sleep, since its runtime does. Ours are two workers
//! with a ring of each class both ways, as a node has them.

mod channels;
mod workers;

use std::time::Duration;

use crate::figure::{Figure, Goal};
use crate::measure::{Body, Effort, Times};

/// A sender on this thread and a receiver on another one.
trait Pair {
    /// So many tells, in bursts that are served before the next begins.
    fn tell(&mut self, count: u64);
    /// So many requests, one after the other.
    fn ask(&mut self, count: u64);
    /// So many requests, many at once.
    fn ask_many(&mut self, count: u64);
}

struct Contestant {
    name: &'static str,
    beside: &'static str,
    make: fn() -> Box<dyn Pair>,
}

const RING: usize = 0;
const OURS: usize = 1;
const CHANNEL: usize = 2;
const TOKIO: usize = 3;

/// All of them; the constants above are places in here.
const CONTESTANTS: [Contestant; 4] = [
    Contestant { name: "ring", beside: "rtrb alone", make: || Box::new(channels::Spinning::rings()) },
    Contestant { name: "ours", beside: "ours", make: || Box::new(workers::Ours::new()) },
    Contestant { name: "channel", beside: "std mpsc", make: || Box::new(channels::Spinning::channels()) },
    Contestant { name: "tokio", beside: "tokio tasks", make: || Box::new(channels::Tokio::new()) },
];

struct Row {
    name: &'static str,
    work: fn(&mut dyn Pair, u64),
    /// The most that ours may take of a peer's time.
    goal: (usize, f64),
}

const ROWS: [Row; 3] = [
    Row { name: "tell", work: |pair, count| pair.tell(count), goal: (TOKIO, 1.0 / 2.0) },
    Row { name: "ask", work: |pair, count| pair.ask(count), goal: (CHANNEL, 2.5) },
    Row { name: "ask-64", work: |pair, count| pair.ask_many(count), goal: (TOKIO, 1.0 / 0.9) },
];

/// Measures all rows; none where there is only one core.
pub(super) fn run(effort: Effort) -> Vec<Figure> {
    if !pin(Side::Asks) {
        return Vec::new();
    }
    // Long enough that starting a thread, which is a part of each share, is less than a hundredth of it.
    let effort = effort.with(51, Duration::from_millis(10));
    ROWS.iter().flat_map(|row| timed(effort, row)).collect()
}

fn timed(effort: Effort, row: &Row) -> Vec<Figure> {
    // One after the other: a thread that spins would take a core from the others.
    let mut bodies: Vec<Body<'_>> = CONTESTANTS
        .iter()
        .map(|one| {
            Box::new(|count| {
                let mut pair = (one.make)();
                (row.work)(&mut *pair, count);
            }) as Body<'_>
        })
        .collect();
    let times = Times::measure(effort, &mut bodies);
    let figure = |one: usize, other: usize, goal| Figure {
        name: format!("actor.across.{}.{}", row.name, CONTESTANTS[one].name),
        value: times.of(one),
        unit: "ns",
        ratio: times.ratio(one, other),
        beside: CONTESTANTS[other].beside,
        goal,
    };
    let (peer, goal) = row.goal;
    let mut figures = vec![figure(OURS, peer, Some(Goal::Aim(goal))), figure(OURS, RING, None)];
    figures.extend([RING, CHANNEL, TOKIO].map(|one| figure(one, OURS, None)));
    figures
}

/// Who a thread is.
#[derive(Clone, Copy)]
enum Side {
    Asks,
    Answers,
}

/// Keeps the thread on a core that the other side does not use; `false`: there is only one.
fn pin(side: Side) -> bool {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    // Of the process: a thread has what its parent was pinned to.
    let process = rustix::process::Pid::from_raw(std::process::id().cast_signed());
    let Ok(allowed) = sched_getaffinity(process) else { return false };
    let mut cores = (0..CpuSet::MAX_CPU).rev().filter(|core| allowed.is_set(*core));
    let (Some(last), Some(before)) = (cores.next(), cores.next()) else { return false };
    let mut one = CpuSet::new();
    one.set(match side {
        Side::Asks => last,
        Side::Answers => before,
    });
    // Where it is not allowed, the figures only spread more.
    let _ = sched_setaffinity(None, &one);
    true
}

/// Looks again at once a while, then lets others run: a test may have one core for both sides.
fn spin(tries: &mut u32) {
    *tries += 1;
    if tries.is_multiple_of(1 << 14) {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::{CONTESTANTS, ROWS};

    #[test]
    fn every_contestant_does_the_work_of_every_row_between_threads() {
        for row in &ROWS {
            for one in &CONTESTANTS {
                let mut pair = (one.make)();
                // More than one burst, and no whole number of them.
                (row.work)(&mut *pair, 300);
            }
        }
    }
}
