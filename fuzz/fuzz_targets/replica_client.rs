//! See `fuzz/bodies/replica.rs`: `client`.

#![no_main]

#[path = "../bodies/replica.rs"]
#[allow(dead_code, reason = "each target uses one of the bodies")]
mod replica;

libfuzzer_sys::fuzz_target!(|input: &[u8]| replica::client(input));
