//! The suite that says whether a store is right.
//!
//! *Responsible for*: what every store has to promise, as functions that return readable failures. *Not responsible for*:
//! what only some stores have: speed, files, a cluster.
//!
//! Run it in a test of the store:
//!
//! ```
//! use lightmoon_contract::Mono;
//! use lightmoon_store::{MemoryStore, conformance};
//!
//! let mut now = 0;
//! let wait = || { now += 1; Mono::from_millis(now) };
//! let failures = conformance::check(|| Box::new(MemoryStore::new()), wait);
//! assert!(failures.is_empty(), "{}", conformance::report(&failures));
//! ```
//!
//! `wait` is called while an outcome is awaited: it lets time pass (a store with a thread behind it sleeps a little) and
//! returns the new time. Each promise gets a store of its own from `open`, empty. A store that keeps what it has beyond
//! its own life also runs [`survives`].

mod bench;
mod commits;
mod plain;
mod random;
mod reads;
mod unknown;

use lightmoon_contract::Mono;

use crate::Store;
use bench::Bench;

/// Where a store broke a promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The promise.
    pub promise: &'static str,
    /// What was expected and what came.
    pub detail: String,
}

/// One promise: its name, and a check of it against an empty store.
type Promise = (&'static str, fn(&mut Bench<'_>) -> Result<(), String>);

/// All promises.
const PROMISES: &[Promise] = &[
    ("a commit sets head and rows together", commits::sets_head_and_rows),
    ("a refused commit changes nothing and names the head that is there", commits::refused_changes_nothing),
    ("absent holds for new partitions only", commits::absent_holds_once),
    ("equal, at most and missing fields are told apart", commits::tests_are_exact),
    ("all tests of a condition have to pass", commits::all_tests_count),
    ("fields that a commit does not name stay", commits::other_fields_stay),
    ("of two commits on one head one wins", commits::one_of_two_wins),
    ("changes of a commit apply in their order", commits::changes_in_order),
    ("a deleted range ends where it says and takes rows of the same commit", commits::ranges_are_exact),
    (
        "owners follow each other and none writes after the next has claimed",
        commits::owners_follow_each_other,
    ),
    ("partitions, spaces and areas do not touch each other", plain::places_are_apart),
    ("rows are read in order, by range and page", reads::in_order_by_page),
    ("pages go on amid commits", reads::pages_amid_commits),
    ("the head is read also where no row is in range", reads::head_without_rows),
    ("what is not there reads as nothing", reads::nothing_there),
    ("bytes come back as they were given", reads::bytes_are_bytes),
    ("the same chunk and the same log row twice do no harm", plain::repeats_do_no_harm),
    ("partitions are listed in order, by page", plain::lists_partitions),
    ("a removal takes what it names and nothing else", plain::removes_exactly),
    ("every request gets one outcome under its ticket", plain::one_outcome_each),
    ("requests over a limit are handed back", plain::limits_hold),
    ("random requests have the outcomes of the memory store", random::agrees_with_memory),
    ("a counter is exact over unknown outcomes", unknown::counter_is_exact),
];

/// Checks every promise, each against an empty store of its own.
pub fn check(mut open: impl FnMut() -> Box<dyn Store>, mut wait: impl FnMut() -> Mono) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (promise, check) in PROMISES {
        let mut store = open();
        if let Err(detail) = check(&mut Bench::new(&mut *store, &mut wait)) {
            failures.push(Failure { promise, detail });
        }
    }
    failures
}

/// Checks a store that answers now and then [`crate::Outcome::Unknown`] or [`crate::Outcome::Unavailable`], as one behind
/// a bad network does. [`check`] asks for an undisturbed store.
pub fn check_disturbed(
    mut open: impl FnMut() -> Box<dyn Store>,
    mut wait: impl FnMut() -> Mono,
) -> Vec<Failure> {
    let mut store = open();
    let checked = unknown::counter_is_exact(&mut Bench::new(&mut *store, &mut wait));
    let promise = "a counter is exact over unknown outcomes";
    checked.err().map(|detail| Failure { promise, detail }).into_iter().collect()
}

/// How often [`survives`] opens the store again amid random requests, and how many it asks in between.
const REOPENINGS: usize = 12;
const STEPS_BETWEEN: usize = 150;

/// Checks that what is done survives the end of the store. `open` opens the same place each time, at first empty.
pub fn survives(mut open: impl FnMut() -> Box<dyn Store>, mut wait: impl FnMut() -> Mono) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut comparison = random::Comparison::new(0x5703_E5EE_D000_0002);
    let compared = (0..REOPENINGS).try_for_each(|opening| {
        let mut store = open();
        let compared = comparison.go_on(&mut Bench::new(&mut *store, &mut wait), STEPS_BETWEEN);
        compared.map_err(|detail| format!("opened {opening} times: {detail}"))
    });
    if let Err(detail) = compared {
        failures.push(Failure {
            promise: "random requests over reopenings have the outcomes of the memory store",
            detail,
        });
    }
    // In a partition that the random requests never name.
    let written = commits::write_to_survive(&mut Bench::new(&mut *open(), &mut wait));
    let read = commits::read_what_survived(&mut Bench::new(&mut *open(), &mut wait));
    for detail in [written, read].into_iter().filter_map(Result::err) {
        failures.push(Failure { promise: "what is done survives the end of the store", detail });
    }
    failures
}

/// Failures as text, one a line.
#[must_use]
pub fn report(failures: &[Failure]) -> String {
    let lines = failures.iter().map(|Failure { promise, detail }| format!("broken: {promise}: {detail}"));
    lines.collect::<Vec<_>>().join("\n")
}
