//! How long things may take, and how far ships may be.
//!
//! *Responsible for*: the figures that a run is held to, with reasons. *Not responsible for*: judging.

use std::time::Duration;

/// A kill that waits for an acknowledged operation waits no longer.
pub(crate) const LINE_WITHIN: Duration = Duration::from_secs(3);
/// All bots have begun and have a ship after this.
pub(crate) const BEGIN_WITHIN: Duration = Duration::from_secs(30);
/// Bots that were in play are again after this much time of a server that is up; what they reach mostly is below.
pub(crate) const BACK_WITHIN_MS: u64 = 10_000;
/// A node that lived for so long is started again at once; one that died sooner after a pause, up to five seconds.
pub(crate) const GOOD_LIFE: Duration = Duration::from_secs(2);
/// Goal for 95 of 100 bots whose node lived that long, from the kill to the first sight of the own ship.
pub(crate) const BACK_P95_MS: u64 = 2_000;
/// A stop in order, with everybody in play, from the signal to the end: then it has told the clients and stored what changed.
pub(crate) const STOP_MAX_MS: u64 = 2_000;
/// A trail line is in its file after this: bots flush each half second.
pub(crate) const TRAIL_LAG: Duration = Duration::from_millis(1_500);

/// How old a place may be: `max_loss` of ten seconds and one until the commit is through.
pub(crate) const AGE_MAX_MS: u64 = 11_000;
/// Time between two lines of a trail and by how much a client's sight is late.
pub(crate) const SAMPLE_MS: u64 = 1_500;
/// Units off the straight way between two lines: the way is curved, clients see the past.
pub(crate) const OFF_WAY_MAX: f32 = 120.0;
/// Units that a ship flies in a millisecond at most: on boost.
pub(crate) const SPEED_MAX: f32 = 0.32;
/// Where a ship comes out of a gate it may have been for this long before its first line.
pub(crate) const ARRIVAL_MS: u64 = 1_500;

/// Play after the last kill beyond the time of an offer, before none may be open that is older than that: pilots come back, and
/// ends are noted.
pub(crate) const REST_SLACK_MS: u64 = 5_000;
