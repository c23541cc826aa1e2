//! A player: who they are, which ship is theirs, what is in its hold.
//!
//! *Responsible for*: the words between a client and its own player, and between sectors and players.
//! *Not responsible for*: flying (`space`).

use lightmoon_contract::{NetId, contract, data};

use crate::Place;

/// A player.
#[contract]
pub trait Pilot {
    /// Enters the game with a ship of this name (1 to 24 characters) and colour (degrees, 0 to 359), where the ship was
    /// last. Entering again while a ship is there gives the same ship.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 2, timeout_ms = 5000)]
    async fn enter(name: String, hue: u16) -> Result<Entered, EnterRefused>;

    /// Mines a crystal near the ship. What is answered is stored. Asking again for the same crystal, also after a crash,
    /// counts it once and gives the same answer.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 2, burst = 4, timeout_ms = 5000,
        durability = sync, log)]
    async fn mine(crystal: NetId) -> Result<Mined, MineRefused>;

    /// What the player has mined so far.
    #[operation(client = own, reliability = reliable_ordered, rate = 2, durability = none)]
    fn hold() -> Hold;

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

/// What a player has mined.
#[data]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hold {
    /// Ore by its colour, in order of the colours.
    pub stacks: Vec<OreStack>,
    /// All ore together.
    pub total: u64,
    /// Crystals that it came from.
    pub crystals: u64,
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
