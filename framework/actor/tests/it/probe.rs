//! The contract and the actor that the tests use. What actors do is noted in a trace of the test's thread.

use std::cell::RefCell;
use std::time::Duration;

use lightmoon_actor::{Actor, Cx};
use lightmoon_contract::{ActorRef, CallError, Caller, Priority, SessionId, contract};

use crate::harness::probe_id;

/// What a probe can be made to do.
#[contract]
pub trait Probe {
    /// Notes a number.
    #[operation]
    fn note(value: u64);
    /// Notes a number, urgently.
    #[operation(priority = high)]
    fn note_high(value: u64);
    /// Notes a number, when there is time.
    #[operation(priority = low)]
    fn note_low(value: u64);
    /// Notes a number before everything else.
    #[operation(priority = critical)]
    fn note_critical(value: u64);
    /// How many notes this activation took.
    #[operation(timeout_ms = 1000)]
    fn count() -> u64;
    /// A random number of the actor's own.
    #[operation]
    fn draw() -> u64;
    /// Waits, then notes `value`.
    #[operation(timeout_ms = 60000, durability = none)]
    async fn wait(ms: u64, value: u64) -> u64;
    /// Asks the first of `path` to do the same with the rest; `0` at its end means all went well, else an error's code.
    #[operation(timeout_ms = 2000)]
    async fn relay(path: Vec<u64>) -> u16;
    /// Asks 2 and 3 at the same time, which both ask 4.
    #[operation]
    async fn diamond() -> u16;
    /// Asks 4 to wait a while.
    #[operation]
    async fn side() -> u16;
    /// Asks another for a wait that is longer than `count` may take, and gives up at once.
    #[operation]
    async fn give_up(other: u64) -> u64;
    /// Panics.
    #[operation]
    fn explode() -> u64;
    /// Waits, then panics.
    #[operation]
    async fn explode_late(ms: u64) -> u64;
    /// Arms the actor: its drop panics.
    #[operation]
    fn arm_drop();
    /// Arms the actor: being told that it ends panics.
    #[operation]
    fn arm_stopping();
    /// Ends the activation.
    #[operation]
    fn stop_now();
    /// Tells the next actor `value - 1`, down to 0.
    #[operation]
    fn pass(to: u64, value: u64);
    /// Notes a number, or not.
    #[operation(reliability = unreliable)]
    fn note_maybe(value: u64);
    /// The same, when there is time.
    #[operation(priority = low, reliability = unreliable)]
    fn note_maybe_low(value: u64);
    /// Notes the newest number, or not.
    #[operation(reliability = unreliable_latest)]
    fn note_newest(value: u64);
    /// Tells another the numbers of a range; answers how many were handed back. `how`: 0 `note`, 1 `note_maybe`, 2 `note_maybe_low`,
    /// 3 `note_newest`.
    #[operation]
    fn flood(to: u64, how: u8, from: u64, until: u64) -> u64;
    /// Tells another the numbers below `count`, and waits for room whenever there is none; answers how often.
    #[operation(timeout_ms = 60000, durability = none)]
    async fn pour(to: u64, count: u64) -> u64;
    /// Tells itself later.
    #[operation]
    fn later(ms: u64, value: u64);
    /// Pushes to the session that called.
    #[operation]
    fn greet();
    /// A greeting.
    #[operation(push)]
    fn greeting(text: String);
}

thread_local! {
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Adds a line to the trace of this test.
pub(crate) fn trace(line: String) {
    TRACE.with_borrow_mut(|lines| lines.push(line));
}

/// Takes the trace.
pub(crate) fn take_trace() -> Vec<String> {
    TRACE.take()
}

/// The key of the actor whose activation panics.
pub(crate) const UNBORN: u64 = 666;

/// An actor that does what it is told and notes it.
#[derive(Debug)]
pub(crate) struct Prober {
    key: u64,
    notes: u64,
    drop_armed: bool,
    stopping_armed: bool,
}

impl Prober {
    fn took(&mut self, word: &str, value: u64) {
        self.notes += 1;
        trace(format!("{} {word} {value}", self.key));
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        assert!(!self.drop_armed, "armed drop");
    }
}

impl Actor for Prober {
    fn activate(_cx: &mut Cx, key: u64) -> Self {
        assert!(key != UNBORN, "cannot be activated");
        trace(format!("{key} activated"));
        Self { key, notes: 0, drop_armed: false, stopping_armed: false }
    }

    fn connected(&mut self, _cx: &mut Cx, session: SessionId) {
        trace(format!("{} connected {}", self.key, session.0));
    }

    fn disconnected(&mut self, _cx: &mut Cx, session: SessionId) {
        trace(format!("{} disconnected {}", self.key, session.0));
    }

    fn stopping(&mut self, _cx: &mut Cx) {
        assert!(!self.stopping_armed, "armed stopping");
        trace(format!("{} stopping", self.key));
    }
}

/// The code of a failed call; 0: it went well.
fn code<T>(result: Result<T, CallError>) -> u16 {
    result.map_or_else(|error| error.code().0, |_| 0)
}

impl Probe<Cx> for Prober {
    fn note(&mut self, _cx: &mut Cx, value: u64) {
        self.took("note", value);
    }

    fn note_high(&mut self, _cx: &mut Cx, value: u64) {
        self.took("high", value);
    }

    fn note_low(&mut self, _cx: &mut Cx, value: u64) {
        self.took("low", value);
    }

    fn note_critical(&mut self, _cx: &mut Cx, value: u64) {
        self.took("critical", value);
    }

    fn count(&mut self, _cx: &mut Cx) -> u64 {
        self.notes
    }

    fn draw(&mut self, cx: &mut Cx) -> u64 {
        cx.random().u64(..)
    }

    async fn wait(&mut self, cx: &mut Cx, ms: u64, value: u64) -> u64 {
        trace(format!("{} waits {value}", self.key));
        cx.sleep(Duration::from_millis(ms)).await;
        self.took("waited", value);
        cx.now().as_millis()
    }

    async fn relay(&mut self, cx: &mut Cx, mut path: Vec<u64>) -> u16 {
        if path.is_empty() {
            return 0;
        }
        let next = path.remove(0);
        match cx.to(ActorRef::<ProbeContract>::new(next)).relay(path).await {
            Ok(code) => code,
            Err(error) => error.code().0,
        }
    }

    async fn diamond(&mut self, cx: &mut Cx) -> u16 {
        let left = cx.to(ActorRef::<ProbeContract>::new(2)).side();
        let right = cx.to(ActorRef::<ProbeContract>::new(3)).side();
        let (left, right) = (left.await, right.await);
        code(left.map(|inner| assert_eq!(inner, 0))) + code(right.map(|inner| assert_eq!(inner, 0)))
    }

    async fn side(&mut self, cx: &mut Cx) -> u16 {
        code(cx.to(ActorRef::<ProbeContract>::new(4)).wait(10, self.key).await)
    }

    async fn give_up(&mut self, cx: &mut Cx, other: u64) -> u64 {
        drop(cx.to(ActorRef::<ProbeContract>::new(other)).wait(50, 7));
        drop(cx.to(ActorRef::<ProbeContract>::new(other)).count());
        1
    }

    fn explode(&mut self, _cx: &mut Cx) -> u64 {
        panic!("boom {}", self.notes);
    }

    async fn explode_late(&mut self, cx: &mut Cx, ms: u64) -> u64 {
        cx.sleep(Duration::from_millis(ms)).await;
        panic!("late boom");
    }

    fn arm_drop(&mut self, _cx: &mut Cx) {
        self.drop_armed = true;
    }

    fn arm_stopping(&mut self, _cx: &mut Cx) {
        self.stopping_armed = true;
    }

    fn stop_now(&mut self, cx: &mut Cx) {
        cx.stop();
    }

    fn pass(&mut self, cx: &mut Cx, to: u64, value: u64) {
        self.took("pass", value);
        if value > 0 {
            let me = cx.key();
            cx.to(ActorRef::<ProbeContract>::new(to)).pass(me, value - 1).expect("the queue has room");
        }
    }

    fn note_maybe(&mut self, _cx: &mut Cx, value: u64) {
        self.took("maybe", value);
    }

    fn note_maybe_low(&mut self, _cx: &mut Cx, value: u64) {
        self.took("maybe low", value);
    }

    fn note_newest(&mut self, _cx: &mut Cx, value: u64) {
        self.took("newest", value);
    }

    fn flood(&mut self, cx: &mut Cx, to: u64, how: u8, from: u64, until: u64) -> u64 {
        let mut refused = 0;
        for value in from..until {
            let mut to = cx.to(ActorRef::<ProbeContract>::new(to));
            let told = match how {
                0 => to.note(value),
                1 => to.note_maybe(value),
                2 => to.note_maybe_low(value),
                _ => to.note_newest(value),
            };
            refused += u64::from(told == Err(CallError::Busy));
        }
        refused
    }

    async fn pour(&mut self, cx: &mut Cx, to: u64, count: u64) -> u64 {
        let mut waits = 0;
        for value in 0..count {
            while cx.to(ActorRef::<ProbeContract>::new(to)).note(value) == Err(CallError::Busy) {
                waits += 1;
                cx.room(probe_id(to), Priority::Normal).await.expect("there will be room");
            }
        }
        waits
    }

    fn later(&mut self, cx: &mut Cx, ms: u64, value: u64) {
        cx.after(Duration::from_millis(ms), probe::Note { value }).expect("there is room");
    }

    fn greet(&mut self, cx: &mut Cx) {
        if let Caller::Client { session, .. } = cx.caller() {
            cx.push(session, probe::Greeting { text: "hello".to_owned() });
        }
    }
}
