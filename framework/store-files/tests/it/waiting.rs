//! Requests as calls.
//!
//! *Responsible for*: waiting for outcomes without spinning hot. *Not responsible for*: what is right.

use std::time::{Duration, Instant};

use lightmoon_contract::Mono;
use lightmoon_store::{Outcome, Request, Store, Ticket};

/// A store that does not answer within this time hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// The next outcome.
pub(crate) fn next(store: &mut dyn Store) -> (Ticket, Outcome) {
    let started = Instant::now();
    loop {
        if let Some(answer) = store.poll(Mono(0)) {
            return answer;
        }
        assert!(started.elapsed() < LIMIT, "no outcome comes");
        std::thread::yield_now();
    }
}

/// Submits and waits.
pub(crate) fn call(store: &mut dyn Store, request: Request) -> Outcome {
    store.submit(Ticket(0), request).expect("a request within the limits");
    next(store).1
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LIMIT, "{what} never comes");
        std::thread::sleep(Duration::from_millis(1));
    }
}
