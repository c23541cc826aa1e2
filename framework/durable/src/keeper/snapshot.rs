//! Snapshots of one zone: encoded elsewhere, written part by part, published by a commit.
//!
//! *Responsible for*: the way from a copy to an entry of the manifest, removing what is no longer kept.
//! *Not responsible for*: encoding (another thread), the commit itself (`commit`), reading (`load`).
//!
//! ```text
//! copy ─► Encode ─► encoded ─► parts written, a few at a time ─► manifest in a commit ─► the oldest one's parts removed
//! ```
//!
//! Invariants:
//! - I1: an entry stands in the manifest only after each of its parts is there.
//! - I2: it says that it shows the commits that were handed in before the copy was made, and no others.

use bytes::Bytes;
use lightmoon_contract::{ActorId, Mono, NetId};
use lightmoon_store::{Area, Done, KeyRange, Outcome, Request, Row, Scan};

use super::commit::Work;
use super::traffic::Purpose;
use super::{Encode, Event, Keeper};
use crate::manifest::{Entry, Part};
use crate::{SnapshotJob, layout, limits};

/// A snapshot on its way.
#[derive(Debug)]
pub(super) struct Making {
    id: u64,
    entry: Entry,
    /// Ids given when the copy was made.
    ids: u64,
    parts: Vec<Bytes>,
    /// Parts handed to the store.
    sent: usize,
    /// Parts that are there.
    written: usize,
    bytes: usize,
}

impl Making {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// A copy that waits until the one before it is published.
#[derive(Debug)]
pub(super) struct Copied {
    /// It shows every commit up to this one.
    pub(super) seq: u64,
    ids: u64,
    job: SnapshotJob,
}

impl Copied {
    pub(super) const fn bytes(&self) -> usize {
        self.job.bytes
    }
}

impl Keeper {
    /// Takes a copy of a world, made after everything that was handed in so far, when `ids` ids were given.
    /// [`Event::Snapshotted`] is the answer.
    pub fn snapshot(&mut self, actor: ActorId, ids: u64, job: SnapshotJob) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        // Each commit that was handed in takes one number.
        let ahead = u64::from(owned.flight.is_some()) + owned.queue.len() as u64;
        let copied = Copied { seq: owned.seq + ahead, ids, job };
        self.bytes += copied.bytes();
        let before = owned.next_copy.replace(Box::new(copied));
        self.bytes = self.bytes.saturating_sub(before.map_or(0, |before| before.bytes()));
        self.begin_making(actor);
    }

    /// Begins with the copy that waits, if none is on its way.
    fn begin_making(&mut self, actor: ActorId) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        if owned.making.is_some() {
            return;
        }
        let Some(copied) = owned.next_copy.take() else { return };
        let Copied { seq, ids, job } = *copied;
        owned.snapshots += 1;
        let (epoch, number, tick, bytes) = (owned.epoch, owned.snapshots, job.tick, job.bytes);
        let entry = Entry { epoch, number, seq, tick, parts: Vec::new() };
        let id = self.next_encode;
        self.next_encode += 1;
        // Only the first copy of a life: it was made before anything was served, so it shows no commit that it overtakes.
        owned.awaits_first = owned.manifest.entries.is_empty() && owned.snapshots == 1;
        let making = Making { id, entry, ids, parts: Vec::new(), sent: 0, written: 0, bytes };
        owned.making = Some(Box::new(making));
        self.encodes.push_back(Encode { actor, id, job });
    }

    /// A copy was encoded.
    pub fn encoded(&mut self, actor: ActorId, id: u64, parts: Vec<Bytes>) {
        let Some(making) = self.making(actor, id) else { return };
        let bytes = parts.iter().map(Bytes::len).sum::<usize>();
        let is_too_large = parts.len() > limits::SNAPSHOT_PARTS_MAX;
        making.entry.parts = parts.iter().map(Part::of).collect();
        making.parts = parts;
        let before = std::mem::replace(&mut making.bytes, bytes);
        self.bytes = (self.bytes + bytes).saturating_sub(before);
        if is_too_large {
            self.give_up(actor);
            return;
        }
        #[cfg(feature = "flaws")]
        if self.has_flaw(super::Flaw::ManifestOutside)
            && let Some(owned) = self.actors.get_mut(&actor)
            && let Some(making) = &mut owned.making
        {
            let mut entry = making.entry.clone();
            entry.seq = u64::MAX >> 1;
            owned.queue.push_front(Work::Manifest { entry, ids: making.ids });
        }
        self.send_parts(actor);
    }

    fn making(&mut self, actor: ActorId, id: u64) -> Option<&mut Making> {
        self.actors.get_mut(&actor)?.making.as_deref_mut().filter(|making| making.id == id)
    }

    fn give_up(&mut self, actor: ActorId) {
        self.counters.snapshots_given_up += 1;
        tracing::error!(%actor, "a snapshot is too large and was given up; the one before stays: cut the zone into several");
        self.end_making(actor);
    }

    fn end_making(&mut self, actor: ActorId) {
        if let Some(owned) = self.actors.get_mut(&actor) {
            let bytes = owned.making.take().map_or(0, |making| making.bytes);
            owned.awaits_first = false;
            self.bytes = self.bytes.saturating_sub(bytes);
            self.events.push_back(Event::Snapshotted { actor });
            self.begin_making(actor);
            self.go_on(actor);
        }
    }

    /// Hands parts to the store, or the manifest to the commits when all are there.
    fn send_parts(&mut self, actor: ActorId) {
        let partition = layout::actor(actor);
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        let Some(making) = &mut owned.making else { return };
        while making.sent < making.parts.len() && making.sent - making.written < limits::CHUNKS_IN_FLIGHT_MAX
        {
            let chunk = Row { key: making.entry.key(making.sent), value: making.parts[making.sent].clone() };
            making.sent += 1;
            let request = Request::PutChunk { partition: partition.clone(), chunk };
            self.traffic.send(Purpose::Chunk(actor, making.id), request, false);
        }
        if making.written == making.parts.len() {
            owned.queue.push_back(Work::Manifest { entry: making.entry.clone(), ids: making.ids });
            self.go_on(actor);
        }
    }

    pub(super) fn chunk_outcome(
        &mut self,
        now: Mono,
        actor: ActorId,
        id: u64,
        request: Request,
        outcome: Outcome,
    ) {
        if self.making(actor, id).is_none() {
            return;
        }
        match outcome {
            Outcome::Done(_) => {
                if let Some(making) = self.making(actor, id) {
                    making.written += 1;
                }
                self.send_parts(actor);
            }
            // The same chunk once more does no harm.
            Outcome::Unknown | Outcome::Unavailable | Outcome::Refused(_) | Outcome::Damaged => {
                self.traffic.send_later(now, Purpose::Chunk(actor, id), request);
            }
        }
    }

    /// The manifest names a new snapshot.
    pub(super) fn published(&mut self, actor: ActorId, entry: Entry, covered: &[NetId]) {
        let Some(owned) = self.actors.get_mut(&actor) else { return };
        for net in covered {
            owned.entities.remove(net);
        }
        self.counters.snapshots += 1;
        self.counters.snapshot_bytes += entry.parts.iter().map(|part| u64::from(part.bytes)).sum::<u64>();
        for old in owned.manifest.push(entry) {
            let remove = Scan::RemoveChunks { partition: layout::actor(actor), keys: old.keys() };
            self.traffic.send(Purpose::Forget, Request::Scan(remove), false);
        }
        self.end_making(actor);
    }

    /// Looks for parts that belong to no snapshot: those of one that was never published, or whose removal was cut off.
    pub(super) fn sweep(&mut self, actor: ActorId) {
        let Some(owned) = self.actors.get(&actor) else { return };
        let mut kept: Vec<&Entry> = owned.manifest.entries.iter().collect();
        kept.sort_by_key(|entry| (entry.epoch, entry.number));
        let mut from = Bytes::new();
        let mut gaps = Vec::new();
        for entry in kept {
            gaps.push(KeyRange { from, to: Some(entry.key(0)) });
            from = layout::chunk(entry.epoch, entry.number, u64::MAX);
        }
        // What this activation writes stands behind.
        gaps.push(KeyRange { from, to: Some(layout::chunk(owned.epoch, 0, 0)) });
        for keys in gaps {
            let (area, partition) = (Area::Chunks, layout::actor(actor));
            let read = Request::Read { area, partition, keys, limit: limits::LOAD_PAGE_ROWS, serial: false };
            self.traffic.send(Purpose::Sweep(actor), read, false);
        }
    }

    /// What lies between snapshots is removed. More than one page of it waits for the next load.
    pub(super) fn swept(&mut self, actor: ActorId, outcome: &Outcome) {
        let Outcome::Done(Done::Page(page)) = outcome else { return };
        if !page.rows.is_empty() {
            let keys = page.rows.iter().map(|row| row.key.clone()).collect();
            let remove = Scan::RemoveChunks { partition: layout::actor(actor), keys };
            self.traffic.send(Purpose::Forget, Request::Scan(remove), false);
        }
    }
}
