//! Contracts of the sample game "driftlight": small ships drift through sectors that gates connect.
//!
//! *Responsible for*: what server, clients and bots say to each other, and what clients see.
//! *Not responsible for*: rules of the game (`game-sample`).
//!
//! The feature `ecs` makes the components components of bevy_ecs; clients do without.

#![forbid(unsafe_code)]

pub mod components;
pub mod pilot;
pub mod sector;

pub use components::{Label, Pose, Role};
pub use pilot::{EnterRefused, Entered, Pilot, PilotContract, PilotProxy};
pub use sector::{
    Entry, GateInfo, Sector, SectorContract, SectorInfo, SectorProxy, SpawnRefused, Spawned, Steer,
};

lightmoon_contract::contracts! {
    game = "driftlight",
    contracts = [Sector, Pilot],
    components = [Pose, Label],
}
