//! How long ticks took, as a histogram.
//!
//! *Responsible for*: buckets that are cheap to count and fine enough to compare with a goal. *Not responsible for*: measuring.
//!
//! Invariants:
//! - I1: a time lies in exactly one bucket; buckets are an eighth of an octave wide, so a percentile is at most 12.5 % too high.

use std::time::Duration;

/// Buckets of an octave.
const PER_OCTAVE: u32 = 8;
/// The first octave begins at this many microseconds: shorter ticks cost nothing.
const FIRST_MICROS: u64 = 16;
/// Octaves: up to a second, the longest tick that anybody would call one.
const OCTAVES: u32 = 16;
/// Buckets, with the one below the first octave; longer times are in the last.
const BUCKETS: usize = 1 + (PER_OCTAVE * OCTAVES) as usize;

/// A histogram of the times of ticks. It only grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TickTimes([u64; BUCKETS]);

impl Default for TickTimes {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl TickTimes {
    /// Counts a tick.
    pub(crate) fn add(&mut self, time: Duration) {
        self.0[bucket(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))] += 1;
    }

    /// The buckets that are not empty, shortest times first: the time in microseconds below which their ticks lie, and how many
    /// there were.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().zip(0..).filter(|(count, _)| **count > 0).map(|(count, at)| (upper(at), *count))
    }
}

fn bucket(micros: u64) -> usize {
    if micros < FIRST_MICROS {
        return 0;
    }
    let octave = (micros / FIRST_MICROS).ilog2();
    let within = (micros - (FIRST_MICROS << octave)) * u64::from(PER_OCTAVE) / (FIRST_MICROS << octave);
    let at = 1 + (octave * PER_OCTAVE) as usize + usize::try_from(within).unwrap_or(0);
    at.min(BUCKETS - 1)
}

/// The first time that is no longer in a bucket.
const fn upper(at: u32) -> u64 {
    let (octave, within) = (at / PER_OCTAVE, at % PER_OCTAVE);
    (FIRST_MICROS << octave) + (FIRST_MICROS << octave) / PER_OCTAVE as u64 * within as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_below_the_upper_end_of_its_bucket_and_not_below_the_one_before() {
        for micros in (0..3_000).chain([9_999, 10_000, 25_000, 65_535, 65_536, 999_999]) {
            let at = u32::try_from(bucket(micros)).unwrap();
            assert!(micros < upper(at), "{micros} in bucket {at}, which ends at {}", upper(at));
            assert!(at == 0 || micros >= upper(at - 1), "{micros} in bucket {at}");
            assert!(at == 0 || upper(at) <= micros + micros / 8 + 1, "{micros}: {} is too coarse", upper(at));
        }
    }

    #[test]
    fn what_takes_hours_is_counted_too() {
        let mut times = TickTimes::default();
        times.add(Duration::from_secs(7_200));
        times.add(Duration::ZERO);
        let buckets: Vec<_> = times.buckets().collect();
        assert_eq!(buckets.len(), 2);
        assert_eq!(buckets[0], (FIRST_MICROS, 1));
    }
}
