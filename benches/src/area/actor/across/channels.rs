//! Two threads with a queue each way between them, and nothing else.
//!
//! *Responsible for*: the limit, which is a bounded ring; a channel of the standard library; tasks of tokio on two runtimes. *Not
//! responsible for*: anything that an actor is good for.

use std::hint::black_box;
use std::sync::mpsc;
use std::thread::JoinHandle;

use rtrb::{Consumer, Producer, RingBuffer};
use tokio::sync::{mpsc as tasks, oneshot};

use super::{Pair, Side, pin, spin};
use crate::area::actor::table::{BURST, IN_FLIGHT, Load, current_thread};

/// As the rings between workers.
const RING: usize = 1_024;

#[derive(Clone, Copy)]
enum Message {
    Tell(Load),
    Ask(Load),
    End,
}

/// The sending end of a queue.
enum To<T> {
    Ring(Producer<T>),
    Channel(mpsc::Sender<T>),
}

impl<T> To<T> {
    fn put(&mut self, mut value: T) {
        let mut tries = 0;
        match self {
            Self::Channel(sender) => drop(sender.send(value)),
            Self::Ring(ring) => {
                while let Err(rtrb::PushError::Full(back)) = ring.push(value) {
                    value = back;
                    spin(&mut tries);
                }
            }
        }
    }
}

/// The receiving end of a queue.
enum From<T> {
    Ring(Consumer<T>),
    Channel(mpsc::Receiver<T>),
}

impl<T> From<T> {
    fn take(&mut self) -> T {
        let mut tries = 0;
        loop {
            let taken = match self {
                Self::Ring(ring) => ring.pop().ok(),
                Self::Channel(receiver) => receiver.try_recv().ok(),
            };
            match taken {
                Some(value) => return value,
                None => spin(&mut tries),
            }
        }
    }
}

/// Two threads that look for messages all the time.
pub(super) struct Spinning {
    to: To<Message>,
    answers: From<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Spinning {
    pub(super) fn rings() -> Self {
        let ((to, from), (back, answers)) = (RingBuffer::new(RING), RingBuffer::new(RING));
        Self::start(To::Ring(to), From::Ring(from), To::Ring(back), From::Ring(answers))
    }

    pub(super) fn channels() -> Self {
        let ((to, from), (back, answers)) = (mpsc::channel(), mpsc::channel());
        Self::start(To::Channel(to), From::Channel(from), To::Channel(back), From::Channel(answers))
    }

    fn start(to: To<Message>, mut from: From<Message>, mut back: To<u64>, answers: From<u64>) -> Self {
        let serve = move || {
            pin(Side::Answers);
            let mut sum = 0_u64;
            loop {
                match from.take() {
                    Message::Tell(load) => sum = sum.wrapping_add(load.sum()),
                    Message::Ask(load) => {
                        sum = sum.wrapping_add(load.sum());
                        back.put(sum);
                    }
                    Message::End => return,
                }
            }
        };
        Self { to, answers, thread: Some(std::thread::spawn(serve)) }
    }
}

impl Ends for Spinning {
    fn tell_one(&mut self, number: u64) {
        self.to.put(Message::Tell(Load::numbered(number)));
    }

    fn requests(&mut self, count: u64, at_once: u64) {
        let mut left = count;
        while left > 0 {
            let now = left.min(at_once);
            (0..now).for_each(|number| self.to.put(Message::Ask(Load::numbered(number))));
            for _ in 0..now {
                black_box(self.answers.take());
            }
            left -= now;
        }
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        self.to.put(Message::End);
        let ended = self.thread.take().map(JoinHandle::join);
        debug_assert!(ended.is_none_or(|ended| ended.is_ok()), "it only adds");
    }
}

/// A sender on this thread whose receiver serves what it is sent in order.
trait Ends {
    /// One tell, which is not waited for.
    fn tell_one(&mut self, number: u64);
    /// So many requests, of which so many are under way at once.
    fn requests(&mut self, count: u64, at_once: u64);
}

impl<E: Ends> Pair for E {
    fn tell(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            let burst = left.min(BURST);
            (0..burst).for_each(|number| self.tell_one(number));
            self.requests(1, 1);
            left -= burst;
        }
    }

    fn ask(&mut self, count: u64) {
        self.requests(count, 1);
    }

    fn ask_many(&mut self, count: u64) {
        self.requests(count, IN_FLIGHT);
    }
}

enum Task {
    Tell(Load),
    Ask(Load, oneshot::Sender<u64>),
}

async fn add(mut inbox: tasks::UnboundedReceiver<Task>) {
    let mut sum = 0_u64;
    while let Some(task) = inbox.recv().await {
        match task {
            Task::Tell(load) => sum = sum.wrapping_add(load.sum()),
            Task::Ask(load, answer) => {
                sum = sum.wrapping_add(load.sum());
                let _ = answer.send(sum);
            }
        }
    }
}

/// A task on a runtime of its own on each thread; they sleep when nothing comes.
pub(super) struct Tokio {
    to: Option<tasks::UnboundedSender<Task>>,
    runtime: tokio::runtime::Runtime,
    thread: Option<JoinHandle<()>>,
}

impl Tokio {
    pub(super) fn new() -> Self {
        let (to, inbox) = tasks::unbounded_channel();
        let serve = move || {
            pin(Side::Answers);
            current_thread().block_on(add(inbox));
        };
        Self { to: Some(to), runtime: current_thread(), thread: Some(std::thread::spawn(serve)) }
    }

    fn send(&self, task: Task) {
        let sent = self.to.as_ref().map(|to| to.send(task));
        debug_assert!(matches!(sent, Some(Ok(()))), "the other side lives until this ends");
    }

    fn begin(&self, load: Load) -> oneshot::Receiver<u64> {
        let (answer, answered) = oneshot::channel();
        self.send(Task::Ask(load, answer));
        answered
    }
}

impl Ends for Tokio {
    fn tell_one(&mut self, number: u64) {
        self.send(Task::Tell(Load::numbered(number)));
    }

    fn requests(&mut self, count: u64, at_once: u64) {
        self.runtime.block_on(async {
            let mut waiting = Vec::with_capacity(64);
            let mut left = count;
            while left > 0 {
                let now = left.min(at_once);
                waiting.extend((0..now).map(|number| self.begin(Load::numbered(number))));
                for answer in waiting.drain(..) {
                    black_box(answer.await.expect("it is answered"));
                }
                left -= now;
            }
        });
    }
}

impl Drop for Tokio {
    fn drop(&mut self) {
        self.to = None;
        let ended = self.thread.take().map(JoinHandle::join);
        debug_assert!(ended.is_none_or(|ended| ended.is_ok()), "it only adds");
    }
}
