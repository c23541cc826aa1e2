//! Rust client of Lightmoon: a runtime-free core and drivers.
