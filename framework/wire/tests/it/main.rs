//! The seeds of the fuzz targets as ordinary tests, as they are and mutated.

#[path = "../../../../fuzz/bodies/wire.rs"]
mod bodies;

#[path = "../../../../fuzz/bodies/seeds.rs"]
mod seeds;

const EFFORT: seeds::Effort = seeds::Effort { prefix_bytes_max: 600, mutants: 300 };

#[test]
fn no_client_can_harm_a_server() {
    seeds::run("wire_server", EFFORT, bodies::server);
}

#[test]
fn no_server_can_harm_a_client() {
    seeds::run("wire_client", EFFORT, bodies::client);
}

#[test]
fn cuts_never_change_events() {
    seeds::run("wire_cuts", EFFORT, bodies::cuts);
}
