//! What a port sends to other workers of its node, and takes from them.
//!
//! *Responsible for*: requests that cross, who waits for room. *Not responsible for*: what waits on its way and what gives way
//! ([`crate::across`]).
//!
//! Invariants: those of [`super`].

use lightmoon_contract::{ActorId, CallError, Priority};

use super::Port;
use crate::across::GaveWay;
use crate::ask::{Origin, Sink};
use crate::{AskId, Asked, Class, Courier, Crossing, Envelope, ReplyTo, WorkerId, limits};

impl Port {
    /// The worker of an actor that is not here.
    pub(super) fn elsewhere(&self, actor: ActorId) -> Option<WorkerId> {
        let worker = self.placement.worker_of(actor);
        (worker != self.me).then_some(worker)
    }

    pub(super) fn cross(&self, worker: WorkerId, mut envelope: Envelope) {
        let asked = match std::mem::replace(&mut envelope.reply_to, ReplyTo::Nobody) {
            ReplyTo::Ask(ask) => {
                let chain = self.asks().chain(ask, limits::CHAIN_ACROSS_MAX);
                Some(Box::new(Asked { ask, chain }))
            }
            ReplyTo::Nobody | ReplyTo::Outside(_) => None,
        };
        self.count(|counters| counters.across_sent += 1);
        self.put_across(worker, Crossing::Message { envelope, asked });
    }

    pub(super) fn put_across(&self, worker: WorkerId, crossing: Crossing) {
        let gave_way = self.across.borrow_mut().put(worker, crossing);
        let Some(GaveWay { crossing, is_replaced }) = gave_way else { return };
        self.count(|counters| {
            *(if is_replaced { &mut counters.across_replaced } else { &mut counters.across_dropped }) += 1;
        });
        self.contain(|| drop(crossing));
    }

    /// Takes in what another worker sent.
    pub(crate) fn arrive(&self, from: WorkerId, crossing: Crossing) {
        self.count(|counters| counters.across_taken += 1);
        match crossing {
            Crossing::Answer { ask, result } => self.answer(ReplyTo::Ask(ask), result),
            Crossing::Message { envelope, asked: None } => self.let_in(envelope),
            Crossing::Message { mut envelope, asked: Some(asked) } => {
                let (ask, until) = (asked.ask, self.answer_until(envelope.timeout_ms));
                match self.open(Sink::Across(from, asked), Origin::default(), until) {
                    Some(id) => {
                        envelope.reply_to = ReplyTo::Ask(id);
                        self.let_in(envelope);
                    }
                    None => {
                        self.refuse(envelope, CallError::Busy);
                        self.put_across(from, Crossing::Answer { ask, result: Err(CallError::Busy) });
                    }
                }
            }
        }
    }

    pub(crate) fn set_courier(&self, courier: Box<dyn Courier>) {
        self.across.borrow_mut().set_courier(courier);
    }

    pub(crate) fn flush_across(&self) {
        if self.placement.workers() > 1 {
            self.across.borrow_mut().flush();
        }
    }

    /// A wait for room; `None`: too many wait.
    pub(crate) fn open_room(&self, origin: Origin, actor: ActorId, priority: Priority) -> Option<AskId> {
        if self.is_stopped() {
            return self.open_answered(CallError::Gone);
        }
        if self.has_room(actor, priority) {
            return self.asks().open_answered(Ok(None));
        }
        let id = self.open_ask(origin, self.answer_until(0))?;
        self.count(|counters| counters.across_waited += 1);
        self.rooms.borrow_mut().push_back((actor, priority, id));
        Some(id)
    }

    pub(super) fn has_room(&self, actor: ActorId, priority: Priority) -> bool {
        match self.elsewhere(actor) {
            Some(worker) => self.across.borrow().has_room(worker, Class::of(priority)),
            None => self.queued(priority) < limits::QUEUE_MAX,
        }
    }

    /// Lets those on who wait for room where there is some: a few for each turn, since each may send a lot.
    pub(crate) fn give_room(&self) {
        let mut left = limits::LET_ON_PER_TURN;
        let waiting = self.rooms.borrow().len();
        for _ in 0..waiting {
            let Some((actor, priority, id)) = self.rooms.borrow_mut().pop_front() else { return };
            if !self.asks().waits(id) {
                // Its time was over, or nobody waits any more.
                continue;
            }
            if left > 0 && self.has_room(actor, priority) {
                left -= 1;
                self.answer(ReplyTo::Ask(id), Ok(None));
            } else {
                self.rooms.borrow_mut().push_back((actor, priority, id));
            }
        }
    }

    pub(crate) fn take_across(&self, to: WorkerId) -> Vec<Crossing> {
        self.across.borrow_mut().take(to).collect()
    }

    /// Messages and answers that wait for other workers.
    pub(crate) fn waiting_across(&self) -> usize {
        self.across.borrow().waiting()
    }

    /// Messages of each priority that wait here.
    pub(crate) fn queue_lengths(&self) -> [usize; Priority::ALL.len()] {
        let queues = self.queues.borrow();
        std::array::from_fn(|priority| queues[priority].len())
    }
}
