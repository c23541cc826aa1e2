//! Types that cannot travel.

use std::collections::HashMap;
use std::rc::Rc;

use lightmoon_contract::{contract, data};

#[contract(number = 1)]
trait Space {
    #[operation]
    fn go(by_name: HashMap<String, u8>);
}

#[data(fixed)]
struct Shared {
    inside: Rc<u8>,
}

#[derive(Clone, Debug)]
struct NotData;

#[contract(number = 2)]
trait Other {
    #[operation]
    fn go() -> NotData;
}

fn main() {}
