//! How long things took, as a histogram.
//!
//! *Responsible for*: buckets that cost two plain adds to count, and that add up over workers, zones and nodes. *Not responsible
//! for*: measuring (who has a clock does), names (`lightmoon` exports).
//!
//! Invariants:
//! - I1: a time is in exactly one bucket, and not above the bucket's bound.
//! - I2: bounds never depend on what was counted, so histograms of different nodes and builds can be added.

use std::time::Duration;

/// The first bound: 2^12 ns, about 4 µs. What takes less keeps nobody waiting.
const FIRST_BITS: u32 = 12;
/// Bounds; each is twice the one before. The last one, 2^30 ns, is about 1.07 s.
const BOUNDS: usize = 19;

/// How often something took how long. It only grows. 168 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Times {
    /// By bound; the last one counts what took longer than all bounds.
    counts: [u64; BOUNDS + 1],
    total_ns: u64,
}

impl Times {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // The bits of the number before it are those of the bound that it does not exceed.
        let bits = u64::BITS - ns.saturating_sub(1).leading_zeros();
        let at = bits.saturating_sub(FIRST_BITS) as usize;
        self.counts[at.min(BOUNDS)] += 1;
        self.total_ns = self.total_ns.saturating_add(ns);
    }

    /// For each bound, the shortest first: the bound, and how many took no longer than it.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let bounds = (FIRST_BITS..).map(|bits| Duration::from_nanos(1 << bits));
        bounds.zip(&self.counts[..BOUNDS]).scan(0, |below, (bound, count)| {
            *below += count;
            Some((bound, *below))
        })
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time of all of them together.
    #[must_use]
    pub const fn total(&self) -> Duration {
        Duration::from_nanos(self.total_ns)
    }
}

impl std::ops::AddAssign for Times {
    /// Adds what another one counted.
    fn add_assign(&mut self, other: Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.total_ns = self.total_ns.saturating_add(other.total_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_from_the_first_bound_on_that_it_does_not_exceed() {
        for ns in (0..40_000).step_by(7).chain([4_096, 4_097, 8_192, 1 << 29, (1 << 30) - 1, 1 << 30]) {
            let took = Duration::from_nanos(ns);
            let mut times = Times::default();
            times.add(took);
            for (bound, below) in times.buckets() {
                assert_eq!(below, u64::from(took <= bound), "{ns} ns at {bound:?}");
            }
            assert_eq!((times.count(), times.total()), (1, took));
        }
    }

    #[test]
    fn what_takes_longer_than_all_bounds_is_counted_too() {
        let mut times = Times::default();
        times.add(Duration::from_secs(3_600));
        times.add(Duration::MAX);
        assert_eq!(times.buckets().last(), Some((Duration::from_nanos(1 << 30), 0)));
        assert_eq!(times.count(), 2);
    }

    #[test]
    fn sums_are_what_one_would_have_counted() {
        let (mut one, mut two, mut both) = (Times::default(), Times::default(), Times::default());
        for ms in 0..50 {
            let took = Duration::from_millis(ms * ms);
            if ms % 3 == 0 {
                one.add(took)
            } else {
                two.add(took)
            }
            both.add(took);
        }
        one += two;
        assert_eq!(one, both);
    }
}
