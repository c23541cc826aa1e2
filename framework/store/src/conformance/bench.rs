//! A store with a hand on it: requests as calls.
//!
//! *Responsible for*: awaiting outcomes, short words for requests. *Not responsible for*: what is right.

use bytes::Bytes;
use lightmoon_contract::Mono;

use crate::{
    Area, Change, Condition, Done, Field, Head, Is, KeyRange, Outcome, Page, Partition, Request, Row, Space,
    Store, Test, Ticket,
};

/// Polls without an outcome after which a store is given up; a store with a thread sleeps a little in each.
const POLLS_MAX: u32 = 100_000;

/// Fields of the heads that the suite uses.
pub(super) const EPOCH: Field = Field(1);
pub(super) const SEQ: Field = Field(2);

/// One store under test.
pub(super) struct Bench<'a> {
    store: &'a mut dyn Store,
    wait: &'a mut dyn FnMut() -> Mono,
    ticket: u64,
}

impl<'a> Bench<'a> {
    pub(super) fn new(store: &'a mut dyn Store, wait: &'a mut dyn FnMut() -> Mono) -> Self {
        Self { store, wait, ticket: 0 }
    }

    /// Submits without waiting.
    pub(super) fn submit(&mut self, request: Request) -> Result<Ticket, String> {
        self.ticket += 1;
        let ticket = Ticket(self.ticket);
        match self.store.submit(ticket, request) {
            Ok(()) => Ok(ticket),
            Err(rejected) => Err(format!("a request within the limits was handed back: {rejected}")),
        }
    }

    /// Why a request is handed back; an error if it is not.
    pub(super) fn rejected(&mut self, request: Request) -> Result<crate::Why, String> {
        self.ticket += 1;
        match self.store.submit(Ticket(self.ticket), request) {
            Err(rejected) => Ok(rejected.why),
            Ok(()) => Err("a request over the limits was taken".to_owned()),
        }
    }

    /// The next outcome; `None` if none comes.
    pub(super) fn next(&mut self, polls_max: u32) -> Option<(Ticket, Outcome)> {
        (0..polls_max).find_map(|_| {
            let now = (self.wait)();
            self.store.poll(now)
        })
    }

    /// Submits and waits for the outcome.
    pub(super) fn call(&mut self, request: Request) -> Result<Outcome, String> {
        let ticket = self.submit(request)?;
        match self.next(POLLS_MAX) {
            Some((of, outcome)) if of == ticket => Ok(outcome),
            Some((of, outcome)) => Err(format!("asked under {ticket:?}, answered {outcome:?} under {of:?}")),
            None => Err("no outcome comes".to_owned()),
        }
    }

    pub(super) fn commit(
        &mut self,
        partition: &Partition,
        condition: Condition,
        head: Head,
        changes: Vec<Change>,
    ) -> Result<Outcome, String> {
        self.call(Request::Commit { partition: partition.clone(), condition, head, changes })
    }

    /// A commit that has to be done.
    pub(super) fn must_commit(
        &mut self,
        partition: &Partition,
        condition: Condition,
        head: Head,
        changes: Vec<Change>,
    ) -> Result<(), String> {
        let outcome = self.commit(partition, condition, head, changes)?;
        expect("a commit whose condition holds", &outcome, &Outcome::Done(Done::Written))
    }

    /// A request that has to be written.
    pub(super) fn must_write(&mut self, request: Request) -> Result<(), String> {
        let outcome = self.call(request)?;
        expect("a write", &outcome, &Outcome::Done(Done::Written))
    }

    /// One page, read serially.
    pub(super) fn page(
        &mut self,
        area: Area,
        partition: &Partition,
        keys: KeyRange,
        limit: usize,
    ) -> Result<Page, String> {
        let request = Request::Read { area, partition: partition.clone(), keys, limit, serial: true };
        match self.call(request)? {
            Outcome::Done(Done::Page(page)) => Ok(page),
            other @ (Outcome::Done(_)
            | Outcome::Refused(_)
            | Outcome::Unknown
            | Outcome::Unavailable
            | Outcome::Damaged) => Err(format!("a read gave {other:?}")),
        }
    }

    /// The whole partition of commits.
    pub(super) fn read(&mut self, partition: &Partition) -> Result<Page, String> {
        self.page(Area::Commits, partition, KeyRange::all(), 1_000)
    }
}

/// An error unless `got` is `wanted`.
pub(super) fn expect<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{what}: expected {wanted:?}, got {got:?}")) }
}

pub(super) fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

pub(super) fn partition(space: u16, key: &'static str) -> Partition {
    Partition { space: Space(space), key: bytes(key) }
}

pub(super) fn row(key: &'static str, value: &'static str) -> Row {
    Row { key: bytes(key), value: bytes(value) }
}

pub(super) fn put(key: &'static str, value: &'static str) -> Change {
    Change::Put(row(key, value))
}

pub(super) fn head(epoch: u64, seq: u64) -> Head {
    Head::of([(EPOCH, epoch), (SEQ, seq)])
}

pub(super) const fn test(field: Field, is: Is, value: u64) -> Test {
    Test { field, is, value }
}

/// The fence: this epoch and this sequence number.
pub(super) fn fence(epoch: u64, seq: u64) -> Condition {
    Condition::Holds(vec![test(EPOCH, Is::Equal, epoch), test(SEQ, Is::Equal, seq)])
}
