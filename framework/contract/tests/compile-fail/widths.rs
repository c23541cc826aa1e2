//! Fields that do not fit into 1 to 32 bits, or are no numbers.

use lightmoon_contract::replicate;

#[replicate(state, number = 1)]
#[derive(Clone)]
struct TooWide {
    #[quantise(min = 0.0, max = 1.0e9, step = 0.001)]
    x: f64,
}

#[replicate(state, number = 2)]
#[derive(Clone)]
struct UpsideDown {
    #[quantise(min = 1.0, max = 0.0, step = 0.1)]
    x: f32,
}

#[replicate(state, number = 3)]
#[derive(Clone)]
struct Text {
    name: String,
}

fn main() {
    let _ = <TooWide as lightmoon_contract::Replicate>::SPEC;
    let _ = <UpsideDown as lightmoon_contract::Replicate>::SPEC;
}
