//! See `fuzz/bodies/wire.rs`: `cuts`.

#![no_main]

#[path = "../bodies/wire.rs"]
#[allow(dead_code, reason = "each target uses one of the bodies")]
mod wire;

libfuzzer_sys::fuzz_target!(|input: &[u8]| wire::cuts(input));
