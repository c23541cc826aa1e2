//! What a worker promises, seen from outside: through its inputs, its outputs and actors of a test contract.

mod asks;
mod harness;
mod order;
mod probe;
mod repeat;
mod sessions;
mod supervision;
mod timers;

lightmoon_contract::contracts! {
    game = "probes",
    contracts = [probe::Probe],
    components = [],
}
