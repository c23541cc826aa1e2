//! What of a world is kept: the types that a game registered, and nothing else.
//!
//! *Responsible for*: [`Policy`], the kept components and resources of one world, by name. *Not responsible for*: finding
//! what a `sync` operation changed (`touched`), copies of whole worlds (`copy`), their way back (`restore`), bytes (`form`).
//!
//! The policy is per component: what is registered with `persist` or `persist_resource` is kept, whatever its entity
//! carries besides. An entity is kept as long as it has a kept component; that it is
//! [`Disabled`](bevy_ecs::entity_disabling::Disabled) is kept with it. Everything else of a world is made anew by `build`,
//! by required components, and by observers: they meet what is restored as if it had just been added.
//!
//! A resource is kept as an entity of its own, under an id that no entity gets: see [`resource_id`]. The tick of a zone stands
//! beside every durable entity in the same way, so that times which a `sync` operation wrote down mean the same later.
//!
//! Invariants:
//! - I1: two kept types of one world have two names; so have two resources two ids.
//! - I2: columns stand in the order of their names, in every build and every world.

pub(crate) mod column;
pub(crate) mod copy;
pub(crate) mod error;
pub(crate) mod form;
pub(crate) mod restore;
pub(crate) mod touched;

use std::collections::BTreeSet;
use std::fmt;

use bevy_ecs::component::ComponentId;
use bevy_ecs::prelude::*;
use bevy_ecs::world::EntityRef;
use lightmoon_actor::Inspection;
use lightmoon_contract::NetId;
use lightmoon_contract::codec::Writer;
use lightmoon_contract::limits::PERSIST_NAME_BYTES_MAX;
use xxhash_rust::xxh3::xxh3_64;

use column::{About, Column, Role};
use form::{Table, TableEntry};

/// How names of the framework's own begin.
const OWN_PREFIX: &str = "lightmoon.";

/// What is kept of a world.
pub(crate) struct Policy {
    /// Sorted by name.
    columns: Vec<Box<dyn Column>>,
    /// Names under which older builds kept something that is not kept any more.
    retired: BTreeSet<&'static str>,
}

impl Policy {
    /// Keeps only that an entity is disabled, which alone keeps no entity.
    pub(crate) fn new(world: &mut World) -> Self {
        Self { columns: vec![column::disabled(world)], retired: BTreeSet::new() }
    }

    /// Leaves out from now on what older builds kept under this name.
    ///
    /// # Panics
    /// It is kept.
    pub(crate) fn retire(&mut self, name: &'static str) {
        assert!(self.find(name).is_none(), "`{name}` is kept and retired: take one of both away");
        self.retired.insert(name);
    }

    pub(crate) fn is_retired(&self, name: &str) -> bool {
        self.retired.contains(name)
    }

    /// Keeps one type more.
    ///
    /// # Panics
    /// Its name is taken, is none, or is too long; its version is 0: faults of the game.
    pub(crate) fn add(&mut self, column: Box<dyn Column>) {
        let about = column.about();
        let (name, of) = (about.name, about.type_name);
        assert!(
            (1..=PERSIST_NAME_BYTES_MAX).contains(&name.len()),
            "the name `{name}` of {of} has not 1 to {PERSIST_NAME_BYTES_MAX} bytes"
        );
        assert!(!self.is_retired(name), "`{name}` is kept and retired: take one of both away");
        let is_ours = name.starts_with(OWN_PREFIX);
        assert!(!is_ours, "names that begin with `{OWN_PREFIX}` are the framework's: rename {of} (`{name}`)");
        let is_tick = about.role == Role::Resource(form::tick_id());
        assert!(!is_tick, "the resource `{name}` would have the id of the tick: rename {of}");
        assert!(about.version >= 1, "versions count from 1: raise the one of {of} (`{name}`)");
        for other in self.abouts() {
            let taken = other.type_name;
            assert!(other.name != name, "two kept types have the name `{name}`: {taken} and {of}");
            let is_same = matches!(
                (other.role, about.role),
                (Role::Resource(one), Role::Resource(two)) if one == two
            );
            assert!(!is_same, "the resources `{}` and `{name}` would have one id: rename {of}", other.name);
        }
        self.add_own(column);
    }

    /// Keeps one type of the framework's own.
    pub(crate) fn add_own(&mut self, column: Box<dyn Column>) {
        self.columns.push(column);
        self.columns.sort_by_key(|column| column.about().name);
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.abouts().all(|about| about.role == Role::Marker)
    }

    fn abouts(&self) -> impl Iterator<Item = &About> {
        self.columns.iter().map(|column| column.about())
    }

    pub(crate) fn columns(&self) -> &[Box<dyn Column>] {
        &self.columns
    }

    pub(crate) fn columns_mut(&mut self) -> &mut [Box<dyn Column>] {
        &mut self.columns
    }

    /// The column of this name.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.columns.binary_search_by(|column| column.about().name.cmp(name)).ok()
    }

    /// Whether an entity is kept for the sake of this column.
    pub(crate) fn is_reason(&self, column: usize) -> bool {
        self.columns[column].about().role == Role::Component
    }

    /// The components for whose sake an entity is kept.
    pub(crate) fn reasons(&self) -> impl Iterator<Item = ComponentId> {
        self.abouts().filter(|about| about.role == Role::Component).map(|about| about.component)
    }

    /// Names and versions of the columns.
    pub(crate) fn table(&self) -> Table {
        let entry = |about: &About| TableEntry { name: about.name.to_owned(), version: about.version };
        Table(self.abouts().map(entry).collect())
    }

    /// Shows every kept value of an entity to `each`: its column and its bytes. Gives false, and shows nothing, if the
    /// entity is not kept.
    pub(crate) fn values(&self, entity: &EntityRef<'_>, each: &mut dyn FnMut(usize, &[u8])) -> bool {
        let mut reasons = self.abouts().filter(|about| about.role != Role::Marker);
        if !reasons.any(|about| entity.contains_id(about.component)) {
            return false;
        }
        let mut scratch = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            scratch.clear();
            let mut writer = Writer::onto(std::mem::take(&mut scratch));
            let has = column.append(entity, &mut writer);
            scratch = writer.into_bytes();
            if has {
                each(index, &scratch);
            }
        }
        true
    }

    /// Shows every kept value of an entity to an operator, as that of `id`.
    pub(crate) fn inspect(&self, id: Option<u64>, entity: &EntityRef<'_>, to: &mut Inspection) {
        self.values(entity, &mut |column, bytes| {
            to.show(id, self.columns[column].about().value_kind(), bytes)
        });
    }

    /// Appends an entity as an item of a snapshot or a state; false, and nothing, if it is not kept.
    pub(crate) fn item(&self, id: NetId, entity: &EntityRef<'_>, to: &mut Vec<u8>) -> bool {
        let start = to.len();
        to.extend_from_slice(&id.0.to_le_bytes());
        let is_kept = self.values(entity, &mut |column, bytes| form::put_value(column, bytes, to));
        if !is_kept {
            to.truncate(start);
        }
        is_kept
    }

    /// The resources that are there: their ids and entities.
    pub(crate) fn resources(&self, world: &World) -> Vec<(NetId, Entity)> {
        let there = |about: &About| match about.role {
            Role::Resource(id) => Some((id, world.resource_entities().get(about.component)?)),
            Role::Component | Role::Marker => None,
        };
        self.abouts().filter_map(there).collect()
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.abouts()).finish()
    }
}

/// The id under which the resource `name` is kept: the low 24 bits of the xxh3 of its name as the block, 0 as the counter.
/// The counter of entities begins at 1, so none has such an id; block 0 would give [`NetId::NONE`] and becomes 1.
pub(crate) fn resource_id(name: &str) -> NetId {
    let block = u32::try_from(xxh3_64(name.as_bytes()) & 0xFF_FFFF).expect("24 bits fit");
    NetId::from_parts(block.max(1), 0)
}

/// Whether an id is one of a resource.
pub(crate) const fn is_resource_id(id: NetId) -> bool {
    id.0 & ((1 << NetId::COUNTER_BITS) - 1) == 0
}
