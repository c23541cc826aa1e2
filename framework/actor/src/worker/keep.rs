//! Actors that are kept: loading them, when they are saved, what waits for that.
//!
//! *Responsible for*: the life of an actor between worker and store; how it begins in `load`. *Not responsible for*: the order in which what it
//! sends leaves ([`crate::gate`]), commits on their way (`durable`).
//!
//! ```text
//! first message ─► Out::Load ─► In::Loaded ─► restore ─► operations ─► save ─► Out::Commit ─► In::Committed ─► the gate opens
//!                    messages wait                        none: nothing · behind: within flush_after · sync: with this turn
//! ```
//!
//! Invariants:
//! - I1: one commit of an actor is under way at a time; operations that run meanwhile are in the next one. Only the last
//!   commit of an activation that ends may follow at once.
//! - I2: an activation is saved between two operations, never while one waits.
//! - I3: what an operation sends while it waits for its own requests is not held by its own effect: an operation with
//!   `sync` that waits has its effect after its last wait.
//! - I4: an operation that waits begins only when every `sync` effect before it is in a commit.

mod load;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lightmoon_contract::operation::Durability;
use lightmoon_contract::{ActorId, CallError, Caller, Mono, OperationNumber, OperationSpec};

use super::Worker;
use super::mail::Trace;
use super::places::State;
use crate::gate::{Gate, Sent};
use crate::keep::{Commit, Keeping, Kept, Logged, Parcel, Save};
use crate::mail::Mail;
use crate::replies::Replies;
use crate::timers::Due;
use crate::{Activation, DeliveryEnd, Envelope, Out, ReplyTo, Step, StoreState, limits};

/// What a worker knows of an actor that is kept. Outlives its activation while commits are under way.
#[derive(Debug)]
pub(super) struct Keep {
    keeping: Keeping,
    operations: &'static [OperationSpec],
    pub(super) gate: Gate,
    /// Commits handed out whose outcome is to come.
    in_flight: u32,
    /// Whether `behind` effects are not handed out yet.
    is_behind: bool,
    /// When they are saved at the latest.
    flush_at: Mono,
    /// Whether a commit is due; made as soon as none is under way and no operation waits.
    wants_commit: bool,
    /// Whether it stands in the list of those that want a commit.
    is_listed: bool,
    wants_snapshot: bool,
    snapshot_in_flight: bool,
    /// The snapshot that it wants is one beside those that it makes every so often.
    is_extra_snapshot: bool,
    log: Vec<Logged>,
    pub(super) mail: Mail,
    pub(super) replies: Replies,
    /// Operations that ended since the last save.
    served: u32,
    /// It could not be saved after several messages were taken: one at a time until a commit went through, so that the one
    /// that cannot be saved is known.
    is_careful: bool,
    /// Bytes of its last save: an estimate of what is not saved.
    bytes: usize,
    /// What of it stands in the worker's sum of unsaved bytes.
    summed: usize,
    /// Why its stored state could not be read.
    pub(super) is_unreadable: bool,
}

impl Keep {
    fn new(keeping: Keeping, operations: &'static [OperationSpec]) -> Self {
        Self {
            keeping,
            operations,
            gate: Gate::new(),
            in_flight: 0,
            is_behind: false,
            flush_at: Mono(0),
            wants_commit: false,
            is_listed: false,
            wants_snapshot: false,
            snapshot_in_flight: false,
            is_extra_snapshot: false,
            log: Vec::new(),
            mail: Mail::default(),
            replies: Replies::default(),
            served: 0,
            is_careful: false,
            bytes: 0,
            summed: 0,
            is_unreadable: false,
        }
    }

    fn spec(&self, number: OperationNumber) -> Option<&'static OperationSpec> {
        self.operations.iter().find(|spec| spec.number == number)
    }

    /// How the effects of an operation are kept. Messages of the framework are as `behind`.
    pub(super) fn durability(&self, number: OperationNumber) -> Durability {
        if number.is_reserved() {
            return Durability::Behind;
        }
        self.spec(number).map_or(Durability::None, |spec| spec.durability)
    }

    /// Whether its state is in snapshots, and only effects of some operations in commits.
    pub(super) const fn has_snapshots(&self) -> bool {
        self.keeping.snapshot_every.is_some()
    }

    /// How many messages that take effect exactly once may be sent now, by this operation or by something that is none;
    /// `None`: none, since what happens now is in no commit.
    fn room(&self, number: Option<OperationNumber>) -> Option<(usize, usize)> {
        let spec = number.and_then(|number| self.spec(number));
        let is_in_commit = spec.is_some_and(|spec| spec.durability == Durability::Sync || spec.exactly_once);
        (is_in_commit || !self.has_snapshots()).then(|| self.mail.room())
    }

    /// How much of an operation's effect a crash may take, in time.
    fn max_loss(&self, number: OperationNumber) -> Duration {
        self.spec(number).map_or(Duration::MAX, |spec| Duration::from_millis(spec.max_loss_ms.into()))
    }

    /// Whether an operation stands in the log of the actor.
    pub(super) fn is_logged(&self, number: OperationNumber) -> bool {
        self.spec(number).is_some_and(|spec| spec.logged)
    }

    /// Whether an operation comes too early: it waits, and what it asks others would wait for effects that are in no commit
    /// and come into none as long as it waits.
    pub(super) fn is_too_early(&self, number: OperationNumber) -> bool {
        self.gate.is_dirty() && self.waits(number)
    }

    /// Whether an operation waits for others.
    pub(super) fn waits(&self, number: OperationNumber) -> bool {
        self.spec(number).is_some_and(|spec| spec.waits)
    }

    /// Whether so much waits for a commit that nothing more is served.
    pub(super) fn is_choked(&self) -> bool {
        self.gate.held() >= limits::HELD_PER_ACTOR_MAX
            || self.log.len() >= limits::LOGGED_PER_COMMIT_MAX
            || self.mail.is_full()
            || self.replies.is_full()
            || (self.is_careful && self.mail.has_taken())
    }

    /// The commit of everything so far.
    fn commit(&mut self, now: Mono, actor: ActorId, parcel: Option<Parcel>) -> Commit {
        self.in_flight += 1;
        let is_urgent = self.gate.is_dirty();
        let number = self.gate.commit();
        let log = std::mem::take(&mut self.log);
        let (posted, taken) = self.mail.commit();
        let (replies, forgotten) = self.replies.commit(now);
        Commit { actor, number, is_urgent, parcel, log, posted, taken, replies, forgotten }
    }

    /// Whether nothing of it has to be remembered without an activation.
    fn is_quiet(&self) -> bool {
        self.in_flight == 0 && self.gate.is_quiet()
    }

    pub(super) const fn unsaved_bytes(&self) -> usize {
        if self.is_behind || self.gate.is_dirty() { self.bytes + limits::UNSAVED_BYTES_MIN } else { 0 }
    }
}

/// What an operation that ended was.
pub(super) struct Ended {
    pub(super) number: OperationNumber,
    pub(super) caller: Caller,
    /// Its arguments, if it is logged.
    pub(super) arguments: Option<bytes::Bytes>,
    pub(super) trace: Trace,
}

impl Worker {
    /// Whether an operation may not have its effect now, since it could not be kept.
    pub(super) fn unkeepable(&mut self, index: u32, number: OperationNumber) -> bool {
        let store = self.store;
        let Some(keep) = &self.places.at(index).keep else { return false };
        if number.is_reserved() {
            return false;
        }
        match keep.durability(number) {
            Durability::None => false,
            Durability::Behind => store.is_full,
            Durability::Sync => store.is_away || store.is_full,
        }
    }

    /// What an operation sends from now on is looked at when it waits or ends, if its actor is kept.
    pub(super) fn begin_segment(&mut self, index: u32, number: Option<OperationNumber>) {
        if let Some(keep) = &self.places.at(index).keep {
            self.port.begin_segment(keep.room(number));
        }
    }

    /// An operation waits: what was sent waits for earlier effects only.
    pub(super) fn pause_segment(&mut self, index: u32) {
        let segment = self.port.end_segment();
        if segment.is_empty() {
            return;
        }
        for sent in self.keep_posted(index, segment) {
            self.send(index, sent);
        }
    }

    /// Something that is no operation ended: what was sent waits for earlier effects only.
    pub(super) fn end_segment(&mut self, index: u32) {
        self.pause_segment(index);
        if let Some(keep) = &mut self.places.at(index).keep {
            keep.mail.seal();
            if keep.mail.has_news() {
                self.became_behind(index, Duration::MAX);
            }
        }
    }

    /// What was sent never leaves.
    pub(super) fn drop_segment(&mut self) {
        for sent in self.port.end_segment() {
            self.discard(sent, &CallError::Panicked);
        }
    }

    /// An operation ended: it had its effect, and what it sent in its last stretch may tell of that.
    pub(super) fn operation_ended(&mut self, index: u32, ended: Ended, answer: Sent) {
        let segment = self.port.end_segment();
        let segment = self.keep_posted(index, segment);
        if let Sent::Answer(_, result) = &answer
            && !self.note_served(index, ended.number, ended.trace, result)
        {
            return self.leaves(answer);
        }
        let Some(keep) = &mut self.places.at(index).keep else {
            return self.leaves(answer);
        };
        keep.mail.seal();
        keep.served += 1;
        match keep.durability(ended.number) {
            Durability::None if keep.mail.has_news() => self.became_behind(index, Duration::MAX),
            Durability::None => {}
            Durability::Behind => {
                let max_loss = keep.max_loss(ended.number);
                self.became_behind(index, max_loss);
            }
            Durability::Sync => {
                keep.gate.dirtied();
                keep.wants_commit = true;
                if let Some(entry) = logged(ended, &answer) {
                    keep.log.push(entry);
                }
                self.sum_unsaved(index);
                self.list(index);
            }
        }
        segment.into_iter().for_each(|sent| self.send(index, sent));
        if matches!(answer, Sent::Answer(ReplyTo::Nobody, _)) {
            // It tells nobody of anything.
            self.leaves(answer);
        } else {
            self.send(index, answer);
        }
        if let Some(keep) = &mut self.places.at(index).keep
            && (keep.mail.is_full() || keep.replies.is_full())
        {
            keep.wants_commit = true;
            self.list(index);
        }
    }

    /// Effects are there that the next flush saves, at most `max_loss` from now.
    pub(super) fn became_behind(&mut self, index: u32, max_loss: Duration) {
        let slot = self.places.slot(index);
        let now = self.port.now();
        let Some(keep) = &mut self.places.at(index).keep else { return };
        // The snapshots of a world hold them, but for what has to be in a commit.
        if keep.has_snapshots() && !keep.mail.has_news() {
            return;
        }
        let at = now + keep.keeping.flush_after.min(max_loss);
        if !std::mem::replace(&mut keep.is_behind, true) || at < keep.flush_at {
            keep.flush_at = at;
            self.port.set_timer(slot, at, Due::Save(slot));
        }
        self.sum_unsaved(index);
    }

    /// It is time to save what is behind.
    pub(super) fn flush_due(&mut self, index: u32) {
        if let Some(keep) = &mut self.places.at(index).keep
            && keep.is_behind
        {
            keep.wants_commit = true;
            self.list(index);
        }
    }

    /// It is time for a copy of the world.
    pub(super) fn snapshot_due(&mut self, index: u32) {
        if let Some(keep) = &mut self.places.at(index).keep {
            keep.wants_snapshot = true;
            keep.is_extra_snapshot = false;
            keep.wants_commit = true;
            self.list(index);
        }
    }

    /// Makes a snapshot of every world of this worker that lives, beside those that it makes every so often.
    pub(super) fn snapshot_all(&mut self) {
        for index in self.places.by_actor() {
            let place = self.places.at(index);
            let is_alive = matches!(place.state, State::Idle(_) | State::Waiting(_));
            let Some(keep) = place.keep.as_mut().filter(|keep| is_alive && keep.has_snapshots()) else {
                continue;
            };
            if !std::mem::replace(&mut keep.wants_snapshot, true) {
                keep.is_extra_snapshot = true;
            }
            keep.wants_commit = true;
            self.list(index);
        }
    }

    /// Puts an actor into the list of those that want a commit.
    fn list(&mut self, index: u32) {
        if let Some(keep) = &mut self.places.at(index).keep
            && !std::mem::replace(&mut keep.is_listed, true)
        {
            self.unsaved.push(index);
        }
    }

    /// Lists an actor that wants a commit and could not have one before.
    pub(super) fn list_if_wanted(&mut self, index: u32) {
        if self.places.at(index).keep.as_ref().is_some_and(|keep| keep.wants_commit) {
            self.list(index);
        }
    }

    /// Saves those that want it and can: at the end of a turn, so that its operations share a commit.
    pub(super) fn save_listed(&mut self) {
        for index in std::mem::take(&mut self.unsaved) {
            let place = self.places.at(index);
            let Some(keep) = &mut place.keep else { continue };
            keep.is_listed = false;
            if !keep.wants_commit || keep.in_flight > 0 || !matches!(place.state, State::Idle(_)) {
                continue;
            }
            if let State::Idle(activation) = self.places.set_state(index, State::Running)
                && let Some(activation) = self.save(index, activation)
            {
                self.places.set_state(index, State::Idle(activation));
                self.release(index);
            }
        }
    }

    /// Saves an activation. `None`: it could not be, and has ended.
    pub(super) fn save(
        &mut self,
        index: u32,
        mut activation: Box<dyn Activation>,
    ) -> Option<Box<dyn Activation>> {
        let Some(keep) = &mut self.places.at(index).keep else { return Some(activation) };
        keep.wants_commit = false;
        let what = Save { snapshot: keep.wants_snapshot && !keep.snapshot_in_flight };
        let began = self.begins(index, Step::Save);
        let saved = catch_unwind(AssertUnwindSafe(|| activation.save(what)));
        self.ended(index, Step::Save, began);
        match saved {
            Ok(Ok(kept)) => {
                self.hand_out(index, kept, what);
                Some(activation)
            }
            Ok(Err(why)) => {
                self.port.contain(|| drop(activation));
                self.fail(index, Step::Save, Box::new(why.0));
                None
            }
            Err(payload) => {
                self.port.contain(|| drop(activation));
                self.fail(index, Step::Save, payload);
                None
            }
        }
    }

    /// The last save of an activation that ends, whatever is under way. `None`: it failed, and the activation has ended.
    pub(super) fn save_last(
        &mut self,
        index: u32,
        activation: Box<dyn Activation>,
    ) -> Option<Box<dyn Activation>> {
        let Some(keep) = &mut self.places.at(index).keep else { return Some(activation) };
        if keep.keeping.snapshot_every.is_some() {
            // One that is under way does not show what happened since.
            (keep.wants_snapshot, keep.snapshot_in_flight) = (true, false);
        }
        self.save(index, activation)
    }

    fn hand_out(&mut self, index: u32, kept: Kept, what: Save) {
        let slot = self.places.slot(index);
        let now = self.port.now();
        let place = self.places.at(index);
        let actor = place.actor;
        let Some(keep) = &mut place.keep else { return };
        keep.is_behind = false;
        keep.served = 0;
        let mut next_snapshot = None;
        if what.snapshot {
            keep.wants_snapshot = false;
            keep.snapshot_in_flight = kept.parcel.is_some();
            // The next of those that it makes every so often is under way to it already.
            let is_extra = std::mem::take(&mut keep.is_extra_snapshot);
            next_snapshot = keep.keeping.snapshot_every.filter(|_| !is_extra).map(|every| now + every);
        }
        if kept.in_commit || !keep.log.is_empty() || keep.mail.has_news() || keep.replies.is_full() {
            keep.bytes = kept.bytes;
            let commit = keep.commit(now, actor, kept.parcel);
            self.port.count(|counters| counters.commits += 1);
            self.port.put_out(Out::Commit(commit));
        } else {
            let released = keep.gate.nothing_to_commit();
            if let Some(parcel) = kept.parcel {
                self.port.put_out(Out::Snapshot { actor, parcel });
            }
            released.into_iter().for_each(|sent| self.leaves(sent));
        }
        if let Some(at) = next_snapshot {
            self.port.set_timer(slot, at, Due::Snapshot(slot));
        }
        self.sum_unsaved(index);
    }

    /// A commit is durable.
    pub(super) fn committed(&mut self, actor: ActorId, number: u64) {
        let Some(index) = self.places.find(actor) else { return };
        let Some(keep) = &mut self.places.at(index).keep else { return };
        keep.in_flight = keep.in_flight.saturating_sub(1);
        keep.is_careful = false;
        for sent in keep.gate.committed(number) {
            self.leaves(sent);
        }
        self.list_if_wanted(index);
        self.release(index);
        self.forget_keep(index);
    }

    /// A snapshot is published, or given up.
    pub(super) fn snapshotted(&mut self, actor: ActorId) {
        let Some(index) = self.places.find(actor) else { return };
        let Some(keep) = &mut self.places.at(index).keep else { return };
        keep.snapshot_in_flight = false;
        if keep.wants_snapshot {
            // It was due meanwhile.
            keep.wants_commit = true;
            self.list(index);
        }
    }

    /// The actor was claimed by another, or a commit of it can never be: nothing of this activation counts any more.
    pub(super) fn lost(&mut self, actor: ActorId, message: String) {
        let Some(index) = self.places.find(actor) else { return };
        if let Some(keep) = &mut self.places.at(index).keep {
            (keep.in_flight, keep.snapshot_in_flight) = (0, false);
            for sent in keep.gate.lose() {
                self.discard(sent, &CallError::Gone);
            }
            self.sum_unsaved(index);
        }
        let alive = matches!(self.places.at(index).state, State::Idle(_) | State::Waiting(_));
        if alive {
            let state = self.places.set_state(index, State::Running);
            let reply_to = match &state {
                State::Waiting(task) => Some(task.reply_to),
                State::Empty
                | State::Loading
                | State::Idle(_)
                | State::Running
                | State::Resting
                | State::SetAside => None,
            };
            self.port.contain(|| drop(state));
            self.fail(index, Step::Lost, Box::new(message));
            if let Some(reply_to) = reply_to {
                self.port.answer(reply_to, Err(CallError::Gone));
            }
        }
        self.forget_keep(index);
    }

    /// What a failed save says of the messages that were taken since the last one: only one that was served alone is to blame.
    pub(super) fn blame_for_save(&mut self, index: u32) -> DeliveryEnd {
        match &mut self.places.at(index).keep {
            Some(keep) if keep.served > 1 => {
                keep.is_careful = true;
                DeliveryEnd::Unserved
            }
            Some(_) | None => DeliveryEnd::Failed,
        }
    }

    /// What effects that were never handed out told of never leaves.
    pub(super) fn forget_unsaved(&mut self, index: u32, error: &CallError, end: DeliveryEnd) {
        self.undo_mail(index, end);
        let Some(keep) = &mut self.places.at(index).keep else { return };
        keep.log.clear();
        keep.served = 0;
        keep.is_behind = false;
        keep.wants_commit = false;
        keep.wants_snapshot = false;
        keep.is_unreadable = false;
        for sent in keep.gate.forget_uncommitted() {
            self.discard(sent, error);
        }
        self.sum_unsaved(index);
    }

    /// Forgets what was kept of an actor without an activation, once its commits are through.
    pub(super) fn forget_keep(&mut self, index: u32) {
        let place = self.places.at(index);
        let is_over = match &place.state {
            State::Empty => place.keep.as_ref().is_some_and(|keep| keep.is_quiet()),
            State::Loading
            | State::Idle(_)
            | State::Running
            | State::Waiting(_)
            | State::Resting
            | State::SetAside => false,
        };
        if is_over {
            let actor = place.actor;
            let summed = place.keep.take().map_or(0, |keep| keep.summed);
            self.unsaved_sum -= summed;
            self.port.put_out(Out::Released(actor));
            self.places.free_if_unused(index);
        }
    }

    /// Bytes of effects that are in no commit yet, about. Cost: none, the sum is kept.
    #[must_use]
    pub const fn unsaved_bytes(&self) -> usize {
        self.unsaved_sum
    }

    /// Whether the sum is what a walk over all actors finds, looked at where there are few; for debug builds.
    pub(super) fn is_summed(&self) -> bool {
        const WALKED_MAX: usize = 256;
        self.places.known() > WALKED_MAX
            || self.unsaved_sum == self.places.keeps().map(Keep::unsaved_bytes).sum::<usize>()
    }

    /// What is unsaved of an actor may have changed.
    fn sum_unsaved(&mut self, index: u32) {
        if let Some(keep) = &mut self.places.at(index).keep {
            let unsaved = keep.unsaved_bytes();
            self.unsaved_sum = self.unsaved_sum - std::mem::replace(&mut keep.summed, unsaved) + unsaved;
        }
    }

    /// What the store is like from now on.
    pub(super) const fn set_store(&mut self, state: StoreState) {
        self.store = state;
    }

    pub(super) fn send(&mut self, index: u32, sent: Sent) {
        #[cfg(feature = "flaws")]
        match (self.flaw, &sent) {
            (Some(super::Flaw::ReplyBeforeCommit), Sent::Answer(..))
            | (Some(super::Flaw::TellPastGate), Sent::Message(_) | Sent::Out(_)) => return self.leaves(sent),
            (Some(_) | None, _) => {}
        }
        let passed = match &mut self.places.at(index).keep {
            // Answers are never dropped: their effect is there, and operations that are served are bounded, as is what they send.
            Some(keep)
                if keep.gate.held() >= limits::HELD_PER_WORLD_MAX && !matches!(sent, Sent::Answer(..)) =>
            {
                return self.discard(sent, &CallError::Gone);
            }
            Some(keep) => keep.gate.pass(sent),
            None => Some(sent),
        };
        if let Some(sent) = passed {
            self.leaves(sent);
        }
    }

    fn leaves(&self, sent: Sent) {
        match sent {
            Sent::Message(envelope) => self.port.enqueue(envelope),
            Sent::Out(envelope) => self.port.leave(envelope),
            Sent::Answer(reply_to, result) => self.port.answer(reply_to, result),
            // They were taken out of the segment before.
            Sent::Posted(_) => {}
        }
    }

    fn discard(&self, sent: Sent, error: &CallError) {
        self.port.count(|counters| counters.discarded += 1);
        match sent {
            Sent::Message(envelope) => self.discard_message(envelope),
            Sent::Out(envelope) => self.discard_message(envelope),
            Sent::Posted(_) => {}
            Sent::Answer(reply_to, result) => {
                self.port.contain(|| drop(result));
                self.port.answer(reply_to, Err(error.clone()));
            }
        }
    }

    fn discard_message(&self, envelope: Envelope) {
        self.port.refuse(envelope, CallError::Gone);
    }

    /// Messages and answers that wait for commits.
    #[must_use]
    pub fn held(&self) -> usize {
        self.places.keeps().map(|keep| keep.gate.held()).sum()
    }
}

fn logged(ended: Ended, answer: &Sent) -> Option<Logged> {
    let Ended { number, caller, arguments, .. } = ended;
    let (Some(arguments), Sent::Answer(_, Ok(Some(lightmoon_contract::Body::Bytes(reply))))) =
        (arguments, answer)
    else {
        return None;
    };
    Some(Logged { caller, number, arguments, reply: reply.clone() })
}
