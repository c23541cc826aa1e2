//! See `fuzz/bodies/zone.rs`: `world`.

#![no_main]

#[path = "../bodies/zone.rs"]
#[allow(dead_code, reason = "each target uses one of the bodies")]
mod zone;

libfuzzer_sys::fuzz_target!(|input: &[u8]| zone::world(input));
