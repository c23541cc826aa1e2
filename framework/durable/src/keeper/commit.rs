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

use bytes::{BufMut, Bytes, BytesMut};
use lightmoon_contract::{ActorId, Mono, NetId, codec, data};
use lightmoon_store::{
    Area, Change, Condition, Done, Field, Head, Is, KeyRange, Outcome, Request, Row, Test,
};

use super::traffic::Purpose;
use super::{Event, Keeper, Owned};
use crate::layout::{self, Section};
use crate::manifest::Entry;
use crate::{LogEntry, Saved, limits, record};

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
    Commit { number: u64, is_urgent: bool, saved: Saved, log: Vec<LogEntry>, bytes: usize },
    /// A snapshot whose parts are all there, and how many ids were given when it was copied.
    Manifest { entry: Entry, ids: u64 },
}

impl Work {
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Commit { bytes, .. } => *bytes,
            Self::Manifest { .. } => 0,
        }
    }
}

/// A commit under way.
#[derive(Debug)]
pub(super) struct Flight {
    request: Request,
    effect: Effect,
    bytes: usize,
}

impl Flight {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What a commit means once it happened.
#[derive(Debug)]
enum Effect {
    Saved { number: u64 },
    Published { entry: Entry, covered: Vec<NetId> },
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
        let Some(work) = owned.queue.pop_front() else { return };
        let bytes = work.bytes();
        let is_urgent = match &work {
            Work::Commit { is_urgent, .. } => *is_urgent,
            Work::Manifest { .. } => false,
        };
        let (request, effect) = self.request(actor, work);
        if let Err(why) = request.check() {
            self.bytes = self.bytes.saturating_sub(bytes);
            return self.lose(actor, format!("a commit of actor {actor} cannot be stored: {why}"));
        }
        if let Some(owned) = self.actors.get_mut(&actor) {
            owned.flight = Some(Box::new(Flight { request: request.clone(), effect, bytes }));
        }
        self.traffic.send(Purpose::Commit(actor), request, is_urgent);
    }

    fn request(&mut self, actor: ActorId, work: Work) -> (Request, Effect) {
        #[cfg(feature = "flaws")]
        let (no_fence, left_out) =
            (self.has_flaw(super::Flaw::NoFence), self.has_flaw(super::Flaw::EntityLeftOut));
        #[cfg(not(feature = "flaws"))]
        let (no_fence, left_out) = (false, false);
        let owned = self.actors.get_mut(&actor).expect("work belongs to an actor that is known");
        let seq = owned.seq + 1;
        let mut head = vec![(layout::SEQ, seq)];
        let mut changes = Vec::new();
        let effect = match work {
            Work::Commit { number, saved, log, .. } => {
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
                Effect::Saved { number }
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
        let Flight { request, effect, bytes } = *flight;
        self.bytes = self.bytes.saturating_sub(bytes);
        self.counters.commits += 1;
        self.counters.commit_bytes += row_bytes(&request);
        match effect {
            Effect::Saved { number } => self.events.push_back(Event::Committed { actor, number }),
            Effect::Published { entry, covered } => self.published(actor, entry, &covered),
        }
        self.go_on(actor);
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
