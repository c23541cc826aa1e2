//! Commits of one actor: made, sent, and found out about.
//!
//! *Responsible for*: the condition and rows of a commit, what each outcome means. *Not responsible for*: when there is
//! something to commit (the worker), chunks of snapshots (`snapshot`).
//!
//! | outcome | then |
//! |---|---|
//! | done | the next commit |
//! | refused | somebody else owns the actor: its activation is lost |
//! | unknown | a serial read of the head: `seq = n + 1` → it happened; `seq = n` in our epoch → the same once more; else lost |
//! | unavailable | the same once more, when the store is back |
//! | damaged | lost: what is stored of the actor cannot be relied on |
//!
//! Invariants:
//! - I1: a commit that may be under way is sent again only after a serial read that does not show it.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use lightmoon_contract::{ActorId, Mono, NetId, codec, data};
use lightmoon_store::{
    Area, Change, Condition, Done, Field, Head, Is, KeyRange, Outcome, Request, Row, Test,
};

use super::settle::Settlement;
use super::traffic::Purpose;
use super::{Event, Keeper, Owned};
use crate::layout::{self, Section};
use crate::manifest::Entry;
use crate::{Letter, LogEntry, Mail, Posted, Reply, Saved, limits, mail, record};

/// The name of log rows in the store.
pub(crate) const LOG_NAME: &str = "operation";

/// Rows that one commit deletes because snapshots cover them; the rest waits for the next snapshot.
const COVERED_PER_COMMIT_MAX: usize = 8 * 1024;

/// A log row as it is stored.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct LogRow {
    pub(crate) player: u64,
    pub(crate) operation: u16,
    pub(crate) arguments: Vec<u8>,
    pub(crate) reply: Vec<u8>,
}

/// Something to commit.
#[derive(Debug)]
pub(super) enum Work {
    /// What an activation saved.
    Commit { number: u64, is_urgent: bool, saved: Saved, log: Vec<LogEntry>, mail: Mail, bytes: usize },
    /// What outbox and inbox leave behind.
    Settle,
    /// A snapshot whose parts are all there, and how many ids were given when it was copied.
    Manifest { entry: Entry, ids: u64 },
}

impl Work {
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Commit { bytes, .. } => *bytes,
            Self::Manifest { .. } | Self::Settle => 0,
        }
    }

    /// Messages that are taken in it: of whom, and their numbers.
    pub(super) fn taken(&self) -> Vec<(ActorId, u64)> {
        match self {
            Self::Commit { mail, .. } => mail.taken.clone(),
            Self::Manifest { .. } | Self::Settle => Vec::new(),
        }
    }

    fn posts(&self) -> bool {
        match self {
            Self::Commit { mail, .. } => !mail.posted.is_empty(),
            Self::Manifest { .. } | Self::Settle => false,
        }
    }
}

/// A commit under way.
#[derive(Debug)]
pub(super) struct Flight {
    request: Request,
    effect: Effect,
    bytes: usize,
    since: Mono,
}

impl Flight {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Messages that are taken in it.
    pub(super) fn taken(&self) -> Vec<(ActorId, u64)> {
        match &self.effect {
            Effect::Saved { taken, .. } => taken.clone(),
            Effect::Published { .. } | Effect::Settled(_) => Vec::new(),
        }
    }
}

/// What a commit means once it happened.
#[derive(Debug)]
enum Effect {
    Saved { number: u64, posted: Vec<(u64, Letter)>, taken: Vec<(ActorId, u64)>, settlement: Settlement },
    Published { entry: Entry, covered: Vec<NetId> },
    Settled(Settlement),
}

impl Keeper {
    /// Sends the next commit of an actor, if none is under way.
    pub(super) fn send_next_commit(&mut self, actor: ActorId) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        if owned.flight.is_some() || owned.load.is_some() {
            return;
        }
        let waits_for_first =
            owned.awaits_first && !matches!(owned.queue.front(), Some(Work::Manifest { .. }));
        if waits_for_first
            && let Some(at) = owned.queue.iter().position(|work| matches!(work, Work::Manifest { .. }))
        {
            // The first snapshot goes before what happened since: without it those would be laid over nothing.
            if let Some(manifest) = owned.queue.remove(at) {
                owned.queue.push_front(manifest);
                // The commits that it overtook, and that a copy after it shows, get the number after theirs.
                if let Some(copied) = &mut owned.next_copy {
                    copied.seq += 1;
                }
            }
        } else if waits_for_first {
            return;
        }
        if owned.queue.front().is_some_and(Work::posts) && !self.is_listed(actor) {
            return;
        }
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let Some(work) = owned.queue.pop_front() else { return };
        let bytes = work.bytes();
        let is_urgent = match &work {
            Work::Commit { is_urgent, .. } => *is_urgent,
            Work::Manifest { .. } | Work::Settle => false,
        };
        let (request, effect) = self.request(actor, work);
        if let Err(why) = request.check() {
            self.bytes = self.bytes.saturating_sub(bytes);
            if let Effect::Saved { taken, .. } = effect {
                taken.into_iter().for_each(|(from, number)| self.untaken(actor, from, number));
            }
            return self.lose(actor, format!("a commit of actor {actor} cannot be stored: {why}"));
        }
        #[cfg(feature = "flaws")]
        self.relay_too_early(actor, &effect);
        if let Some(owned) = self.actors.get_mut(&actor) {
            let since = self.now;
            owned.flight = Some(Box::new(Flight { request: request.clone(), effect, bytes, since }));
        }
        self.traffic.send(Purpose::Commit(actor), request, is_urgent);
    }

    /// Wrong: messages leave before the commit that decides them.
    #[cfg(feature = "flaws")]
    fn relay_too_early(&mut self, actor: ActorId, effect: &Effect) {
        let Effect::Saved { posted, .. } = effect else { return };
        if !self.has_flaw(super::Flaw::RelayBeforeCommit) {
            return;
        }
        let numbers: Vec<u64> = posted.iter().map(|(number, _)| *number).collect();
        if let Some(owned) = self.actors.get_mut(&actor) {
            owned.outbox.extend(posted.iter().cloned());
        }
        self.in_outbox(actor, &numbers);
    }

    fn request(&mut self, actor: ActorId, work: Work) -> (Request, Effect) {
        #[cfg(feature = "flaws")]
        let (no_fence, left_out, skips_marks) = (
            self.has_flaw(super::Flaw::NoFence),
            self.has_flaw(super::Flaw::EntityLeftOut),
            self.has_flaw(super::Flaw::MarkSkipped),
        );
        #[cfg(not(feature = "flaws"))]
        let (no_fence, left_out, skips_marks) = (false, false, false);
        let owned = self.actors.get_mut(&actor).expect("work belongs to an actor that is known");
        let seq = owned.seq + 1;
        let mut head = vec![(layout::SEQ, seq)];
        let mut changes = Vec::new();
        let effect = match work {
            Work::Commit { number, saved, log, mail, .. } => {
                head.extend(reserved(owned, saved.ids));
                let Saved { state, entities, .. } = saved;
                if let Some(state) = state {
                    put_state(owned, &state, &mut changes);
                }
                for (net, value) in entities.into_iter().filter(|_| !left_out) {
                    owned.entities.insert(net, seq);
                    changes.push(put(Section::State, net.0, 0, entity_row(seq, value.as_ref())));
                }
                for (n, entry) in (0..).zip(log) {
                    changes.push(put(Section::Log, seq, n, log_row(&entry)));
                }
                let mut letters = Letters::of(seq);
                let posted = post(mail.posted, &mut letters, &mut changes);
                let mut marks: BTreeMap<ActorId, u64> = mail.taken.iter().copied().collect();
                marks.retain(|_, _| !skips_marks);
                changes.extend(marks.into_iter().map(|(from, number)| mark(from, number)));
                changes.extend(mail.replies.iter().map(reply));
                changes.extend(
                    mail.forgotten
                        .into_iter()
                        .map(|(session, request)| Change::Delete(mail::reply_key(session, request))),
                );
                let settlement = owned.settle(&mail.taken, || letters.next(), &mut changes);
                Effect::Saved { number, posted, taken: mail.taken, settlement }
            }
            Work::Settle => {
                let mut letters = Letters::of(seq);
                Effect::Settled(owned.settle(&[], || letters.next(), &mut changes))
            }
            Work::Manifest { entry, ids } => {
                // A zone without `sync` operations has no other commits.
                head.extend(reserved(owned, ids));
                let mut next = owned.manifest.clone();
                next.push(entry.clone());
                let covered = covered(owned, next.covered());
                changes.push(put(Section::Manifest, 0, 0, next.seal()));
                let deletes = covered.iter().map(|net| Change::Delete(layout::row(Section::State, net.0, 0)));
                changes.extend(deletes);
                Effect::Published { entry, covered }
            }
        };
        let is = |field, value| Test { field, is: Is::Equal, value };
        let condition = if no_fence {
            Condition::Holds(vec![Test { field: layout::SEQ, is: Is::AtMost, value: u64::MAX }])
        } else {
            Condition::Holds(vec![is(layout::EPOCH, owned.epoch), is(layout::SEQ, owned.seq)])
        };
        let partition = layout::actor(actor);
        (Request::Commit { partition, condition, head: Head::of(head), changes }, effect)
    }

    pub(super) fn commit_outcome(&mut self, actor: ActorId, outcome: Outcome) {
        match outcome {
            Outcome::Done(_) => self.commit_happened(actor),
            Outcome::Refused(head) => self.commit_refused(actor, head.as_ref()),
            Outcome::Unknown => self.find_out(actor),
            Outcome::Damaged => self.lose(actor, damaged(actor)),
            // Handled before.
            Outcome::Unavailable => {}
        }
    }

    fn find_out(&mut self, actor: ActorId) {
        self.counters.unknown += 1;
        #[cfg(feature = "flaws")]
        if self.has_flaw(super::Flaw::BlindRetry) {
            return self.repeat_as_new(actor);
        }
        self.traffic.send(Purpose::Ask(actor), ask(actor), true);
    }

    /// Wrong: the same effects under the next number. The same commit once more would be harmless, its condition holds once.
    #[cfg(feature = "flaws")]
    fn repeat_as_new(&mut self, actor: ActorId) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let Some(flight) = &mut owned.flight else { return };
        owned.seq += 1;
        let seq = owned.seq + 1;
        if let Request::Commit { condition, head, changes, .. } = &mut flight.request {
            *condition =
                Condition::Holds(vec![Test { field: layout::EPOCH, is: Is::Equal, value: owned.epoch }]);
            let ids = head.get(layout::IDS).map(|ids| (layout::IDS, ids));
            *head = Head::of([(layout::SEQ, seq)].into_iter().chain(ids));
            for change in changes {
                if let Change::Put(row) = change
                    && let Some((section, _, n)) = layout::numbers(&row.key)
                    && section == Section::Log as u8
                {
                    row.key = layout::row(Section::Log, seq, n);
                }
            }
        }
        let request = flight.request.clone();
        self.traffic.send(Purpose::Commit(actor), request, true);
    }

    /// A serial read says how far the actor's commits are.
    pub(super) fn ask_outcome(&mut self, now: Mono, actor: ActorId, request: Request, outcome: Outcome) {
        let head = match outcome {
            Outcome::Done(Done::Page(page)) => page.head,
            Outcome::Damaged => return self.lose(actor, damaged(actor)),
            // Reading again is safe.
            Outcome::Unknown | Outcome::Unavailable | Outcome::Done(_) | Outcome::Refused(_) => {
                return self.traffic.send_later(now, Purpose::Ask(actor), request);
            }
        };
        let Some(owned) = self.actors.get(&actor) else { return };
        let (epoch, seq) =
            head.as_ref().map_or((None, None), |head| (head.get(layout::EPOCH), head.get(layout::SEQ)));
        if epoch != Some(owned.epoch) {
            self.commit_refused(actor, head.as_ref());
        } else if seq == Some(owned.seq + 1) {
            self.commit_happened(actor);
        } else if seq == Some(owned.seq)
            && let Some(flight) = &owned.flight
        {
            self.traffic.send(Purpose::Commit(actor), flight.request.clone(), true);
        } else {
            self.commit_refused(actor, head.as_ref());
        }
    }

    fn commit_happened(&mut self, actor: ActorId) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let Some(flight) = owned.flight.take() else { return };
        owned.seq += 1;
        let Flight { request, effect, bytes, since } = *flight;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.counters.commits += 1;
        self.counters.commit_bytes += row_bytes(&request);
        self.commit_times.add(self.now.since(since));
        match effect {
            Effect::Saved { number, posted, taken, settlement } => {
                self.events.push_back(Event::Committed { actor, number });
                self.mail_committed(actor, posted, taken);
                self.settled(actor, settlement);
            }
            Effect::Settled(settlement) => self.settled(actor, settlement),
            Effect::Published { entry, covered } => self.published(actor, entry, &covered),
        }
        self.go_on(actor);
    }

    /// Messages stand in a commit: those that it sent leave, those that it took are done.
    fn mail_committed(&mut self, actor: ActorId, posted: Vec<(u64, Letter)>, taken: Vec<(ActorId, u64)>) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let numbers: Vec<u64> = posted.iter().map(|(number, _)| *number).collect();
        self.counters.letters_posted += numbers.len() as u64;
        owned.outbox.extend(posted);
        for (from, number) in &taken {
            owned.marks.insert(*from, *number);
            owned.unneeded.remove(from);
        }
        self.in_outbox(actor, &numbers);
        for (from, number) in taken {
            self.was_taken(from, actor, number);
        }
    }

    fn commit_refused(&mut self, actor: ActorId, head: Option<&Head>) {
        let epoch = head.and_then(|head| head.get(layout::EPOCH)).unwrap_or(0);
        if self.is_newer(epoch) {
            self.fence(epoch);
        }
        self.lose(actor, format!("actor {actor} was claimed by epoch {epoch}"));
    }
}

fn damaged(actor: ActorId) -> String {
    format!("what is stored of actor {actor} is damaged: restore a copy of the store")
}

/// The field that says up to which one ids may be given before the next commit. A snapshot was copied before commits that
/// overtook it.
fn reserved(owned: &mut Owned, ids: u64) -> Option<(Field, u64)> {
    owned.ids = owned.ids.max(ids);
    (owned.ids > 0).then_some((layout::IDS, owned.ids + limits::IDS_RESERVED))
}

/// Reads the head of an actor and as few rows as possible.
fn ask(actor: ActorId) -> Request {
    let keys = KeyRange { from: Bytes::from_static(&[0xFF]), to: None };
    Request::Read { area: Area::Commits, partition: layout::actor(actor), keys, limit: 1, serial: true }
}

fn put(section: Section, k1: u64, k2: u64, value: Bytes) -> Change {
    Change::Put(Row { key: layout::row(section, k1, k2), value })
}

/// Numbers of messages that one commit sends: they grow from commit to commit and need no counter of their own.
struct Letters {
    last: u64,
}

impl Letters {
    const fn of(seq: u64) -> Self {
        Self { last: seq << limits::LETTER_SHIFT }
    }

    const fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

/// Messages as rows.
fn post(posted: Vec<Posted>, letters: &mut Letters, changes: &mut Vec<Change>) -> Vec<(u64, Letter)> {
    let rows = posted.into_iter().map(|posted| {
        let (number, letter) = (letters.next(), Letter { posted, tries: 0, is_dead: false });
        changes.push(Change::Put(Row { key: Letter::key(number), value: letter.seal() }));
        (number, letter)
    });
    rows.collect()
}

fn mark(from: ActorId, number: u64) -> Change {
    Change::Put(Row { key: mail::mark_key(from), value: mail::seal_mark(number) })
}

fn reply(reply: &Reply) -> Change {
    Change::Put(Row { key: mail::reply_key(reply.session, reply.request), value: mail::seal_reply(reply) })
}

/// A state as rows, and the end of a longer one before it.
fn put_state(owned: &mut Owned, state: &Bytes, changes: &mut Vec<Change>) {
    let parts = state.chunks(limits::PART_BYTES_MAX).count() as u64;
    for (part, start) in (0u64..).zip((0..state.len()).step_by(limits::PART_BYTES_MAX)) {
        let end = state.len().min(start + limits::PART_BYTES_MAX);
        changes.push(put(Section::State, 0, part, state.slice(start..end)));
    }
    if parts < owned.state_parts {
        let to = Some(layout::row(Section::State, 1, 0));
        changes.push(Change::DeleteRange(KeyRange { from: layout::row(Section::State, 0, parts), to }));
    }
    owned.state_parts = parts;
}

/// The value of a durable entity's row.
fn entity_row(seq: u64, value: Option<&Bytes>) -> Bytes {
    let mut row = BytesMut::with_capacity(8 + value.map_or(0, Bytes::len));
    row.put_u64_le(seq);
    row.extend_from_slice(value.map_or(&[][..], |value| value));
    row.freeze()
}

/// A row's commit, and its value; `None`: it is gone.
pub(crate) fn open_entity_row(row: &Bytes) -> Option<(u64, Option<Bytes>)> {
    let (seq, value) = row.split_first_chunk::<8>()?;
    let value = (!value.is_empty()).then(|| row.slice(8..));
    Some((u64::from_le_bytes(*seq), value))
}

fn log_row(entry: &LogEntry) -> Bytes {
    let LogEntry { player, operation, arguments, reply } = entry;
    let row = LogRow {
        player: *player,
        operation: *operation,
        arguments: arguments.to_vec(),
        reply: reply.to_vec(),
    };
    record::seal(LOG_NAME, 1, &codec::encode(&row))
}

/// What stands in a row of an operation log.
///
/// # Errors
/// It is no whole row, or one of a newer build.
pub fn log_entry(row: &Bytes) -> Result<LogEntry, record::RecordError> {
    let record = record::open_as(LOG_NAME, row)?;
    let read: LogRow = codec::decode(&record.body, lightmoon_contract::Limits::NODE)
        .map_err(|_| record::RecordError::Malformed(row.len()))?;
    let LogRow { player, operation, arguments, reply } = read;
    Ok(LogEntry { player, operation, arguments: arguments.into(), reply: reply.into() })
}

/// Durable entities that every kept snapshot shows.
fn covered(owned: &Owned, up_to: Option<u64>) -> Vec<NetId> {
    let Some(up_to) = up_to else { return Vec::new() };
    let covered = owned.entities.iter().filter(|(_, seq)| **seq <= up_to).map(|(net, _)| *net);
    covered.take(COVERED_PER_COMMIT_MAX).collect()
}

fn row_bytes(request: &Request) -> u64 {
    let Request::Commit { changes, .. } = request else { return 0 };
    let bytes = changes.iter().map(|change| match change {
        Change::Put(row) => row.key.len() + row.value.len(),
        Change::Delete(key) => key.len(),
        Change::DeleteRange(_) => 0,
    });
    bytes.sum::<usize>() as u64
}
