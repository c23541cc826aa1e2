//! Our actors on two workers, each on a thread of its own.
//!
//! *Responsible for*: the rings between them and their loops, which never sleep. *Not responsible for*: the work of a row (`across`).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use lightmoon_actor::{
    Actor, Class, Courier, Crossing, Cx, Envelope, In, Kinds, MessageId, Place, Placement, ReplyTo, Waiting,
    Worker, WorkerId, WorkerOptions, plain,
};
use lightmoon_contract::{ActorId, ActorRef, Body, Caller, Contract, Mono, Operation, contract, contracts};
use rtrb::{Consumer, Producer, RingBuffer};

use super::{Pair, Side, pin, spin};
use crate::area::actor::table::{BURST, IN_FLIGHT, Load};

/// As the rings between workers of a node.
const RING: usize = 1_024;

/// The key of the actor that drives; the one that is told and asked has the next.
const DRIVER: u64 = 0;
const SERVER: u64 = 1;

/// Adds numbers, and drives another one.
#[contract]
pub trait Counter {
    /// Adds.
    #[operation]
    fn tell(a: u64, b: u64, c: u64, d: u64);
    /// Adds; the sum.
    #[operation]
    fn ask(a: u64, b: u64, c: u64, d: u64) -> u64;
    /// Tells the other so many times, and asks it once.
    #[operation]
    async fn burst(count: u64);
    /// Asks the other so many times, some at once.
    #[operation]
    async fn gather(count: u64, at_once: u64);
}

contracts! { game = "across-bench", contracts = [Counter], components = [], lock = none }

thread_local! {
    /// Operations of the driver that ended.
    static ENDED: Cell<u64> = const { Cell::new(0) };
}

#[derive(Default)]
struct Sum(u64);

impl Actor for Sum {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self::default()
    }
}

const fn server() -> ActorRef<CounterContract> {
    ActorRef::new(SERVER)
}

impl Counter<Cx> for Sum {
    fn tell(&mut self, _: &mut Cx, a: u64, b: u64, c: u64, d: u64) {
        self.0 = self.0.wrapping_add(Load([a, b, c, d]).sum());
    }

    fn ask(&mut self, _: &mut Cx, a: u64, b: u64, c: u64, d: u64) -> u64 {
        self.0 = self.0.wrapping_add(Load([a, b, c, d]).sum());
        self.0
    }

    async fn burst(&mut self, cx: &mut Cx, count: u64) {
        for number in 0..count {
            cx.to(server()).tell(number, 1, 2, 3).expect("there is room");
        }
        let answer = cx.to(server()).ask(0, 1, 2, 3).await;
        std::hint::black_box(answer.expect("it is answered"));
        ENDED.set(ENDED.get() + 1);
    }

    async fn gather(&mut self, cx: &mut Cx, count: u64, at_once: u64) {
        let mut waiting = Vec::with_capacity(64);
        let mut left = count;
        while left > 0 {
            let now = left.min(at_once);
            waiting.extend((0..now).map(|number| cx.to(server()).ask(number, 1, 2, 3)));
            for answer in waiting.drain(..) {
                std::hint::black_box(answer.await.expect("it is answered"));
            }
            left -= now;
        }
        ENDED.set(ENDED.get() + 1);
    }
}

/// A ring of each class to the other worker.
struct Rings([Producer<Crossing>; 2]);

impl Courier for Rings {
    fn carry(&mut self, _: WorkerId, class: Class, outbox: &mut Waiting) {
        let ring = &mut self.0[class as usize];
        while !ring.is_full()
            && let Some(crossing) = outbox.pop()
        {
            let pushed = ring.push(crossing);
            assert!(pushed.is_ok(), "a ring has one sender: what has room once has it until it is used");
        }
    }
}

/// A worker and what comes from the other one.
struct End {
    worker: Worker,
    from: [Consumer<Crossing>; 2],
    other: WorkerId,
    inputs: Vec<In>,
    outputs: Vec<lightmoon_actor::Out>,
    more: bool,
}

impl End {
    fn new(me: u16, to: [Producer<Crossing>; 2], from: [Consumer<Crossing>; 2]) -> Self {
        let mut kinds = Kinds::default();
        kinds.register(CounterContract::KIND, CounterContract::NAME, plain::<CounterContract, Sum>());
        let places =
            BTreeMap::from([(CounterContract::KIND, Place::Chosen(|key, _| u16::from(key == SERVER)))]);
        let placement = Placement::new(2, places);
        let worker = Worker::one_of(WorkerOptions::default(), kinds, WorkerId(me), placement, Arc::default());
        worker.set_courier(Box::new(Rings(to)));
        let other = WorkerId(1 - me);
        Self { worker, from, other, inputs: Vec::new(), outputs: Vec::new(), more: false }
    }

    /// Takes what is there and serves it; whether there was anything.
    fn turn(&mut self, now: Mono) -> bool {
        // Bulk is read first, and stands behind what is urgent: as a node does it.
        let [urgent, bulk] = &mut self.from;
        let bulk: Vec<In> = drained(bulk, self.other).collect();
        self.inputs.extend(drained(urgent, self.other));
        self.inputs.extend(bulk);
        if self.inputs.is_empty() && !self.more && self.worker.waiting_across() == 0 {
            return false;
        }
        self.more = self.worker.turn(now, &mut self.inputs, &mut self.outputs).more;
        debug_assert!(self.outputs.is_empty(), "nothing fails, and nothing goes outside");
        true
    }
}

fn drained(ring: &mut Consumer<Crossing>, from: WorkerId) -> impl Iterator<Item = In> {
    let there = ring.slots();
    (0..there).map_while(move |_| ring.pop().ok().map(|crossing| In::Across { from, crossing }))
}

fn ring() -> ([Producer<Crossing>; 2], [Consumer<Crossing>; 2]) {
    let ((urgent_in, urgent_out), (bulk_in, bulk_out)) = (RingBuffer::new(RING), RingBuffer::new(RING));
    ([urgent_in, bulk_in], [urgent_out, bulk_out])
}

/// The time of all turns: nothing waits long enough for a deadline.
const NOW: Mono = Mono::from_millis(1_000);

/// The worker of this thread, and the thread of the other one.
pub(super) struct Ours {
    end: End,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ours {
    pub(super) fn new() -> Self {
        let ((to, from_us), (back, from)) = (ring(), ring());
        let ends = Arc::new(AtomicBool::new(false));
        let quits = Arc::clone(&ends);
        let serve = move || {
            pin(Side::Answers);
            let mut end = End::new(1, back, from_us);
            let mut tries = 0;
            // Pairs with nothing: it is only looked at.
            while !quits.load(Ordering::Relaxed) {
                if !end.turn(NOW) {
                    spin(&mut tries);
                }
            }
        };
        let thread = Some(std::thread::spawn(serve));
        Self { end: End::new(0, to, from), ends, thread }
    }

    /// Lets the driver run an operation to its end.
    fn drive<O: Operation>(&mut self, message: O) {
        let ended = ENDED.get();
        self.end.inputs.push(In::Envelope(Envelope {
            to: ActorId::new(CounterContract::KIND, DRIVER),
            from: Caller::Node,
            number: O::SPEC.number,
            priority: O::SPEC.lane.priority,
            reliability: O::SPEC.lane.reliability,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::typed(message),
        }));
        let mut tries = 0;
        while ENDED.get() == ended {
            if !self.end.turn(NOW) {
                spin(&mut tries);
            }
        }
    }
}

impl Pair for Ours {
    fn tell(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            let burst = left.min(BURST);
            self.drive(counter::Burst { count: burst });
            left -= burst;
        }
    }

    fn ask(&mut self, count: u64) {
        self.drive(counter::Gather { count, at_once: 1 });
    }

    fn ask_many(&mut self, count: u64) {
        self.drive(counter::Gather { count, at_once: IN_FLIGHT });
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        debug_assert!(ended.is_none_or(|ended| ended.is_ok()), "it only adds");
    }
}
