//! Reading what stands in the rows of an actor, without being its owner.
//!
//! *Responsible for*: the list of a zone's snapshots, durable entities, messages under way. Log rows: [`crate::log_entry`]. *Not responsible for*:
//! loading an actor, which claims it ([`crate::Keeper`]).
//!
//! For auditors and tools: they read a store from outside and change nothing.

use bytes::Bytes;

use lightmoon_contract::ActorId;

use crate::layout::{self, Section};
use crate::manifest::{Entry, Manifest};
use crate::record::RecordError;
use crate::{Letter, Reply, mail};

/// A snapshot that a zone's manifest names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Epoch of the activation that made it.
    pub epoch: u64,
    /// Its number in that epoch, from 1.
    pub number: u64,
    /// It shows every commit up to this one.
    pub seq: u64,
    /// The tick that it shows.
    pub tick: u64,
    entry: Entry,
}

impl Listed {
    /// The keys of its parts in the area of chunks, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<Bytes> {
        self.entry.keys()
    }

    /// Whether these are its parts, whole and in order.
    #[must_use]
    pub fn is_made_of(&self, parts: &[Bytes]) -> bool {
        self.entry.is_made_of(parts)
    }
}

/// The snapshots that the row of a manifest names, newest first.
///
/// # Errors
/// It is no whole row, or one of a newer build.
pub fn snapshots(manifest: &Bytes) -> Result<Vec<Listed>, RecordError> {
    let listed = |entry: Entry| {
        let Entry { epoch, number, seq, tick, .. } = entry;
        Listed { epoch, number, seq, tick, entry }
    };
    Ok(Manifest::open(manifest)?.entries.into_iter().map(listed).collect())
}

/// The row of a durable entity: the commit that wrote it, and its record; no record: it is gone. `None`: it is no such row.
#[must_use]
pub fn entity(row: &Bytes) -> Option<(u64, Option<Bytes>)> {
    crate::keeper::open_entity_row(row)
}

/// A message in the outbox of an actor: its number and what it is. `None`: the row is something else.
///
/// It is under way as long as the [`mark`] that its receiver has of this actor is lower than its number.
///
/// # Errors
/// It is no whole row, or one of a newer build.
pub fn letter(key: &[u8], row: &Bytes) -> Option<Result<(u64, Letter), RecordError>> {
    let (section, number, _) = layout::numbers(key)?;
    (section == Section::Outbox as u8).then(|| Letter::open(row).map(|letter| (number, letter)))
}

/// The mark of a sender in the inbox of an actor: the sender and the number of the last message taken of it. `None`: the row
/// is something else.
///
/// # Errors
/// As for [`letter`].
pub fn mark(key: &[u8], row: &Bytes) -> Option<Result<(ActorId, u64), RecordError>> {
    let (section, k1, k2) = layout::numbers(key)?;
    let from = (section == Section::Inbox as u8).then(|| mail::mark_of(k1, k2)).flatten()?;
    Some(mail::open_mark(row).map(|number| (from, number)))
}

/// A reply that an actor keeps. `None`: the row is something else.
///
/// # Errors
/// As for [`letter`].
pub fn reply(key: &[u8], row: &Bytes) -> Option<Result<Reply, RecordError>> {
    let (section, session, request) = layout::numbers(key)?;
    (section == Section::Replies as u8).then(|| mail::open_reply(session, request, row))
}
