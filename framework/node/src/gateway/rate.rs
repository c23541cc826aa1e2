//! How often a session may call an operation: a token bucket for each, filled by the clock.
//!
//! *Responsible for*: counting. *Not responsible for*: what happens to a call that is too fast.
//!
//! Invariants:
//! - I1: over any span of t seconds at most `burst + per_second · t` calls pass (Source: token bucket, RFC 2697 §3).
//! - I2: time that runs backwards fills nothing.

use lightmoon_contract::Mono;
use lightmoon_contract::operation::Rate;

/// One call, in the unit of the bucket: a call takes a billion, a nanosecond brings `per_second`.
const CALL: u64 = 1_000_000_000;

/// The bucket of one operation of one session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    filled: u64,
    at: Mono,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(rate: Rate, now: Mono) -> Self {
        Self { filled: u64::from(rate.burst.max(1)) * CALL, at: now }
    }

    /// Takes one call out; `false` when there is none.
    pub(crate) fn take(&mut self, rate: Rate, now: Mono) -> bool {
        self.take_many(rate, now, 1)
    }

    /// Takes `count` of what the bucket holds, calls or bytes; `false`: there are not as many, and none is taken.
    pub(crate) fn take_many(&mut self, rate: Rate, now: Mono, count: usize) -> bool {
        let passed = now.0.saturating_sub(self.at.0);
        let brought = passed.saturating_mul(u64::from(rate.per_second));
        self.filled = self.filled.saturating_add(brought).min(u64::from(rate.burst.max(1)) * CALL);
        self.at = self.at.max(now);
        let wanted = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(CALL);
        let left = self.filled.checked_sub(wanted);
        self.filled = left.unwrap_or(self.filled);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    #[test]
    fn a_burst_passes_and_the_rest_waits_for_the_clock() {
        let start = Mono::from_millis(1_000);
        let mut bucket = Bucket::full(RATE, start);
        assert_eq!((0..5).filter(|_| bucket.take(RATE, start)).count(), 3);
        assert!(!bucket.take(RATE, Mono::from_millis(1_099)));
        assert!(bucket.take(RATE, Mono::from_millis(1_100)));
    }

    #[test]
    fn never_more_than_burst_and_rate_together() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut bucket = Bucket::full(RATE, Mono(0));
        let (mut now, mut passed) = (0u64, 0u64);
        for _ in 0..20_000 {
            now += random.u64(0..20_000_000);
            passed += u64::from(bucket.take(RATE, Mono(now)));
            assert!(passed <= u64::from(RATE.burst) + now * u64::from(RATE.per_second) / CALL + 1);
        }
        assert!(passed > now * 9 / CALL, "a steady caller gets its rate, not less");
    }

    #[test]
    fn many_at_once_are_taken_whole_or_not_at_all() {
        const BYTES: Rate = Rate { per_second: 512 * 1024, burst: 2 * 1024 * 1024 };
        let mut bucket = Bucket::full(BYTES, Mono(0));
        assert!(bucket.take_many(BYTES, Mono(0), 2 * 1024 * 1024));
        assert!(!bucket.take_many(BYTES, Mono::from_millis(500), 300 * 1024));
        assert!(bucket.take_many(BYTES, Mono::from_millis(500), 256 * 1024));
        assert!(!bucket.take_many(BYTES, Mono::from_millis(500), 1));
        assert!(!bucket.take_many(BYTES, Mono(u64::MAX), usize::MAX));
    }

    #[test]
    fn a_clock_that_jumps_back_brings_nothing() {
        let mut bucket = Bucket::full(RATE, Mono::from_millis(5_000));
        for _ in 0..3 {
            assert!(bucket.take(RATE, Mono::from_millis(5_000)));
        }
        assert!(!bucket.take(RATE, Mono::from_millis(1_000)));
        assert!(!bucket.take(RATE, Mono::from_millis(5_000)));
    }
}
