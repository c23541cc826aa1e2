//! A value of some type, without a box if it is small.
//!
//! *Responsible for*: holding one value of any type that may be sent, giving it back as what it was. *Not responsible for*:
//! bytes ([`crate::codec`]).
//!
//! A message between actors of one process is written and read once. Up to [`ROOM_BYTES`] it stands in the envelope
//! itself; a larger one is in a box. `cargo xtask bench actor` counts what that saves.
//!
//! Invariants:
//! - I1: the table of a [`Typed`] is that of the type whose value, or box of one, is in its room.
//! - I2: the value is taken or dropped once: [`Typed::take`] forgets what it took out of.

#![expect(
    unsafe_code,
    reason = "a value of any type in a room of fixed size; a box for each message costs 20 ns"
)]

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};

/// Bytes that a value may have to go without a box: the arguments of most operations.
pub const ROOM_BYTES: usize = 32;

/// Where the value stands, or the pointer of its box. Aligned for all that a message usually has.
type Room = [MaybeUninit<u64>; ROOM_BYTES / size_of::<u64>()];

/// What is known of the type of a value.
struct Table {
    type_id: TypeId,
    /// Drops the value in the room.
    drop: unsafe fn(*mut Room),
}

/// The table of `T`.
struct TableOf<T>(PhantomData<T>);

impl<T: 'static> TableOf<T> {
    const FITS: bool = size_of::<T>() <= size_of::<Room>() && align_of::<T>() <= align_of::<Room>();
    const TABLE: &'static Table = &Table { type_id: TypeId::of::<T>(), drop: Self::drop };

    /// Drops the `T` in a room.
    ///
    /// # Safety
    /// The room holds a `T` as [`Typed::new`] put it there, and nobody uses it afterwards.
    unsafe fn drop(room: *mut Room) {
        if Self::FITS {
            // SAFETY: the room holds a `T`, as the caller promises.
            unsafe { room.cast::<T>().drop_in_place() }
        } else {
            // SAFETY: the room holds the pointer of a box of `T`, as the caller promises.
            let boxed = unsafe { room.cast::<*mut T>().read() };
            // SAFETY: it came from `Box::into_raw`, and the caller gives it up.
            drop(unsafe { Box::from_raw(boxed) });
        }
    }
}

/// One value of a type that is known to who takes it out.
///
/// `Send` as its value is, and `Sync` since nothing of the value is reached by a reference.
pub struct Typed {
    room: Room,
    table: &'static Table,
}

impl Typed {
    /// Holds `value`. Allocates if it has more than [`ROOM_BYTES`].
    pub fn new<T: Send + 'static>(value: T) -> Self {
        let mut room: Room = [MaybeUninit::uninit(); _];
        if TableOf::<T>::FITS {
            // SAFETY: `FITS` says that room and alignment are enough for a `T`.
            unsafe { room.as_mut_ptr().cast::<T>().write(value) }
        } else {
            let boxed = Box::into_raw(Box::new(value));
            // SAFETY: a pointer is no larger and no stricter aligned than the room.
            unsafe { room.as_mut_ptr().cast::<*mut T>().write(boxed) }
        }
        Self { room, table: TableOf::<T>::TABLE }
    }

    /// Whether the value is a `T`.
    #[must_use]
    pub fn is<T: 'static>(&self) -> bool {
        self.table.type_id == TypeId::of::<T>()
    }

    /// The value.
    ///
    /// # Errors
    /// It is no `T`; it is handed back.
    pub fn take<T: 'static>(self) -> Result<T, Self> {
        if !self.is::<T>() {
            return Err(self);
        }
        let this = ManuallyDrop::new(self);
        if TableOf::<T>::FITS {
            // SAFETY: the type was compared, so the room holds a `T` (I1); what held it is never used again (I2).
            Ok(unsafe { this.room.as_ptr().cast::<T>().read() })
        } else {
            // SAFETY: the type was compared, so the room holds the pointer of a box of `T` (I1).
            let boxed = unsafe { this.room.as_ptr().cast::<*mut T>().read() };
            // SAFETY: it came from `Box::into_raw`; what held it is never used again (I2).
            Ok(*unsafe { Box::from_raw(boxed) })
        }
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        // SAFETY: the table is of what is in the room (I1), and it is dropped once (I2).
        unsafe { (self.table.drop)(&raw mut self.room) }
    }
}

// It travels between workers.
const _: fn() = || {
    const fn travels<T: Send>() {}
    travels::<Typed>();
};

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Typed;

    /// What is put in comes out, for sizes and alignments on both sides of the room, as it does of a `Box<dyn Any>`.
    #[test]
    fn what_is_put_in_comes_out() {
        fn check<T: Send + PartialEq + Clone + std::fmt::Debug + 'static>(value: T) {
            let boxed: Box<dyn std::any::Any + Send> = Box::new(value.clone());
            let (typed, safe) = (Typed::new(value).take::<T>().unwrap(), boxed.downcast::<T>().unwrap());
            assert_eq!(typed, *safe);
        }
        check(());
        check(7_u8);
        check((1_u64, 2_u64, 3_u64, 4_u64));
        check((1_u64, 2_u64, 3_u64, 4_u64, 5_u8));
        check([9_u8; 33]);
        check(u128::MAX);
        check("text".to_owned());
        check(vec![Some(1), None]);
        check([Arc::new(1), Arc::new(2)]);
    }

    #[test]
    fn a_value_of_another_type_is_handed_back_whole() {
        let typed = Typed::new("text".to_owned());
        let typed = typed.take::<Vec<u8>>().unwrap_err();
        assert!(typed.is::<String>());
        assert_eq!(typed.take::<String>().unwrap(), "text");
    }

    #[test]
    fn a_value_is_dropped_once_whether_it_is_taken_or_not() {
        let counted = Arc::new(());
        let small = || Typed::new(Arc::clone(&counted));
        let large = || Typed::new((Arc::clone(&counted), [0_u64; 8]));
        drop([small(), large()]);
        assert_eq!(Arc::strong_count(&counted), 1);
        let taken = small().take::<Arc<()>>().unwrap();
        let (boxed, _) = large().take::<(Arc<()>, [u64; 8])>().unwrap();
        assert_eq!(Arc::strong_count(&counted), 3);
        drop((taken, boxed));
        assert_eq!(Arc::strong_count(&counted), 1);
    }

    #[test]
    fn a_panic_in_a_drop_comes_through() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("boom");
            }
        }
        let typed = Typed::new(Bomb);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(typed))).is_err());
    }
}
