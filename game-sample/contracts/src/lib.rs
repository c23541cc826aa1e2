//! Contracts of the sample game "driftlight": small ships drift through sectors that gates connect.
//!
//! *Responsible for*: what server, clients and bots say to each other, and what clients see.
//! *Not responsible for*: rules of the game (`game-sample`).
//!
//! The feature `ecs` makes the components components of bevy_ecs; clients do without.

#![forbid(unsafe_code)]

mod components;
mod player;
mod space;
mod trade;

pub use components::{HALF_SIZE_MAX, Label, Pose, Role};
pub use player::{
    EnterRefused, Entered, Hold, MineRefused, Mined, OreStack, Pilot, PilotContract, PilotProxy, pilot,
};
pub use space::{
    Entry, GateInfo, Place, Sector, SectorContract, SectorInfo, SectorProxy, SpawnRefused, Spawned, Steer,
    TakeRefused, Taken, sector,
};
pub use trade::{Flown, Goods, Moved, Trade, TradeEnd, TradeId, TradeOver, TradeRefused, Trades};

lightmoon_contract::contracts! {
    game = "driftlight",
    contracts = [Sector, Pilot],
    components = [Pose, Label],
}
