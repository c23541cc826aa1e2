//! A sector: a square of space with ships, crystals and gates.
//!
//! *Responsible for*: the words between clients, players and sectors. *Not responsible for*: who a player is (`player`).

use lightmoon_contract::{NetId, contract, data};

use crate::Flown;

/// A sector of space.
#[contract(ticking)]
pub trait Sector {
    /// Sets the controls of the caller's ship; they stay until the next call. Of several on the way the newest wins.
    #[operation(client = zone, priority = high, reliability = unreliable_latest, rate = 60)]
    fn steer(steer: Steer);

    /// Says something to all in the sector: 1 to 200 characters.
    #[operation(client = zone, priority = low, reliability = reliable_ordered, rate = 2)]
    fn say(text: String);

    /// Puts a player's ship into the sector. Asked by the player.
    #[operation(priority = high, reliability = reliable_ordered, timeout_ms = 5000)]
    fn spawn(player: u64, name: String, hue: u16, entry: Entry) -> Result<Spawned, SpawnRefused>;

    /// Takes a player's ship out of the sector, if it is there. Told by the player.
    #[operation(priority = high, reliability = reliable_ordered)]
    fn remove(player: u64);

    /// Takes a player's ship out of the sector and says where it was; nothing if there is none. Asked by the player.
    #[operation(priority = high, reliability = reliable_ordered, timeout_ms = 2000)]
    fn moor(player: u64) -> Option<Place>;

    /// Takes a crystal for a player whose ship is near. Asking again for the same crystal gives the same answer as long as
    /// what is left of it is there. Asked by the player.
    #[operation(priority = high, reliability = reliable_ordered, timeout_ms = 4000, durability = sync)]
    fn take(player: u64, crystal: NetId) -> Result<Taken, TakeRefused>;

    /// Who flies a ship; nothing if it is not here, or nobody's. Asked by another player.
    #[operation(priority = high, reliability = reliable_ordered, timeout_ms = 2000, durability = none)]
    fn pilot_of(ship: NetId) -> Option<Flown>;

    /// Somebody said something.
    #[operation(push, priority = low, reliability = reliable_ordered)]
    fn said(name: String, hue: u16, text: String);

    /// What the sector looks like; comes once after each arrival.
    #[operation(push, priority = high, reliability = reliable_ordered)]
    fn welcome(sector: SectorInfo);
}

/// Controls of a ship.
#[data]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Steer {
    /// -1 (brake) to 1 (full ahead); values outside are clamped.
    pub thrust: f32,
    /// -1 (right) to 1 (left); values outside are clamped.
    pub turn: f32,
    /// Whether the booster burns.
    pub boost: bool,
}

/// A place in a sector.
#[data]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Place {
    /// Metres to the right of the sector's middle.
    pub x: f32,
    /// Metres above the sector's middle.
    pub y: f32,
    /// Heading: radians from the x axis, counterclockwise.
    pub yaw: f32,
}

/// Where a ship comes from.
#[data]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Entry {
    /// From nowhere: it is new.
    #[default]
    Fresh,
    /// Through a gate.
    Gate {
        /// Key of the sector it leaves.
        from: u64,
    },
    /// From where it was left.
    Berth {
        /// There.
        at: Place,
        /// The ship that was left; another one that is found here has strayed. None: whatever is found.
        ship: NetId,
    },
    /// From somewhere that this build does not know.
    #[other]
    Other,
}

/// A ship that was put into a sector.
#[data]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Spawned {
    /// The ship.
    pub avatar: NetId,
    /// Where it is.
    pub place: Place,
}

/// Why a ship was not put into a sector.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SpawnRefused {
    /// The sector takes no more ships. Try another one, or later.
    Full,
    /// The sector shuts down. Try another one.
    Closing,
    /// A reason that this build does not know.
    #[default]
    #[other]
    Other,
}

/// What a crystal gave.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// Ore that was in it.
    pub ore: u32,
    /// The colour of the ore, a multiple of 60 degrees.
    pub hue: u16,
}

/// Why a crystal was not taken.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TakeRefused {
    /// There is no such crystal, or it is gone.
    Gone,
    /// Another player was quicker.
    Spent,
    /// The player's ship is too far away.
    OutOfReach,
    /// The player has no ship here.
    NoShip,
    /// A reason that this build does not know.
    #[default]
    #[other]
    Other,
}

/// What a sector looks like.
#[data]
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SectorInfo {
    /// Its name.
    pub name: String,
    /// Its colour in degrees, 0 to 359.
    pub hue: u16,
    /// Half of its side in metres: it reaches from `-half_size` to `half_size` both ways.
    pub half_size: f32,
    /// Ways out.
    pub gates: Vec<GateInfo>,
}

/// A way into another sector.
#[data]
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GateInfo {
    /// Metres to the right of the sector's middle.
    pub x: f32,
    /// Metres above the sector's middle.
    pub y: f32,
    /// Metres within which a ship goes through.
    pub radius: f32,
    /// Key of the sector behind it.
    pub to: u64,
    /// Name of the sector behind it.
    pub name: String,
    /// Colour of the sector behind it in degrees, 0 to 359.
    pub hue: u16,
}
