//! Deliberately wrong replication, to prove that the simulator's checkers see: only in a build with the feature `flaws`.
//!
//! *Responsible for*: naming what may be wrong, and what can be bent from outside. *Not responsible for*: finding it
//! (`lightmoon_sim`).

use crate::{Baseline, Gather, limits};

/// A way to be wrong in what a client is thought to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// Writes records against a value that is one tick older than the one that they name.
    AgeOffByOne,
    /// Gives an index away before the Leave of its last owner was applied.
    IndexAtOnce,
    /// Takes an entity for known before the client applied its Enter.
    FloorIgnored,
    /// Takes for received what was sent.
    ReceiptNotAwaited,
    /// Never sends again what rests.
    NeverRefreshes,
    /// Lets what is near go first for ever: waiting gains nothing.
    FarStarve,
}

impl Flaw {
    /// What records are written against that name this baseline.
    pub(crate) fn bend_baseline(self, baseline: Baseline) -> Baseline {
        let age = baseline.age + 1;
        let is_bent = self == Self::AgeOffByOne && baseline.age > 0;
        let bent = Baseline { age, ..baseline };
        if is_bent && bent.oldest() <= limits::BASELINE_AGE_MAX { bent } else { baseline }
    }

    /// What a packet is made from.
    pub(crate) fn bend(self, mut gather: Gather) -> Gather {
        /// Longer than any trial.
        const NEVER_TICKS: u32 = 1 << 30;
        match self {
            Self::NeverRefreshes => gather.refresh_ticks = NEVER_TICKS,
            Self::FarStarve => gather.starve_ticks = NEVER_TICKS,
            Self::AgeOffByOne | Self::IndexAtOnce | Self::FloorIgnored | Self::ReceiptNotAwaited => {}
        }
        gather
    }
}
