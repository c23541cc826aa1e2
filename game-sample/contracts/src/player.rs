//! A player: who they are, which ship is theirs, what is in its hold, what they trade.
//!
//! *Responsible for*: the words between a client and its own player, between sectors and players, and between two players.
//! *Not responsible for*: flying (`space`), the types of trading (`trade`).

use lightmoon_contract::{NetId, contract, data};

use crate::{Goods, Moved, Place, Trade, TradeEnd, TradeId, TradeOver, TradeRefused, Trades};

/// A player.
#[contract]
pub trait Pilot {
    /// Enters the game with a ship of this name (1 to 24 characters) and colour (degrees, 0 to 359), where the ship was
    /// last. Entering again while a ship is there gives the same ship.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 2, timeout_ms = 5000)]
    async fn enter(name: String, hue: u16) -> Result<Entered, EnterRefused>;

    /// Enters the game as `enter` does, but in this sector, wherever the ship was last; from another one it is taken out.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 2, timeout_ms = 5000)]
    async fn enter_at(name: String, hue: u16, sector: u64) -> Result<Entered, EnterRefused>;

    /// Mines a crystal near the ship. What is answered is stored. Asking again for the same crystal, also after a crash,
    /// counts it once and gives the same answer.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 2, burst = 4, timeout_ms = 5000,
        durability = sync, log)]
    async fn mine(crystal: NetId) -> Result<Mined, MineRefused>;

    /// What the player has in its hold, and how many crystals it has mined.
    #[operation(client = own, reliability = reliable_ordered, rate = 2, durability = none)]
    fn hold() -> Hold;

    /// Offers the pilot of a ship in the same sector what is in `give` for what is in `want`. What is given is taken out of
    /// the hold until the offer ends: accepted, refused, cancelled, or by itself after 30 seconds.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 2, burst = 4, timeout_ms = 5000,
        durability = sync, log)]
    async fn offer(ship: NetId, give: Goods, want: Goods) -> Result<Trade, TradeRefused>;

    /// Accepts another pilot's offer: what it wants is taken out of the hold now, what it gives comes in a moment.
    /// Accepting again while it is under way gives the same answer.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 4, burst = 8, timeout_ms = 5000,
        durability = sync, log)]
    fn accept(trade: TradeId) -> Result<Moved, TradeRefused>;

    /// Refuses another pilot's offer.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 4, burst = 8, timeout_ms = 5000,
        durability = sync, log)]
    fn refuse(trade: TradeId) -> Result<Moved, TradeRefused>;

    /// Takes an own offer back. What was offered is in the hold again.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 4, burst = 8, timeout_ms = 5000,
        durability = sync, log)]
    fn cancel(trade: TradeId) -> Result<Moved, TradeRefused>;

    /// All open offers, and what is in the hold.
    #[operation(client = own, reliability = reliable_ordered, rate = 4, burst = 8, durability = none)]
    fn trades() -> Trades;

    /// Another pilot offers something. Told by the offerer.
    #[operation(reliability = exactly_once, durability = sync, log)]
    fn offered(trade: TradeId, from_name: String, give: Goods, want: Goods, left_ms: u32);

    /// An offer is not accepted, and why. Told by the pilot it was made to.
    #[operation(reliability = exactly_once, durability = sync, log)]
    fn declined(trade: TradeId, end: TradeEnd);

    /// An offer is accepted, and paid with `goods`. Told by the pilot it was made to.
    #[operation(reliability = exactly_once, durability = sync, log)]
    fn accepted(trade: TradeId, goods: Goods);

    /// A trade is done: `goods` are what was offered. Told by the offerer.
    #[operation(reliability = exactly_once, durability = sync, log)]
    fn settled(trade: TradeId, goods: Goods);

    /// An offer was over when it was accepted: `goods` are what was paid. Told by the offerer.
    #[operation(reliability = exactly_once, durability = sync, log)]
    fn returned(trade: TradeId, goods: Goods);

    /// An offer is over, and why. Told by the offerer.
    #[operation(reliability = exactly_once, durability = sync, log)]
    fn withdrawn(trade: TradeId, end: TradeEnd);

    /// The time of an offer is over, an own one or another pilot's; whether it was. Told by the pilot to itself.
    #[operation(durability = sync, log)]
    fn time_out(trade: TradeId) -> bool;

    /// Goods that could not be sent are to be sent now. Told by the pilot to itself.
    #[operation(ack, durability = sync, log)]
    fn send_parcels();

    /// Another pilot offers something.
    #[operation(push, priority = high, reliability = reliable_ordered)]
    fn trade_came(trade: Trade);

    /// An offer ended, an own one or another pilot's.
    #[operation(push, priority = high, reliability = reliable_ordered)]
    fn trade_over(over: TradeOver);

    /// The ship flew into a gate of sector `from` that leads to sector `to`. Told by the sector.
    #[operation(priority = high, reliability = reliable_ordered)]
    async fn through_gate(from: u64, to: u64);

    /// The ships of a sector are gone: board a new one. Told by the pilot to itself.
    #[operation(priority = high, reliability = reliable_ordered)]
    async fn board_anew(sector: u64);

    /// The session is over: the ship leaves its sector. Told by the pilot to itself.
    #[operation(priority = high, reliability = reliable_ordered)]
    async fn leave();

    /// Where the ship is, or was when it was taken out without its pilot. Told by the sector every few seconds.
    #[operation(priority = low, reliability = reliable_ordered)]
    fn sighted(sector: u64, place: Place);
}

/// Where the ship is.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Entered {
    /// Key of the sector.
    pub sector: u64,
    /// The ship.
    pub avatar: NetId,
}

/// Why a player cannot enter.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EnterRefused {
    /// The name is empty or too long.
    BadName,
    /// The sector takes no more ships. Try again later.
    Full,
    /// The sector does not answer. Try again later.
    Unavailable,
    /// The map has no such sector.
    NoSector,
    /// A reason that this build does not know.
    #[default]
    #[other]
    Other,
}

/// A crystal that was mined.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mined {
    /// Which one.
    pub crystal: NetId,
    /// Ore that was in it.
    pub ore: u32,
    /// The colour of the ore, a multiple of 60 degrees.
    pub hue: u16,
    /// All ore that the player had when this crystal was in the hold.
    pub total: u64,
    /// All coins that the player had then; each crystal brings one. 0: of a build that knew no coins.
    pub coins: u64,
}

/// Why a crystal is not mined.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MineRefused {
    /// The player has no ship in a sector. Enter first.
    NotAboard,
    /// There is no such crystal, or it is gone.
    Gone,
    /// Somebody else was quicker.
    Spent,
    /// The ship is too far away. Fly nearer.
    OutOfReach,
    /// The sector does not answer, and may have taken the crystal or not. Ask again for the same crystal.
    Unavailable,
    /// A reason that this build does not know.
    #[default]
    #[other]
    Other,
}

/// What a player has.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hold {
    /// Ore by its colour, in order of the colours.
    pub stacks: Vec<OreStack>,
    /// All ore together.
    pub total: u64,
    /// Crystals that the player mined.
    pub crystals: u64,
    /// Coins.
    pub coins: u64,
}

/// Ore of one colour.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OreStack {
    /// Its colour, a multiple of 60 degrees.
    pub hue: u16,
    /// How much.
    pub amount: u64,
}
