//! What `#[replicate]` refuses.

use lightmoon_contract::replicate;

#[replicate]
struct NoTravel {
    x: f32,
}

#[replicate(fast)]
struct UnknownTravel {
    x: f32,
}

#[replicate(state)]
struct NoRule {
    x: f32,
}

#[replicate(state)]
struct HalfARule {
    #[quantise(min = 0.0, step = 1.0)]
    x: f32,
}

#[replicate(sticky)]
struct RuleOfASticky {
    #[quantise(bits = 3)]
    x: u8,
}

#[replicate(state)]
struct Empty {}

#[replicate(state)]
enum NoStruct {
    A,
}

fn main() {}
