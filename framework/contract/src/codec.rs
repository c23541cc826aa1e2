//! The byte format: how values become bytes and back.
//!
//! *Responsible for*: [`Data`] and its implementations for Rust's own types, [`Writer`], [`Reader`] with its limits.
//! *Not responsible for*: frames (`wire`), bit packing of state (`replica`), records on disk (`store`).
//!
//! The format is bincode 2 "standard" (little-endian, variable-length integers); growing types put a length in front.
//! `docs/adr/0002-byte-format.md` says why, the table for strangers is `docs/byte-format.md`.
//!
//! Invariants:
//! - I1: the same value always gives the same bytes; they equal those of `bincode` 2.0.1 (tested against it).
//! - I2: reading any bytes ends: with a value, or with a [`DecodeError`]; it never panics.
//! - I3: reading allocates at most [`Limits::allocation_bytes`], claimed before it is allocated.
//! - I4: a nested read never leaves its window; [`decode`] consumes its input exactly.

mod composite;
mod error;
mod reader;
mod scalar;
mod writer;

use crate::descriptor::{TypeRef, TypeTable};

pub use error::{DecodeError, DecodeReason};
pub use reader::{Limits, Reader};
pub use writer::Writer;

/// A value that can travel: in calls, answers, pushes and replicated components.
///
/// Write `#[data]` on a type instead of implementing this by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel in a contract",
    label = "this type has no byte format",
    note = "put `#[data]` on the type if it is yours",
    note = "maps and sets travel as `BTreeMap` and `BTreeSet` (hash order is not the same twice), text as `String`, \
            lists as `Vec`; references, `Rc` and closures stay at home"
)]
pub trait Data: Sized + 'static {
    /// The least number of bytes that any value takes. Bounds the count of a list by the bytes that are there.
    const MIN_BYTES: usize;

    /// Fails to compile for a type that cannot travel because of what is inside: a list of items without bytes.
    #[doc(hidden)]
    const CHECK: () = ();

    /// Appends the value.
    fn write(&self, to: &mut Writer);

    /// Reads a value.
    ///
    /// # Errors
    /// The bytes are no such value, end too early or ask for more than the limits allow.
    fn read(from: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Names the type for descriptors, and enters it in `table` if it has fields.
    fn describe(table: &mut TypeTable) -> TypeRef;

    /// Appends the items of a list, without their count. Bytes do it at once.
    #[doc(hidden)]
    #[inline]
    fn write_items(items: &[Self], to: &mut Writer) {
        to.reserve(items.len().saturating_mul(Self::MIN_BYTES));
        // A writer of our own, whose buffer stays in registers from item to item.
        let mut own = std::mem::take(to);
        for item in items {
            item.write(&mut own);
        }
        *to = own;
    }

    /// Reads `count` items of a list; their place in memory is claimed already.
    #[doc(hidden)]
    #[inline]
    fn read_items(from: &mut Reader<'_>, count: usize) -> Result<Vec<Self>, DecodeError> {
        let mut items = Vec::with_capacity(count);
        // A reader of our own, whose place and limits stay in registers from item to item.
        let mut own = from.fork();
        let result = (0..count).try_for_each(|_| {
            items.push(Self::read(&mut own)?);
            Ok(())
        });
        *from = own;
        result.map(|()| items)
    }
}

/// A field of a growing type: what is read when an older peer did not send it.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` needs a value for peers that do not send it yet",
    label = "`{Self}` is not `Default`",
    note = "derive `Default` for the type, or put `#[required]` on the field: reading fails when it is missing, so it \
            can never be added to a type that is already in use"
)]
pub trait Grow: Data {
    /// The value of a missing field.
    fn missing() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Data + Default> Grow for T {
    fn missing() -> Self {
        Self::default()
    }
}

/// The bytes of a value.
///
/// ```
/// assert_eq!(lightmoon_contract::codec::encode(&300u16), [0xFB, 0x2C, 0x01]);
/// ```
#[must_use]
pub fn encode<T: Data>(value: &T) -> Vec<u8> {
    let mut writer = Writer::new();
    value.write(&mut writer);
    writer.into_bytes()
}

/// The value of exactly these bytes.
///
/// # Errors
/// The bytes are no such value, are more than one, or ask for more than `limits` allow.
///
/// ```
/// use lightmoon_contract::codec::{Limits, decode};
/// assert_eq!(decode::<u16>(&[0xFB, 0x2C, 0x01], Limits::CLIENT), Ok(300));
/// assert!(decode::<u16>(&[0xFB, 0x2C, 0x01, 0x00], Limits::CLIENT).is_err());
/// ```
pub fn decode<T: Data>(bytes: &[u8], limits: Limits) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes, limits)?;
    let value = T::read(&mut reader)?;
    reader.finish()?;
    Ok(value)
}
