//! What every contestant can do, and those that are runtimes of tasks.
//!
//! *Responsible for*: the work of each row, the same for all. *Not responsible for*: how one framework spells it
//! (`tasks`, `with_actix`, `with_kameo`, `with_ractor`), ours (`ours`), the limit (`limit`).
//!
//! Each contestant runs on one thread: current-thread runtimes, whose driver is a task beside the actors. Tells go in
//! bursts of [`BURST`], then the driver waits until they are served, by a request to the last one told.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Notify;

/// Tells in a row, before all of them are served.
pub(super) const BURST: u64 = 256;

/// Requests in flight at once, where it is many.
pub(super) const IN_FLIGHT: u64 = 64;

/// The 32 bytes of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load(pub(super) [u64; 4]);

impl Load {
    /// The load of the message of this number.
    pub(super) const fn numbered(number: u64) -> Self {
        Self([number, 1, 2, 3])
    }

    /// What an actor makes of it.
    pub(super) const fn sum(self) -> u64 {
        self.0[0].wrapping_add(self.0[1]).wrapping_add(self.0[2]).wrapping_add(self.0[3])
    }
}

/// Actors of a contestant and their driver.
pub(super) trait Table {
    /// So many tells to one actor.
    fn tell(&mut self, count: u64);
    /// So many tells to all in turn.
    fn fan(&mut self, count: u64);
    /// So many hops of one message around all.
    fn ring(&mut self, hops: u64);
    /// So many requests, one after the other.
    fn ask(&mut self, count: u64);
    /// So many requests, [`IN_FLIGHT`] at once.
    fn ask_many(&mut self, count: u64);
    /// So many requests that an actor answers after it asked another one; it serves nothing else meanwhile.
    fn relay(&mut self, count: u64);
}

/// A framework whose actors are tasks.
pub(super) trait Framework: 'static {
    /// A handle of an actor.
    type Actor: Clone + Send + 'static;
    /// A runtime on one thread.
    type Runtime;

    /// A runtime for this thread.
    fn runtime() -> Self::Runtime;
    /// Drives the runtime until `work` is done.
    fn block_on<F: Future>(runtime: &Self::Runtime, work: F) -> F::Output;
    /// Starts an actor; inside of the runtime.
    fn start() -> impl Future<Output = Self::Actor>;
    /// Names the actor that one passes things on to.
    fn link(actor: &Self::Actor, next: Self::Actor);
    /// A message without an answer.
    fn tell(actor: &Self::Actor, load: Load);
    /// A request.
    fn ask(actor: &Self::Actor, load: Load) -> impl Future<Output = u64>;
    /// A request that is on its way when this returns.
    fn begin(actor: &Self::Actor, load: Load) -> impl Future<Output = u64>;
    /// A request that is passed on.
    fn relay(actor: &Self::Actor, load: Load) -> impl Future<Output = u64>;
    /// A message that is passed on `left` times.
    fn hop(actor: &Self::Actor, left: u64, end: Arc<Notify>);
}

/// Actors of a framework on one runtime.
pub(super) struct Driven<F: Framework> {
    actors: Vec<F::Actor>,
    runtime: F::Runtime,
    end: Arc<Notify>,
    /// The next one in turn.
    turn: usize,
}

impl<F: Framework> Driven<F> {
    /// So many actors in a ring. All of them run.
    pub(super) fn new(count: usize) -> Self {
        let runtime = F::runtime();
        let actors = F::block_on(&runtime, async {
            let mut actors = Vec::with_capacity(count);
            for _ in 0..count {
                actors.push(F::start().await);
            }
            F::ask(&actors[count - 1], Load::default()).await;
            actors
        });
        Self { actors, runtime, end: Arc::new(Notify::new()), turn: 0 }
    }

    /// As [`Self::new`], each with the following one to pass things on to.
    pub(super) fn linked(count: usize) -> Self {
        let table = Self::new(count);
        for (index, actor) in table.actors.iter().enumerate() {
            F::link(actor, table.actors[(index + 1) % count].clone());
        }
        table
    }
}

impl<F: Framework> Table for Driven<F> {
    fn tell(&mut self, count: u64) {
        let actor = &self.actors[0];
        F::block_on(&self.runtime, async {
            let mut left = count;
            while left > 0 {
                let burst = left.min(BURST);
                (0..burst).for_each(|number| F::tell(actor, Load::numbered(number)));
                F::ask(actor, Load::default()).await;
                left -= burst;
            }
        });
    }

    fn fan(&mut self, count: u64) {
        let (actors, turn) = (&self.actors, &mut self.turn);
        F::block_on(&self.runtime, async {
            let mut left = count;
            while left > 0 {
                let burst = left.min(BURST);
                for number in 0..burst {
                    *turn = (*turn + 1) % actors.len();
                    F::tell(&actors[*turn], Load::numbered(number));
                }
                F::ask(&actors[*turn], Load::default()).await;
                left -= burst;
            }
        });
    }

    fn ring(&mut self, hops: u64) {
        let (actor, end) = (&self.actors[0], &self.end);
        F::block_on(&self.runtime, async {
            F::hop(actor, hops, Arc::clone(end));
            end.notified().await;
        });
    }

    fn ask(&mut self, count: u64) {
        let actor = &self.actors[0];
        F::block_on(&self.runtime, async {
            for number in 0..count {
                std::hint::black_box(F::ask(actor, Load::numbered(number)).await);
            }
        });
    }

    fn ask_many(&mut self, count: u64) {
        let actor = &self.actors[0];
        F::block_on(&self.runtime, async {
            let mut waiting = Vec::with_capacity(64);
            let mut left = count;
            while left > 0 {
                let now = left.min(IN_FLIGHT);
                waiting.extend((0..now).map(|number| F::begin(actor, Load::numbered(number))));
                for answer in waiting.drain(..) {
                    std::hint::black_box(answer.await);
                }
                left -= now;
            }
        });
    }

    fn relay(&mut self, count: u64) {
        let actor = &self.actors[0];
        F::block_on(&self.runtime, async {
            for number in 0..count {
                std::hint::black_box(F::relay(actor, Load::numbered(number)).await);
            }
        });
    }
}

/// A tokio runtime on this thread.
pub(super) fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime without threads starts")
}
