//! When to try again: doubling waits, jittered so that clients of a restarted server do not all come at once.
//!
//! *Responsible for*: the waits. *Not responsible for*: whether a try makes sense (the close code says).

use std::time::Duration;

use crate::options::RetryOptions;

/// The tries in a row since the last session.
#[derive(Debug)]
pub(super) struct Retry {
    options: RetryOptions,
    rng: fastrand::Rng,
    tries: u32,
    waits: u32,
}

impl Retry {
    pub(super) fn new(options: RetryOptions, seed: u64) -> Self {
        Self { options, rng: fastrand::Rng::with_seed(seed), tries: 0, waits: 0 }
    }

    /// The number of the try that begins now, from 1.
    pub(super) const fn begin(&mut self) -> u32 {
        self.tries = self.tries.saturating_add(1);
        self.tries
    }

    /// A session began: tries are counted anew.
    pub(super) const fn succeeded(&mut self) {
        self.tries = 0;
    }

    /// A session ended that lasted so long. A short one proves nothing, so the waits go on doubling: a server that lets in
    /// and throws out at once must not be stormed.
    pub(super) fn lasted(&mut self, time: Duration) {
        if time >= self.options.longest {
            self.waits = 0;
        }
    }

    /// How long to wait before the next try, between half and all of the doubled wait; `None`: give up.
    pub(super) fn wait(&mut self) -> Option<Duration> {
        if self.options.tries_max.is_some_and(|most| self.tries >= most) {
            return None;
        }
        // Sixteen doublings of any sensible first wait are over any sensible longest one.
        let wait = self.options.first.saturating_mul(1 << self.waits.min(16)).min(self.options.longest);
        self.waits = self.waits.saturating_add(1);
        Some(wait.mul_f64(0.5 + self.rng.f64() / 2.0))
    }

    pub(super) const fn dial_time_max(&self) -> Duration {
        self.options.dial_time_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_differ_between_seeds() {
        let waits = |seed| {
            let mut retry = Retry::new(RetryOptions::default(), seed);
            (0..12)
                .map(|_| {
                    retry.begin();
                    retry.wait().unwrap().as_millis()
                })
                .collect::<Vec<_>>()
        };
        for seed in 0..50 {
            let waits = waits(seed);
            for (at, wait) in waits.iter().enumerate() {
                let full = (100 << at).min(2_000);
                assert!((full / 2..=full).contains(wait), "seed {seed}: {waits:?}");
            }
        }
        assert_ne!(waits(1), waits(2));
        assert_eq!(waits(1), waits(1));
    }

    #[test]
    fn a_limit_of_tries_ends_them_and_a_session_starts_over() {
        let options = RetryOptions { tries_max: Some(2), ..RetryOptions::default() };
        let mut retry = Retry::new(options, 1);
        retry.begin();
        assert!(retry.wait().is_some());
        retry.begin();
        assert_eq!(retry.wait(), None);
        retry.succeeded();
        assert!(retry.wait().is_some());
    }
}
