//! Memory that hostile input costs, counted by the allocator itself.
//!
//! *Responsible for*: the promise of `Limits::allocation_bytes`. *Not responsible for*: whether input is refused (`it`).

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait; there is no safe one")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lightmoon_contract::codec::{Data, Limits, Writer, decode, encode};
use lightmoon_contract::{Descriptor, data};

thread_local! {
    /// Bytes allocated by this thread, never going down: growing a vector counts the new buffer in full.
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local cell that needs neither
// allocation nor drop.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises about `pointer` and `layout` are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[data]
#[derive(Debug, PartialEq, Default)]
struct Wide {
    numbers: [u64; 8],
    text: String,
    inside: Vec<Wide>,
}

/// Bytes that reading `bytes` as `T` allocates, and whether it was read.
fn cost<T: Data>(bytes: &[u8], limits: Limits) -> (usize, bool) {
    let before = ALLOCATED.get();
    let result = decode::<T>(bytes, limits);
    let cost = ALLOCATED.get() - before;
    (cost, result.is_ok())
}

fn assert_bounded<T: Data>(bytes: &[u8], what: &str) {
    for limits in [Limits::CLIENT, Limits::NODE, Limits { allocation_bytes: 1_000, ..Limits::NODE }] {
        let (cost, read) = cost::<T>(bytes, limits);
        let (limit, name) = (limits.allocation_bytes, std::any::type_name::<T>());
        assert!(cost <= limit, "{what} as {name}: {cost} of {limit} bytes, read: {read}");
    }
}

fn assert_all_bounded(bytes: &[u8], what: &str) {
    assert_bounded::<Vec<u8>>(bytes, what);
    assert_bounded::<String>(bytes, what);
    assert_bounded::<Vec<Vec<Vec<u8>>>>(bytes, what);
    assert_bounded::<Vec<String>>(bytes, what);
    assert_bounded::<Vec<Wide>>(bytes, what);
    assert_bounded::<Vec<[u128; 16]>>(bytes, what);
    assert_bounded::<VecDeque<Option<Box<Wide>>>>(bytes, what);
    assert_bounded::<BTreeMap<u8, [u128; 8]>>(bytes, what);
    assert_bounded::<Vec<BTreeMap<u8, u64>>>(bytes, what);
    assert_bounded::<Vec<BTreeSet<u64>>>(bytes, what);
    assert_bounded::<BTreeMap<u64, BTreeMap<u8, Vec<u8>>>>(bytes, what);
    assert_bounded::<Descriptor>(bytes, what);
}

#[test]
fn counts_before_64_bytes_cost_at_most_64_kb() {
    for count in [64u64, 10_000_000, 1 << 32, u64::MAX - 1, u64::MAX] {
        let mut writer = Writer::new();
        writer.varint(count);
        writer.raw(&[1; 64]);
        let bytes = writer.into_bytes();
        assert_all_bounded(&bytes, &format!("count {count}"));
        let costs = [
            cost::<Vec<Wide>>(&bytes, Limits::CLIENT).0,
            cost::<Vec<Vec<String>>>(&bytes, Limits::CLIENT).0,
            cost::<BTreeMap<u8, [u128; 8]>>(&bytes, Limits::CLIENT).0,
        ];
        assert!(costs.iter().all(|cost| *cost <= 64_000), "count {count}: {costs:?}");
    }
}

#[test]
fn noise_and_repetition_cost_what_the_limits_say() {
    for seed in 0..400 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let length = rng.usize(..8_000);
        let fill = rng.u8(..6);
        let noise: Vec<u8> = (0..length).map(|_| if rng.u8(..4) == 0 { rng.u8(..8) } else { fill }).collect();
        let mut writer = Writer::new();
        writer.count(noise.len() / rng.usize(1..4));
        writer.raw(&noise);
        assert_all_bounded(writer.as_bytes(), &format!("seed {seed}"));
    }
}

#[test]
fn honest_values_cost_what_the_limits_say_too() {
    let maps: Vec<BTreeMap<u8, u64>> = (0..5_000u64).map(|n| BTreeMap::from([(1, n)])).collect();
    let big: BTreeMap<u64, u64> = (0..40_000u64).map(|n| (n, n)).collect();
    let set: BTreeSet<u64> = (0..9u64).collect();
    assert_all_bounded(&encode(&maps), "maps of one entry");
    assert_bounded::<BTreeMap<u64, u64>>(&encode(&big), "a big map");
    assert_bounded::<BTreeSet<u64>>(&encode(&set), "a small set");
}
