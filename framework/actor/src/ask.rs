//! Requests on their way: who waits, until when, for what answer.
//!
//! *Responsible for*: the slab of waiting requests, the futures that wait on it. *Not responsible for*: deadlines
//! ([`crate::timers`]), serving.
//!
//! Sleeps use the same slab: a sleep is a request that nobody answers and whose deadline is good news.
//!
//! Invariants:
//! - I1: an entry is answered at most once; what comes later meets another generation and is dropped.
//! - I2: a dropped future frees its entry at once.
//! - I3: no waker and no value of a user runs or is dropped while the slab is borrowed.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lightmoon_contract::call::{Answer, Form};
use lightmoon_contract::{ActorId, CallError, Kind, Limits, Operation};

use crate::port::Port;
use crate::slot::Slot;
use crate::{Asked, Link, WorkerId, limits};

/// A waiting request of one worker. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AskId(u64);

/// Bits of the index; the other 40 are the generation, which lasts for a day of one slot answered every 100 ns.
const INDEX_BITS: u32 = 24;

const _: () = assert!(limits::ASKS_MAX <= 1 << INDEX_BITS);

impl AskId {
    pub(crate) const fn new(index: u32, generation: u64) -> Self {
        Self(generation << INDEX_BITS | index as u64)
    }

    /// The index into the slab; fits since only 24 bits are used.
    pub(crate) const fn index(self) -> usize {
        (self.0 & ((1 << INDEX_BITS) - 1)) as usize
    }

    const fn generation(self) -> u64 {
        self.0 >> INDEX_BITS
    }
}

/// Who gets the answer.
#[derive(Debug)]
pub(crate) enum Sink {
    /// A future of this worker.
    Future(Wants),
    /// A caller outside.
    Outside(u64),
    /// A request of another worker.
    Across(WorkerId, Box<Asked>),
}

/// What a future wants done when its answer is there.
#[derive(Debug)]
pub(crate) enum Wants {
    /// Nothing: it was not polled yet.
    Nothing,
    /// To poll the operation at this slot: the future was polled by nobody in between.
    Poll(Slot),
    /// To wake somebody else, who polls a part of an operation by itself.
    Wake(Waker),
}

/// Which operation asked, to find circles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Whose operation it is.
    pub(crate) actor: ActorId,
    /// Serial of the operation that asked; 0: none.
    pub(crate) operation: u64,
    /// The request that this operation serves.
    pub(crate) serving: Option<AskId>,
}

impl Default for Origin {
    fn default() -> Self {
        Self { actor: ActorId::new(Kind(0), 0), operation: 0, serving: None }
    }
}

#[derive(Debug)]
enum State {
    Free,
    /// `armed`: its deadline is in the timer heap.
    Waiting {
        sink: Sink,
        origin: Origin,
        armed: bool,
    },
    Ready(Result<Answer, CallError>),
}

#[derive(Debug)]
struct Entry {
    generation: u64,
    state: State,
}

/// What has to be done after an answer arrived, outside of any borrow.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// Do what the future that waits wants.
    Wake(Wants),
    /// Tell the caller outside.
    Outside(u64, Result<Answer, CallError>),
    /// Tell the worker that asked.
    Across(WorkerId, AskId, Result<Answer, CallError>),
    /// Nobody waits any more; drop the answer.
    Late(Result<Answer, CallError>),
}

/// All waiting requests of a worker.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// Deadlines that became stale since they were last taken over by the timers.
    newly_stale: usize,
}

impl Asks {
    /// A new entry; `None` when there are too many.
    pub(crate) fn open(&mut self, sink: Sink, origin: Origin) -> Option<AskId> {
        self.insert(State::Waiting { sink, origin, armed: true })
    }

    /// An entry that has its answer already.
    pub(crate) fn open_answered(&mut self, result: Result<Answer, CallError>) -> Option<AskId> {
        self.insert(State::Ready(result))
    }

    fn insert(&mut self, state: State) -> Option<AskId> {
        if let Some(index) = self.free.pop() {
            let entry = &mut self.entries[index as usize];
            entry.state = state;
            return Some(AskId::new(index, entry.generation));
        }
        if self.entries.len() >= limits::ASKS_MAX {
            return None;
        }
        let index = u32::try_from(self.entries.len()).ok()?;
        self.entries.push(Entry { generation: 1, state });
        Some(AskId::new(index, 1))
    }

    /// All requests that operations wait for, without sleeps.
    pub(crate) fn of_operations(&self) -> Vec<AskId> {
        let waits = |entry: &Entry| match &entry.state {
            State::Waiting { sink: Sink::Future(_), origin, .. } => origin.operation != 0,
            State::Waiting { sink: Sink::Outside(_) | Sink::Across(..), .. }
            | State::Ready(_)
            | State::Free => false,
        };
        let numbered = (0u32..).zip(&self.entries).filter(|(_, entry)| waits(entry));
        numbered.map(|(index, entry)| AskId::new(index, entry.generation)).collect()
    }

    fn entry(&mut self, id: AskId) -> Option<&mut Entry> {
        self.entries.get_mut(id.index()).filter(|entry| entry.generation == id.generation())
    }

    fn close(&mut self, id: AskId) -> State {
        let Some(entry) = self.entry(id) else { return State::Free };
        entry.generation += 1;
        let state = std::mem::replace(&mut entry.state, State::Free);
        if !matches!(state, State::Free) {
            self.free.push(u32::try_from(id.index()).expect("an index has 24 bits"));
        }
        state
    }

    /// Whether the request still waits for its answer.
    pub(crate) fn waits(&self, id: AskId) -> bool {
        self.entries.get(id.index()).is_some_and(|entry| {
            entry.generation == id.generation() && matches!(entry.state, State::Waiting { .. })
        })
    }

    /// In which form the answer is wanted; `Nothing` when nobody waits any more.
    pub(crate) fn form(&self, id: AskId) -> Form {
        let entry = self.entries.get(id.index()).filter(|entry| entry.generation == id.generation());
        match entry.map(|entry| &entry.state) {
            Some(State::Waiting { sink: Sink::Future(_) | Sink::Across(..), .. }) => Form::Typed,
            Some(State::Waiting { sink: Sink::Outside(_), .. }) => Form::Bytes,
            Some(State::Ready(_) | State::Free) | None => Form::Nothing,
        }
    }

    /// Whether `operation` of `actor` waits for the request `id`, directly or over others, also those of other workers.
    pub(crate) fn is_waited_for_by(&self, id: AskId, actor: ActorId, operation: u64) -> bool {
        let waits = |link: &Link| {
            link.actor == actor && link.operation == operation
                // The chain as it was when the request crossed: the actor may have given up since.
                && self.waits(link.ask)
        };
        let mut next = Some(id);
        for _ in 0..limits::CHAIN_MAX {
            let Some((sink, origin)) = next.and_then(|id| self.waiting(id)) else { return false };
            if let Sink::Across(_, asked) = sink {
                return asked.chain.iter().any(waits);
            }
            if origin.operation == operation {
                return true;
            }
            next = origin.serving;
        }
        false
    }

    fn waiting(&self, id: AskId) -> Option<(&Sink, Origin)> {
        let entry = self.entries.get(id.index()).filter(|entry| entry.generation == id.generation())?;
        match &entry.state {
            State::Waiting { sink, origin, .. } => Some((sink, *origin)),
            State::Ready(_) | State::Free => None,
        }
    }

    /// The operations that wait for the request `id`, the nearest first, at most `most` of them.
    pub(crate) fn chain(&self, id: AskId, most: usize) -> Vec<Link> {
        let mut chain = Vec::new();
        let mut next = Some(id);
        while let Some((sink, origin)) = next.and_then(|id| self.waiting(id))
            && chain.len() < most
        {
            if let Sink::Across(_, asked) = sink {
                chain.extend(asked.chain.iter().take(most - chain.len()));
                break;
            }
            let Some(ask) = next.filter(|_| origin.operation != 0) else { break };
            chain.push(Link { actor: origin.actor, operation: origin.operation, ask });
            next = origin.serving;
        }
        chain
    }

    /// Takes an answer in.
    pub(crate) fn answer(&mut self, id: AskId, result: Result<Answer, CallError>) -> Arrived {
        if !self.waits(id) {
            return Arrived::Late(result);
        }
        let Some(entry) = self.entry(id) else { return Arrived::Late(result) };
        let State::Waiting { sink, armed, .. } = std::mem::replace(&mut entry.state, State::Free) else {
            return Arrived::Late(result);
        };
        match sink {
            Sink::Future(wants) => {
                entry.state = State::Ready(result);
                self.newly_stale += usize::from(armed);
                Arrived::Wake(wants)
            }
            Sink::Outside(token) => {
                self.answered_elsewhere(id, armed);
                Arrived::Outside(token, result)
            }
            Sink::Across(worker, asked) => {
                self.answered_elsewhere(id, armed);
                Arrived::Across(worker, asked.ask, result)
            }
        }
    }

    /// Frees an entry whose answer goes to somebody who is no future here.
    fn answered_elsewhere(&mut self, id: AskId, armed: bool) {
        if let Some(entry) = self.entry(id) {
            let sink = Sink::Future(Wants::Nothing);
            entry.state = State::Waiting { sink, origin: Origin::default(), armed };
        }
        self.newly_stale += usize::from(armed);
        self.close(id);
    }

    /// The answer if it is there; else whether the one who polls is the one that is known already. `operation`: it is this
    /// operation itself.
    fn poll(&mut self, id: AskId, waker: &Waker, operation: Option<Slot>) -> Polled {
        let Some(entry) = self.entry(id) else { return Polled::Ready(Err(CallError::Gone)) };
        match &mut entry.state {
            State::Waiting { sink: Sink::Future(wants), .. } => match (&*wants, operation) {
                (Wants::Poll(known), Some(slot)) if *known == slot => Polled::Known,
                (Wants::Nothing | Wants::Poll(_), Some(slot)) => {
                    *wants = Wants::Poll(slot);
                    Polled::Known
                }
                (Wants::Wake(known), None) if known.will_wake(waker) => Polled::Known,
                (Wants::Nothing | Wants::Poll(_) | Wants::Wake(_), _) => Polled::Unknown,
            },
            State::Ready(_) => match self.close(id) {
                State::Ready(result) => Polled::Ready(result),
                State::Waiting { .. } | State::Free => Polled::Ready(Err(CallError::Gone)),
            },
            State::Waiting { sink: Sink::Outside(_) | Sink::Across(..), .. } | State::Free => {
                Polled::Ready(Err(CallError::Gone))
            }
        }
    }

    /// Notes what is wanted; gives back what was before, to be dropped outside.
    fn note(&mut self, id: AskId, wants: Wants) -> Wants {
        match self.entry(id).map(|entry| &mut entry.state) {
            Some(State::Waiting { sink: Sink::Future(known), .. }) => std::mem::replace(known, wants),
            Some(
                State::Waiting { sink: Sink::Outside(_) | Sink::Across(..), .. }
                | State::Ready(_)
                | State::Free,
            )
            | None => wants,
        }
    }

    /// Forgets a request whose future is gone; what it held is for the caller to drop.
    pub(crate) fn cancel(&mut self, id: AskId) -> Cancelled {
        let state = self.close(id);
        self.newly_stale += usize::from(matches!(state, State::Waiting { armed: true, .. }));
        Cancelled { _held: state }
    }

    /// Deadlines in the timer heap that became stale since the last call.
    pub(crate) const fn take_newly_stale(&mut self) -> usize {
        std::mem::replace(&mut self.newly_stale, 0)
    }

    /// Whether the entry is a sleep, whose deadline is good news.
    pub(crate) fn is_sleep(&self, id: AskId) -> bool {
        let entry = self.entries.get(id.index()).filter(|entry| entry.generation == id.generation());
        matches!(
            entry.map(|entry| &entry.state),
            Some(State::Waiting { sink: Sink::Future(_), origin: Origin { operation: 0, .. }, .. })
        )
    }

    /// The deadline of an entry left the heap: it cannot become stale any more.
    pub(crate) fn deadline_fell(&mut self, id: AskId) {
        if let Some(Entry { state: State::Waiting { armed, .. }, .. }) = self.entry(id) {
            *armed = false;
        }
    }
}

enum Polled {
    Ready(Result<Answer, CallError>),
    /// It waits, and it is noted who polled.
    Known,
    /// It waits, and somebody else is noted, or nobody.
    Unknown,
}

/// What a cancelled request held.
#[derive(Debug)]
pub(crate) struct Cancelled {
    _held: State,
}

/// A waiting entry, freed when it is dropped.
struct Waiter {
    port: Rc<Port>,
    /// `None`: there was no room, or the answer was taken.
    id: Option<AskId>,
}

impl Waiter {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<Answer, CallError>> {
        let Some(id) = self.id else { return Poll::Ready(Err(CallError::Busy)) };
        // A waker may be of the user's making: it is cloned and dropped while nothing is borrowed.
        let operation = self.port.polls_with(cx.waker());
        let polled = self.port.asks().poll(id, cx.waker(), operation);
        match polled {
            Polled::Ready(result) => {
                self.id = None;
                Poll::Ready(result)
            }
            Polled::Known => Poll::Pending,
            Polled::Unknown => {
                let wants = operation.map_or_else(|| Wants::Wake(cx.waker().clone()), Wants::Poll);
                let before = self.port.asks().note(id, wants);
                drop(before);
                Poll::Pending
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let held = self.port.cancel(id);
            drop(held);
        }
    }
}

/// The answer to a request, to be awaited. Bound to no lifetime, so that several may wait at the same time.
///
/// Ends with [`CallError::TimedOut`] when the operation's time is over.
///
/// # Cancel safety
/// Dropping it gives up the answer, not the request: the other actor may serve it all the same.
pub struct Ask<O> {
    waiter: Waiter,
    operation: PhantomData<fn() -> O>,
}

impl<O> Ask<O> {
    pub(crate) const fn new(port: Rc<Port>, id: Option<AskId>) -> Self {
        Self { waiter: Waiter { port, id }, operation: PhantomData }
    }
}

impl<O: Operation> Future for Ask<O> {
    type Output = Result<O::Reply, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.waiter.poll(cx).map(|result| match result? {
            Some(body) => body.open(Limits::NODE),
            None => Err(CallError::WrongType(std::any::type_name::<O::Reply>())),
        })
    }
}

impl<O: Operation> std::fmt::Debug for Ask<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ask").field("operation", &O::SPEC.name).field("id", &self.waiter.id).finish()
    }
}

/// A wait for a time, to be awaited. Made by [`crate::Cx::sleep`]; the actor's other messages wait meanwhile.
pub struct Sleep {
    waiter: Waiter,
    length: Duration,
}

impl Sleep {
    pub(crate) const fn new(port: Rc<Port>, id: Option<AskId>, length: Duration) -> Self {
        Self { waiter: Waiter { port, id }, length }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.waiter.poll(cx).map(drop)
    }
}

impl std::fmt::Debug for Sleep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sleep").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A wait for room on the way to another actor, to be awaited. Made by [`crate::Cx::room`].
pub struct Room {
    waiter: Waiter,
}

impl Room {
    pub(crate) const fn new(port: Rc<Port>, id: Option<AskId>) -> Self {
        Self { waiter: Waiter { port, id } }
    }
}

impl Future for Room {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.waiter.poll(cx).map_ok(drop)
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("id", &self.waiter.id).finish()
    }
}
