//! The seeds of the fuzz targets as ordinary tests, as they are, cut and mutated.

#[path = "../../../../fuzz/bodies/replica.rs"]
mod bodies;

#[path = "../../../../fuzz/bodies/seeds.rs"]
mod seeds;

const EFFORT: seeds::Effort = seeds::Effort { prefix_bytes_max: 200, mutants: 60 };

#[test]
fn no_server_can_harm_a_client() {
    seeds::run("replica_client", EFFORT, bodies::client);
}

#[test]
fn an_honest_server_and_its_client_agree() {
    seeds::run("replica_round", EFFORT, bodies::round);
}
