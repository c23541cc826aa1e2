//! What a run of bots measured, whatever the game.
//!
//! *Responsible for*: counting and the JSON form that scripts and CI read. *Not responsible for*: judging the figures, counts of one
//! game.
//!
//! Invariants:
//! - I1: fields are only added; a name keeps its meaning and unit.

use std::time::Duration;

use hdrhistogram::Histogram;
use lightmoon_client::ClientStats;
use serde::Serialize;

use crate::limits::{ERRORS_KEPT, LATENCY_US_MAX};

/// Latencies of one kind.
#[derive(Clone, Debug)]
pub struct Latency(Histogram<u64>);

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LATENCY_US_MAX, 2).expect("the bounds are constants in range"))
    }
}

impl Latency {
    /// One more.
    pub fn record(&mut self, after: Duration) {
        let micros = u64::try_from(after.as_micros()).unwrap_or(LATENCY_US_MAX);
        self.0.saturating_record(micros.max(1));
    }

    /// What they come to; `None`: there were none.
    #[must_use]
    pub fn percentiles(&self) -> Option<Percentiles> {
        let at = |quantile| self.0.value_at_quantile(quantile);
        (!self.0.is_empty()).then(|| Percentiles {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: self.0.max(),
        })
    }

    /// Values in microseconds at shares that lie ever denser towards the slowest: ten for each nine, up to four nines.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, u64)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let shares = (0..=40_u32).map(|step| 1.0 - 10.0_f64.powf(-f64::from(step) / 10.0));
        shares.map(|share| (share, self.0.value_at_quantile(share))).collect()
    }
}

/// A distribution, in microseconds, to two digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Half are quicker.
    pub p50: u64,
    /// Nine in ten are quicker.
    pub p90: u64,
    /// 99 of 100 are quicker.
    pub p99: u64,
    /// 999 of 1,000 are quicker.
    pub p999: u64,
    /// The slowest.
    pub max: u64,
}

/// Counted while bots play.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    report: Report,
    rtt: Latency,
}

impl Tally {
    pub(crate) fn connected(&mut self, is_first: bool) {
        self.report.connects += 1;
        self.report.reconnects += u64::from(!is_first);
    }

    pub(crate) fn lost(&mut self, why: String) {
        self.report.disconnects += 1;
        let errors = &mut self.report.errors;
        if errors.len() < ERRORS_KEPT && !errors.contains(&why) {
            errors.push(why);
        }
    }

    pub(crate) fn attached(&mut self) {
        self.report.attaches += 1;
    }

    pub(crate) fn acted(&mut self) {
        self.report.actions += 1;
    }

    /// What a client counted in all its connections.
    pub(crate) fn ended(&mut self, stats: &ClientStats, rtt: Option<Duration>) {
        let report = &mut self.report;
        report.connect_failures += stats.tries.saturating_sub(stats.sessions);
        report.state_packets += stats.states;
        // A packet that was overtaken fills a gap that was counted when it was missing.
        report.gaps += stats.gaps.saturating_sub(stats.overtaken);
        report.doubles += stats.doubles;
        report.bytes_in += stats.bytes_in;
        report.bytes_out += stats.bytes_out;
        if let Some(rtt) = rtt {
            self.rtt.record(rtt);
        }
    }

    pub(crate) fn report(&self, bots: usize, played: Duration, seed: u64, script: &str) -> Report {
        Report {
            bots,
            script: script.to_owned(),
            seconds: played.as_secs_f64(),
            seed,
            rtt_us: self.rtt.percentiles(),
            ..self.report.clone()
        }
    }
}

/// A run of bots, as it is written to the report file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// How many bots there were.
    pub bots: usize,
    /// What they did.
    pub script: String,
    /// How long they played.
    pub seconds: f64,
    /// Seed of their choices.
    pub seed: u64,
    /// Sessions that came up, first ones and later ones.
    pub connects: u64,
    /// Connections that broke, or were closed by the server.
    pub disconnects: u64,
    /// Connections of bots that had one before.
    pub reconnects: u64,
    /// Attempts to connect that failed.
    pub connect_failures: u64,
    /// Attachments to a zone.
    pub attaches: u64,
    /// How often bots acted.
    pub actions: u64,
    /// State packets received.
    pub state_packets: u64,
    /// Ticks of the attached zone of which no state packet came.
    pub gaps: u64,
    /// State packets of a tick that had come before.
    pub doubles: u64,
    /// Bytes of datagrams and streams received, without QUIC's own.
    pub bytes_in: u64,
    /// Bytes of datagrams and streams sent, without QUIC's own.
    pub bytes_out: u64,
    /// Smoothed round-trip times of the clients at the end of the run.
    pub rtt_us: Option<Percentiles>,
    /// The first few errors, as text.
    pub errors: Vec<String>,
}

impl Report {
    /// The report as JSON, one field a line.
    ///
    /// # Panics
    /// Never: its fields are numbers, texts and lists of them.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers, texts and lists of them are JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_told_to_two_digits() {
        let mut latency = Latency::default();
        assert_eq!((latency.percentiles(), latency.curve()), (None, vec![]));
        (1..=100).for_each(|millis| latency.record(Duration::from_millis(millis)));
        let told = latency.percentiles().unwrap();
        assert!((49_000..=52_000).contains(&told.p50) && (98_000..=101_000).contains(&told.p99), "{told:?}");
    }

    #[test]
    fn the_first_errors_are_kept_and_no_more() {
        let mut tally = Tally::default();
        (0..100).for_each(|number| tally.lost(format!("error {number}")));
        let report = tally.report(1, Duration::ZERO, 0, "none");
        assert_eq!((report.errors.len(), report.disconnects), (ERRORS_KEPT, 100));
    }
}
