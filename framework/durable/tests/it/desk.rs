//! A keeper and a store on one desk: requests are carried over by hand, and outcomes bent on the way back.

use bytes::Bytes;
use lightmoon_contract::{ActorId, Kind, Mono, NetId};
use lightmoon_durable::{Commit, Event, Keeper, Loaded, LogEntry, Mail, Saved, SnapshotJob, layout, record};
use lightmoon_store::{
    Area, Done, Head, KeyRange, MemoryStore, Outcome, Partition, Request, Row, Store as _, Ticket,
};

/// The actor of most tests.
pub(crate) const ACTOR: ActorId = ActorId::new(Kind(7), 42);

/// How the store lies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lies {
    /// Share of outcomes told as unknown; half of them happened.
    pub(crate) unknown: f64,
    /// Share of requests that do not reach it.
    pub(crate) unavailable: f64,
}

/// A store that several keepers can share, one after the other or at once.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) store: MemoryStore,
    pub(crate) random: fastrand::Rng,
    pub(crate) lies: Lies,
    pub(crate) now: Mono,
}

impl Desk {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            store: MemoryStore::new(),
            random: fastrand::Rng::with_seed(seed),
            lies: Lies::default(),
            now: Mono::from_millis(1),
        }
    }

    pub(crate) fn ask(&mut self, request: Request) -> Outcome {
        self.store.submit(Ticket(1), request).unwrap();
        self.store.poll(self.now).unwrap().1
    }

    /// Carries one request over. `false`: there is none.
    pub(crate) fn carry(&mut self, keeper: &mut Keeper) -> bool {
        let Some((ticket, request)) = keeper.poll_request(self.now) else { return false };
        let outcome = if self.random.f64() < self.lies.unavailable {
            Outcome::Unavailable
        } else if self.random.f64() < self.lies.unknown {
            if self.random.bool() {
                self.ask(request);
            }
            Outcome::Unknown
        } else {
            self.ask(request)
        };
        keeper.outcome(self.now, ticket, outcome);
        true
    }

    /// Encodes one copy, if one waits.
    pub(crate) fn encode_one(&self, keeper: &mut Keeper) {
        if let Some(encode) = keeper.poll_encode() {
            keeper.encoded(encode.actor, encode.id, (encode.job.encode)());
        }
    }

    /// Carries one request over, or lets time pass.
    pub(crate) fn carry_or_wait(&mut self, keeper: &mut Keeper) {
        if self.carry(keeper) {
            return;
        }
        if let Some(at) = keeper.next_deadline() {
            self.now = self.now.max(at);
            keeper.on_deadline(self.now);
        }
    }

    /// Carries everything over until the keeper wants nothing more; gives what happened. Copies are encoded at once.
    pub(crate) fn settle(&mut self, keeper: &mut Keeper) -> Vec<Event> {
        let mut events = Vec::new();
        for _ in 0..100_000 {
            while let Some(encode) = keeper.poll_encode() {
                keeper.encoded(encode.actor, encode.id, (encode.job.encode)());
            }
            events.extend(std::iter::from_fn(|| keeper.poll_event()));
            if self.carry(keeper) {
                continue;
            }
            let Some(at) = keeper.next_deadline() else { return events };
            self.now = self.now.max(at);
            keeper.on_deadline(self.now);
        }
        panic!("the keeper does not come to rest");
    }

    /// Loads an actor, which has to work.
    pub(crate) fn load(&mut self, keeper: &mut Keeper, actor: ActorId) -> Loaded {
        for _ in 0..1_000 {
            keeper.load(self.now, actor);
            let events = self.settle(keeper);
            for event in events {
                if let Event::Loaded { loaded, .. } = event {
                    return loaded;
                }
            }
            self.now = Mono(self.now.0 + 1_000_000_000);
        }
        panic!("the actor cannot be loaded");
    }

    pub(crate) fn head(&mut self, actor: ActorId) -> Option<Head> {
        self.page(Area::Commits, &layout::actor(actor)).0
    }

    pub(crate) fn page(&mut self, area: Area, partition: &Partition) -> (Option<Head>, Vec<Row>) {
        let (keys, partition) = (KeyRange::all(), partition.clone());
        let outcome = self.ask(Request::Read { area, partition, keys, limit: 1_000, serial: true });
        let Outcome::Done(Done::Page(page)) = outcome else { panic!("{outcome:?}") };
        (page.head, page.rows)
    }
}

/// Hands a commit of [`ACTOR`] in.
pub(crate) fn commit(keeper: &mut Keeper, number: u64, is_urgent: bool, saved: Saved, log: Vec<LogEntry>) {
    keeper.commit(ACTOR, Commit { number, is_urgent, saved, log, mail: Mail::default() });
}

/// A state that holds a number.
pub(crate) fn state(number: u64) -> Saved {
    Saved { state: Some(record::seal("number", 1, &number.to_le_bytes())), ..Saved::default() }
}

/// The number in a state.
pub(crate) fn number(loaded: &Loaded) -> u64 {
    let Some(state) = &loaded.state else { return 0 };
    let record = record::open_as("number", state).unwrap();
    u64::from_le_bytes(record.body[..].try_into().unwrap())
}

/// A log entry that says `number`.
pub(crate) fn entry(number: u64) -> LogEntry {
    let bytes = Bytes::copy_from_slice(&number.to_le_bytes());
    LogEntry { player: 9, operation: 1, arguments: bytes.clone(), reply: bytes }
}

/// A change of one entity.
pub(crate) fn entity(net: u64, value: Option<&'static str>) -> Saved {
    let value = value.map(|text| record::seal("entity", 1, text.as_bytes()));
    Saved { entities: vec![(NetId(net), value)], ids: net, ..Saved::default() }
}

/// A copy of a world at `tick`, of `parts` parts.
pub(crate) fn copy(tick: u64, parts: usize) -> SnapshotJob {
    let encode = move || (0..parts).map(|part| Bytes::from(format!("tick {tick} part {part}"))).collect();
    SnapshotJob { tick, bytes: parts * 16, encode: Box::new(encode) }
}
