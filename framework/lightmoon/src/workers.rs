//! A node whose workers have threads of their own: the hub's side, and how they start and end.
//!
//! *Responsible for*: rings between hub and workers, starting their threads, a turn of the hub, noticing that a thread died. *Not
//! responsible for*: what is said over the rings (`node`, `actor`), the loop around a turn (`node_thread`), a worker's own loop
//! (`thread`).
//!
//! ```text
//! lightmoon-node (hub) ──In──► lightmoon-worker-N ──Crossing, urgent and bulk──► lightmoon-worker-M
//!                      ◄─Out──
//! ```
//!
//! Each ring has one sender and one receiver. Nobody waits for room: what does not fit stays with its sender, who goes on
//! taking what others send; so no circle of full rings stops.
//!
//! Invariants:
//! - I1: what workers said is routed before inputs of the same turn, and so before outcomes that answer it.
//! - I2: the hub always empties the rings of its workers; a worker that has no room to the hub takes no turn until then.
//! - I3: a thread that died ends the node.

mod bell;
mod courier;
mod doorbell;
mod link;
mod thread;

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use lightmoon_actor::{Class, Crossing, In, Out, Progress, WorkerId};
use lightmoon_contract::Mono;
use lightmoon_node::{Event, Hub, Input, Next, Output, Wanted, WorkerPlan, WorkerReport};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::node_thread::ToNode;
use crate::{Failure, clock, limits};
use courier::RingCourier;
use doorbell::Doorbell;
use link::Sending;
use thread::{Arrivals, Life, Shared};

/// How the threads of workers behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ThreadOptions {
    /// How long a worker without work looks for some before it sleeps. Zero: not at all.
    pub(crate) spin: Duration,
    /// Whether each stays on one core.
    pub(crate) pin: bool,
}

/// A hub and the threads of its workers.
pub(crate) struct Threads {
    hub: Hub,
    links: Vec<Link>,
    bell: Arc<Doorbell>,
    threads: Vec<JoinHandle<()>>,
    progress: Vec<Arc<Progress>>,
}

/// The hub's ends of the rings of one worker.
struct Link {
    to: Sending<In>,
    from: Consumer<Out>,
    shared: Arc<Shared>,
}

impl Threads {
    /// Starts a thread for each worker. `to_node` wakes the hub's own thread.
    pub(crate) fn start(
        hub: Hub,
        plans: Vec<WorkerPlan>,
        to_node: Sender<ToNode>,
        options: ThreadOptions,
    ) -> Result<Self, Failure> {
        let bell = Arc::new(Doorbell::of_hub(to_node));
        let workers = plans.len();
        let shared: Vec<Arc<Shared>> = plans.iter().map(|_| Arc::default()).collect();
        let (mut couriers, mut arrivals) = rings(&shared);
        let mut started = Self { hub, links: Vec::new(), bell, threads: Vec::new(), progress: Vec::new() };
        for (number, plan) in plans.into_iter().enumerate() {
            let (to, from_hub) = RingBuffer::new(limits::RING_TO_WORKER);
            let (to_hub, from) = RingBuffer::new(limits::RING_TO_HUB);
            let life = Life {
                plan,
                from_hub,
                from: std::mem::take(&mut arrivals[number]),
                to_hub: Sending::new(to_hub, Arc::clone(&started.bell)),
                courier: couriers[number].take().expect("each worker is started once"),
                shared: Arc::clone(&shared[number]),
                spin: options.spin,
                core: options.pin.then_some(number),
            };
            started.progress.push(life.plan.progress());
            started.threads.push(thread::start(life, number)?);
            let worker = &shared[number];
            let to = Sending::new(to, Arc::clone(&worker.bell));
            started.links.push(Link { to, from, shared: Arc::clone(worker) });
        }
        debug_assert_eq!(started.links.len(), workers);
        Ok(started)
    }

    /// As [`lightmoon_node::Node::turn`].
    pub(crate) fn turn(&mut self, now: Mono, inputs: &mut Vec<Input>, out: &mut Vec<Output>) -> Next {
        self.bell.answer();
        let mut more = false;
        for link in &mut self.links {
            let there = link.from.slots();
            more |= there > limits::ROUTED_PER_TURN;
            for _ in 0..there.min(limits::ROUTED_PER_TURN) {
                let Ok(said) = link.from.pop() else { break };
                self.hub.route(now, said);
            }
        }
        self.hub.take(now, inputs);
        for (number, link) in (0u16..).zip(&self.links) {
            self.hub.set_full(WorkerId(number), link.to.waiting() >= limits::WAITING_FOR_WORKER_MAX);
        }
        let unsaved_bytes = self.links.iter().map(|link| link.shared.unsaved_bytes()).sum();
        let links = &mut self.links;
        let told =
            self.hub.tell_workers(now, unsaved_bytes, |worker, input| links[worker.at()].to.put(input));
        if let Err(reason) = told {
            out.clear();
            out.push(Output::Fenced { reason });
            return Next { deadline: None, more: false };
        }
        self.links.iter_mut().for_each(|link| link.to.flush());
        let next = self.hub.finish(now, out);
        // A full ring is tried again soon; its reader does not say that there is room.
        let retry = self.links.iter().any(|link| link.to.waiting() > 0).then(|| now + limits::RING_RETRY);
        let deadline = next.deadline.into_iter().chain(retry).min();
        Next { deadline, more: next.more || more || !inputs.is_empty() }
    }

    pub(crate) const fn hub(&self) -> &Hub {
        &self.hub
    }

    /// What workers said of themselves last.
    pub(crate) fn reports(&self) -> Vec<WorkerReport> {
        self.links.iter().map(|link| link.shared.report()).collect()
    }

    /// Has each worker show this from its next report on.
    pub(crate) fn watch(&self, wanted: Wanted) {
        self.links.iter().for_each(|link| link.shared.watch(wanted));
    }

    /// As [`Hub::take_events`].
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        self.hub.take_events()
    }

    /// What each worker does right now.
    pub(crate) fn progress(&self) -> Vec<Arc<Progress>> {
        self.progress.clone()
    }

    /// Whether the thread of a worker ended by a fault.
    pub(crate) fn has_failed(&self) -> bool {
        self.links.iter().any(|link| link.shared.has_failed())
    }
}

impl Drop for Threads {
    /// Ends the threads. One whose turn does not end is left alone: the process ends, and it must not keep that up.
    fn drop(&mut self) {
        self.links.iter().for_each(|link| link.shared.quit());
        let until = clock::mono() + limits::STOP_WORKERS_MAX;
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && clock::mono() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                // Its fault, if it had one, was noted.
                let _ = thread.join();
            }
        }
    }
}

/// For each worker: what carries to the others, and where what they carry arrives.
fn rings(shared: &[Arc<Shared>]) -> (Vec<Option<RingCourier>>, Vec<Arrivals>) {
    let mut couriers = Vec::new();
    let mut arrivals: Vec<Arrivals> = shared.iter().map(|_| Vec::new()).collect();
    for (number, from) in (0u16..).zip(shared) {
        let mut courier = RingCourier::default();
        for (to, arrivals) in shared.iter().zip(&mut arrivals) {
            if Arc::ptr_eq(from, to) {
                courier.push_none();
                continue;
            }
            let rings: [(Producer<Crossing>, Consumer<Crossing>); 2] = [
                RingBuffer::new(limits::ring_across(Class::Urgent)),
                RingBuffer::new(limits::ring_across(Class::Bulk)),
            ];
            let [(urgent_in, urgent_out), (bulk_in, bulk_out)] = rings;
            courier.push([urgent_in, bulk_in], Arc::clone(&to.bell));
            arrivals.push((WorkerId(number), [urgent_out, bulk_out]));
        }
        couriers.push(Some(courier));
    }
    (couriers, arrivals)
}

/// What [`bell`] is made of here; see there.
mod atomic {
    pub(super) use std::sync::atomic::{AtomicBool, Ordering};
}

#[cfg(test)]
mod flood;
#[cfg(test)]
mod tests;
