//! Peers of replication: server time of one tick and bytes for each client, on standard output.
//!
//! *Responsible for*: running the workloads, one line of JSON each. *Not responsible for*: comparing; `cargo xtask bench
//! --peers` runs it right before ours, on the same machine.
//!
//! `lightmoon-bench-peers ENTITIES CLIENTS VISIBLE ROUNDS` says
//! `{"peer":"bevy_replicon 0.45.5","us":…,"us_min":…,"bytes":…}`: the median and the least time of a tick, in which all
//! entities move, and the bytes for one client in it.

mod replicon;

use std::process::ExitCode;

/// What is replicated to whom.
#[derive(Clone, Copy, Debug)]
struct Workload {
    entities: usize,
    clients: usize,
    /// Entities that each client sees.
    visible: usize,
    /// Ticks that are measured.
    rounds: usize,
}

/// What a peer costs.
#[derive(Clone, Copy, Debug)]
struct Cost {
    us: f64,
    us_min: f64,
    bytes: f64,
}

fn main() -> ExitCode {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let [entities, clients, visible, rounds] = numbers[..] else {
        eprintln!("usage: lightmoon-bench-peers ENTITIES CLIENTS VISIBLE ROUNDS");
        return ExitCode::from(2);
    };
    let Cost { us, us_min, bytes } = replicon::measure(Workload { entities, clients, visible, rounds });
    println!(
        "{{\"peer\":\"bevy_replicon 0.45.5\",\"us\":{us:.3},\"us_min\":{us_min:.3},\"bytes\":{bytes:.1}}}"
    );
    ExitCode::SUCCESS
}
