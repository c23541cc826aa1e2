//! What messages and actors cost in memory, counted by the allocator itself.
//!
//! *Responsible for*: allocations per tell and ask, bytes per idle actor. *Not responsible for*: speed (`benches`).

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait; there is no safe one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lightmoon_actor::{Actor, Cx, Envelope, In, Kinds, MessageId, ReplyTo, Worker, WorkerOptions, plain};
use lightmoon_contract::{ActorId, ActorRef, Body, Caller, Contract, Mono, Operation, contract};

thread_local! {
    /// Allocations of this thread.
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// Bytes that this thread holds.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

/// A size as a difference.
fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches thread-local cells that need neither
// allocation nor drop.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get() + signed(layout.size()));
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - signed(layout.size()));
        // SAFETY: the caller's promises about `pointer` and `layout` are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Two that throw a number to and fro.
#[contract]
pub trait Ball {
    /// Throws it back until it is 0.
    #[operation]
    fn throw(to: u64, left: u64);
    /// The number.
    #[operation]
    fn get() -> u64;
    /// Asks `to` for its number so many times.
    #[operation]
    async fn gather(to: u64, times: u64);
}

lightmoon_contract::contracts! { game = "allocation", contracts = [Ball], components = [] }

struct Player(u64);

impl Actor for Player {
    fn activate(_cx: &mut Cx, key: u64) -> Self {
        Self(key)
    }
}

impl Ball<Cx> for Player {
    fn throw(&mut self, cx: &mut Cx, to: u64, left: u64) {
        if left > 0 {
            let me = cx.key();
            cx.to(ActorRef::<BallContract>::new(to)).throw(me, left - 1).expect("there is room");
        }
    }

    fn get(&mut self, _cx: &mut Cx) -> u64 {
        self.0
    }

    async fn gather(&mut self, cx: &mut Cx, to: u64, times: u64) {
        for _ in 0..times {
            let number = cx.to(ActorRef::<BallContract>::new(to)).get().await;
            assert_eq!(number, Ok(to));
        }
    }
}

struct Table {
    worker: Worker,
    inputs: Vec<In>,
}

impl Table {
    fn new() -> Self {
        let mut kinds = Kinds::default();
        kinds.register(BallContract::KIND, BallContract::NAME, plain::<BallContract, Player>());
        Self { worker: Worker::new(WorkerOptions::default(), kinds), inputs: Vec::new() }
    }

    fn run<O: Operation>(&mut self, key: u64, message: O) {
        self.inputs.push(In::Envelope(Envelope {
            to: ActorId::new(BallContract::KIND, key),
            from: Caller::Node,
            number: O::SPEC.number,
            priority: O::SPEC.lane.priority,
            reliability: O::SPEC.lane.reliability,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::typed(message),
        }));
        let mut out = Vec::new();
        while self.worker.turn(Mono(1), &mut self.inputs, &mut out).more {}
    }

    /// Allocations of running `message`.
    fn allocations<O: Operation>(&mut self, key: u64, message: O) -> u64 {
        let before = COUNT.get();
        self.run(key, message);
        COUNT.get() - before
    }
}

#[test]
fn a_tell_of_a_small_message_allocates_nothing() {
    let mut table = Table::new();
    table.run(1, ball::Throw { to: 2, left: 10_000 });
    let few = table.allocations(1, ball::Throw { to: 2, left: 10 });
    let many = table.allocations(1, ball::Throw { to: 2, left: 10_010 });
    assert_eq!(many - few, 0, "for 10,000 more tells");
}

#[test]
fn an_ask_with_small_bodies_allocates_nothing() {
    let mut table = Table::new();
    table.run(1, ball::Gather { to: 2, times: 10_000 });
    let few = table.allocations(1, ball::Gather { to: 2, times: 10 });
    let many = table.allocations(1, ball::Gather { to: 2, times: 10_010 });
    // But for what the queue of deadlines takes now and then.
    assert!(many - few < 100, "{} for 10,000 more asks", many - few);
}

#[test]
fn an_idle_actor_takes_few_bytes() {
    let mut table = Table::new();
    table.run(0, ball::Get {});
    let before = HELD.get();
    for key in 1..=100_000 {
        table.run(key, ball::Get {});
    }
    assert_eq!(table.worker.actors(), 100_001);
    let each = (HELD.get() - before) / 100_000;
    println!("{each} bytes for each idle actor, its state of 8 included");
    // 200 beyond the state, without what the allocator adds to each piece.
    assert!(each <= 208, "{each} bytes for each idle actor");
}
