//! What zones promise, seen from outside: a real worker, a game of bevy_ecs, clients behind links that lose and reorder.
//!
//! *Responsible for*: everything that needs more than one module. *Not responsible for*: the grid alone and the clock
//! alone, which are tested beside their code.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may; clippy knows only the tests themselves")]

mod arena;
mod chart;
mod deltas;
mod desk;
mod ecs;
mod failure;
mod game;
mod goods;
mod hash;
mod inspect;
mod late;
mod model;
mod outgoing;
mod overload;
mod rows;
mod sight;
mod snapshot;
mod time;
mod versions;
mod world_actor;

#[path = "../../../../fuzz/bodies/zone.rs"]
mod bodies;

#[path = "../../../../fuzz/bodies/seeds.rs"]
mod seeds;

const EFFORT: seeds::Effort = seeds::Effort { prefix_bytes_max: 600, mutants: 2_000 };

#[test]
fn no_stored_world_can_harm_a_reader() {
    seeds::run("zone_world", EFFORT, bodies::world);
}
