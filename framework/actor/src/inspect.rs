//! What an activation shows of its state to an operator: values by name, with the description of their types.
//!
//! *Responsible for*: [`Inspection`], which is filled between two operations and is bounded; what comes of it. *Not responsible for*: what
//! an activation holds (its kind knows), reading the values (`lightmoon`), who asks ([`crate::Worker::inspect`]).
//!
//! Values travel as bytes beside the description that the same build makes of their types, so they always fit each other, and nobody
//! else needs to know the types.
//!
//! Invariants:
//! - I1: an inspection holds at most [`limits::INSPECTED_BYTES_MAX`] bytes of values and [`limits::INSPECTED_VALUES_MAX`] of them, whatever
//!   the activation holds.
//! - I2: a value that is left out says so with its length.

use lightmoon_contract::descriptor::{Descriptor, Secrets, TypeRef, TypeTable};

use crate::limits;
use crate::worker::ActorState;

/// What of an actor somebody wants to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inspect {
    /// Which actor.
    pub actor: lightmoon_contract::ActorId,
    /// Of a world, entities from this id on.
    pub entities_from: u64,
}

/// What came of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Inspected {
    /// In this state it cannot be looked at: its activation is inside an operation, or there is none.
    Away(ActorState),
    /// Actors of its kind show nothing of themselves: they live in memory, as their code has them.
    Nothing,
    /// Its code panicked when it was asked.
    Failed,
    /// Its state.
    Shown(StateLook),
    /// It does not live; this is what is stored of it.
    Stored(ActorState, StoredLook),
}

/// What is stored of an actor.
#[derive(Clone, PartialEq, Debug)]
pub enum StoredLook {
    /// Nothing: it does not exist yet.
    Nothing,
    /// The store is away.
    Away,
    /// It cannot be read: why.
    Unreadable(String),
    /// A whole world that ticks, which is not brought to life to be seen.
    World,
    /// The code that reads it panicked.
    Failed,
    /// Its state as of its last commit.
    Shown(StateLook),
}

/// The state of an actor between two operations.
#[derive(Clone, PartialEq, Debug)]
pub struct StateLook {
    /// The types of the values: only [`Descriptor::types`] has something.
    pub types: Descriptor,
    /// Fields that are not to be shown, wherever they stand.
    pub secrets: Secrets,
    /// Values of the whole actor, and of entities in order of their ids.
    pub values: Vec<ValueLook>,
    /// Entities of its world; of others 0.
    pub entities: usize,
    /// The first entity that had no room; `None`: all from the first that was asked for are there.
    pub next: Option<u64>,
}

/// One value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueLook {
    /// Whose it is: an entity's by its id; `None`: the whole actor's.
    pub entity: Option<u64>,
    /// Under which name it is kept, or seen by clients.
    pub name: &'static str,
    /// Its type.
    pub kind: TypeRef,
    /// Its length in bytes.
    pub length: usize,
    /// Its bytes; `None`: it is too long, or there was no room left.
    pub bytes: Option<Vec<u8>>,
}

/// What is known of a value besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct ValueKind {
    /// Under which name it is shown.
    pub name: &'static str,
    /// Describes its type.
    pub describe: fn(&mut TypeTable) -> TypeRef,
}

/// An inspection that is under way: what [`crate::Activation::inspect`] fills.
#[derive(Debug)]
pub struct Inspection {
    entities_from: u64,
    table: TypeTable,
    values: Vec<ValueLook>,
    bytes: usize,
    shown: usize,
    entities: usize,
    next: Option<u64>,
}

impl Inspection {
    /// An empty one.
    #[must_use]
    pub const fn new(entities_from: u64) -> Self {
        Self {
            entities_from,
            table: TypeTable::new(),
            values: Vec::new(),
            bytes: 0,
            shown: 0,
            entities: 0,
            next: None,
        }
    }

    /// Of a world, the first entity that is asked for.
    #[must_use]
    pub const fn entities_from(&self) -> u64 {
        self.entities_from
    }

    /// Says how many entities there are.
    pub const fn count_entities(&mut self, entities: usize) {
        self.entities = entities;
    }

    /// Whether there is room for the entity `id`; the first that has none is where the next inspection goes on. Entities come in
    /// order of their ids.
    pub fn has_room_for(&mut self, id: u64) -> bool {
        let is_full = self.bytes >= limits::INSPECTED_BYTES_MAX
            || self.values.len() >= limits::INSPECTED_VALUES_MAX
            || self.shown >= limits::INSPECTED_ENTITIES_MAX;
        if is_full && self.shown > 0 {
            self.next.get_or_insert(id);
            return false;
        }
        self.shown += 1;
        true
    }

    /// Shows a value.
    pub fn show(&mut self, entity: Option<u64>, kind: ValueKind, bytes: &[u8]) {
        if self.values.len() >= limits::INSPECTED_VALUES_MAX {
            return;
        }
        let length = bytes.len();
        let fits = length <= limits::INSPECTED_VALUE_BYTES_MAX
            && self.bytes.saturating_add(length) <= limits::INSPECTED_BYTES_MAX;
        if fits {
            self.bytes += length;
        }
        self.values.push(ValueLook {
            entity,
            name: kind.name,
            kind: (kind.describe)(&mut self.table),
            length,
            bytes: fits.then(|| bytes.to_vec()),
        });
    }

    /// What was shown.
    #[must_use]
    pub fn finish(self) -> StateLook {
        let secrets = self.table.secrets().clone();
        let types = Descriptor {
            game: String::new(),
            contracts: Vec::new(),
            components: Vec::new(),
            types: self.table.into_types(),
        };
        StateLook { types, secrets, values: self.values, entities: self.entities, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lightmoon_contract::Data;

    const KIND: ValueKind = ValueKind { name: "text", describe: String::describe };

    #[test]
    fn an_inspection_is_bounded_and_says_what_it_left_out() {
        let mut inspection = Inspection::new(0);
        inspection.show(None, KIND, &vec![0; limits::INSPECTED_VALUE_BYTES_MAX + 1]);
        for id in 1..=10_000 {
            if !inspection.has_room_for(id) {
                break;
            }
            inspection.show(Some(id), KIND, &vec![0; limits::INSPECTED_VALUE_BYTES_MAX - 1]);
        }
        let look = inspection.finish();
        assert_eq!((look.values[0].bytes.as_ref(), look.values[0].length), (None, 16 * 1024 + 1));
        let bytes: usize = look.values.iter().filter_map(|value| value.bytes.as_ref().map(Vec::len)).sum();
        assert!(bytes <= limits::INSPECTED_BYTES_MAX, "{bytes}");
        assert!(look.values.iter().skip(1).any(|value| value.bytes.is_some()));
        let shown = look.values.len() as u64 - 1;
        assert!(shown <= limits::INSPECTED_ENTITIES_MAX as u64);
        assert_eq!(look.next, Some(shown + 1), "the next goes on where this one ended");
    }

    #[test]
    fn values_without_number_are_bounded_too() {
        let mut inspection = Inspection::new(0);
        for _ in 0..10_000 {
            inspection.show(None, KIND, &[0]);
        }
        assert_eq!(inspection.finish().values.len(), limits::INSPECTED_VALUES_MAX);
    }
}
