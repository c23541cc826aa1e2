//! What `contracts!` refuses.

use lightmoon_contract::{contract, contracts};

#[contract(number = 1)]
trait Space {}

mod without_a_game {
    lightmoon_contract::contracts! { contracts = [Space] }
}

mod twice {
    use super::*;
    contracts! { game = "test", contracts = [Space, Space] }
}

mod unknown {
    lightmoon_contract::contracts! { game = "test", contracts = [], colour = red }
}

fn main() {}
