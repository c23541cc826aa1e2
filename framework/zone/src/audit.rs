//! Reading stored worlds without being their actor: what an auditor or a tool sees in the bytes.
//!
//! *Responsible for*: entities and their kept values by name, the head of a snapshot. *Not responsible for*: which bytes
//! there are (`lightmoon_durable::audit`), making a world of them.
//!
//! Nothing is upgraded and no type need be registered: names, versions and bytes are as they were written.

use std::collections::BTreeMap;

use bytes::Bytes;
use lightmoon_actor::Unreadable;
use lightmoon_contract::{Limits, NetId, Persist, codec};

use crate::persist::error::ReadError;
use crate::persist::form::{self, Table, Value};

/// An entity or a resource as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoredEntity {
    /// Version and bytes of each kept value, by the name of its type.
    pub values: BTreeMap<String, (u16, Bytes)>,
}

impl StoredEntity {
    /// Its `C`, if it has one of this build's version that can be read.
    #[must_use]
    pub fn get<C: Persist>(&self) -> Option<C> {
        let (version, bytes) = self.values.get(C::NAME)?;
        if *version != C::VERSION {
            return None;
        }
        codec::decode(bytes, Limits::NODE).ok()
    }

    fn of(table: &Table, values: &[Value<'_>]) -> Result<Self, ReadError> {
        let value = |(column, bytes): &Value<'_>| {
            let entry = table.entry(*column)?;
            Ok((entry.name.clone(), (entry.version, Bytes::copy_from_slice(bytes))))
        };
        Ok(Self { values: values.iter().map(value).collect::<Result<_, ReadError>>()? })
    }
}

/// A snapshot as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoredSnapshot {
    /// The tick that it shows.
    pub tick: u64,
    /// Ids given until then.
    pub ids: u64,
    /// Equal to [`crate::persisted_hash`] of the world that it shows.
    pub check: u128,
    /// Everything in it.
    pub entities: BTreeMap<NetId, StoredEntity>,
}

/// The world in the state of an actor without ticks, by the numbers that its entities have there.
///
/// # Errors
/// It is damaged, of a newer build, or no such state.
pub fn world(state: &Bytes) -> Result<BTreeMap<NetId, StoredEntity>, Unreadable> {
    let mut entities = BTreeMap::new();
    let read = form::read_world(state, &mut |table, id, values| {
        entities.insert(id, StoredEntity::of(table, values)?);
        Ok(())
    });
    read.map(|()| entities).map_err(|error| error.plain())
}

/// The record of a durable entity.
///
/// # Errors
/// As [`world`].
pub fn entity(record: &Bytes) -> Result<StoredEntity, Unreadable> {
    let mut entity = StoredEntity::default();
    let read = form::read_entity(record, &mut |name, version, bytes| {
        entity.values.insert(name.to_owned(), (version, Bytes::copy_from_slice(bytes)));
        Ok(())
    });
    read.map(|()| entity).map_err(|error| error.plain())
}

/// The parts of a snapshot, in order.
///
/// # Errors
/// They are not all of one snapshot, whole and unchanged.
pub fn snapshot(parts: &[Bytes]) -> Result<StoredSnapshot, Unreadable> {
    let mut entities = BTreeMap::new();
    let read = form::read_parts(parts, &mut |table, id, values| {
        entities.insert(id, StoredEntity::of(table, values)?);
        Ok(())
    });
    let head = read.map_err(|error| error.plain())?;
    Ok(StoredSnapshot { tick: head.tick, ids: head.ids, check: head.check, entities })
}
