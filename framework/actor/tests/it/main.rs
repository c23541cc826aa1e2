//! What a worker promises, seen from outside: through its inputs, its outputs and actors of a test contract.

#![expect(clippy::unwrap_used, reason = "helpers of tests may; clippy knows only the tests themselves")]

mod across;
mod asks;
mod bank;
mod harness;
mod keep;
mod mail;
mod order;
mod probe;
mod repeat;
mod sessions;
mod supervision;
mod survey;
mod till;
mod timers;

lightmoon_contract::contracts! {
    game = "probes",
    contracts = [probe::Probe, till::Till],
    components = [],
}
