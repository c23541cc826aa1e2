//! What the store has of an actor, read as an auditor reads it: from its rows alone.
//!
//! *Responsible for*: reading, and refusing what can never stand there: a snapshot that is not whole, a row of a commit that
//! did not happen, a gap in a log, a message that was never sent. *Not responsible for*: whether it is what it should be (`ledger`, `forward`).

use std::collections::BTreeMap;

use bytes::Bytes;
use lightmoon_contract::{ActorId, NetId};
use lightmoon_durable::audit::{self, Listed};
use lightmoon_durable::layout::{self, Section};
use lightmoon_durable::record::RecordError;
use lightmoon_durable::{Letter, LogEntry, Reply, limits, log_entry};
use lightmoon_store::{Area, Row};
use lightmoon_zone::audit::{StoredEntity, StoredSnapshot, entity, snapshot};

use super::Violation;
use crate::store::SimStore;

/// An actor as it is stored.
#[derive(Clone, Debug)]
pub struct StoredActor {
    /// Which one.
    pub actor: ActorId,
    /// The epoch that may commit.
    pub epoch: u64,
    /// Commits so far.
    pub seq: u64,
    /// Ids up to this one may have been given.
    pub ids: u64,
    /// The record of its state, if it does not tick.
    pub state: Option<Bytes>,
    /// The log: commit, place in the commit, entry; in order.
    pub log: Vec<(u64, u64, LogEntry)>,
    /// The kept snapshots, newest first.
    pub snapshots: Vec<(Listed, StoredSnapshot)>,
    /// Durable entities: the commit that wrote each, and what it is; nothing: it is gone.
    pub rows: BTreeMap<NetId, (u64, Option<StoredEntity>)>,
    /// Its outbox: letters by number, also those that were taken and whose rows are there still ([`in_flight`]).
    pub outbox: BTreeMap<u64, Letter>,
    /// Its inbox: the last message that it took of each sender.
    pub inbox: BTreeMap<ActorId, u64>,
    /// Its replies to requests.
    pub replies: Vec<Reply>,
}

impl StoredActor {
    /// Reads an actor; `None` if it was never claimed.
    ///
    /// # Errors
    /// Something stands there that may never.
    pub fn read(store: &mut SimStore, actor: ActorId) -> Result<Option<Self>, Violation> {
        let partition = layout::actor(actor);
        let (head, rows) = store.rows(Area::Commits, &partition);
        let Some(head) = head else { return Ok(None) };
        let wrong = |what: String| Violation::new("stored", format!("actor {actor}: {what}"));
        let field = |field| head.get(field).unwrap_or(0);
        let (epoch, seq, ids) = (field(layout::EPOCH), field(layout::SEQ), field(layout::IDS));
        let mut read = Self {
            actor,
            epoch,
            seq,
            ids,
            state: None,
            log: Vec::new(),
            snapshots: Vec::new(),
            rows: BTreeMap::new(),
            outbox: BTreeMap::new(),
            inbox: BTreeMap::new(),
            replies: Vec::new(),
        };
        let (mut state, mut listed) = (Vec::new(), Vec::new());
        for row in rows {
            match layout::numbers(&row.key) {
                Some((section, 0, 0)) if section == Section::Manifest as u8 => {
                    listed = audit::snapshots(&row.value).map_err(|error| wrong(error.to_string()))?;
                }
                Some((section, 0, _)) if section == Section::State as u8 => {
                    state.extend_from_slice(&row.value)
                }
                Some((section, net, 0)) if section == Section::State as u8 => {
                    read.durable_entity(NetId(net), &row.value).map_err(wrong)?;
                }
                Some((section, seq, n)) if section == Section::Log as u8 => {
                    read.logged(seq, n, &row.value).map_err(wrong)?;
                }
                _ if read.of_mail(&row).map_err(wrong)? => {}
                _ => return Err(wrong(format!("a row that nobody writes: {:?}", row.key))),
            }
        }
        read.state = (!state.is_empty()).then(|| state.into());
        let (_, chunks) = store.rows(Area::Chunks, &partition);
        let chunks: BTreeMap<Bytes, Bytes> = chunks.into_iter().map(|row| (row.key, row.value)).collect();
        for listed in listed {
            let snapshot = read.snapshot(&listed, &chunks).map_err(wrong)?;
            read.snapshots.push((listed, snapshot));
        }
        Ok(Some(read))
    }

    fn durable_entity(&mut self, net: NetId, row: &Bytes) -> Result<(), String> {
        let (seq, record) = audit::entity(row).ok_or_else(|| format!("the row of {net} is cut off"))?;
        if seq > self.seq {
            return Err(format!("the row of {net} is of commit {seq}, there were {}", self.seq));
        }
        let value = record.map(|record| entity(&record)).transpose().map_err(|error| error.to_string())?;
        self.rows.insert(net, (seq, value));
        Ok(())
    }

    /// Whether the row is one of messages.
    fn of_mail(&mut self, row: &Row) -> Result<bool, String> {
        let wrong = |error: RecordError| error.to_string();
        if let Some(letter) = audit::letter(&row.key, &row.value) {
            let (number, letter) = letter.map_err(wrong)?;
            if sent_in(number) > self.seq {
                return Err(format!(
                    "letter {number} is of commit {}, there were {}",
                    sent_in(number),
                    self.seq
                ));
            }
            self.outbox.insert(number, letter);
        } else if let Some(mark) = audit::mark(&row.key, &row.value) {
            let (from, number) = mark.map_err(wrong)?;
            self.inbox.insert(from, number);
        } else if let Some(reply) = audit::reply(&row.key, &row.value) {
            self.replies.push(reply.map_err(wrong)?);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn logged(&mut self, seq: u64, n: u64, row: &Bytes) -> Result<(), String> {
        if seq > self.seq {
            return Err(format!("a log entry of commit {seq}, there were {}", self.seq));
        }
        let last = self.log.last().filter(|(last, ..)| *last == seq);
        if last.map_or(0, |(_, n, _)| n + 1) != n {
            return Err(format!("commit {seq} has log entry {n} without the one before"));
        }
        let entry = log_entry(row).map_err(|error| error.to_string())?;
        self.log.push((seq, n, entry));
        Ok(())
    }

    fn snapshot(&self, listed: &Listed, chunks: &BTreeMap<Bytes, Bytes>) -> Result<StoredSnapshot, String> {
        let Listed { tick, seq, .. } = listed;
        let parts: Vec<Bytes> = listed.keys().iter().filter_map(|key| chunks.get(key).cloned()).collect();
        if !listed.is_made_of(&parts) {
            return Err(format!("the snapshot of tick {tick} is listed and not whole"));
        }
        if *seq > self.seq {
            return Err(format!("the snapshot of tick {tick} shows commit {seq}, there were {}", self.seq));
        }
        let read = snapshot(&parts).map_err(|error| error.to_string())?;
        if read.tick != *tick {
            return Err(format!("the snapshot of tick {tick} shows tick {}", read.tick));
        }
        Ok(read)
    }

    /// The world that is loaded if the first `damaged` snapshots cannot be read: the next one, and what came after it.
    #[must_use]
    pub fn entities(&self, damaged: usize) -> BTreeMap<NetId, StoredEntity> {
        let snapshot = self.snapshots.get(damaged);
        let mut entities = snapshot.map(|(_, snapshot)| snapshot.entities.clone()).unwrap_or_default();
        for (net, (seq, entity)) in &self.rows {
            if snapshot.is_some_and(|(listed, _)| *seq <= listed.seq) {
                continue;
            }
            match entity {
                Some(entity) => entities.insert(*net, entity.clone()),
                None => entities.remove(net),
            };
        }
        entities
    }
}

/// The commit of its sender that a message of this number stood in.
#[must_use]
pub const fn sent_in(number: u64) -> u64 {
    number >> limits::LETTER_SHIFT
}

/// What is on its way: sender, number, letter. A dead letter is, until it is sent again, although its receiver went on to take
/// those behind it.
#[must_use]
pub fn in_flight(actors: &BTreeMap<ActorId, StoredActor>) -> Vec<(ActorId, u64, &Letter)> {
    let letters = actors.values().flat_map(|sender| {
        let of_sender = sender.outbox.iter().map(|(number, letter)| (sender.actor, *number, letter));
        of_sender.filter(|(from, number, letter)| {
            let receiver = actors.get(&letter.posted.to);
            letter.is_dead
                || receiver.and_then(|receiver| receiver.inbox.get(from)).is_none_or(|mark| mark < number)
        })
    });
    letters.collect()
}

/// Marks are never ahead of what was sent: what a mark says was taken is in a commit of its sender.
///
/// # Errors
/// One is ahead.
pub fn check_marks(actors: &BTreeMap<ActorId, StoredActor>) -> Result<(), Violation> {
    for receiver in actors.values() {
        for (from, mark) in &receiver.inbox {
            let commits = actors.get(from).map_or(0, |sender| sender.seq);
            if sent_in(*mark) > commits {
                let what = format!(
                    "actor {} took message {mark} of {from}, of its commit {}, and there were {commits}",
                    receiver.actor,
                    sent_in(*mark)
                );
                return Err(Violation::new("stored", what));
            }
        }
    }
    Ok(())
}

impl SimStore {
    /// Every actor of which it has anything.
    ///
    /// # Errors
    /// Something stands there that may never.
    pub fn actors(&mut self) -> Result<BTreeMap<ActorId, StoredActor>, Violation> {
        let keys = self.partitions(Area::Commits, layout::ACTORS);
        let mut actors = BTreeMap::new();
        for actor in keys.iter().filter_map(|key| layout::actor_of(key)) {
            actors.extend(StoredActor::read(self, actor)?.map(|stored| (actor, stored)));
        }
        Ok(actors)
    }
}
