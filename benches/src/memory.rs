//! An allocator that counts for each thread.
//!
//! *Responsible for*: allocations made and bytes held by the current thread. *Not responsible for*: what threads of a
//! runtime hold; what is counted runs on the thread that counts.
//!
//! It counts a piece as glibc lays it out: eight bytes more, in steps of 16, at least 32. Counting costs each allocation
//! about a nanosecond, ours and the peers' alike.

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait; there is no safe one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<i64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches thread-local cells that need neither
// allocation nor drop.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get() + piece(layout.size()));
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get() + piece(layout.size()));
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        HELD.set(HELD.get() + piece(size) - piece(layout.size()));
        // SAFETY: the caller's promises about `pointer`, `layout` and `size` are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - piece(layout.size()));
        // SAFETY: the caller's promises about `pointer` and `layout` are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Bytes that glibc takes for a piece of `size`.
fn piece(size: usize) -> i64 {
    i64::try_from(size.saturating_add(8).next_multiple_of(16).max(32)).unwrap_or(i64::MAX)
}

/// Allocations that `work` makes on this thread.
pub(crate) fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

/// Bytes that this thread holds more of than it gave back.
pub(crate) fn held() -> i64 {
    HELD.get()
}

#[cfg(test)]
mod tests {
    use super::{allocations, held};

    #[test]
    fn a_box_is_one_allocation_of_its_bytes_as_the_allocator_lays_them_out() {
        let before = held();
        let mut kept = None;
        assert_eq!(allocations(|| kept = Some(Box::new([0_u8; 40]))), 1);
        assert_eq!(held() - before, 48);
        drop(kept);
        assert_eq!(held(), before);
    }
}
