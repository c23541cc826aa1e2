//! Measuring: variants take turns, the median of their rounds counts.
//!
//! *Responsible for*: rounds, repetitions, medians. *Not responsible for*: what is run.
//!
//! Invariants:
//! - I1: in each round every variant runs once, so that a slow moment of the machine meets all of them.

use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Effort {
    /// Rounds; odd, so that there is a median.
    rounds: usize,
    /// A variant's share of a round lasts at least this long.
    share: Duration,
}

impl Effort {
    /// For figures: 5 rounds of 50 ms, far above the cost of reading the clock.
    pub(crate) const FULL: Self = Self { rounds: 5, share: Duration::from_millis(50) };
    /// For tests of the bodies: each runs a few times.
    #[cfg(test)]
    pub(crate) const SMALL: Self = Self { rounds: 1, share: Duration::ZERO };
}

/// Something that is measured: does its work so many times.
pub(crate) type Body<'a> = Box<dyn FnMut(u64) + 'a>;

/// Nanoseconds of one repetition of each body, in their order: the median over the rounds.
pub(crate) fn medians(effort: Effort, bodies: &mut [Body<'_>]) -> Vec<f64> {
    let counts: Vec<u64> = bodies.iter_mut().map(|body| repetitions(effort, body)).collect();
    let mut times = vec![Vec::with_capacity(effort.rounds); bodies.len()];
    for _ in 0..effort.rounds {
        for (index, body) in bodies.iter_mut().enumerate() {
            let count = counts[index];
            let started = Instant::now();
            body(count);
            times[index].push(started.elapsed().as_secs_f64() * 1e9 / count_as_f64(count));
        }
    }
    times.into_iter().map(median).collect()
}

/// How often a body must run to fill its share of a round. Warms it up too.
fn repetitions(effort: Effort, body: &mut Body<'_>) -> u64 {
    let mut count = 1;
    loop {
        let started = Instant::now();
        body(count);
        if started.elapsed() >= effort.share || count >= 1 << 40 {
            return count;
        }
        count *= 2;
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^41; exact to 2^53")]
fn count_as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Body, Effort, median, medians};

    #[test]
    fn the_median_is_the_middle() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < f64::EPSILON);
    }

    #[test]
    fn every_variant_runs_in_every_round() {
        let runs = [Cell::new(0), Cell::new(0)];
        let mut bodies: Vec<Body<'_>> =
            runs.iter().map(|count| Box::new(|_| count.set(count.get() + 1)) as Body<'_>).collect();
        let effort = Effort { rounds: 3, ..Effort::SMALL };
        assert_eq!(medians(effort, &mut bodies).len(), 2);
        drop(bodies);
        // Once to find the count of repetitions, then once in each round.
        assert_eq!(runs.map(Cell::into_inner), [4, 4]);
    }
}
