//! Storms that find nothing wrong in a wrong product prove nothing.
//!
//! Each wrong variant must be found within a bound.

use lightmoon_actor::Flaw as WorkerFlaw;
use lightmoon_durable::Flaw as KeeperFlaw;
use lightmoon_node::NodeOptions;

use super::storm::Storm;
use crate::hunt::{self, of_keeper, of_worker};

/// Storms within which each flaw is found.
const STORMS_MAX: u64 = 60;

fn must_be_found(name: &str, options: NodeOptions) {
    hunt::must_be_found(name, STORMS_MAX, |seed| Storm::new(seed, options).rage());
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
fn a_keeper_that_leaves_entities_out_is_found() {
    must_be_found("durable entity left out", of_keeper(KeeperFlaw::EntityLeftOut));
}

#[test]
fn a_keeper_that_publishes_too_early_is_found() {
    must_be_found("manifest outside the commit", of_keeper(KeeperFlaw::ManifestOutside));
}

#[test]
fn a_worker_that_answers_before_the_commit_is_found() {
    must_be_found("acknowledge before commit", of_worker(WorkerFlaw::ReplyBeforeCommit));
}

#[test]
fn a_worker_that_tells_past_the_gate_is_found() {
    must_be_found("tell past the gate", of_worker(WorkerFlaw::TellPastGate));
}
