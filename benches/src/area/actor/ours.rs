//! Our actors: a worker that is driven inline.
//!
//! *Responsible for*: the spelling. *Not responsible for*: the work of a row (`table`).
//!
//! An operation drives: it tells, asks and waits as any actor of a game does. Time moves by a millisecond with each
//! message from outside.

use lightmoon_actor::{
    Actor, Cx, Envelope, In, Kinds, MessageId, Out, ReplyTo, Worker, WorkerOptions, plain,
};
use lightmoon_contract::{ActorId, ActorRef, Body, Caller, Contract, Mono, Operation, contract, contracts};

use super::table::{BURST, IN_FLIGHT, Load, Table};

/// Adds numbers, and drives others.
#[contract]
pub trait Adder {
    /// Adds.
    #[operation]
    fn tell(a: u64, b: u64, c: u64, d: u64);
    /// Adds; the sum.
    #[operation]
    fn ask(a: u64, b: u64, c: u64, d: u64) -> u64;
    /// Asks `to`; its answer.
    #[operation]
    async fn relay(to: u64, a: u64, b: u64, c: u64) -> u64;
    /// Passes on to the next of `among`, `left` times.
    #[operation]
    fn hop(left: u64, among: u64, c: u64, d: u64);
    /// Tells so many of `among`, from `first` on.
    #[operation]
    fn burst(first: u64, among: u64, count: u64);
    /// Asks so many times.
    #[operation]
    async fn gather(to: u64, count: u64);
    /// Asks so many times, many at once.
    #[operation]
    async fn gather_many(to: u64, count: u64);
    /// Asks `over` to ask `to`, so many times.
    #[operation]
    async fn gather_over(over: u64, to: u64, count: u64);
}

contracts! { game = "actor-bench", contracts = [Adder], components = [], lock = none }

#[derive(Default)]
struct Sum(u64);

fn actor(key: u64) -> ActorRef<AdderContract> {
    ActorRef::new(key)
}

impl Actor for Sum {
    fn activate(_: &mut Cx, _: u64) -> Self {
        Self::default()
    }
}

impl Adder<Cx> for Sum {
    fn tell(&mut self, _: &mut Cx, a: u64, b: u64, c: u64, d: u64) {
        self.0 = self.0.wrapping_add(Load([a, b, c, d]).sum());
    }

    fn ask(&mut self, _: &mut Cx, a: u64, b: u64, c: u64, d: u64) -> u64 {
        self.0 = self.0.wrapping_add(Load([a, b, c, d]).sum());
        self.0
    }

    async fn relay(&mut self, cx: &mut Cx, to: u64, a: u64, b: u64, c: u64) -> u64 {
        cx.to(actor(to)).ask(a, b, c, 3).await.expect("it is answered")
    }

    fn hop(&mut self, cx: &mut Cx, left: u64, among: u64, c: u64, d: u64) {
        if left > 0 {
            let next = (cx.key() + 1) % among;
            cx.to(actor(next)).hop(left - 1, among, c, d).expect("there is room");
        }
    }

    fn burst(&mut self, cx: &mut Cx, first: u64, among: u64, count: u64) {
        for number in 0..count {
            cx.to(actor((first + number) % among)).tell(number, 1, 2, 3).expect("there is room");
        }
    }

    async fn gather(&mut self, cx: &mut Cx, to: u64, count: u64) {
        for number in 0..count {
            let answer = cx.to(actor(to)).ask(number, 1, 2, 3).await;
            std::hint::black_box(answer.expect("it is answered"));
        }
    }

    async fn gather_many(&mut self, cx: &mut Cx, to: u64, count: u64) {
        let mut waiting = Vec::with_capacity(64);
        let mut left = count;
        while left > 0 {
            let now = left.min(IN_FLIGHT);
            waiting.extend((0..now).map(|number| cx.to(actor(to)).ask(number, 1, 2, 3)));
            for answer in waiting.drain(..) {
                std::hint::black_box(answer.await.expect("it is answered"));
            }
            left -= now;
        }
    }

    async fn gather_over(&mut self, cx: &mut Cx, over: u64, to: u64, count: u64) {
        for number in 0..count {
            let answer = cx.to(actor(over)).relay(to, number, 1, 2).await;
            std::hint::black_box(answer.expect("it is answered"));
        }
    }
}

/// Actors `0..among`, and one that drives.
pub(super) struct Ours {
    worker: Worker,
    inputs: Vec<In>,
    outputs: Vec<Out>,
    among: u64,
    turn: u64,
    now: Mono,
}

impl Ours {
    pub(super) fn new(count: usize) -> Self {
        let mut kinds = Kinds::default();
        kinds.register(AdderContract::KIND, AdderContract::NAME, plain::<AdderContract, Sum>());
        let among = count as u64;
        let mut ours = Self {
            worker: Worker::new(WorkerOptions::default(), kinds),
            inputs: Vec::new(),
            outputs: Vec::new(),
            among,
            turn: 0,
            now: Mono::from_millis(1_000),
        };
        // All of them live.
        ours.fan(among);
        assert!(ours.worker.actors() >= count, "every actor is activated by its first message");
        ours
    }

    /// Lets the driver run an operation, until nothing is left to do.
    fn drive<O: Operation>(&mut self, message: O) {
        self.inputs.push(In::Envelope(Envelope {
            to: ActorId::new(AdderContract::KIND, self.among),
            from: Caller::Node,
            number: O::SPEC.number,
            priority: O::SPEC.lane.priority,
            reliability: O::SPEC.lane.reliability,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::typed(message),
        }));
        self.now = self.now + std::time::Duration::from_millis(1);
        while self.worker.turn(self.now, &mut self.inputs, &mut self.outputs).more {}
        assert!(self.outputs.is_empty(), "nothing fails, and nothing goes outside");
    }

    fn bursts(&mut self, count: u64, among: u64) {
        let mut left = count;
        while left > 0 {
            let burst = left.min(BURST);
            self.drive(adder::Burst { first: self.turn, among, count: burst });
            self.turn = (self.turn + burst) % among;
            left -= burst;
        }
    }
}

impl Table for Ours {
    fn tell(&mut self, count: u64) {
        self.bursts(count, 1);
    }

    fn fan(&mut self, count: u64) {
        self.bursts(count, self.among);
    }

    fn ring(&mut self, hops: u64) {
        let hop = adder::Hop { left: hops, among: self.among, c: 0, d: 0 };
        self.drive(hop);
    }

    fn ask(&mut self, count: u64) {
        self.drive(adder::Gather { to: 0, count });
    }

    fn ask_many(&mut self, count: u64) {
        self.drive(adder::GatherMany { to: 0, count });
    }

    fn relay(&mut self, count: u64) {
        self.drive(adder::GatherOver { over: 0, to: 1, count });
    }
}
