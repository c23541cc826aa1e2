//! What the store has of an actor, read as an auditor reads it: from its rows alone.
//!
//! *Responsible for*: reading, and refusing what can never stand there: a snapshot that is not whole, a row of a commit that
//! did not happen, a gap in a log. *Not responsible for*: whether it is what it should be (`ledger`, `forward`).

use std::collections::BTreeMap;

use bytes::Bytes;
use lightmoon_contract::{ActorId, NetId};
use lightmoon_durable::audit::{self, Listed};
use lightmoon_durable::layout::{self, Section};
use lightmoon_durable::{LogEntry, log_entry};
use lightmoon_store::Area;
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
