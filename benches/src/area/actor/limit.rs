//! The limit on one thread: messages through a queue, each one served by a call.
//!
//! *Responsible for*: the least that a queue between sender and receiver costs. *Not responsible for*: anything that an
//! actor is good for.

use std::collections::VecDeque;
use std::hint::black_box;

use super::table::{BURST, IN_FLIGHT, Load, Table};

/// A message and where it goes; `left`: hops to go, or the place of the answer.
struct Message {
    to: usize,
    left: u64,
    load: Load,
}

/// State of its own on the heap, as actors have it.
struct State {
    sum: Box<u64>,
}

/// Numbers that are added to.
pub(super) struct Limit {
    actors: Vec<State>,
    queue: VecDeque<Message>,
    answers: VecDeque<u64>,
    turn: usize,
}

impl Limit {
    pub(super) fn new(count: usize) -> Self {
        let actors = (0..count).map(|_| State { sum: Box::new(0) }).collect();
        Self { actors, queue: VecDeque::new(), answers: VecDeque::new(), turn: 0 }
    }

    fn send(&mut self, to: usize, left: u64, load: Load) {
        self.queue.push_back(Message { to, left, load });
    }

    /// Serves everything.
    fn serve(&mut self, serve: fn(&mut Self, Message)) {
        // Through a pointer, as an operation is found by its number.
        let serve = black_box(serve);
        while let Some(message) = self.queue.pop_front() {
            serve(self, message);
        }
    }

    fn add(&mut self, message: Message) -> u64 {
        let sum = &mut *self.actors[message.to].sum;
        *sum = sum.wrapping_add(message.load.sum());
        *sum
    }

    #[inline(never)]
    fn told(&mut self, message: Message) {
        self.add(message);
    }

    #[inline(never)]
    fn asked(&mut self, message: Message) {
        let sum = self.add(message);
        self.answers.push_back(sum);
    }

    #[inline(never)]
    fn hopped(&mut self, message: Message) {
        if let Some(left) = message.left.checked_sub(1) {
            let to = (message.to + 1) % self.actors.len();
            self.send(to, left, message.load);
        }
    }

    #[inline(never)]
    fn relayed(&mut self, message: Message) {
        match message.left {
            0 => {
                let sum = self.add(message);
                self.answers.push_back(sum);
            }
            left => self.send(message.to + 1, left - 1, message.load),
        }
    }

    fn requests(&mut self, count: u64, at_once: u64, hops: u64, serve: fn(&mut Self, Message)) {
        let mut left = count;
        while left > 0 {
            let now = left.min(at_once);
            (0..now).for_each(|number| self.send(0, hops, Load::numbered(number)));
            self.serve(serve);
            while let Some(answer) = self.answers.pop_front() {
                black_box(answer);
            }
            left -= now;
        }
    }
}

impl Table for Limit {
    fn tell(&mut self, count: u64) {
        self.requests(count, BURST, 0, Self::told);
    }

    fn fan(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            let burst = left.min(BURST);
            for number in 0..burst {
                self.turn = (self.turn + 1) % self.actors.len();
                self.send(self.turn, 0, Load::numbered(number));
            }
            self.serve(Self::told);
            left -= burst;
        }
    }

    fn ring(&mut self, hops: u64) {
        self.send(0, hops, Load::default());
        self.serve(Self::hopped);
    }

    fn ask(&mut self, count: u64) {
        self.requests(count, 1, 0, Self::asked);
    }

    fn ask_many(&mut self, count: u64) {
        self.requests(count, IN_FLIGHT, 0, Self::asked);
    }

    fn relay(&mut self, count: u64) {
        self.requests(count, 1, 1, Self::relayed);
    }
}
