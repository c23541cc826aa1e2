//! Measuring: variants take turns, and what counts is the median over many short rounds.
//!
//! *Responsible for*: rounds, repetitions, medians. *Not responsible for*: what is run.
//!
//! Invariants:
//! - I1: in each round every variant runs once, each time with another one first, so that a slow moment of the machine
//!   meets all of them and no place in the order is better.
//! - I2: a ratio is the median of the ratios within rounds, never a ratio of times from different moments.

use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Effort {
    /// Rounds; odd, so that there is a median.
    rounds: usize,
    /// A variant's share of a round lasts about this long.
    share: Duration,
}

impl Effort {
    /// For figures: 1,001 rounds of 0.2 ms. A share is far longer than reading the clock and far shorter than the slice
    /// of milliseconds after which a busy machine runs something else: most rounds are undisturbed, and the median is
    /// one of those.
    pub(crate) const FULL: Self = Self { rounds: 1_001, share: Duration::from_micros(200) };
    /// For tests of the bodies: each runs a few times.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self { rounds: 1, share: Duration::ZERO };

    /// Other rounds and shares, for bodies that take longer; for tests as it is.
    pub(crate) const fn with(self, rounds: usize, share: Duration) -> Self {
        if self.is_small() { self } else { Self { rounds, share } }
    }

    /// So many rounds, for areas that keep time themselves; for tests one.
    pub(crate) const fn rounds(self, full: usize) -> usize {
        if self.is_small() { self.rounds } else { full }
    }

    /// Whether bodies are only tried.
    pub(crate) const fn is_small(self) -> bool {
        self.share.is_zero()
    }
}

/// Something that is measured: does its work so many times.
pub(crate) type Body<'a> = Box<dyn FnMut(u64) + 'a>;

/// What was measured of several bodies.
#[derive(Debug)]
pub(crate) struct Times {
    /// For each round the nanoseconds of one repetition of each body, in the order of the bodies.
    rounds: Vec<Vec<f64>>,
}

impl Times {
    /// Runs the bodies against each other.
    pub(crate) fn measure(effort: Effort, bodies: &mut [Body<'_>]) -> Self {
        let counts: Vec<u64> = bodies.iter_mut().map(|body| repetitions(effort, body)).collect();
        let mut rounds = Vec::with_capacity(effort.rounds);
        for round in 0..effort.rounds {
            let mut times = vec![0.0; bodies.len()];
            for turn in 0..bodies.len() {
                let index = (round + turn) % bodies.len();
                let count = counts[index];
                let started = Instant::now();
                bodies[index](count);
                times[index] = started.elapsed().as_secs_f64() * 1e9 / count_as_f64(count);
            }
            rounds.push(times);
        }
        Self { rounds }
    }

    /// What an area measured itself: for each round the times of its bodies. The caller lets them meet the same moments.
    pub(crate) const fn of_rounds(rounds: Vec<Vec<f64>>) -> Self {
        Self { rounds }
    }

    /// Nanoseconds of one repetition of a body: the median over the rounds.
    pub(crate) fn of(&self, body: usize) -> f64 {
        median(self.rounds.iter().map(|times| times[body]).collect())
    }

    /// How many times as long as `other` a body takes: the median of the ratios within each round.
    pub(crate) fn ratio(&self, body: usize, other: usize) -> f64 {
        median(self.rounds.iter().map(|times| times[body] / times[other]).collect())
    }
}

/// How often a body must run to fill its share of a round. Warms it up too.
fn repetitions(effort: Effort, body: &mut Body<'_>) -> u64 {
    let mut count = 1;
    loop {
        // The shortest of three tries: one that was interrupted says nothing about the body.
        let elapsed = (0..3).map(|_| once(body, count)).min().unwrap_or_default();
        if elapsed >= effort.share || count >= 1 << 40 {
            return count;
        }
        count *= 2;
    }
}

fn once(body: &mut Body<'_>, count: u64) -> Duration {
    let started = Instant::now();
    body(count);
    started.elapsed()
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^41; exact to 2^53")]
pub(crate) fn count_as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::{Body, Effort, Times, median};

    fn is(left: f64, right: f64) -> bool {
        (left - right).abs() < f64::EPSILON
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!(is(median(vec![9.0, 1.0, 5.0]), 5.0));
    }

    #[test]
    fn every_variant_runs_in_every_round() {
        let runs = [Cell::new(0), Cell::new(0)];
        let mut bodies: Vec<Body<'_>> =
            runs.iter().map(|count| Box::new(|_| count.set(count.get() + 1)) as Body<'_>).collect();
        let effort = Effort { rounds: 3, ..Effort::SMALL };
        assert_eq!(Times::measure(effort, &mut bodies).rounds.len(), 3);
        drop(bodies);
        // Three times to find the count of repetitions, then once in each round.
        assert_eq!(runs.map(Cell::into_inner), [6, 6]);
    }

    #[test]
    fn each_round_begins_with_another_variant() {
        let order = RefCell::new(Vec::new());
        let mut bodies: Vec<Body<'_>> = (0..2)
            .map(|name| {
                let order = &order;
                Box::new(move |_| order.borrow_mut().push(name)) as Body<'_>
            })
            .collect();
        Times::measure(Effort { rounds: 2, ..Effort::SMALL }, &mut bodies);
        drop(bodies);
        assert_eq!(order.into_inner()[6..], [0, 1, 1, 0]);
    }

    #[test]
    fn slow_moments_of_the_machine_do_not_move_a_ratio() {
        // Twice as long in each round, while the machine is 1, 40 and 3 times as slow; the last is disturbed midway.
        let rounds = vec![vec![2.0, 1.0], vec![80.0, 40.0], vec![2.0, 1.0], vec![6.0, 3.0], vec![2.0, 90.0]];
        let times = Times { rounds };
        assert!(is(times.ratio(0, 1), 2.0));
        assert!(is(times.of(0), 2.0));
    }
}
