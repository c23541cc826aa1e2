//! What honest bots see when nobody attacks, and what chance alone makes of it.
//!
//! All quiet windows of a run together say how the server answers; how far apart they lie says how much of a difference a machine makes on
//! its own. An attack is held to what is worse than both.
//!
//! *Responsible for*: the quiet percentiles, their spread, by how much an attack is worse. *Not responsible for*: what is allowed
//! ([`crate::verdict`]).
//!
//! Method: windows, not single answers, are drawn at random with replacement (block bootstrap: Künsch, 1989), as many as an attack has,
//! since answers of one window wait for the same ticks.

use fastrand::Rng;

use crate::honest::Seen;

/// Draws: one in twenty of them lies beyond the 95th percentile, so it rests on a hundred.
const DRAWS: usize = 2_000;
/// The same run says the same about the same windows.
const SEED: u64 = 6;

/// Quiet windows of a run.
#[derive(Debug)]
pub(crate) struct Calm {
    windows: Vec<Seen>,
    /// The 99th percentiles of draws, sorted, us.
    drawn: Vec<u64>,
}

impl Calm {
    /// `each`: windows that an attack has.
    pub(crate) fn new(windows: Vec<Seen>, each: usize) -> Self {
        let mut random = Rng::with_seed(SEED);
        let mut draw = || {
            let chosen = (0..each).map(|_| &windows[random.usize(0..windows.len())]);
            together(chosen).percentile_us(99)
        };
        let mut drawn: Vec<u64> =
            if windows.is_empty() { vec![0] } else { (0..DRAWS).map(|_| draw()).collect() };
        drawn.sort_unstable();
        Self { windows, drawn }
    }

    pub(crate) fn answers(&self) -> usize {
        self.windows.iter().map(|seen| seen.answers_us.len()).sum()
    }

    /// Answers of the window that has the fewest.
    pub(crate) fn fewest(&self) -> usize {
        fewest(&self.windows)
    }

    /// A percentile of all quiet answers, us.
    pub(crate) fn percentile_us(&self, percent: usize) -> u64 {
        together(&self.windows).percentile_us(percent)
    }

    /// The 99th percentile that one in twenty draws is above, us.
    pub(crate) fn by_chance_us(&self) -> u64 {
        self.drawn[self.drawn.len() * 95 / 100]
    }

    /// By how many percent a 99th percentile is above the quiet one, and above what chance makes of that.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of answers")]
    pub(crate) fn rise(&self, p99_us: u64) -> (f64, f64) {
        let above = |than: u64| (p99_us as f64 / than.max(1) as f64 - 1.0) * 100.0;
        (above(self.percentile_us(99)), above(self.by_chance_us()))
    }
}

/// Answers of the window that has the fewest; 0 without windows.
pub(crate) fn fewest(windows: &[Seen]) -> usize {
    windows.iter().map(|seen| seen.answers_us.len()).min().unwrap_or(0)
}

/// Windows as one.
pub(crate) fn together<'a>(windows: impl IntoIterator<Item = &'a Seen>) -> Seen {
    windows.into_iter().fold(Seen::default(), |mut all, window| {
        all.add(window.clone());
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of 1,000 answers of 1 to 2 ms, of which one in fifty waits for `slow` and some jitter of its window's own.
    fn windows(count: u64, slow: u64) -> Vec<Seen> {
        let mut random = Rng::with_seed(count);
        let mut window = || {
            let jitter = random.u64(0..2_000);
            let answer = |nth: u64| if nth.is_multiple_of(50) { slow + jitter } else { 1_000 + nth };
            Seen { answers_us: (0..1_000).map(answer).collect(), ..Seen::default() }
        };
        (0..count).map(|_| window()).collect()
    }

    #[test]
    fn quiet_windows_are_no_worse_than_chance_and_slower_ones_are() {
        let calm = Calm::new(windows(60, 6_000), 5);
        let of = |windows: Vec<Seen>| calm.rise(together(&windows).percentile_us(99)).1;
        assert!(of(windows(5, 6_000)) <= 10.0, "the same");
        assert!(of(windows(5, 9_500)) > 10.0, "half as slow again");
    }

    #[test]
    fn no_window_at_all_is_no_panic() {
        assert_eq!(Calm::new(Vec::new(), 5).by_chance_us(), 0);
    }
}
