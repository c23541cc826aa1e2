//! What outboxes and inboxes leave behind: rows of messages that were taken, tries that failed, marks that nobody needs.
//!
//! *Responsible for*: taking them along in the actor's next commit, or making one when none comes.
//! *Not responsible for*: when a message was taken (`relay`).
//!
//! Invariants:
//! - I1: a row leaves an outbox only after a commit of the receiver that holds the mark.
//! - I2: what could not be settled is settled after the next load: the message is delivered once more, and is known.

use std::collections::BTreeMap;

use lightmoon_contract::{ActorId, Mono};
use lightmoon_store::{Change, Row};

use super::commit::Work;
use super::{Event, Keeper, Owned};
use crate::limits;
use crate::mail::{self, Letter};

/// What one commit settles.
#[derive(Debug, Default)]
pub(super) struct Settlement {
    /// Rows that leave the outbox: number and receiver.
    rows: BTreeMap<u64, ActorId>,
    /// Dead letters under their new numbers: old and new.
    again: Vec<(u64, u64)>,
    /// Letters that are dead from now on: number and receiver.
    dead: Vec<(u64, ActorId)>,
    /// Marks that go: sender and number.
    marks: Vec<(ActorId, u64)>,
}

impl Owned {
    pub(super) fn has_settlement(&self) -> bool {
        !self.settling.is_empty()
            || !self.changed.is_empty()
            || !self.again.is_empty()
            || !self.unneeded.is_empty()
    }

    /// Takes along what is to be settled. `number` gives numbers to letters that are sent again.
    pub(super) fn settle(
        &mut self,
        taken: &[(ActorId, u64)],
        mut number: impl FnMut() -> u64,
        changes: &mut Vec<Change>,
    ) -> Settlement {
        let mut settlement = Settlement { rows: std::mem::take(&mut self.settling), ..Settlement::default() };
        changes.extend(settlement.rows.keys().map(|number| Change::Delete(Letter::key(*number))));
        // Letters are written whole, so only so many in one commit: the rest in the next one.
        let mut room = limits::SETTLED_BYTES_MAX;
        while room > 0
            && let Some(old) = self.again.pop_first()
        {
            let Some(letter) = self.outbox.get(&old).filter(|letter| letter.is_dead) else { continue };
            room = room.saturating_sub(letter.posted.arguments.len() + 64);
            let new = number();
            let letter = Letter { tries: 0, is_dead: false, ..letter.clone() };
            changes.push(Change::Delete(Letter::key(old)));
            changes.push(Change::Put(Row { key: Letter::key(new), value: letter.seal() }));
            settlement.again.push((old, new));
        }
        while room > 0
            && let Some(changed) = self.changed.pop_first()
        {
            let is_sent_again = settlement.again.iter().any(|(old, _)| *old == changed);
            if let Some(letter) = self.outbox.get(&changed).filter(|_| !is_sent_again) {
                room = room.saturating_sub(letter.posted.arguments.len() + 64);
                changes.push(Change::Put(Row { key: Letter::key(changed), value: letter.seal() }));
                if letter.is_dead {
                    settlement.dead.push((changed, letter.posted.to));
                }
            }
        }
        for (from, number) in std::mem::take(&mut self.unneeded) {
            let has_moved = self.marks.get(&from) != Some(&number) || taken.iter().any(|(of, _)| *of == from);
            if !has_moved {
                changes.push(Change::Delete(mail::mark_key(from)));
                settlement.marks.push((from, number));
            }
        }
        settlement
    }
}

impl Keeper {
    /// Something of an actor is to be settled; its next commit may take it along.
    pub(super) fn settle_soon(&mut self, actor: ActorId) {
        let at = self.now + limits::SETTLE_AFTER;
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        if owned.settles_at.is_none() {
            owned.settles_at = Some(at);
            self.settle_timers.insert((at, actor));
        }
    }

    /// Something of an actor is to be settled at once.
    pub(super) fn settle_now(&mut self, actor: ActorId) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let is_queued = owned.queue.iter().any(|work| matches!(work, Work::Commit { .. } | Work::Settle));
        if owned.has_settlement() && !is_queued {
            owned.queue.push_back(Work::Settle);
        }
        self.go_on(actor);
    }

    /// Settles what waited long enough.
    pub(super) fn settle_due(&mut self, now: Mono) {
        while let Some((at, actor)) = self.settle_timers.first().copied() {
            if at > now {
                return;
            }
            self.settle_timers.pop_first();
            if let Some(owned) = self.actors.get_mut(&actor) {
                owned.settles_at = owned.settles_at.filter(|settles_at| *settles_at > at);
                self.settle_now(actor);
            }
        }
    }

    /// A commit with this in it is durable.
    pub(super) fn settled(&mut self, actor: ActorId, settlement: Settlement) {
        let Settlement { rows, again, dead, marks } = settlement;
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let mut numbers = Vec::new();
        for (old, new) in again {
            if let Some(letter) = owned.outbox.remove(&old) {
                owned.outbox.insert(new, Letter { tries: 0, is_dead: false, ..letter });
                numbers.push(new);
            }
        }
        for (from, number) in marks {
            if owned.marks.get(&from) == Some(&number) {
                owned.marks.remove(&from);
                self.events.push_back(Event::Settled { actor, from, number });
            }
        }
        self.in_outbox(actor, &numbers);
        for (number, to) in dead {
            self.buried(actor, to, number);
        }
        for (number, to) in rows {
            self.sender_settled(actor, to, number);
        }
        if self.actors.get(&actor).is_some_and(|owned| !owned.again.is_empty() || !owned.changed.is_empty()) {
            self.settle_now(actor);
        }
    }
}
