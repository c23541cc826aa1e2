//! What two pilots tell each other about a trade, as data.
//!
//! *Responsible for*: being what the rules return, so that they can be tried without actors. *Not responsible for*: sending
//! ([`super::desk`]).

use game_sample_contracts::{Goods, TradeEnd, TradeId};

/// A message to another pilot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Key of that pilot.
    pub to: u64,
    /// About which trade.
    pub trade: TradeId,
    /// What it says.
    pub says: Says,
}

/// What a message says. The names are those of the contract's operations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Says {
    /// A to B.
    Offered {
        /// A's name.
        from_name: String,
        /// What A gives.
        give: Goods,
        /// What A wants.
        want: Goods,
        /// Until it ends.
        left_ms: u32,
    },
    /// A to B.
    Withdrawn(TradeEnd),
    /// A to B, with what was offered.
    Settled(Goods),
    /// A to B, with what was paid.
    Returned(Goods),
    /// B to A.
    Declined(TradeEnd),
    /// B to A, with what was wanted.
    Accepted(Goods),
}
