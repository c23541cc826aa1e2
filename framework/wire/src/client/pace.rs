//! How long a client waits from a Delta to its Input: so that it is there shortly before the server's next tick.
//!
//! Each Delta says how long the newest Input had waited for the tick. Wait of the client and wait at the server make up, together,
//! the time from the arrival of a Delta until the next tick that an answer can still reach; it differs by the way to the server and by where in the
//! server's burst this client is served. The client waits for what of it is not left to jitter.
//!
//! ```text
//! server   tick ──────────── Delta leaves ─────────────────────────── Input came ─── waited ──► tick
//! client                          └─► Delta applied ─── delay ──► Input leaves ─┘
//! ```
//!
//! *Responsible for*: the delay. *Not responsible for*: sending (`inputs`), measuring at the server (`zone`).
//!
//! Invariants:
//! - I1: the delay is at least [`limits::INPUT_DELAY_MIN`] and at most the one the client was made with: less than the 25 ms
//!   (RFC 9000, 18.2) after which the transport acknowledges the Delta in a packet of its own.
//! - I2: what a server says moves the delay by a fraction of its error: no single packet decides.

use std::time::Duration;

use crate::limits;

/// Share of a sample's error that is learned from it: one in eight, as of round trips (RFC 9002, 5.3).
const GAIN: i64 = 8;

/// Decides the delay.
#[derive(Debug)]
pub(super) struct Pace {
    most: Duration,
    /// How long after an answer was due it left, on average. Microseconds.
    late: i64,
    tick: Option<NextTick>,
}

/// Where the server's next tick lies, as far as answers reach it. Microseconds.
#[derive(Clone, Copy, Debug)]
struct NextTick {
    period: i64,
    /// From the arrival of a Delta to the last moment an answer may leave, modulo `period`.
    after: i64,
    /// Mean distance of samples from it.
    spread: i64,
}

impl Pace {
    /// `most`: the delay until the server says something, and the longest one.
    pub(super) const fn new(most: Duration) -> Self {
        Self { most, late: 0, tick: None }
    }

    /// A Delta of a zone with this time between ticks says that the newest Input, which left `after` its own Delta, had waited so long.
    pub(super) fn waited(&mut self, period: Duration, after: Duration, waited: Duration) {
        let [period, sample] = [period, after + waited].map(micros);
        if period == 0 {
            return;
        }
        let sample = sample.rem_euclid(period);
        let Some(tick) = self.tick.as_mut().filter(|tick| tick.period == period) else {
            self.tick = Some(NextTick { period, after: sample, spread: period / 16 });
            return;
        };
        // The short way round: just before a tick and just after it are neighbours.
        let error = (sample - tick.after + period / 2).rem_euclid(period) - period / 2;
        tick.after = (tick.after + error / GAIN).rem_euclid(period);
        tick.spread += (error.abs() - tick.spread) / GAIN;
    }

    /// An answer left so long after it was due: a client that is busy wakes late, and hears of Deltas late too.
    pub(super) fn left(&mut self, late: Duration) {
        // One stall says nothing of the next answer.
        let late = micros(late.min(self.most));
        self.late += (late - self.late) / GAIN;
    }

    /// The longest delay with which the transport's acknowledgement still rides along.
    fn most(&self) -> Duration {
        let late = Duration::from_micros(2 * self.late.unsigned_abs());
        self.most.saturating_sub(late).max(limits::INPUT_DELAY_MIN)
    }

    /// From a Delta to its Input.
    pub(super) fn delay(&self) -> Duration {
        let Some(NextTick { period, after, spread }) = self.tick else { return self.most() };
        let [margin, slack_max, least] =
            [limits::INPUT_MARGIN, limits::INPUT_MARGIN_MAX, limits::INPUT_DELAY_MIN].map(micros);
        let margin = (margin + 2 * spread).min(slack_max);
        let delay = after - margin;
        // Too late for this tick: then for the one behind it.
        let delay = if delay < least { delay + period } else { delay };
        Duration::from_micros(delay.max(least).unsigned_abs()).min(self.most())
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(50);
    const MOST: Duration = Duration::from_millis(24);

    /// Delays and waits over so many ticks, where answers reach the server's ticks `way` after they left, and a Delta is applied
    /// `came` after its tick. `jitter` at most on each way.
    fn play(pace: &mut Pace, ticks: u32, came: f64, way: f64, jitter: f64) -> Vec<(f64, f64)> {
        let mut random = fastrand::Rng::with_seed(3);
        let mut waits = Vec::new();
        for _ in 0..ticks {
            let delay = pace.delay().as_secs_f64() * 1_000.0;
            let arrives = came + delay + way + jitter * random.f64();
            let waited = 50.0 - arrives.rem_euclid(50.0);
            waits.push((delay, waited));
            pace.waited(
                PERIOD,
                Duration::from_secs_f64(delay / 1_000.0),
                Duration::from_secs_f64(waited / 1_000.0),
            );
        }
        waits
    }

    #[test]
    fn an_answer_reaches_the_next_tick_shortly_before_it_from_near_and_far() {
        for way in [0.2, 5.0, 10.0, 14.0] {
            let mut pace = Pace::new(MOST);
            let waits = play(&mut pace, 200, 5.0 + way, way, 2.0);
            for (delay, waited) in &waits[100..] {
                let sum = 5.0 + 2.0 * way + delay + waited;
                assert!(sum < 52.1, "the first tick after it: {way} {delay} {waited}");
                assert!(*waited > 3.0 && (*waited < 18.0 || *delay > 23.9), "{way} {delay} {waited}");
            }
        }
    }

    #[test]
    fn who_is_too_far_for_the_next_tick_meets_the_one_behind_it() {
        let mut pace = Pace::new(MOST);
        let waits = play(&mut pace, 200, 20.0, 26.0, 2.0);
        for (delay, waited) in &waits[100..] {
            assert!(*waited > 3.0 && (*delay > 23.9 || *waited < 18.0), "{delay} {waited}");
        }
    }

    #[test]
    fn one_packet_that_was_late_moves_the_delay_by_little() {
        let mut pace = Pace::new(MOST);
        play(&mut pace, 200, 15.0, 10.0, 0.0);
        let before = pace.delay();
        pace.waited(PERIOD, before, Duration::from_millis(31));
        assert!(before.abs_diff(pace.delay()) < Duration::from_millis(8), "{before:?} {:?}", pace.delay());
    }

    #[test]
    fn a_client_that_wakes_late_answers_sooner() {
        let mut pace = Pace::new(MOST);
        assert_eq!(pace.delay(), MOST);
        (0..60).for_each(|_| pace.left(Duration::from_millis(5)));
        assert!(pace.delay() < Duration::from_millis(15), "{:?}", pace.delay());
        (0..60).for_each(|_| pace.left(Duration::ZERO));
        assert!(pace.delay() > Duration::from_millis(23), "{:?}", pace.delay());
        pace.left(Duration::from_secs(60));
        assert!(pace.delay() > Duration::from_millis(17), "one stall: {:?}", pace.delay());
    }

    #[test]
    fn whatever_a_server_says_the_delay_stays_within_its_bounds() {
        let mut pace = Pace::new(MOST);
        let mut random = fastrand::Rng::with_seed(9);
        for _ in 0..10_000 {
            let millis = |most: u64, random: &mut fastrand::Rng| Duration::from_millis(random.u64(0..=most));
            let (period, after, waited) =
                (millis(1_000, &mut random), millis(60_000, &mut random), millis(254, &mut random));
            pace.waited(period, after, waited);
            pace.left(after);
            assert!((limits::INPUT_DELAY_MIN..=MOST).contains(&pace.delay()), "{pace:?}");
        }
    }
}
