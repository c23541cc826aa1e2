//! A growing field needs a value for peers that do not send it; a list needs items that take bytes.

use lightmoon_contract::data;

#[data(fixed)]
enum Direction {
    Left,
    Right,
}

#[data]
struct Turn {
    to: Direction,
}

#[data]
struct Nothing {
    many: Vec<()>,
}

fn main() {}
