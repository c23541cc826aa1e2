//! Storms that find nothing wrong in wrong deltas prove nothing.

use lightmoon_replica::Flaw;

use super::Storm;
use crate::hunt::{self, of_replica};

/// Storms within which each flaw is found.
const STORMS_MAX: u64 = 12;

fn must_be_found(name: &str, flaw: Flaw) {
    hunt::must_be_found(name, STORMS_MAX, |seed| Storm::new(seed, of_replica(flaw)).rage());
}

#[test]
fn a_record_against_a_value_that_is_a_tick_too_old_is_found() {
    must_be_found("baseline age off by one", Flaw::AgeOffByOne);
}

#[test]
fn an_index_that_is_given_away_before_its_leave_was_applied_is_found() {
    must_be_found("index at once", Flaw::IndexAtOnce);
}

#[test]
fn an_entity_that_is_taken_for_known_too_early_is_found() {
    must_be_found("enter not awaited", Flaw::FloorIgnored);
}

#[test]
fn a_packet_that_is_taken_for_received_when_it_was_sent_is_found() {
    must_be_found("receipt not awaited", Flaw::ReceiptNotAwaited);
}

#[test]
fn an_entity_at_rest_that_is_never_sent_again_is_found() {
    must_be_found("never refreshed", Flaw::NeverRefreshes);
}

#[test]
fn entities_far_away_that_starve_are_found() {
    must_be_found("far ones starve", Flaw::FarStarve);
}
