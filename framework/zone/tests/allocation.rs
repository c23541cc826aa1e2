//! Memory that telling clients costs, counted by the allocator itself.
//!
//! *Responsible for*: the promise that a state packet is one allocation, the envelope's. *Not responsible for*: what packets
//! say (`it`).

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait; there is no safe one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bevy_ecs::prelude::*;
use lightmoon_actor::reserved::{ToActor, ToSession};
use lightmoon_actor::{Envelope, In, Kinds, MessageId, Out, ReplyTo, Worker, WorkerOptions};
use lightmoon_contract::call::Body;
use lightmoon_contract::{ActorId, Caller, Contract, Mono, NetId, Priority, SessionId, contract, replicate};
use lightmoon_zone::{AlwaysVisible, Update, Zone, ZoneBuilder, ZoneOptions, zone};

thread_local! {
    /// Allocations of this thread, growing ones too.
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local cell that needs neither
// allocation nor drop. A piece that grows comes by the provided `realloc`, which allocates.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises about `pointer` and `layout` are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TICK: u64 = 50_000_000;
const CLIENTS: u64 = 40;
const ENTITIES: u16 = 60;
/// Ticks from a packet to its receipt.
const WAY: u64 = 3;

/// Where something is.
#[replicate(state, number = 1)]
#[derive(Component, Clone, Copy, Debug, Default)]
struct Pose {
    /// To the right.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    x: f32,
    /// Up.
    #[quantise(min = -1024.0, max = 1024.0, step = 0.03125)]
    y: f32,
}

#[contract(ticking, number = 1)]
trait Yard {
    /// Nothing.
    #[operation]
    fn nothing();
}

struct YardZone;

impl<Cx> Yard<Cx, World> for YardZone {
    fn nothing(_: &mut World, _: &mut Cx) {}
}

impl Zone for YardZone {
    fn build(zone: &mut ZoneBuilder<'_>) {
        zone.replicate::<Pose>().add_systems(Update, drift);
    }

    fn populate(zone: &mut ZoneBuilder<'_>) {
        for nth in 0..ENTITIES {
            zone.world().spawn((Pose { x: f32::from(nth), y: 0.0 }, AlwaysVisible));
        }
    }
}

/// Everything moves at every tick, and not in a straight line.
fn drift(mut poses: Query<'_, '_, &mut Pose>) {
    for mut pose in &mut poses {
        pose.y = if pose.y > 50.0 { 0.0 } else { pose.y + 0.4 };
    }
}

/// A worker with the zone, and what it put out.
struct Desk {
    worker: Worker,
    now: Mono,
    inputs: Vec<In>,
    out: Vec<Out>,
    tick: u64,
}

impl Desk {
    fn turn(&mut self) {
        loop {
            let next = self.worker.turn(self.now, &mut self.inputs, &mut self.out);
            if !next.more && next.deadline.is_none_or(|deadline| deadline > self.now) {
                return;
            }
        }
    }

    fn tell(&mut self, message: ToActor) {
        self.inputs.push(In::Envelope(Envelope {
            to: me(),
            from: Caller::Node,
            number: message.number(),
            priority: Priority::High,
            reliability: lightmoon_contract::Reliability::ReliableOrdered,
            reply_to: ReplyTo::Nobody,
            timeout_ms: 0,
            id: MessageId::None,
            body: Body::typed(message),
        }));
        self.turn();
    }

    /// What arrived at each client three ticks ago; then a tick, of which it gives the allocations.
    fn tick(&mut self) -> usize {
        if self.tick > WAY {
            for number in 0..CLIENTS {
                let (session, received) = (SessionId(number), u32::MAX);
                let tick = self.tick - WAY;
                self.tell(ToActor::Received { session, generation: 1, tick, received, views: 1 });
            }
        }
        self.out.clear();
        self.tick += 1;
        self.now = Mono(self.now.0 + TICK);
        let before = COUNT.get();
        self.turn();
        COUNT.get() - before
    }

    /// Delta packets, other payloads, and bytes of the former.
    fn sent(&mut self) -> (usize, usize, usize) {
        let (mut deltas, mut others, mut bytes_sent) = (0, 0, 0);
        for out in self.out.drain(..) {
            let Out::Envelope(Envelope { body: Body::Typed(message), .. }) = out else { continue };
            match message.take::<ToSession>() {
                Ok(ToSession::State { is_delta: true, bytes, .. }) => {
                    deltas += 1;
                    bytes_sent += bytes.len();
                }
                Ok(_) | Err(_) => others += 1,
            }
        }
        (deltas, others, bytes_sent)
    }
}

fn me() -> ActorId {
    ActorId::new(YardContract::KIND, 1)
}

#[test]
fn a_state_packet_in_steady_state_is_one_allocation() {
    let mut kinds = Kinds::default();
    kinds.register(YardContract::KIND, "Yard", zone::<YardContract, YardZone>(ZoneOptions::default()));
    let worker = Worker::new(WorkerOptions::default(), kinds);
    let mut desk = Desk { worker, now: Mono(0), inputs: Vec::new(), out: Vec::new(), tick: 0 };
    desk.worker.start(Mono(0), me());
    desk.turn();
    for number in 0..CLIENTS {
        desk.tell(ToActor::Subscribe {
            session: SessionId(number),
            player: number,
            avatar: NetId::NONE,
            generation: 1,
            budget_bytes: 1_100,
            takes_deltas: true,
        });
    }
    // Until everything has entered, and buffers are as large as they become.
    for _ in 0..60 {
        desk.tick();
    }
    let (mut allocations, mut packets, mut bytes) = (0, 0, 0);
    for _ in 0..20 {
        allocations += desk.tick();
        let (deltas, others, sent) = desk.sent();
        assert_eq!(others, 0, "nothing enters or leaves any more");
        packets += deltas;
        bytes += sent;
    }
    assert_eq!(packets, 20 * usize::try_from(CLIENTS).unwrap());
    assert!(bytes > packets * 60, "{bytes} bytes: something is told");
    // Packets are cut from chunks of some hundred; what is more is of the tick, not of a packet.
    let of_ticks = 20 * 8 + 2 * bytes / 32_768 + 2;
    assert!(allocations <= packets + of_ticks, "{allocations} allocations for {packets} packets");
}
