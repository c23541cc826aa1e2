//! See `fuzz/bodies/durable.rs`: `stored`.

#![no_main]

#[path = "../bodies/durable.rs"]
#[allow(dead_code, reason = "each target uses one of the bodies")]
mod durable;

libfuzzer_sys::fuzz_target!(|input: &[u8]| durable::stored(input));
