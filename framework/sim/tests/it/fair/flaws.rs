//! Storms that find nothing unfair in a wrong product prove nothing.
//!
//! Each wrong variant must be found within a bound. How many storms that took is printed: a rising number is a checker that
//! goes blind.

use lightmoon_actor::Flaw as WorkerFlaw;
use lightmoon_durable::Flaw as KeeperFlaw;
use lightmoon_node::NodeOptions;

use super::storm::Storm;

/// Storms within which each flaw is found.
const STORMS_MAX: u64 = 40;

/// The first storm that finds something: its number, counted from 1, and what it found.
fn found(options: NodeOptions) -> Option<(u64, String)> {
    (0..STORMS_MAX).find_map(|seed| {
        let mut storm = Storm::new(seed, options);
        let found = storm.rage().and_then(|()| storm.heal()).err()?;
        Some((seed + 1, found.to_string()))
    })
}

#[expect(clippy::print_stdout, reason = "the number of storms is what a reader of the log looks for")]
fn must_be_found(name: &str, options: NodeOptions) {
    match found(options) {
        Some((storms, what)) => println!("flaw {name}: found after {storms} fair storms: {what}"),
        None => panic!("flaw {name} was not found in {STORMS_MAX} fair storms"),
    }
}

fn of_keeper(flaw: KeeperFlaw) -> NodeOptions {
    NodeOptions { keeper_flaw: Some(flaw), ..NodeOptions::default() }
}

fn of_worker(flaw: WorkerFlaw) -> NodeOptions {
    NodeOptions { worker_flaw: Some(flaw), ..NodeOptions::default() }
}

#[test]
fn a_worker_that_serves_again_what_it_knows_is_found() {
    must_be_found("no dedup", of_worker(WorkerFlaw::NoDedup));
}

#[test]
fn a_keeper_that_skips_marks_is_found() {
    must_be_found("inbox mark skipped", of_keeper(KeeperFlaw::MarkSkipped));
}

#[test]
fn a_keeper_that_relays_before_the_commit_is_found() {
    must_be_found("relay before commit", of_keeper(KeeperFlaw::RelayBeforeCommit));
}

#[test]
fn a_keeper_without_a_fence_is_found() {
    must_be_found("no fence", of_keeper(KeeperFlaw::NoFence));
}

#[test]
fn a_keeper_that_repeats_blindly_is_found() {
    must_be_found("blind retry", of_keeper(KeeperFlaw::BlindRetry));
}

#[test]
fn a_worker_that_answers_before_the_commit_is_found() {
    must_be_found("reply before commit", of_worker(WorkerFlaw::ReplyBeforeCommit));
}

#[test]
fn a_worker_that_tells_past_the_gate_is_found() {
    must_be_found("tell past the gate", of_worker(WorkerFlaw::TellPastGate));
}
