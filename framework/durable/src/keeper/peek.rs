//! A look at what is stored of an actor, without owning it.
//!
//! *Responsible for*: [`Keeper::peek`], which reads the state that the last commit wrote. *Not responsible for*: loading an actor
//! (`load`), zones, whose state is in snapshots.
//!
//! All parts of a state fit one page of a read, so what is read is the state of one commit.
//!
//! Invariants:
//! - I1: nothing is written, and no epoch claimed: whoever owns the actor goes on, and one that never was does not begin.
//! - I2: one actor is looked at at a time; a look at another takes its place, and the answer to the one before never comes.

use bytes::{Bytes, BytesMut};
use lightmoon_contract::{ActorId, Mono};
use lightmoon_store::{Area, Done, Outcome, Request};

use super::traffic::Purpose;
use super::{Event, Keeper, LoadFailure};
use crate::{layout, limits};

const _: () = assert!(
    limits::STATE_BYTES_MAX.div_ceil(limits::PART_BYTES_MAX) <= limits::LOAD_PAGE_ROWS,
    "a state is read in one page"
);

/// A look that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peek {
    /// Tells its request from those of looks before.
    number: u64,
    actor: ActorId,
}

impl Keeper {
    /// Reads the state that is stored of an actor whose whole state is in each commit. [`Event::Peeked`] is the answer; there is none
    /// if somebody peeks again before it came. Costs a read of a few rows, which waits behind whatever is urgent.
    pub fn peek(&mut self, now: Mono, actor: ActorId) {
        self.tell_time(now);
        self.peeks += 1;
        let number = self.peeks;
        self.peek = Some(Peek { number, actor });
        if self.traffic.is_away() && !self.traffic.may_probe(now) {
            return self.end_peek(number, Err(LoadFailure::Away));
        }
        let (area, partition, keys) = (Area::Commits, layout::actor(actor), layout::state_parts());
        let read = Request::Read { area, partition, keys, limit: limits::LOAD_PAGE_ROWS, serial: false };
        self.traffic.send(Purpose::Peek(number), read, false);
    }

    /// The store answered.
    pub(super) fn peek_outcome(&mut self, number: u64, outcome: Outcome) {
        let unreadable = |why: &str| Err(LoadFailure::Unreadable(why.to_owned()));
        let state = match outcome {
            Outcome::Done(Done::Page(page)) if page.more => {
                unreadable("there are more rows than a state has")
            }
            Outcome::Done(Done::Page(page)) => {
                let mut state = BytesMut::new();
                page.rows.iter().for_each(|row| state.extend_from_slice(&row.value));
                Ok((!page.rows.is_empty()).then(|| state.freeze()))
            }
            Outcome::Damaged => unreadable("what is stored is damaged: restore a copy of the store"),
            // Whoever still looks asks again.
            Outcome::Done(_) | Outcome::Refused(_) | Outcome::Unknown | Outcome::Unavailable => {
                Err(LoadFailure::Away)
            }
        };
        self.end_peek(number, state);
    }

    /// It is over, unless it was given up before.
    pub(super) fn end_peek(&mut self, number: u64, state: Result<Option<Bytes>, LoadFailure>) {
        if let Some(Peek { actor, .. }) = self.peek.take_if(|peek| peek.number == number) {
            self.events.push_back(Event::Peeked { actor, state });
        }
    }
}
