//! A store that is slow, lies about outcomes and goes away, but keeps what it promised.
//!
//! *Responsible for*: when a request takes effect, what its sender is told and when. *Not responsible for*: what requests do
//! ([`MemoryStore`] does them).
//!
//! A request takes effect at one moment between its arrival and its outcome, or never. Requests under way at the same time
//! may overtake each other. When the node is gone, what was under way has happened or not, by chance.
//!
//! Invariants:
//! - I1: `Done` and `Refused` are told after the effect. `Unknown` is told after the effect too, if there is one: what a
//!   later serial read does not show never happens.
//! - I2: everything is a function of the seed and the requests.

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_contract::Mono;
use lightmoon_store::{
    Area, Done, Head, KeyRange, MemoryStore, Outcome, Partition, Request, Row, Scan, Space, Store as _,
    Ticket,
};

/// What a simulated store is like.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StoreOptions {
    /// Time from request to outcome; each takes up to twice as long. Default 0.3 ms: a local disk.
    pub latency: Duration,
    /// Share of requests whose outcome is not known; half of them take effect. Default 0.
    pub unknown: f64,
    /// Share of requests that never reach it. Default 0.
    pub unavailable: f64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { latency: Duration::from_micros(300), unknown: 0.0, unavailable: 0.0 }
    }
}

/// A request under way.
#[derive(Debug)]
enum Pending {
    /// Takes effect; then its outcome is told at the second time, as it is or as unknown.
    Effect(Asker, Box<Request>, Mono, bool),
    Told(Asker, Box<Outcome>),
}

/// Who asked: a node, by the number of its life, and its ticket.
type Asker = (u64, Ticket);

/// The store of a simulated world. Outlives its nodes.
#[derive(Debug)]
pub struct SimStore {
    memory: MemoryStore,
    random: fastrand::Rng,
    options: StoreOptions,
    down_until: Mono,
    serial: u64,
    pending: BTreeMap<(Mono, u64), Pending>,
    /// Requests that were told to be unknown so far.
    unknown_told: u64,
}

impl SimStore {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            memory: MemoryStore::new(),
            random: fastrand::Rng::with_seed(seed),
            options: StoreOptions::default(),
            down_until: Mono(0),
            serial: 0,
            pending: BTreeMap::new(),
            unknown_told: 0,
        }
    }

    pub(crate) const fn set_options(&mut self, options: StoreOptions) {
        self.options = options;
    }

    /// Nothing reaches it until then.
    pub(crate) const fn go_down(&mut self, until: Mono) {
        self.down_until = until;
    }

    /// Outcomes that were told to be unknown so far.
    #[must_use]
    pub const fn unknown_told(&self) -> u64 {
        self.unknown_told
    }

    pub(crate) fn submit(&mut self, now: Mono, asker: Asker, request: Request) {
        let first = now + self.options.latency.mul_f64(self.random.f64());
        let second = first + self.options.latency.mul_f64(self.random.f64());
        if now < self.down_until || self.random.f64() < self.options.unavailable {
            return self.later(second, Pending::Told(asker, Box::new(Outcome::Unavailable)));
        }
        let is_unknown = self.random.f64() < self.options.unknown;
        if is_unknown {
            self.unknown_told += 1;
        }
        if is_unknown && self.random.bool() {
            return self.later(second, Pending::Told(asker, Box::new(Outcome::Unknown)));
        }
        self.later(first, Pending::Effect(asker, Box::new(request), second, is_unknown));
    }

    fn later(&mut self, at: Mono, pending: Pending) {
        self.serial += 1;
        self.pending.insert((at, self.serial), pending);
    }

    /// When something happens next.
    pub(crate) fn next_due(&self) -> Option<Mono> {
        self.pending.keys().next().map(|(at, _)| *at)
    }

    /// What is told now.
    pub(crate) fn poll(&mut self, now: Mono) -> Option<(Asker, Outcome)> {
        while let Some(entry) = self.pending.first_entry().filter(|entry| entry.key().0 <= now) {
            match entry.remove() {
                Pending::Told(asker, outcome) => return Some((asker, *outcome)),
                Pending::Effect(asker, request, told_at, is_unknown) => {
                    let outcome = self.ask(*request);
                    let told = if is_unknown { Outcome::Unknown } else { outcome };
                    self.later(told_at, Pending::Told(asker, Box::new(told)));
                }
            }
        }
        None
    }

    /// The node of this life is gone: what it asked last has happened or not.
    pub(crate) fn crash(&mut self, life: u64) {
        for (key, pending) in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Effect((asker, _), request, ..) if asker == life => {
                    if self.random.bool() {
                        self.ask(*request);
                    }
                }
                Pending::Told((asker, _), _) if asker == life => {}
                Pending::Effect(..) | Pending::Told(..) => drop(self.pending.insert(key, pending)),
            }
        }
    }

    fn ask(&mut self, request: Request) -> Outcome {
        let ticket = Ticket(0);
        self.memory.submit(ticket, request).expect("a node's requests are within the limits");
        self.memory.poll(Mono(0)).map_or(Outcome::Unavailable, |(_, outcome)| outcome)
    }

    /// The keys of all partitions of a space, for auditors.
    pub fn partitions(&mut self, area: Area, space: Space) -> Vec<bytes::Bytes> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let scan = Scan::Partitions { area, space, after: after.clone(), limit: 1_000 };
            let Outcome::Done(Done::Partitions(keys)) = self.ask(Request::Scan(scan)) else { return all };
            let Some(last) = keys.last().cloned() else { return all };
            all.extend(keys);
            after = Some(last);
        }
    }

    /// Everything in a partition, for auditors.
    pub fn rows(&mut self, area: Area, partition: &Partition) -> (Option<Head>, Vec<Row>) {
        let (mut rows, mut keys): (Vec<Row>, KeyRange) = (Vec::new(), KeyRange::all());
        loop {
            let read = Request::Read { area, partition: partition.clone(), keys, limit: 1_000, serial: true };
            let Outcome::Done(Done::Page(page)) = self.ask(read) else { return (None, rows) };
            rows.extend(page.rows);
            match rows.last().filter(|_| page.more) {
                Some(last) => keys = KeyRange::all().after(&last.key),
                None => return (page.head, rows),
            }
        }
    }
}
