//! Two workers on threads of their own, one of which floods the other with low messages: what is critical does not wait behind them.

use super::*;
use lightmoon_actor::{Actor, Cx, Envelope, MessageId, ReplyTo};
use lightmoon_contract::{
    ActorId, ActorRef, Body, CallError, Caller, Contract, Operation, contract, contracts,
};
use lightmoon_node::{Game, NodeOptions};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Actors that flood, ask and are flooded, by their keys.
#[contract]
pub trait Tub {
    /// Floods 1 with low messages, as many as it takes, and again until the asks are over.
    #[operation(priority = low)]
    fn flood();
    /// Asks 1 so often, one after the other, while it is flooded.
    #[operation(timeout_ms = 60000, durability = none)]
    async fn ask_often(times: u32) -> u32;
    /// One of a flood.
    #[operation(priority = low)]
    fn drop_of_water(number: u64);
    /// What does not wait. `sent`, `served`: messages of the flood so far.
    #[operation(priority = critical, timeout_ms = 60000)]
    fn urgent(sent: u64, served: u64) -> bool;
}

contracts! { game = "flood", contracts = [Tub], components = [], lock = none }

/// Messages of the flood that were sent and not handed back.
static SENT: AtomicU64 = AtomicU64::new(0);
/// Of them, those that were served.
static SERVED: AtomicU64 = AtomicU64::new(0);
/// Whether a message of the flood was handed back.
static IS_FULL: AtomicBool = AtomicBool::new(false);
static IS_OVER: AtomicBool = AtomicBool::new(false);
/// Of each urgent message: how many of the flood were sent before it and not served, how many were served while it was under way.
static SEEN: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());

/// On worker 1: the one that is flooded. 0 and 2 are on worker 0.
const FLOODED: u64 = 1;

#[derive(Debug)]
struct Tubs;

impl Actor for Tubs {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self
    }
}

impl Tub<Cx> for Tubs {
    fn flood(&mut self, cx: &mut Cx) {
        for _ in 0..512 {
            let number = SENT.load(Ordering::Relaxed);
            match cx.to(ActorRef::<TubContract>::new(FLOODED)).drop_of_water(number) {
                Ok(()) => SENT.store(number + 1, Ordering::Relaxed),
                Err(error) => {
                    assert_eq!(error, CallError::Busy);
                    IS_FULL.store(true, Ordering::Relaxed);
                    break;
                }
            }
        }
        if !IS_OVER.load(Ordering::Relaxed) {
            let me = cx.key();
            cx.to(ActorRef::<TubContract>::new(me)).flood().expect("its own queue has room");
        }
    }

    async fn ask_often(&mut self, cx: &mut Cx, times: u32) -> u32 {
        while !IS_FULL.load(Ordering::Relaxed) {
            cx.sleep(Duration::from_millis(1)).await;
        }
        for _ in 0..times {
            let (sent, served) = (SENT.load(Ordering::Relaxed), SERVED.load(Ordering::Relaxed));
            cx.to(ActorRef::<TubContract>::new(FLOODED)).urgent(sent, served).await.expect("it is served");
        }
        IS_OVER.store(true, Ordering::Relaxed);
        times
    }

    fn drop_of_water(&mut self, _cx: &mut Cx, number: u64) {
        assert_eq!(SERVED.fetch_add(1, Ordering::Relaxed), number, "in order, and none is missing");
        // Slower than its sender.
        let mut random = fastrand::Rng::with_seed(number);
        std::hint::black_box((0..200).fold(0, |sum: u64, _| sum ^ random.u64(..)));
    }

    fn urgent(&mut self, _cx: &mut Cx, sent: u64, served: u64) -> bool {
        let now = SERVED.load(Ordering::Relaxed);
        SEEN.lock().unwrap_or_else(PoisonError::into_inner).push((sent.saturating_sub(now), now - served));
        true
    }
}

fn envelope<O: Operation>(key: u64, message: O, reply_to: ReplyTo) -> In {
    In::Envelope(Envelope {
        to: ActorId::new(TubContract::KIND, key),
        from: Caller::Node,
        number: O::SPEC.number,
        priority: O::SPEC.lane.priority,
        reliability: O::SPEC.lane.reliability,
        reply_to,
        timeout_ms: O::SPEC.timeout_ms,
        id: MessageId::None,
        body: Body::typed(message),
    })
}

/// A worker's thread, and the hub's ends of its rings.
type Running = (Producer<In>, Consumer<Out>, Arc<Shared>, JoinHandle<()>);

/// The threads of two workers without a hub.
fn start_two() -> Vec<Running> {
    let game = Game::new(descriptor()).player::<TubContract, Tubs>();
    let game = game.place::<TubContract>(|key, _| u16::try_from(key % 2).unwrap_or_default());
    let options = NodeOptions { workers: 2, ..NodeOptions::default() };
    let (_, plans) = lightmoon_node::split(game, options, 1, Mono(0)).expect("the game fits together");
    let shared: Vec<Arc<Shared>> = plans.iter().map(|_| Arc::default()).collect();
    let (mut couriers, mut arrivals) = rings(&shared);
    let start = |(number, plan): (usize, WorkerPlan)| -> Running {
        let (to, from_hub) = RingBuffer::new(limits::RING_TO_WORKER);
        let (to_hub, from) = RingBuffer::new(limits::RING_TO_HUB);
        let life = Life {
            plan,
            from_hub,
            from: std::mem::take(&mut arrivals[number]),
            to_hub: Sending::new(to_hub, Arc::default()),
            courier: couriers[number].take().expect("each is started once"),
            shared: Arc::clone(&shared[number]),
            spin: Duration::ZERO,
            core: None,
        };
        (to, from, Arc::clone(&shared[number]), thread::start(life, number).expect("a thread starts"))
    };
    plans.into_iter().enumerate().map(start).collect()
}

#[test]
fn what_is_critical_does_not_wait_behind_a_flood_of_low_messages() {
    const ASKS: u32 = 200;
    let mut workers = start_two();
    let (to, from, shared, _) = &mut workers[0];
    to.push(envelope(0, tub::Flood {}, ReplyTo::Nobody)).expect("there is room");
    to.push(envelope(2, tub::AskOften { times: ASKS }, ReplyTo::Outside(7))).expect("there is room");
    shared.bell.ring();
    let result = loop {
        match from.pop() {
            Ok(Out::Answer { token: 7, result }) => break result,
            Ok(other) => panic!("{other:?}"),
            Err(_) => std::thread::yield_now(),
        }
    };
    assert!(matches!(result, Ok(Some(Body::Bytes(_)))), "{result:?}");
    for (.., shared, _) in &workers {
        shared.quit();
    }
    for (.., shared, thread) in workers {
        thread.join().expect("it ends");
        assert!(!shared.has_failed());
    }
    let mut seen = std::mem::take(&mut *SEEN.lock().unwrap_or_else(PoisonError::into_inner));
    assert_eq!(seen.len(), usize::try_from(ASKS).unwrap());
    seen.sort_unstable_by_key(|(overtook, _)| *overtook);
    let (overtook, _) = seen[seen.len() / 2];
    assert!(overtook > 1_000, "there was a flood: half of them overtook {overtook} and more");
    // A thread that loses its core while it sends lets the other serve meanwhile: not all, but nearly all.
    seen.sort_unstable_by_key(|(_, served)| *served);
    let (_, waited) = seen[seen.len() * 9 / 10];
    let most = u64::try_from(lightmoon_actor::limits::OPERATIONS_PER_TURN).unwrap() * 2;
    assert!(
        waited <= most,
        "nine of ten waited for {waited} of the flood at most; more than two turns' worth"
    );
}
