//! Carrying messages from the outboxes of actors to their receivers, until they are taken.
//!
//! *Responsible for*: which message is delivered when, what becomes of one that fails, dead letters.
//! *Not responsible for*: rows of outboxes and marks (`commit`), taking a message once (the worker of its receiver).
//!
//! ```text
//! commit of the sender ─► queue of the pair ─► Deliver ─► taken: in a commit of the receiver ─► the row leaves the outbox
//!                              ▲                   │                                              with the next commit
//!                              └── after a while ──┴─ failed, or not served
//! ```
//!
//! Invariants:
//! - I1: messages of a pair are delivered in the order of their numbers, at most [`limits::WINDOW`] ahead.
//! - I2: of a message at most one delivery is under way; each ends by [`Keeper::delivered`] or in a commit.
//! - I3: one that failed [`limits::TRIES_MAX`] times is a dead letter: it stays in the outbox, those behind it go on.
//! - I4: the mark of a sender leaves its receiver only when no message of the pair is left in the outbox or under way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lightmoon_contract::{ActorId, Mono, Priority};

use super::{Event, Keeper};
use crate::mail::Letter;
use crate::{DeadLetter, limits};

/// What became of a delivery that led to no commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Undelivered {
    /// It was taken before.
    Known,
    /// One before it is missing.
    Gap,
    /// It was served and failed.
    Failed,
    /// It was not served, or undone.
    Unserved,
}

/// Messages of one sender to one receiver.
#[derive(Debug, Default)]
struct Pair {
    /// Those that are not taken and not dead.
    queue: BTreeSet<u64>,
    /// Those that are being delivered.
    under_way: BTreeSet<u64>,
    /// The priority of those under way: between two of them nothing keeps their order.
    priority: Option<Priority>,
    /// This one failed: one at a time until it was taken or is dead, so that the culprit is known.
    suspect: Option<u64>,
    /// It rests until then.
    again_at: Option<Mono>,
    /// The length of the last rest.
    rest: Duration,
}

/// All pairs.
#[derive(Debug, Default)]
pub(super) struct Relay {
    pairs: BTreeMap<(ActorId, ActorId), Pair>,
    timers: BTreeSet<(Mono, ActorId, ActorId)>,
}

impl Relay {
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.timers.first().map(|(at, ..)| *at)
    }

    fn pair(&mut self, from: ActorId, to: ActorId) -> &mut Pair {
        self.pairs.entry((from, to)).or_default()
    }

    fn forget_if_over(&mut self, from: ActorId, to: ActorId) {
        let is_over = self.pairs.get(&(from, to)).is_some_and(|pair| {
            pair.queue.is_empty() && pair.under_way.is_empty() && pair.again_at.is_none()
        });
        if is_over {
            self.pairs.remove(&(from, to));
        }
    }

    /// Whether anything of a pair is left.
    fn is_over(&self, from: ActorId, to: ActorId) -> bool {
        self.pairs.get(&(from, to)).is_none_or(|pair| pair.queue.is_empty() && pair.under_way.is_empty())
    }
}

impl Keeper {
    /// A delivery ended without a commit. What was taken is in [`crate::Mail::taken`] of its commit instead.
    pub fn delivered(&mut self, now: Mono, to: ActorId, from: ActorId, number: u64, end: Undelivered) {
        self.now = now;
        match end {
            Undelivered::Known => self.was_taken(from, to, number),
            Undelivered::Gap => self.rest_pair(from, to, number, limits::GAP_REST),
            Undelivered::Unserved => {
                let pair = self.relay.pair(from, to);
                // Those behind it come back with it: they are one incident.
                if pair.again_at.is_none() {
                    pair.rest = (pair.rest * 2).clamp(limits::REST_FIRST, limits::REST_LONGEST);
                    if pair.rest == limits::REST_LONGEST {
                        tracing::warn!(%from, %to, number, "a message cannot be delivered; it is tried every few seconds");
                    }
                }
                let rest = pair.rest;
                self.rest_pair(from, to, number, rest);
            }
            Undelivered::Failed => self.failed(from, to, number),
        }
    }

    /// Messages are in the outbox: their commit is durable, or they were loaded.
    pub(super) fn in_outbox(&mut self, from: ActorId, numbers: &[u64]) {
        let Some(owned) = self.actors.get(&from) else { return };
        let letters = numbers.iter().filter_map(|number| Some((*number, owned.outbox.get(number)?)));
        let live = letters.filter(|(_, letter)| !letter.is_dead);
        let to: Vec<(u64, ActorId)> = live.map(|(number, letter)| (number, letter.posted.to)).collect();
        for (number, to) in &to {
            self.relay.pair(from, *to).queue.insert(*number);
        }
        let receivers: BTreeSet<ActorId> = to.into_iter().map(|(_, to)| to).collect();
        receivers.into_iter().for_each(|to| self.relay(from, to));
    }

    /// An outbox is not known any more. What is under way goes on.
    pub(super) fn outbox_gone(&mut self, from: ActorId, outbox: &BTreeMap<u64, Letter>) {
        let receivers: BTreeSet<ActorId> = outbox.values().map(|letter| letter.posted.to).collect();
        for to in receivers {
            self.relay.pair(from, to).queue.clear();
            self.relay.forget_if_over(from, to);
        }
    }

    /// A message was taken, and all of its pair before it.
    pub(super) fn was_taken(&mut self, from: ActorId, to: ActorId, number: u64) {
        let pair = self.relay.pair(from, to);
        let done: Vec<u64> = pair.queue.range(..=number).copied().collect();
        pair.under_way = pair.under_way.split_off(&(number + 1));
        pair.queue = pair.queue.split_off(&(number + 1));
        pair.rest = Duration::ZERO;
        pair.suspect = pair.suspect.filter(|suspect| *suspect > number);
        let (mut count, mut bytes) = (0, 0);
        if let Some(owned) = self.actors.get_mut(&from) {
            for number in done {
                if owned.outbox.get(&number).is_some_and(|letter| letter.is_dead) {
                    continue;
                }
                if let Some(letter) = owned.outbox.remove(&number) {
                    owned.settling.insert(number, to);
                    count += 1;
                    bytes += letter.bytes();
                }
            }
        }
        if count > 0 {
            self.counters.letters_taken += u64::try_from(count).unwrap_or(u64::MAX);
            self.events.push_back(Event::Acknowledged { actor: from, count, bytes });
            self.settle_soon(from);
        }
        self.relay(from, to);
        self.relay.forget_if_over(from, to);
        // The row may have left before, in a life of the sender that did not hear of this.
        self.go_on(from);
    }

    fn failed(&mut self, from: ActorId, to: ActorId, number: u64) {
        self.counters.letters_failed += 1;
        let mut rest = limits::REST_FIRST;
        if let Some(owned) = self.actors.get_mut(&from)
            && let Some(letter) = owned.outbox.get_mut(&number)
        {
            letter.tries += 1;
            letter.is_dead = letter.tries >= limits::TRIES_MAX;
            rest = limits::REST_FIRST * 2u32.pow(letter.tries.min(limits::TRIES_MAX));
            owned.changed.insert(number);
            if letter.is_dead {
                let (operation, tries) = (letter.posted.operation, letter.tries);
                tracing::error!(%from, %to, number, %operation, tries, "a message is a dead letter: its receiver failed each time");
                self.counters.letters_died += 1;
            }
            self.settle_now(from);
        }
        self.relay.pair(from, to).suspect = Some(number);
        self.rest_pair(from, to, number, rest);
    }

    /// A dead letter is one in the store, too: those behind it go on.
    pub(super) fn buried(&mut self, from: ActorId, to: ActorId, number: u64) {
        let pair = self.relay.pair(from, to);
        pair.queue.remove(&number);
        pair.suspect = pair.suspect.filter(|suspect| *suspect != number);
        self.relay(from, to);
        self.relay.forget_if_over(from, to);
    }

    /// A delivery is over; the pair goes on after a rest.
    fn rest_pair(&mut self, from: ActorId, to: ActorId, number: u64, rest: Duration) {
        let at = self.now + rest;
        let pair = self.relay.pair(from, to);
        pair.under_way.remove(&number);
        if pair.again_at.is_none() {
            pair.again_at = Some(at);
            self.relay.timers.insert((at, from, to));
        }
    }

    /// Lets pairs go on that have rested.
    pub(super) fn relay_rested(&mut self) {
        while let Some((at, from, to)) = self.relay.timers.first().copied() {
            if at > self.now {
                return;
            }
            self.relay.timers.pop_first();
            self.relay.pair(from, to).again_at = None;
            self.relay(from, to);
            self.relay.forget_if_over(from, to);
        }
    }

    /// Delivers what can be delivered of a pair.
    fn relay(&mut self, from: ActorId, to: ActorId) {
        let Some(owned) = self.actors.get(&from) else { return };
        let pair = self.relay.pair(from, to);
        if pair.again_at.is_some() {
            return;
        }
        let window = if pair.suspect.is_some() { 1 } else { limits::WINDOW };
        while pair.under_way.len() < window {
            let next = pair.queue.iter().copied().find(|number| !pair.under_way.contains(number));
            let Some(number) = next else { return };
            let Some(letter) = owned.outbox.get(&number) else {
                pair.queue.remove(&number);
                continue;
            };
            if letter.is_dead {
                // Those behind it go on once a commit says so: after a restart it would be taken for one that was taken.
                return;
            }
            let posted = letter.posted.clone();
            if !pair.under_way.is_empty() && pair.priority != Some(posted.priority) {
                return;
            }
            pair.priority = Some(posted.priority);
            pair.under_way.insert(number);
            let after = pair.queue.range(..number).next_back().copied().unwrap_or(0);
            self.events.push_back(Event::Deliver { from, number, after, posted });
        }
    }

    /// A message has left the outbox of its sender. If it was the last one, its receiver needs the mark no more.
    pub(super) fn sender_settled(&mut self, from: ActorId, to: ActorId, number: u64) {
        if !self.relay.is_over(from, to) {
            return;
        }
        if let Some(receiver) = self.actors.get_mut(&to)
            && receiver.marks.get(&from) == Some(&number)
        {
            receiver.unneeded.insert(from, number);
            self.settle_soon(to);
        }
    }

    /// Messages that are tried no more, by sender and number; at most [`limits::DEAD_LETTERS_LISTED_MAX`].
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        let letters = self.actors.iter().flat_map(|(from, owned)| {
            let dead = owned.outbox.iter().filter(|(_, letter)| letter.is_dead);
            dead.map(|(number, letter)| DeadLetter {
                from: *from,
                number: *number,
                tries: letter.tries,
                posted: letter.posted.clone(),
            })
        });
        letters.take(limits::DEAD_LETTERS_LISTED_MAX).collect()
    }

    /// Sends a dead letter again, under a new number: behind what its sender sent since. False: there is none.
    pub fn replay(&mut self, now: Mono, from: ActorId, number: u64) -> bool {
        self.now = now;
        let Some(owned) = self.actors.get_mut(&from) else { return false };
        if !owned.outbox.get(&number).is_some_and(|letter| letter.is_dead) {
            return false;
        }
        owned.again.insert(number);
        self.settle_now(from);
        true
    }

    /// Messages in all outboxes.
    #[must_use]
    pub fn letters(&self) -> usize {
        self.actors.values().map(|owned| owned.outbox.len()).sum()
    }
}
