//! Collects the named types that contracts reach.
//!
//! *Responsible for*: one entry for each type, whatever refers to it. *Not responsible for*: what a type says of itself.
//!
//! Invariants:
//! - I1: indices are given in the order in which types are first reached, so two builds of one source agree.
//! - I2: names are unique: a second type of a name gets `_2` behind it.

use std::any::TypeId;
use std::collections::BTreeMap;

use super::{Shape, TypeEntry, TypeRef};

/// The named types of a descriptor under construction.
#[derive(Debug, Default)]
pub struct TypeTable {
    /// Looked up only; its order, which differs between builds, is never seen.
    indices: BTreeMap<TypeId, u32>,
    types: Vec<TypeEntry>,
    secrets: Secrets,
}

/// Fields that are kept and travel, and that no tool shows: their names, by the index of their struct. They are no part of a
/// descriptor, since they concern neither clients nor the store.
pub type Secrets = BTreeMap<u32, &'static [&'static str]>;

impl TypeTable {
    /// A table without types.
    #[must_use]
    pub const fn new() -> Self {
        Self { indices: BTreeMap::new(), types: Vec::new(), secrets: BTreeMap::new() }
    }

    /// The reference to type `T`. `shape` describes it when it is met for the first time; it may refer to `T` itself.
    ///
    /// # Panics
    /// There are 2^32 types already.
    pub fn named<T: 'static>(
        &mut self,
        name: &str,
        docs: &str,
        shape: impl FnOnce(&mut Self) -> Shape,
    ) -> TypeRef {
        if let Some(&index) = self.indices.get(&TypeId::of::<T>()) {
            return TypeRef::Named(index);
        }
        let index = u32::try_from(self.types.len()).expect("a game has fewer than 2^32 types");
        self.indices.insert(TypeId::of::<T>(), index);
        let name = self.free_name(name);
        // The place is taken first: the shape may refer to this type, directly or through others.
        self.types.push(TypeEntry { name, docs: docs.to_owned(), shape: Shape::fixed(Vec::new()) });
        let shape = shape(self);
        self.types[index as usize].shape = shape;
        TypeRef::Named(index)
    }

    /// `name`, or the first of `name_2`, `name_3` … that no type has.
    fn free_name(&self, name: &str) -> String {
        let taken = |candidate: &str| self.types.iter().any(|entry| entry.name == candidate);
        if !taken(name) {
            return name.to_owned();
        }
        (2..)
            .map(|n| format!("{name}_{n}"))
            .find(|candidate| !taken(candidate))
            .expect("the numbers do not end")
    }

    /// The same for a struct with fields that no tool shows. Called by `#[data]` for `#[secret]`.
    ///
    /// # Panics
    /// As [`Self::named`].
    pub fn named_with_secrets<T: 'static>(
        &mut self,
        name: &str,
        docs: &str,
        secrets: &'static [&'static str],
        shape: impl FnOnce(&mut Self) -> Shape,
    ) -> TypeRef {
        let named = self.named::<T>(name, docs, shape);
        if let TypeRef::Named(index) = named {
            self.secrets.insert(index, secrets);
        }
        named
    }

    /// Fields that no tool shows, of the types so far.
    #[must_use]
    pub const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The types, in the order of their indices.
    #[must_use]
    pub fn into_types(self) -> Vec<TypeEntry> {
        self.types
    }
}
