//! The thread of one worker.
//!
//! *Responsible for*: taking what arrives, giving the worker its turns, sending what it says, sleeping. *Not responsible for*: what
//! a turn does (`actor`).
//!
//! Invariants:
//! - I1: a thread sleeps only after it answered its bell and found nothing.
//! - I2: of bulk messages only so many are taken as its worker has room for; urgent ones, answers and what the hub says always.
//! - I3: of two messages of one sender in two rings the urgent one is served first, if it was sent first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use lightmoon_actor::{Class, Crossing, In, Next, Out, Worker, WorkerId};
use lightmoon_contract::Mono;
use lightmoon_node::{Wanted, WorkerPlan, WorkerReport};
use rtrb::Consumer;

use super::courier::RingCourier;
use super::doorbell::Doorbell;
use super::link::Sending;
use crate::{Failure, clock, limits};

/// Where other workers' messages arrive: of each, a ring of each class.
pub(crate) type Arrivals = Vec<(WorkerId, [Consumer<Crossing>; 2])>;

/// What others know of a worker's thread.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) bell: Arc<Doorbell>,
    /// Pairs with nothing: the bell that follows it carries the order.
    quits: AtomicBool,
    /// Written once, at the end of the thread; the bell that follows it carries the order.
    failed: AtomicBool,
    /// Relaxed: the hub wants a recent value.
    unsaved_bytes: AtomicUsize,
    report: Mutex<WorkerReport>,
    /// What somebody looks at.
    wanted: Mutex<Wanted>,
}

impl Shared {
    /// Tells the thread to end.
    pub(crate) fn quit(&self) {
        self.quits.store(true, Ordering::Release);
        self.bell.ring();
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(crate) fn unsaved_bytes(&self) -> usize {
        self.unsaved_bytes.load(Ordering::Relaxed)
    }

    /// Has the worker show this from its next report on.
    pub(crate) fn watch(&self, wanted: Wanted) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = wanted;
        self.bell.ring();
    }

    fn wanted(&self) -> Wanted {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn report(&self) -> WorkerReport {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a thread works with.
pub(crate) struct Life {
    pub(crate) plan: WorkerPlan,
    pub(crate) from_hub: Consumer<In>,
    /// Of each other worker, both classes.
    pub(crate) from: Arrivals,
    pub(crate) to_hub: Sending<Out>,
    pub(crate) courier: RingCourier,
    pub(crate) shared: Arc<Shared>,
    pub(crate) spin: Duration,
    /// Which core to stay on, counted from that of the node's thread; `None`: any.
    pub(crate) core: Option<usize>,
}

/// Starts the thread.
pub(crate) fn start(life: Life, number: usize) -> Result<JoinHandle<()>, Failure> {
    let shared = Arc::clone(&life.shared);
    let hub = life.to_hub.bell();
    let run = move || {
        let ended = catch_unwind(AssertUnwindSafe(|| live(life)));
        if ended.is_err() {
            shared.failed.store(true, Ordering::Release);
            hub.ring();
        }
    };
    std::thread::Builder::new()
        .name(format!("lightmoon-work-{number}"))
        .stack_size(limits::WORKER_STACK_BYTES)
        .spawn(run)
        .map_err(|error| {
            Failure::new(
                format!("cannot start the thread of worker {number}: {error}"),
                "raise the limit of threads, or give fewer --workers",
            )
        })
}

fn live(life: Life) {
    let Life { plan, from_hub, from, to_hub, courier, shared, spin, core } = life;
    if let Some(core) = core {
        crate::cores::pin(core + 1);
    }
    shared.bell.is_mine();
    let worker = plan.build();
    worker.set_courier(Box::new(courier));
    Driver {
        worker,
        from_hub,
        from,
        to_hub,
        shared,
        spin,
        inputs: Vec::new(),
        bulk: Vec::new(),
        outputs: Vec::new(),
        next: Next { deadline: None, more: false },
        reported: Mono(0),
        has_news: true,
        turns: 0,
        busy: Duration::ZERO,
        wanted: Wanted::default(),
    }
    .run();
}

struct Driver {
    worker: Worker,
    from_hub: Consumer<In>,
    from: Arrivals,
    to_hub: Sending<Out>,
    shared: Arc<Shared>,
    spin: Duration,
    inputs: Vec<In>,
    /// Those of the bulk rings, until they stand behind the urgent ones.
    bulk: Vec<In>,
    outputs: Vec<Out>,
    next: Next,
    reported: Mono,
    /// Whether something happened since the last report.
    has_news: bool,
    turns: u64,
    busy: Duration,
    /// What the last report showed.
    wanted: Wanted,
}

impl Driver {
    fn run(mut self) {
        loop {
            self.shared.bell.answer();
            if self.shared.quits.load(Ordering::Acquire) {
                return;
            }
            self.to_hub.flush();
            // Whoever has no room to the hub must not make more for it.
            if self.to_hub.waiting() < limits::WAITING_FOR_HUB_MAX {
                self.collect();
            }
            let now = clock::mono();
            let is_due = self.next.more || self.next.deadline.is_some_and(|at| at <= now);
            let has_work = !self.inputs.is_empty() || self.worker.waiting_across() > 0 || is_due;
            if has_work && self.to_hub.waiting() < limits::WAITING_FOR_HUB_MAX {
                self.turn(now);
            }
            self.report(now);
            self.rest();
        }
    }

    /// Takes what arrived. The bulk rings are read first: whatever was sent before what is found there, is found as well.
    fn collect(&mut self) {
        if self.worker.has_room(Class::Bulk) {
            take(&mut self.from, Class::Bulk, &mut self.bulk);
        }
        take(&mut self.from, Class::Urgent, &mut self.inputs);
        for _ in 0..limits::RING_TO_WORKER {
            let Ok(input) = self.from_hub.pop() else { break };
            self.inputs.push(input);
        }
        self.inputs.append(&mut self.bulk);
    }

    fn turn(&mut self, began: Mono) {
        self.next = self.worker.turn(began, &mut self.inputs, &mut self.outputs);
        self.outputs.drain(..).for_each(|out| self.to_hub.put(out));
        self.to_hub.flush();
        self.shared.unsaved_bytes.store(self.worker.unsaved_bytes(), Ordering::Relaxed);
        self.turns += 1;
        self.has_news = true;
        self.busy += clock::mono().since(began);
    }

    fn report(&mut self, now: Mono) {
        if now.since(self.reported) < limits::REPORT_EVERY {
            return;
        }
        let wanted = self.shared.wanted();
        if !self.has_news && wanted == self.wanted {
            return;
        }
        self.wanted = wanted;
        self.reported = now;
        self.has_news = false;
        let report =
            WorkerReport::of(&self.worker, self.turns, self.busy).surveyed(&mut self.worker, &wanted);
        let old = std::mem::replace(
            &mut *self.shared.report.lock().unwrap_or_else(PoisonError::into_inner),
            report,
        );
        // Freed here, after the lock is given back.
        drop(old);
    }

    /// Looks for work a while, then sleeps until there is some or the deadline has come.
    fn rest(&self) {
        if self.next.more {
            return;
        }
        let began = clock::mono();
        let deadline = self.next.deadline.map_or(limits::PARK_MAX, |deadline| deadline.since(began));
        // Nobody says that there is room again.
        let is_stuck = self.to_hub.waiting() > 0 || self.worker.waiting_across() > 0;
        let wait = deadline.min(if is_stuck { limits::RING_RETRY } else { limits::PARK_MAX });
        let spins_until = began + self.spin.min(wait);
        while !self.spin.is_zero() && clock::mono() < spins_until {
            if self.shared.bell.is_rung() {
                return;
            }
            std::hint::spin_loop();
        }
        let left = wait.saturating_sub(clock::mono().since(began));
        if !left.is_zero() && !self.shared.bell.is_rung() {
            std::thread::park_timeout(left);
        }
    }
}

fn take(from: &mut [(WorkerId, [Consumer<Crossing>; 2])], class: Class, to: &mut Vec<In>) {
    for (worker, rings) in from {
        let ring = &mut rings[class as usize];
        for _ in 0..limits::ring_across(class) {
            let Ok(crossing) = ring.pop() else { break };
            to.push(In::Across { from: *worker, crossing });
        }
    }
}
