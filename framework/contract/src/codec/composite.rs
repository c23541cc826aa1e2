//! Values with parts: text, lists, maps, options, tuples.
//!
//! *Responsible for*: Rust's own types of this sort. *Not responsible for*: structs and enums of games (`#[data]`).
//!
//! Invariants:
//! - I1: items of a list take at least one byte each, so a count is bounded by the bytes that follow it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::Wrapping;

use bytes::Bytes;

use super::{Data, DecodeError, DecodeReason, Reader, Writer};
use crate::descriptor::{TypeRef, TypeTable};

impl Data for String {
    const MIN_BYTES: usize = 1;

    fn write(&self, to: &mut Writer) {
        to.bytes(self.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = from.count(1)?;
        let at = from.position();
        from.claim(length)?;
        let bytes = from.raw(length)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(DecodeError::new(at + error.valid_up_to(), DecodeReason::Utf8)),
        }
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Text
    }
}

impl Data for Bytes {
    const MIN_BYTES: usize = 1;

    fn write(&self, to: &mut Writer) {
        to.bytes(self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let length = from.count(1)?;
        from.claim(length)?;
        from.raw(length).map(Self::copy_from_slice)
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        TypeRef::List(Box::new(u8::describe(table)))
    }
}

/// Refuses, at compile time, items that take no bytes: any count of them would fit into nothing.
const fn check_item<T: Data>() {
    assert!(
        T::MIN_BYTES > 0,
        "items of lists, sets and maps must take at least one byte: `()` and empty fixed types do not"
    );
    let () = T::CHECK;
}

/// Reads a count of `T`s.
#[inline]
fn count_of<T: Data>(from: &mut Reader<'_>) -> Result<usize, DecodeError> {
    from.count(T::MIN_BYTES)
}

impl<T: Data> Data for Vec<T> {
    const MIN_BYTES: usize = 1;
    const CHECK: () = check_item::<T>();

    #[inline]
    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        T::write_items(self, to);
    }

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const { Self::CHECK };
        let count = count_of::<T>(from)?;
        from.claim(count.saturating_mul(size_of::<T>()))?;
        T::read_items(from, count)
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        TypeRef::List(Box::new(T::describe(table)))
    }
}

impl<T: Data> Data for VecDeque<T> {
    const MIN_BYTES: usize = 1;
    const CHECK: () = check_item::<T>();

    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        let (first, second) = self.as_slices();
        T::write_items(first, to);
        T::write_items(second, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Vec::read(from).map(Self::from)
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        Vec::<T>::describe(table)
    }
}

/// Bytes that a B-tree of `count` entries may take: nodes of 11 entries, each at least 5 full once there are two, and
/// a header with up to 12 edges.
const fn tree_bytes(count: usize, entry_bytes: usize) -> usize {
    let node_bytes = entry_bytes.saturating_mul(11).saturating_add(16 + 12 * 8);
    if count == 0 { 0 } else { (count / 5).saturating_add(1).saturating_mul(node_bytes) }
}

/// Checks that a strict reader meets keys in ascending order, as they are written.
fn in_order<K: Ord>(from: &Reader<'_>, last: Option<&K>, key: &K, at: usize) -> Result<(), DecodeError> {
    if from.is_strict() && last.is_some_and(|last| last >= key) {
        return Err(DecodeError::new(at, DecodeReason::KeyOrder));
    }
    Ok(())
}

/// Of a repeated key the last value counts, unless the reader is strict.
impl<K: Data + Ord, V: Data> Data for BTreeMap<K, V> {
    const MIN_BYTES: usize = 1;
    const CHECK: () = check_item::<(K, V)>();

    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        for (key, value) in self {
            key.write(to);
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const { Self::CHECK };
        let count = from.count(K::MIN_BYTES + V::MIN_BYTES)?;
        from.claim(tree_bytes(count, size_of::<K>() + size_of::<V>()))?;
        let mut map = Self::new();
        for _ in 0..count {
            let at = from.position();
            let key = K::read(from)?;
            in_order(from, map.last_key_value().map(|(last, _)| last), &key, at)?;
            let value = V::read(from)?;
            map.insert(key, value);
        }
        Ok(map)
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        TypeRef::Map(Box::new(K::describe(table)), Box::new(V::describe(table)))
    }
}

impl<T: Data + Ord> Data for BTreeSet<T> {
    const MIN_BYTES: usize = 1;
    const CHECK: () = check_item::<T>();

    fn write(&self, to: &mut Writer) {
        to.count(self.len());
        for item in self {
            item.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const { Self::CHECK };
        let count = count_of::<T>(from)?;
        from.claim(tree_bytes(count, size_of::<T>()))?;
        let mut set = Self::new();
        for _ in 0..count {
            let at = from.position();
            let item = T::read(from)?;
            in_order(from, set.last(), &item, at)?;
            set.insert(item);
        }
        Ok(set)
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        TypeRef::Set(Box::new(T::describe(table)))
    }
}

/// Reads the tag of an option or result: exactly a byte that is 0 or 1, which a `bool` is too.
fn one_of_two(from: &mut Reader<'_>) -> Result<bool, DecodeError> {
    from.get()
}

impl<T: Data> Data for Option<T> {
    const MIN_BYTES: usize = 1;
    const CHECK: () = T::CHECK;

    fn write(&self, to: &mut Writer) {
        match self {
            None => to.raw(&[0]),
            Some(value) => {
                to.raw(&[1]);
                value.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if one_of_two(from)? { T::read(from).map(Some) } else { Ok(None) }
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        TypeRef::Option(Box::new(T::describe(table)))
    }
}

impl<T: Data, E: Data> Data for Result<T, E> {
    const MIN_BYTES: usize = 1;
    const CHECK: () = {
        let () = T::CHECK;
        let () = E::CHECK;
    };

    fn write(&self, to: &mut Writer) {
        match self {
            Ok(value) => {
                to.raw(&[0]);
                value.write(to);
            }
            Err(error) => {
                to.raw(&[1]);
                error.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if one_of_two(from)? { E::read(from).map(Err) } else { T::read(from).map(Ok) }
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        TypeRef::Result(Box::new(T::describe(table)), Box::new(E::describe(table)))
    }
}

impl<T: Data> Data for Box<T> {
    const MIN_BYTES: usize = T::MIN_BYTES;
    const CHECK: () = T::CHECK;

    fn write(&self, to: &mut Writer) {
        T::write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        from.claim(size_of::<T>())?;
        T::read(from).map(Self::new)
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        T::describe(table)
    }
}

impl<T: Data> Data for Wrapping<T> {
    const MIN_BYTES: usize = T::MIN_BYTES;
    const CHECK: () = T::CHECK;

    fn write(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::read(from).map(Wrapping)
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        T::describe(table)
    }
}

impl<T: Data, const N: usize> Data for [T; N] {
    const MIN_BYTES: usize = T::MIN_BYTES * N;
    const CHECK: () = T::CHECK;

    fn write(&self, to: &mut Writer) {
        T::write_items(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut items = [const { None::<T> }; N];
        for item in &mut items {
            *item = Some(T::read(from)?);
        }
        Ok(items.map(|item| item.expect("every place was filled above")))
    }

    fn describe(table: &mut TypeTable) -> TypeRef {
        TypeRef::Array(Box::new(T::describe(table)), N as u64)
    }
}

impl Data for () {
    const MIN_BYTES: usize = 0;

    fn write(&self, _: &mut Writer) {}

    fn read(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }

    fn describe(_: &mut TypeTable) -> TypeRef {
        TypeRef::Tuple(Vec::new())
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),*);)*) => {$(
        impl<$($name: Data),*> Data for ($($name,)*) {
            const MIN_BYTES: usize = 0 $(+ $name::MIN_BYTES)*;
            const CHECK: () = {
                $(let () = $name::CHECK;)*
            };

            fn write(&self, to: &mut Writer) {
                $(self.$index.write(to);)*
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(($($name::read(from)?,)*))
            }

            fn describe(table: &mut TypeTable) -> TypeRef {
                TypeRef::Tuple(vec![$($name::describe(table)),*])
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}
