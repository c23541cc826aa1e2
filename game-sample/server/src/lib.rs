//! Driftlight, the sample game: five sectors of space, connected by gates, with ships, drifters and crystals, and a sixth for crowds.
//!
//! *Responsible for*: the rules of the game, and [`game`], from which the server, the simulator and tests build a node.
//! *Not responsible for*: what clients and server say to each other (`game-sample-contracts`), the page, the bots.
//!
//! Layer: on the public crate `lightmoon` only. One noun, one file:
//!
//! ```text
//! world_map   which sectors exist and how gates connect them       chat    names and lines, cleaned
//! sector      a zone: its systems in order, its operations         pilot   a player's world: enters, travels, mines
//! ship  flight  drifter  crystal  gate                              what is in a sector
//! hold  purse                                                       ore and coins of a pilot, in the pilot's world
//! trade       two pilots exchange them                              audit   a ledger of bots against the store
//! ```

#![expect(
    elided_lifetimes_in_paths,
    reason = "systems and observers read better as `Query<..>` than as `Query<'_, '_, ..>`"
)]

pub mod audit;
pub mod bots;
pub mod chat;
pub mod console;
pub mod crystal;
pub mod drifter;
pub mod flight;
pub mod gate;
pub mod hold;
pub mod page;
pub mod pilot;
pub mod purse;
pub mod sector;
pub mod ship;
pub mod trade;
pub mod world_map;

use game_sample_contracts::{PilotContract, SectorContract};
use lightmoon::Game;
use lightmoon::zone::ZoneOptions;

use crate::pilot::PilotActor;
use crate::sector::SectorZone;

/// The game.
#[must_use]
pub fn game() -> Game {
    Game::new(game_sample_contracts::descriptor())
        .player_world::<PilotContract, PilotActor>()
        .zone::<SectorContract, SectorZone>(ZoneOptions::default())
        .start::<SectorContract>(world_map::SECTORS.iter().map(|plan| plan.key))
}
