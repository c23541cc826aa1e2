//! Storms that find nothing unfair in a wrong product prove nothing.
//!
//! Each wrong variant must be found within a bound.

use lightmoon_actor::Flaw as WorkerFlaw;
use lightmoon_durable::Flaw as KeeperFlaw;
use lightmoon_node::NodeOptions;

use super::storm::Storm;
use crate::hunt::{self, of_keeper, of_worker};

/// Storms within which each flaw is found.
const STORMS_MAX: u64 = 40;

fn must_be_found(name: &str, options: NodeOptions) {
    hunt::must_be_found(name, STORMS_MAX, |seed| {
        let mut storm = Storm::new(seed, options);
        storm.rage()?;
        storm.heal()
    });
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
