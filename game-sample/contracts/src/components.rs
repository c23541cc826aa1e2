//! What clients see of the things in a sector.
//!
//! *Responsible for*: the replicated components, their widths and their names in the store. *Not responsible for*: physics (`game-sample`).

use lightmoon_contract::{data, replicate};

/// Half of the side of the square that positions are counted in, in metres: poses hold -1024 to just below 1024.
pub const HALF_SIZE_MAX: f64 = 1024.0;

/// Where a thing is and where it looks. 16 + 16 + 10 + 2 bits: one packet holds about 180 of them.
#[replicate(state, persist = "pose")]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::component::Component))]
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Pose {
    /// Metres to the right of the sector's middle.
    #[quantise(min = -HALF_SIZE_MAX, max = HALF_SIZE_MAX - 0.03125, step = 0.03125)]
    pub x: f32,
    /// Metres above the sector's middle.
    #[quantise(min = -HALF_SIZE_MAX, max = HALF_SIZE_MAX - 0.03125, step = 0.03125)]
    pub y: f32,
    /// Radians from the x axis, counterclockwise.
    #[quantise(angle, bits = 10)]
    pub yaw: f32,
    /// How hard it burns: 0 drifts, 1 thrusts, 2 brakes, 3 boosts.
    #[quantise(bits = 2)]
    pub thrust: u8,
}

/// What does not change from tick to tick: sent when it comes into view, and when it changed.
#[replicate(sticky, persist = "label")]
#[cfg_attr(feature = "ecs", derive(bevy_ecs::component::Component))]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Label {
    /// Its name; empty for nameless things.
    pub name: String,
    /// Its colour in degrees, 0 to 359.
    pub hue: u16,
    /// What it is.
    pub role: Role,
}

/// What a thing is.
#[data]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// A player's ship, or a bot's: to the game they are the same.
    Player,
    /// Something without a pilot that drifts about.
    Drifter,
    /// Something to mine.
    Crystal,
    /// What is left of a crystal that was mined; it is gone soon.
    Spent,
    /// Something that this build does not know.
    #[default]
    #[other]
    Other,
}
