//! What `persist = "name"` refuses.

use lightmoon_contract::{data, replicate};

#[data(persist)]
struct Nameless;

#[data(persist = 7)]
struct Numbered;

#[data(persist = "")]
struct Empty;

#[data(persist = "a-name-of-a-kept-type-that-has-exactly-as-many-bytes-as-may-be-x+")]
struct Long;

#[replicate(state, persist = "lightmoon.pose")]
struct Ours {
    seen: bool,
}

#[data(kept = "word")]
struct WrongWord;

fn main() {}
