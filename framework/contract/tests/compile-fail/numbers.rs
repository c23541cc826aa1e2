//! Kinds need numbers, and each its own.

use lightmoon_contract::{Contract, contract, contracts};

#[contract]
trait Unlisted {}

#[contract(number = 4)]
trait First {}

#[contract(number = 4)]
trait Second {}

contracts! { game = "test", contracts = [First, Second], lock = none }

fn main() {
    let _ = UnlistedContract::KIND;
}
