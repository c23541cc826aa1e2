//! What two players trade with each other: goods, offers, and how they end.
//!
//! *Responsible for*: the types of the trading operations of [`crate::Pilot`]. *Not responsible for*: its rules (`game-sample`).

use lightmoon_contract::{NetId, data};

use crate::{Hold, OreStack};

/// Coins and ore that go from one hold to another.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Goods {
    /// Coins.
    pub coins: u64,
    /// Ore by its colour.
    pub ore: Vec<OreStack>,
}

/// Names an offer, and the trade that comes of it; never given twice.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct TradeId {
    /// Key of the pilot who offers.
    pub pilot: u64,
    /// Counts that pilot's offers, from 1.
    pub number: u64,
}

/// An open offer.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trade {
    /// Its name.
    pub id: TradeId,
    /// Key of the other pilot.
    pub with: u64,
    /// The other pilot's name.
    pub name: String,
    /// What the offerer gives.
    pub give: Goods,
    /// What the offerer wants for it.
    pub want: Goods,
    /// Milliseconds until it ends by itself.
    pub left_ms: u32,
    /// It is accepted and paid; its goods are on their way.
    pub accepted: bool,
}

/// All open offers of a pilot, and what it has.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trades {
    /// What is in the hold, without what is offered.
    pub hold: Hold,
    /// Offers of others to this pilot, oldest first.
    pub to_me: Vec<Trade>,
    /// Offers of this pilot, oldest first.
    pub from_me: Vec<Trade>,
}

/// What an operation moved: out of the hold (accepted), back into it (cancelled), or nothing (refused).
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Moved {
    /// For which trade.
    pub trade: TradeId,
    /// What.
    pub goods: Goods,
}

/// How an offer ended, told to a pilot's client.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TradeOver {
    /// Which one.
    pub trade: TradeId,
    /// The other pilot's name.
    pub name: String,
    /// How.
    pub end: TradeEnd,
    /// What came into the hold by that.
    pub got: Goods,
    /// What is in the hold now.
    pub hold: Hold,
}

/// How an offer ends.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TradeEnd {
    /// Both have what they traded for.
    Settled,
    /// The other pilot did not want it. What was offered is back.
    Refused,
    /// The other pilot has too many offers to look at. What was offered is back.
    TooMany,
    /// The offerer took it back.
    Cancelled,
    /// Nobody accepted it in time. What was offered is back.
    TimedOut,
    /// It was accepted when it was over already. What was paid is back.
    Returned,
    /// In a way that this build does not know.
    #[default]
    #[other]
    Other,
}

/// Why a trading operation did nothing.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TradeRefused {
    /// The pilot has no ship in a sector. Enter first.
    NotAboard,
    /// There is no such ship here, or nobody flies it.
    NoShip,
    /// It is the pilot's own ship.
    OwnShip,
    /// Nothing is given and nothing is wanted.
    Nothing,
    /// Ore of a colour that there is not, or more than can be traded at once.
    BadGoods,
    /// The hold has not so much.
    NotEnough,
    /// The pilot has too many open offers. Wait, or cancel one.
    TooMany,
    /// There is no such open offer, or it is over.
    Unknown,
    /// The server cannot do it now. Ask for the open offers, and try again.
    Unavailable,
    /// A reason that this build does not know.
    #[default]
    #[other]
    Other,
}

/// Who flies a ship.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flown {
    /// The ship.
    pub ship: NetId,
    /// Key of its pilot.
    pub pilot: u64,
    /// The pilot's name.
    pub name: String,
}
