//! What has to be stored: entities that `sync` operations touched, and copies of the whole world.
//!
//! *Responsible for*: finding the durable entities, their rows, deciding whether a copy would show anything new.
//! *Not responsible for*: when to save (`lightmoon_actor`), commits (`lightmoon_durable`).
//!
//! ```text
//! sync operation … sync operation │ other operation, tick, or save
//! └──── one window: changes of ───┘ └ ends it: the columns are looked through for changes since its beginning
//!       these alone are durable
//! ```
//!
//! Removals leave no change tick behind, so observers note them while a window is open.
//!
//! Invariants:
//! - I1: every kept entity or resource that a `sync` operation added, changed or removed is in the next save, with all of
//!   its kept values as they are then.
//! - I2: what only ticks or other operations changed is in no row.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy_ecs::change_detection::Tick as ChangeTick;
use bevy_ecs::component::ComponentId;
use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::prelude::*;
use bevy_ecs::query::Allow;
use bevy_ecs::world::DeferredWorld;
use bytes::Bytes;
use lightmoon_actor::{Save, Unsavable};
use lightmoon_contract::NetId;
use lightmoon_durable::limits::{ENTITY_BYTES_MAX, IDS_RESERVED};
use lightmoon_durable::{Saved, SnapshotJob};

use super::column::Role;
use super::copy::{Shelf, WorldCopy};
use super::form::{self, EntityWriter};
use super::{Policy, is_resource_id};
use crate::identity::{NetIdentity, NetIds};
use crate::time::ZoneTime;

/// What is kept of a zone, and what of it is not stored yet.
#[derive(Resource, Debug)]
pub(crate) struct Persisted {
    policy: Policy,
    /// Where the window began; `None`: none is open.
    since: Option<ChangeTick>,
    pending: BTreeSet<NetId>,
    /// The last copy shows every change up to here; `None`: there is none, or more was done to the world.
    shown: Option<ChangeTick>,
    /// Whether the last copy was dropped before it was encoded.
    lost: Arc<AtomicBool>,
    /// Ids given at the last save.
    ids_stored: u64,
    ids_shelf: Shelf<NetId>,
}

/// What observers and hooks note.
#[derive(Resource, Debug, Default)]
pub(crate) struct Touched {
    is_open: bool,
    removed: Vec<NetId>,
    /// Whether anything kept was removed since the last copy.
    is_less: bool,
    /// The components for whose sake an entity is kept.
    reasons: Vec<ComponentId>,
}

impl Touched {
    /// An entity or resource loses something kept.
    fn remove(&mut self, id: NetId) {
        self.is_less = true;
        if self.is_open {
            self.removed.push(id);
        }
    }
}

/// Whether an entity has a component for whose sake it is kept.
fn has_reason(world: &World, entity: Entity) -> bool {
    let (touched, found) = (world.get_resource::<Touched>(), world.get_entity(entity).ok());
    touched
        .zip(found)
        .is_some_and(|(touched, entity)| touched.reasons.iter().any(|reason| entity.contains_id(*reason)))
}

fn is_kept(world: &World, id: NetId) -> bool {
    world.resource::<NetIds>().entity(id).is_some_and(|entity| has_reason(world, entity))
}

/// Notes that an entity loses its identity, or what is kept beside its components: if it is kept.
pub(crate) fn loses(world: &mut DeferredWorld<'_>, entity: Entity, id: NetId) {
    if has_reason(world, entity)
        && let Some(mut touched) = world.get_resource_mut::<Touched>()
    {
        touched.remove(id);
    }
}

/// An observer that notes what is enabled again.
pub(crate) fn on_enable(removed: On<'_, '_, Remove<Disabled>>, mut world: DeferredWorld<'_>) {
    let identity = world.get::<NetIdentity>(removed.entity).copied();
    if let Some(identity) = identity {
        loses(&mut world, removed.entity, identity.id());
    }
}

/// An observer that notes what loses a `C`.
pub(crate) fn on_remove<C: Component>(
    removed: On<'_, '_, Remove<C>>,
    identities: Query<'_, '_, &NetIdentity, Allow<Disabled>>,
    mut touched: ResMut<'_, Touched>,
) {
    if let Ok(identity) = identities.get(removed.entity) {
        touched.remove(identity.id());
    }
}

/// An observer that notes the end of a resource.
pub(crate) fn on_remove_resource<R: Resource + lightmoon_contract::Persist>(
    _: On<'_, '_, Remove<R>>,
    mut touched: ResMut<'_, Touched>,
) {
    touched.remove(super::resource_id(R::NAME));
}

impl Persisted {
    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn new(policy: Policy, world: &mut World) -> Self {
        world.resource_mut::<Touched>().reasons = policy.reasons().collect();
        Self {
            policy,
            since: None,
            pending: BTreeSet::new(),
            shown: None,
            lost: Arc::default(),
            ids_stored: world.resource::<NetIds>().given(),
            ids_shelf: Shelf::default(),
        }
    }

    /// The world is what the last snapshot shows.
    pub(crate) fn is_as_stored(&mut self, world: &mut World) {
        self.shown = Some(world.increment_change_tick());
        world.resource_mut::<Touched>().is_less = false;
    }

    /// Whether the last operation was a `sync` one.
    pub(crate) const fn is_open(&self) -> bool {
        self.since.is_some()
    }

    /// A `sync` operation comes.
    pub(crate) fn open(&mut self, world: &mut World) {
        if self.since.is_none() {
            self.since = Some(world.increment_change_tick());
            world.resource_mut::<Touched>().is_open = true;
        }
    }

    /// What comes is no `sync` operation.
    pub(crate) fn close(&mut self, world: &mut World) {
        let Some(since) = self.since.take() else { return };
        let mut touched = world.resource_mut::<Touched>();
        touched.is_open = false;
        self.pending.append(&mut touched.removed.drain(..).collect());
        let now = world.change_tick();
        for column in self.policy.columns_mut() {
            let mut found = Vec::new();
            let _ = column.changed(world, since, now, &mut |id| {
                found.push(id);
                ControlFlow::Continue(())
            });
            if column.about().role == Role::Marker {
                found.retain(|id| is_kept(world, *id));
            }
            self.pending.extend(found);
        }
    }

    /// Everything that has to be stored.
    pub(crate) fn save(&mut self, world: &mut World, what: Save) -> Result<Saved, Unsavable> {
        self.close(world);
        let ids = world.resource::<NetIds>().given();
        let rows = self.pending.iter().map(|id| Ok((*id, self.row(world, *id)?)));
        let mut entities = rows.collect::<Result<Vec<_>, Unsavable>>()?;
        self.pending.clear();
        if !entities.is_empty() {
            let tick = world.resource::<ZoneTime>().tick().0;
            entities.push((form::tick_id(), Some(form::seal_tick(tick))));
            entities.sort_unstable_by_key(|(id, _)| *id);
            self.ids_stored = ids;
        }
        let snapshot = (what.snapshot && self.has_news(world, ids)).then(|| self.copy(world, ids));
        Ok(Saved { entities, ids, snapshot, ..Saved::default() })
    }

    /// The row of an entity or resource; `None`: it is gone.
    fn row(&self, world: &World, id: NetId) -> Result<Option<Bytes>, Unsavable> {
        let entity = if is_resource_id(id) {
            self.policy.resources(world).into_iter().find(|(of, _)| *of == id).map(|(_, entity)| entity)
        } else {
            world.resource::<NetIds>().entity(id)
        };
        let Some(entity) = entity.and_then(|entity| world.get_entity(entity).ok()) else { return Ok(None) };
        let mut row = EntityWriter::default();
        let mut largest = (0, "");
        let is_kept = self.policy.values(&entity, &mut |column, bytes| {
            let about = self.policy.columns()[column].about();
            row.push(about.name, about.version, bytes);
            largest = largest.max((bytes.len(), about.type_name));
        });
        if !is_kept {
            return Ok(None);
        }
        let row = row.seal();
        let (bytes, most) = (row.len(), largest.1);
        if bytes > ENTITY_BYTES_MAX {
            return Err(Unsavable(format!(
                "entity {id} has {bytes} bytes to keep, {ENTITY_BYTES_MAX} are possible; {most} takes most of them"
            )));
        }
        Ok(Some(row))
    }

    /// Whether a copy would show what the last one does not.
    fn has_news(&mut self, world: &mut World, ids: u64) -> bool {
        let Some(shown) = self.shown.filter(|_| !self.lost.swap(false, Ordering::Relaxed)) else {
            return true;
        };
        // Ids are reserved by commits: a zone that gives many without changing anything kept needs one now and then.
        if world.resource::<Touched>().is_less || ids > self.ids_stored + IDS_RESERVED / 2 {
            return true;
        }
        let now = world.change_tick();
        let mut scan = self.policy.columns_mut().iter_mut();
        scan.any(|column| column.changed(world, shown, now, &mut |_| ControlFlow::Break(())).is_break())
    }

    fn copy(&mut self, world: &mut World, ids: u64) -> SnapshotJob {
        let tick = world.resource::<ZoneTime>().tick().0;
        let columns = self.policy.columns_mut();
        let table = form::Table::default();
        let mut copy = WorldCopy::take((tick, ids), table, &self.ids_shelf, &self.lost, |ids| {
            let copy = |column: &mut Box<dyn super::column::Column>| {
                let is_reason = column.about().role != Role::Marker;
                (column.copy(world, ids), is_reason)
            };
            columns.iter_mut().map(copy).collect()
        });
        copy.table = self.policy.table();
        self.is_as_stored(world);
        self.ids_stored = ids;
        SnapshotJob { tick, bytes: copy.bytes(), encode: Box::new(move || copy.encode()) }
    }

    /// See [`crate::persisted_hash`].
    fn hash(&self, world: &World) -> u128 {
        let ids = world.resource::<NetIds>();
        let all = self.policy.resources(world).into_iter().chain(ids.iter());
        let mut item = Vec::new();
        let mut sum = 0u128;
        for (id, entity) in all {
            let Ok(entity) = world.get_entity(entity) else { continue };
            item.clear();
            if self.policy.item(id, &entity, &mut item) {
                sum = sum.wrapping_add(form::check_of(&item));
            }
        }
        sum
    }
}

/// The hash of everything that is kept of a zone: equal to the check of a snapshot exactly if the snapshot shows this world.
/// 0 for a zone that keeps nothing.
///
/// As [`crate::state_hash`] it is a sum over entities, disabled ones too; kept resources count as well.
#[must_use]
pub fn persisted_hash(world: &World) -> u128 {
    world.get_resource::<Persisted>().map_or(0, |persisted| persisted.hash(world))
}
