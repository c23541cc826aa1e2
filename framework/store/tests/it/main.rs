//! The suite against right stores and against deliberately wrong ones.

mod custom;
mod disturbed;
mod wrong;

use lightmoon_contract::Mono;
use lightmoon_store::{MemoryStore, conformance};

/// A clock that runs a millisecond at each look.
fn clock() -> impl FnMut() -> Mono {
    let mut millis = 0;
    move || {
        millis += 1;
        Mono::from_millis(millis)
    }
}

#[test]
fn the_memory_store_is_right() {
    let failures = conformance::check(|| Box::new(MemoryStore::new()), clock());
    assert!(failures.is_empty(), "{}", conformance::report(&failures));
}
