//! A worker with one actor that is kept, and everything that the store would have of it.
//!
//! *Responsible for*: asking the activation to save, encoding at once, giving it back what was saved after a crash.
//! *Not responsible for*: when a real worker saves, and what waits for it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use lightmoon_actor::reserved::ToActor;
use lightmoon_actor::{
    Activation, ActorKind, Cx, Envelope, In, Inspect, Inspected, Inspection, Kinds, MessageId, Out, Parcel,
    ReplyTo, Save, Unreadable, Worker, WorkerOptions,
};
use lightmoon_contract::call::{Body, Form, Served};
use lightmoon_contract::codec::Limits;
use lightmoon_contract::operation::OperationSpec;
use lightmoon_contract::{ActorId, CallError, Caller, Mono, NetId, Operation, OperationNumber, SessionId};
use lightmoon_durable::{Loaded, Saved, Snapshot};
use lightmoon_zone::ZoneReport;

/// Nanoseconds of a tick at 20 Hz.
pub(crate) const TICK: u64 = 50_000_000;

/// The id of the row that holds the tick.
const TICK_ID: NetId = NetId(4_260_420_640_655_278_080);

/// What the store has, and what is asked of the activation.
#[derive(Default)]
struct Shelf {
    loaded: Loaded,
    want: Option<Save>,
    saved: Vec<Result<Option<Saved>, String>>,
    unreadable: Option<String>,
    activations: u32,
}

type Shared = Rc<RefCell<Shelf>>;

/// A kind whose activations come from the shelf.
struct Kind {
    inside: Box<dyn ActorKind>,
    shelf: Shared,
}

impl ActorKind for Kind {
    fn activate(&self, cx: &mut Cx, key: u64) -> Box<dyn Activation> {
        self.shelf.borrow_mut().activations += 1;
        if self.inside.keeping().is_none() {
            return self.inside.activate(cx, key);
        }
        let loaded = self.shelf.borrow().loaded.clone();
        match self.inside.restore(cx, key, Box::new(loaded) as Parcel) {
            Ok(inside) => Box::new(Live { inside, shelf: Rc::clone(&self.shelf) }),
            Err(Unreadable(why)) => {
                self.shelf.borrow_mut().unreadable = Some(why.clone());
                panic!("unreadable: {why}");
            }
        }
    }

    fn operations(&self) -> &'static [OperationSpec] {
        self.inside.operations()
    }
}

struct Live {
    inside: Box<dyn Activation>,
    shelf: Shared,
}

impl Activation for Live {
    fn serve(
        mut self: Box<Self>,
        cx: &mut Cx,
        number: OperationNumber,
        body: Body,
        form: Form,
    ) -> Served<Box<dyn Activation>> {
        let want = self.shelf.borrow_mut().want.take();
        if let Some(what) = want {
            let kept = self.inside.save(what).map_err(|error| error.to_string());
            let saved = kept.map(|kept| {
                let saved = kept.parcel.map(|parcel| *parcel.downcast::<Saved>().expect("parcels are so"));
                assert_eq!(kept.in_commit, saved.as_ref().is_some_and(|saved| !saved.is_empty()));
                saved
            });
            self.shelf.borrow_mut().saved.push(saved);
        }
        let Self { inside, shelf } = *self;
        match inside.serve(cx, number, body, form) {
            Served::Done(inside, result) => Served::Done(Box::new(Self { inside, shelf }), result),
            Served::Waits(waiting) => Served::Waits(Box::pin(async move {
                let (inside, result) = waiting.await;
                (Box::new(Self { inside, shelf }) as Box<dyn Activation>, result)
            })),
        }
    }

    fn alarm(&mut self, cx: &mut Cx) {
        self.inside.alarm(cx);
    }

    fn stopping(&mut self, cx: &mut Cx) {
        self.inside.stopping(cx);
    }

    fn report(&self) -> Option<Box<dyn std::any::Any>> {
        self.inside.report()
    }

    fn inspect(&mut self, inspection: &mut Inspection) -> bool {
        self.inside.inspect(inspection)
    }
}

/// The actor with key 1, the worker around it, the store behind it.
pub(crate) struct Desk {
    id: ActorId,
    shelf: Shared,
    make: fn() -> Box<dyn ActorKind>,
    worker: Worker,
    now: Mono,
    inputs: Vec<In>,
    token: u64,
    answers: BTreeMap<u64, Result<Option<Body>, CallError>>,
    /// Panics that the worker told of.
    pub(crate) failed: Vec<String>,
    /// The parts of the last snapshot.
    pub(crate) parts: Vec<Bytes>,
    is_job_dropped: bool,
}

impl Desk {
    /// An actor that was never stored.
    pub(crate) fn new(id: ActorId, make: fn() -> Box<dyn ActorKind>) -> Self {
        Self::with(id, make, Loaded { is_new: true, ..Loaded::default() })
    }

    /// An actor of which the store has something.
    pub(crate) fn with(id: ActorId, make: fn() -> Box<dyn ActorKind>, loaded: Loaded) -> Self {
        let shelf = Rc::new(RefCell::new(Shelf { loaded, ..Shelf::default() }));
        let worker = work(id, make, &shelf);
        let mut desk = Self {
            id,
            shelf,
            make,
            worker,
            now: Mono(0),
            inputs: Vec::new(),
            token: 0,
            answers: BTreeMap::new(),
            failed: Vec::new(),
            parts: Vec::new(),
            is_job_dropped: false,
        };
        desk.start();
        desk
    }

    fn start(&mut self) {
        self.worker.start(self.now, self.id);
        self.turn();
    }

    /// The process dies and comes back. Ids that were given since the last save may have been given: the claim reserved
    /// them.
    pub(crate) fn crash(&mut self) {
        self.shelf.borrow_mut().loaded.ids += 1 << 20;
        self.shelf.borrow_mut().loaded.is_new = false;
        self.worker = work(self.id, self.make, &self.shelf);
        self.inputs.clear();
        self.now = Mono(self.now.0 + 1);
        self.start();
    }

    /// Comes back as another build.
    pub(crate) fn crash_into(&mut self, make: fn() -> Box<dyn ActorKind>) {
        self.make = make;
        self.crash();
    }

    /// What the store has.
    pub(crate) fn stored(&self) -> Loaded {
        self.shelf.borrow().loaded.clone()
    }

    /// Changes what the store has, while nobody looks.
    pub(crate) fn tamper(&mut self, change: impl FnOnce(&mut Loaded)) {
        change(&mut self.shelf.borrow_mut().loaded);
    }

    /// Why the actor could not be restored.
    pub(crate) fn unreadable(&self) -> Option<String> {
        self.shelf.borrow().unreadable.clone()
    }

    /// How often it was activated.
    pub(crate) fn activations(&self) -> u32 {
        self.shelf.borrow().activations
    }

    /// The next copy is dropped instead of encoded.
    pub(crate) const fn drop_next_job(&mut self) {
        self.is_job_dropped = true;
    }

    /// Lets the activation save, stores it, and gives the ids of its rows; `None`: nothing was to be saved.
    pub(crate) fn save(&mut self, snapshot: bool) -> Option<Vec<NetId>> {
        self.try_save(snapshot).unwrap()
    }

    pub(crate) fn try_save(&mut self, snapshot: bool) -> Result<Option<Vec<NetId>>, String> {
        self.shelf.borrow_mut().want = Some(Save { snapshot });
        // No actor has such a session: the message does nothing but come.
        let message = ToActor::Unsubscribe { session: SessionId(u64::MAX), generation: 0 };
        self.envelope(message.number(), Body::typed(message), ReplyTo::Nobody);
        self.turn();
        let saved = self.shelf.borrow_mut().saved.pop().expect("the activation was asked");
        Ok(saved?.map(|saved| self.store(saved)))
    }

    fn store(&mut self, saved: Saved) -> Vec<NetId> {
        let mut shelf = self.shelf.borrow_mut();
        let loaded = &mut shelf.loaded;
        loaded.is_new = false;
        loaded.ids = loaded.ids.max(saved.ids);
        if let Some(job) = saved.snapshot.filter(|_| !std::mem::take(&mut self.is_job_dropped)) {
            let tick = job.tick;
            // Another thread encodes, while the world goes on.
            self.parts = elsewhere(job.encode);
            loaded.snapshot = Some(Snapshot { tick, parts: self.parts.clone() });
            loaded.entities.clear();
        }
        loaded.state = saved.state.or_else(|| loaded.state.take());
        let mut ids: Vec<NetId> = saved.entities.iter().map(|(id, _)| *id).collect();
        assert!(ids.is_sorted());
        // Beside the rows stands the tick; it is nothing that an operation changed.
        let had = ids.len();
        ids.retain(|id| *id != TICK_ID);
        assert_eq!(had - ids.len(), usize::from(had > 0));
        let mut rows: BTreeMap<NetId, Option<Bytes>> = loaded.entities.drain(..).collect();
        rows.extend(saved.entities);
        loaded.entities = rows.into_iter().collect();
        ids
    }

    pub(crate) fn turn(&mut self) {
        loop {
            let mut out = Vec::new();
            let next = self.worker.turn(self.now, &mut self.inputs, &mut out);
            for out in out {
                match out {
                    Out::Answer { token, result } => drop(self.answers.insert(token, result)),
                    Out::Stopped => {}
                    Out::Failed { message, .. } => self.failed.push(message),
                    Out::Envelope(_) => {}
                    Out::Load(_)
                    | Out::Commit(_)
                    | Out::Snapshot { .. }
                    | Out::Peek(_)
                    | Out::Released(_)
                    | Out::Delivered { .. }
                    | Out::Unreadable { .. } => panic!("the desk stores, not the worker"),
                }
            }
            if !next.more && next.deadline.is_none_or(|deadline| deadline > self.now) {
                break;
            }
        }
    }

    /// Runs `count` ticks of 20 Hz.
    pub(crate) fn ticks(&mut self, count: u64) {
        for _ in 0..count {
            self.now = Mono(self.now.0 + TICK);
            self.turn();
        }
    }

    /// Calls and takes the answer.
    pub(crate) fn ask<O: Operation>(&mut self, message: O) -> O::Reply {
        let token = self.begin(message);
        self.take::<O>(token)
    }

    /// Calls; [`Desk::take`] takes the answer when it is there.
    pub(crate) fn begin<O: Operation>(&mut self, message: O) -> u64 {
        self.token += 1;
        self.envelope(O::SPEC.number, Body::typed(message), ReplyTo::Outside(self.token));
        self.turn();
        self.token
    }

    pub(crate) fn take<O: Operation>(&mut self, token: u64) -> O::Reply {
        let answer = self.answers.remove(&token).expect("an answer within the turn").unwrap();
        answer.expect("a request has an answer").open(Limits::NODE).unwrap()
    }

    /// A message of the framework.
    pub(crate) fn reserved(&mut self, message: ToActor) {
        self.envelope(message.number(), Body::typed(message), ReplyTo::Nobody);
        self.turn();
    }

    pub(crate) fn report(&self) -> ZoneReport {
        let reports = self.worker.reports();
        let (_, report) = reports.into_iter().find(|(actor, _)| *actor == self.id).expect("the zone lives");
        *report.downcast::<ZoneReport>().expect("zones report so")
    }

    /// What the actor shows of its state.
    pub(crate) fn inspect(&mut self, entities_from: u64) -> Option<Inspected> {
        self.worker.inspect(Inspect { actor: self.id, entities_from })
    }

    fn envelope(&mut self, number: OperationNumber, body: Body, reply_to: ReplyTo) {
        let priority = lightmoon_contract::Priority::High;
        let (to, from) = (self.id, Caller::Node);
        self.inputs.push(In::Envelope(Envelope {
            to,
            from,
            number,
            priority,
            reliability: lightmoon_contract::Reliability::ReliableOrdered,
            reply_to,
            timeout_ms: 0,
            id: MessageId::None,
            body,
        }));
    }
}

#[expect(clippy::disallowed_methods, reason = "a real node encodes on another thread too")]
fn elsewhere(encode: Box<dyn FnOnce() -> Vec<Bytes> + Send>) -> Vec<Bytes> {
    std::thread::spawn(encode).join().unwrap()
}

fn work(id: ActorId, make: fn() -> Box<dyn ActorKind>, shelf: &Shared) -> Worker {
    let mut kinds = Kinds::default();
    kinds.register(id.kind, "Kept", Kind { inside: make(), shelf: Rc::clone(shelf) });
    Worker::new(WorkerOptions { seed: 1, ..WorkerOptions::default() }, kinds)
}
