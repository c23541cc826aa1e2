//! A copy of everything kept, taken between two ticks and encoded on another thread.
//!
//! *Responsible for*: the copy, its buffers, its bytes. *Not responsible for*: when one is taken (`touched`), parts (`form`).
//!
//! A column is copied table by table, as it lies in the world; the ids of a table are copied once for all columns. Buffers
//! go back to their column when the copy is encoded, so a zone keeps about as much memory for them as its kept columns take.
//! Nobody waits for a buffer: one that is still in use is replaced by a new one.
//!
//! Invariants:
//! - I1: what is encoded is the world of the moment of the copy, whatever happened to the world since.
//! - I2: the bytes are a function of that world: entities by id, columns by name.

use std::collections::BTreeMap;
use std::fmt;
use std::mem::size_of;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use lightmoon_contract::NetId;
use lightmoon_contract::codec::Writer;

use super::form::{self, PartsWriter, Table};
use crate::identity::NetIdentity;

/// Where the buffer of a column waits for the next copy.
#[derive(Debug)]
pub(crate) struct Shelf<T>(Arc<Mutex<Vec<T>>>);

impl<T> Shelf<T> {
    fn take(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, mut buffer: Vec<T>) {
        // Values that own memory are freed here, on the thread that encoded them.
        buffer.clear();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = buffer;
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The ids of a copy.
#[derive(Debug)]
pub(crate) struct CopiedIds {
    ids: Vec<NetId>,
    /// Where the ids of a table begin, by the address of its identities: while the world is copied that is its name.
    tables: BTreeMap<usize, usize>,
}

impl CopiedIds {
    /// The ids of the table with these identities.
    pub(crate) fn table(&mut self, identities: &[NetIdentity]) -> usize {
        let ids = &mut self.ids;
        *self.tables.entry(identities.as_ptr().addr()).or_insert_with(|| {
            let start = ids.len();
            ids.extend(identities.iter().map(NetIdentity::id));
            start
        })
    }

    pub(crate) fn single(&mut self, id: NetId) -> usize {
        self.ids.push(id);
        self.ids.len() - 1
    }
}

/// A copied column, whatever its type.
pub(crate) trait Copied: Send {
    /// Its entities, ascending, each with the place of its value.
    fn order(&self, ids: &[NetId]) -> Vec<(NetId, usize)>;
    /// Appends the value at a place.
    fn write(&self, place: usize, to: &mut Writer);
    /// Bytes in memory, about.
    fn bytes(&self) -> usize;
}

/// A copied column.
pub(crate) struct CopiedColumn<C> {
    write: fn(&C, &mut Writer),
    values: Vec<C>,
    /// Where the ids of the values are, run by run.
    runs: Vec<Range<usize>>,
    shelf: Shelf<C>,
}

impl<C: Clone> CopiedColumn<C> {
    pub(crate) fn new(write: fn(&C, &mut Writer), shelf: &Shelf<C>) -> Self {
        Self { write, values: shelf.take(), runs: Vec::new(), shelf: shelf.clone() }
    }

    pub(crate) fn push_table(&mut self, start: usize, values: &[C]) {
        self.values.extend_from_slice(values);
        self.runs.push(start..start + values.len());
    }

    pub(crate) fn push(&mut self, at: usize, value: &C) {
        self.values.push(value.clone());
        match self.runs.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            Some(_) | None => self.runs.push(at..at + 1),
        }
    }
}

impl<C: Send + Sync> Copied for CopiedColumn<C> {
    fn order(&self, ids: &[NetId]) -> Vec<(NetId, usize)> {
        let all = self.runs.iter().flat_map(|run| &ids[run.clone()]);
        let mut order: Vec<(NetId, usize)> = all.copied().zip(0..).collect();
        order.sort_unstable();
        order
    }

    fn write(&self, place: usize, to: &mut Writer) {
        (self.write)(&self.values[place], to);
    }

    fn bytes(&self) -> usize {
        self.values.len() * size_of::<C>()
    }
}

impl<C> Drop for CopiedColumn<C> {
    fn drop(&mut self) {
        self.shelf.put(std::mem::take(&mut self.values));
    }
}

/// A copy of everything that is kept of a world.
pub(crate) struct WorldCopy {
    pub(crate) tick: u64,
    /// Ids given when it was taken.
    pub(crate) ids_given: u64,
    /// Names of the columns.
    pub(crate) table: Table,
    /// Columns, and whether each is a reason to keep an entity.
    columns: Vec<(Box<dyn Copied>, bool)>,
    ids: Vec<NetId>,
    ids_shelf: Shelf<NetId>,
    /// Set if the copy is dropped before it was encoded: then it shows nothing to anybody.
    lost: Arc<AtomicBool>,
    is_encoded: bool,
}

impl WorldCopy {
    /// Takes the copy: `columns` gives each column and whether it is a reason to keep an entity.
    pub(crate) fn take(
        (tick, ids_given): (u64, u64),
        table: Table,
        shelf: &Shelf<NetId>,
        lost: &Arc<AtomicBool>,
        columns: impl FnOnce(&mut CopiedIds) -> Vec<(Box<dyn Copied>, bool)>,
    ) -> Self {
        let mut ids = CopiedIds { ids: shelf.take(), tables: BTreeMap::new() };
        let columns = columns(&mut ids);
        Self {
            tick,
            ids_given,
            table,
            columns,
            ids: ids.ids,
            ids_shelf: shelf.clone(),
            lost: Arc::clone(lost),
            is_encoded: false,
        }
    }

    /// Bytes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let columns = self.columns.iter().map(|(column, _)| column.bytes());
        self.ids.len() * size_of::<NetId>() + columns.sum::<usize>()
    }

    /// The parts of the snapshot.
    pub(crate) fn encode(mut self) -> Vec<Bytes> {
        let mut parts = PartsWriter::new(self.tick, self.ids_given, std::mem::take(&mut self.table));
        let orders: Vec<_> = self.columns.iter().map(|(column, _)| column.order(&self.ids)).collect();
        let mut next = vec![0; orders.len()];
        let (mut item, mut scratch) = (Vec::new(), Vec::new());
        loop {
            let heads = orders.iter().zip(&next).map(|(order, next)| order.get(*next));
            let Some(id) = heads.flatten().map(|(id, _)| *id).min() else { break };
            item.clear();
            item.extend_from_slice(&id.0.to_le_bytes());
            let mut is_kept = false;
            for (column, order) in orders.iter().enumerate() {
                let Some((_, place)) = order.get(next[column]).filter(|(at, _)| *at == id) else { continue };
                next[column] += 1;
                let (values, is_reason) = &self.columns[column];
                is_kept |= is_reason;
                let mut writer = Writer::onto(std::mem::take(&mut scratch));
                values.write(*place, &mut writer);
                scratch = writer.into_bytes();
                form::put_value(column, &scratch, &mut item);
                scratch.clear();
            }
            if is_kept {
                parts.push(&item);
            }
        }
        self.is_encoded = true;
        parts.finish()
    }
}

impl Drop for WorldCopy {
    fn drop(&mut self) {
        self.ids_shelf.put(std::mem::take(&mut self.ids));
        if !self.is_encoded {
            // Read by the zone's thread at its next save; nothing else depends on it.
            self.lost.store(true, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for WorldCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorldCopy")
            .field("tick", &self.tick)
            .field("ids", &self.ids.len())
            .finish_non_exhaustive()
    }
}
