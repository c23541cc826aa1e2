//! A player: who they are and which ship is theirs.
//!
//! *Responsible for*: the words between a client and its own player, and between sectors and players.
//! *Not responsible for*: flying (`space`).

use lightmoon_contract::{NetId, contract, data};

/// A player.
#[contract]
pub trait Pilot {
    /// Enters the game with a ship of this name (1 to 24 characters) and colour (degrees, 0 to 359). Entering again
    /// while a ship is there gives the same ship.
    #[operation(client = own, priority = high, reliability = reliable_ordered, rate = 2, timeout_ms = 5000)]
    async fn enter(name: String, hue: u16) -> Result<Entered, EnterRefused>;

    /// The ship flew into a gate of sector `from` that leads to sector `to`. Told by the sector.
    #[operation(priority = high, reliability = reliable_ordered)]
    async fn through_gate(from: u64, to: u64);

    /// The ships of a sector are gone: board a new one. Told by the pilot to itself.
    #[operation(priority = high, reliability = reliable_ordered)]
    async fn board_anew(sector: u64);
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
