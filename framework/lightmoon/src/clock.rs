//! The clocks of this process.
//!
//! *Responsible for*: reading them. *Not responsible for*: what time means ([`lightmoon_contract::time`]). Pure crates get
//! what is read here as an argument.

use lightmoon_contract::{Mono, Utc};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Boot time: goes on while the machine sleeps, never jumps.
pub(crate) fn mono() -> Mono {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
    Mono(seconds * 1_000_000_000 + nanos)
}

/// The calendar time at `Mono(0)`, as the clocks say it now.
pub(crate) fn utc_at_zero() -> Utc {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    // A clock before 1970 is wrong by so much that any answer will do: tickets of earlier processes then count as expired or not.
    let utc = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
    Utc(utc.saturating_sub(millis(mono().since(Mono(0)))))
}

/// Milliseconds of calendar time since 1970.
pub(crate) fn unix_millis() -> i64 {
    let millis = |since: Duration| i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// Seconds of calendar time since 1970.
pub(crate) fn unix_seconds() -> u64 {
    // A clock before 1970 is wrong by so much that any answer will do; certificates made then are remade later.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
