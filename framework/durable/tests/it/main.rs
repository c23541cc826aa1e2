//! The keeper against stores that lie about outcomes, from outside.

#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod desk;
mod letters;
mod outcomes;
mod owners;
mod peek;
mod snapshots;
mod trouble;

#[path = "../../../../fuzz/bodies/durable.rs"]
mod bodies;

#[path = "../../../../fuzz/bodies/seeds.rs"]
mod seeds;

const EFFORT: seeds::Effort = seeds::Effort { prefix_bytes_max: 600, mutants: 2_000 };

#[test]
fn no_stored_bytes_can_harm_a_reader() {
    seeds::run("durable_stored", EFFORT, bodies::stored);
}
