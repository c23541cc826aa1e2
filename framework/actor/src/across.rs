//! Messages and answers on their way from one worker of a node to another.
//!
//! *Responsible for*: what crosses, in two classes with an outbox each, and when it leaves. *Not responsible for*: what gives way
//! when too much waits (`waiting`), rings and threads (the shell's [`Courier`]), who is where ([`crate::Placement`]).
//!
//! ```text
//! Cx ─► gate ─► outbox of (worker, class) ─► courier: a ring of its own ─► In::Across ─► queue of its priority
//! ```
//!
//! A class has a ring of its own rather than a reserve in a shared one: a reserve is used up by what waits in it, so that
//! under a lasting flood of low messages the urgent ones would queue behind them all the same. It costs one small ring for each
//! pair.
//!
//! Invariants:
//! - I1: what one worker sends to another in one class arrives in its order; each priority is of one class, so messages keep
//!   their order for each (sender, receiver, priority).
//! - I2: a request that crosses is answered once: it stands in the slab of both workers, and each slab answers once.
//! - I3: an outbox is bounded by what [`crate::Cx`] refuses and what gives way; answers are neither, they are bounded by requests.

mod waiting;

use std::fmt;

use lightmoon_contract::call::Answer;
use lightmoon_contract::{ActorId, CallError, Priority};

use crate::{AskId, Envelope, WorkerId};
pub(crate) use waiting::GaveWay;
pub use waiting::Waiting;

/// What does not wait behind each other between two workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Answers, and messages of priority critical and high.
    Urgent,
    /// Messages of priority normal and low.
    Bulk,
}

impl Class {
    /// Both, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Urgent, Self::Bulk];

    /// The class of a priority.
    #[must_use]
    pub const fn of(priority: Priority) -> Self {
        match priority {
            Priority::Critical | Priority::High => Self::Urgent,
            Priority::Normal | Priority::Low => Self::Bulk,
        }
    }
}

/// One operation that waits, of those that led to a request that crosses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
    pub(crate) actor: ActorId,
    /// Serial of the operation on its worker.
    pub(crate) operation: u64,
    /// The request that it waits for, there.
    pub(crate) ask: AskId,
}

/// Who waits on another worker for an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The request there.
    pub(crate) ask: AskId,
    /// The operations that wait for it, the nearest first, at most [`crate::limits::CHAIN_ACROSS_MAX`].
    pub(crate) chain: Vec<Link>,
}

/// Something that goes from one worker to another.
#[derive(Debug)]
pub enum Crossing {
    /// A message; `asked`: who wants its answer.
    Message {
        /// The message; whom it answers is said by `asked`.
        envelope: Envelope,
        /// Who waits; `None`: nobody.
        asked: Option<Box<Asked>>,
    },
    /// The one answer to such a message.
    Answer {
        /// The request.
        ask: AskId,
        /// What came of it.
        result: Result<Answer, CallError>,
    },
}

impl Crossing {
    /// The class that it travels in.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Message { envelope, .. } => Class::of(envelope.priority),
            Self::Answer { .. } => Class::Urgent,
        }
    }
}

/// What carries messages between threads. Called while an operation runs, so it calls nothing of a user, and never waits.
pub trait Courier {
    /// Carries what fits, from the front, and wakes the other worker if it sleeps.
    fn carry(&mut self, to: WorkerId, class: Class, outbox: &mut Waiting);
}

/// What waits for one worker.
#[derive(Debug, Default)]
struct Outbox {
    classes: [Waiting; 2],
    /// Whether something was carried in this turn: the first message is, so that a sleeping worker wakes up meanwhile.
    carried: bool,
}

/// What waits for all other workers.
#[derive(Default)]
pub(crate) struct Outboxes {
    to: Vec<Outbox>,
    courier: Option<Box<dyn Courier>>,
}

impl Outboxes {
    pub(crate) fn new(workers: u16) -> Self {
        Self { to: (0..workers).map(|_| Outbox::default()).collect(), courier: None }
    }

    pub(crate) fn set_courier(&mut self, courier: Box<dyn Courier>) {
        self.courier = Some(courier);
    }

    /// Whether one more message that may not be lost has room.
    pub(crate) fn has_room(&self, to: WorkerId, class: Class) -> bool {
        self.to.get(to.at()).is_none_or(|outbox| outbox.classes[class as usize].has_room())
    }

    pub(crate) fn waiting(&self) -> usize {
        self.to.iter().flat_map(|outbox| &outbox.classes).map(Waiting::len).sum()
    }

    /// Sends one. What had to give way is for the caller to drop.
    pub(crate) fn put(&mut self, to: WorkerId, crossing: Crossing) -> Option<GaveWay> {
        let class = crossing.class();
        let outbox = &mut self.to[to.at()];
        let waiting = &mut outbox.classes[class as usize];
        let gave_way = waiting.put(crossing);
        if let Some(courier) = &mut self.courier
            && (!std::mem::replace(&mut outbox.carried, true)
                || waiting.len().is_multiple_of(crate::limits::CARRIED_AT))
        {
            courier.carry(to, class, waiting);
            waiting.carried();
        }
        gave_way
    }

    /// The turn is over: everything leaves that can.
    pub(crate) fn flush(&mut self) {
        for (number, outbox) in (0u16..).zip(&mut self.to) {
            outbox.carried = false;
            for (class, waiting) in Class::ALL.into_iter().zip(&mut outbox.classes) {
                if let Some(courier) = &mut self.courier
                    && !waiting.is_empty()
                {
                    courier.carry(WorkerId(number), class, waiting);
                    waiting.carried();
                }
            }
        }
    }

    /// Takes what waits for a worker, the urgent first.
    pub(crate) fn take(&mut self, to: WorkerId) -> impl Iterator<Item = Crossing> + '_ {
        self.to[to.at()].classes.iter_mut().flat_map(|waiting| std::iter::from_fn(|| waiting.pop()))
    }
}

impl fmt::Debug for Outboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outboxes").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}
