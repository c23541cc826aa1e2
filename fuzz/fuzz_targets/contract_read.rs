//! See `fuzz/bodies/contract.rs`: `read`.

#![no_main]

#[path = "../bodies/contract.rs"]
#[allow(dead_code, reason = "each target uses one of the bodies")]
mod contract;

libfuzzer_sys::fuzz_target!(|input: &[u8]| contract::read(input));
