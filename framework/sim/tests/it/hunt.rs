//! Hunts for what a wrong variant of the product breaks.
//!
//! *Responsible for*: storm after storm until one finds something. *Not responsible for*: storms and their checkers (`kept`, `fair`, `herd`).
//!
//! How many storms a hunt took is printed: a rising number is a checker that goes blind.

use lightmoon_actor::Flaw as WorkerFlaw;
use lightmoon_durable::Flaw as KeeperFlaw;
use lightmoon_node::NodeOptions;
use lightmoon_replica::Flaw as ReplicaFlaw;
use lightmoon_sim::Violation;

/// A flaw must be found by one of so many storms.
#[expect(clippy::print_stdout, reason = "the number of storms is what a reader of the log looks for")]
pub(crate) fn must_be_found(name: &str, storms_max: u64, storm: impl Fn(u64) -> Result<(), Violation>) {
    match (0..storms_max).find_map(|seed| Some((seed + 1, storm(seed).err()?))) {
        Some((storms, what)) => println!("flaw {name}: found after {storms} storms: {what}"),
        None => panic!("flaw {name} was not found in {storms_max} storms"),
    }
}

pub(crate) fn of_keeper(flaw: KeeperFlaw) -> NodeOptions {
    NodeOptions { keeper_flaw: Some(flaw), ..NodeOptions::default() }
}

pub(crate) fn of_replica(flaw: ReplicaFlaw) -> NodeOptions {
    NodeOptions { replica_flaw: Some(flaw), ..NodeOptions::default() }
}

pub(crate) fn of_worker(flaw: WorkerFlaw) -> NodeOptions {
    NodeOptions { worker_flaw: Some(flaw), ..NodeOptions::default() }
}
