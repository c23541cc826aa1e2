//! Wakers of waiting operations.
//!
//! *Responsible for*: noting which operations are to be polled. *Not responsible for*: polling them ([`crate::worker`]).
//!
//! A waker is `Send` by its type, so what it writes to is behind a lock; only the worker's own thread ever takes it. A
//! wake from another thread means that an operation awaits something of the outside (a tokio timer, a channel): what
//! then happens would depend on thread timing. It panics there in debug builds, naming the operation; otherwise it is
//! ignored and counted, and the operation ends by the timeouts of what it asks.
//!
//! Invariants:
//! - I1: an operation that is queued already is not queued again.
//! - I2: the queue holds wakes of the worker's own thread only, in their order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::thread::{self, ThreadId};

use lightmoon_contract::{ActorId, OperationNumber};

use crate::slot::Slot;

/// The operations of one worker that want to be polled.
#[derive(Debug)]
pub(crate) struct Wakes {
    owner: ThreadId,
    queue: Mutex<VecDeque<Slot>>,
    /// How many stand in it. Written and read on the owner's thread only, to leave the lock alone while there are none;
    /// pairs with nothing.
    queued: AtomicUsize,
    /// Only counted; pairs with nothing.
    foreign: AtomicU64,
}

impl Wakes {
    /// For a worker of the current thread.
    pub(crate) fn new() -> Arc<Self> {
        let owner = thread::current().id();
        Arc::new(Self {
            owner,
            queue: Mutex::default(),
            queued: AtomicUsize::new(0),
            foreign: AtomicU64::new(0),
        })
    }

    /// The next operation to poll.
    pub(crate) fn pop(&self) -> Option<Slot> {
        if self.is_empty() {
            return None;
        }
        self.queued.fetch_sub(1, Ordering::Relaxed);
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queued.load(Ordering::Relaxed) == 0
    }

    /// Wakes from other threads.
    pub(crate) fn foreign(&self) -> u64 {
        self.foreign.load(Ordering::Relaxed)
    }
}

/// The waker of one waiting operation.
#[derive(Debug)]
pub(crate) struct OperationWaker {
    wakes: Arc<Wakes>,
    slot: Slot,
    actor: ActorId,
    operation: OperationNumber,
    /// Written and read on the owner's thread only; pairs with nothing.
    queued: AtomicBool,
}

impl OperationWaker {
    pub(crate) fn new(
        wakes: &Arc<Wakes>,
        slot: Slot,
        actor: ActorId,
        operation: OperationNumber,
    ) -> Arc<Self> {
        Arc::new(Self { wakes: Arc::clone(wakes), slot, actor, operation, queued: AtomicBool::new(false) })
    }

    /// As the standard library's waker.
    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// The operation is about to be polled: a wake from now on queues it again.
    pub(crate) fn polled(&self) {
        self.queued.store(false, Ordering::Relaxed);
    }
}

impl Wake for OperationWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if thread::current().id() != self.wakes.owner {
            self.wakes.foreign.fetch_add(1, Ordering::Relaxed);
            debug_assert!(
                false,
                "operation {} of actor {} was woken by another thread: it may await asks and sleeps of its `cx`, nothing \
                 of another runtime",
                self.operation, self.actor
            );
            return;
        }
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.wakes.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.slot);
            self.wakes.queued.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use lightmoon_contract::Kind;

    use super::*;

    fn waker() -> (Arc<Wakes>, Arc<OperationWaker>) {
        let wakes = Wakes::new();
        let slot = Slot { index: 3, generation: 1 };
        let waker = OperationWaker::new(&wakes, slot, ActorId::new(Kind(7), 5), OperationNumber(2));
        (wakes, waker)
    }

    #[test]
    fn an_operation_is_queued_once_until_it_is_polled() {
        let (wakes, waker) = waker();
        let std_waker = waker.waker();
        std_waker.wake_by_ref();
        std_waker.wake_by_ref();
        assert!(wakes.pop().is_some() && wakes.is_empty());
        waker.polled();
        std_waker.wake();
        assert!(wakes.pop().is_some() && wakes.is_empty());
    }

    #[test]
    fn a_wake_from_another_thread_is_counted_and_names_the_operation_in_debug_builds() {
        let (wakes, waker) = waker();
        let std_waker = waker.waker();
        let result = thread::scope(|scope| scope.spawn(move || std_waker.wake()).join());
        assert_eq!(wakes.foreign(), 1);
        assert!(wakes.is_empty(), "nothing depends on the timing of threads");
        if cfg!(debug_assertions) {
            let payload = result.expect_err("it panics where it was called");
            let text = payload.downcast_ref::<String>().expect("a text");
            assert!(text.contains("operation 2 of actor 7/5"), "{text}");
        } else {
            assert!(result.is_ok());
        }
    }
}
