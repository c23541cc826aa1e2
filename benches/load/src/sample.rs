//! A run over time: one look a second at a server's threads, memory and ticks.
//!
//! *Responsible for*: taking samples and what lies between two of them. *Not responsible for*: judging them.

use std::time::Instant;

use anyhow::Result;
use game_sample_rig::Server;
use game_sample_rig::process::{self, Threads};
use serde_json::Value;

use crate::limits::SAMPLES_MAX;

/// One look.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// Seconds since the run began.
    pub(crate) at: f64,
    /// Which node of the run: kills begin a new one.
    pub(crate) life: u32,
    /// CPU of the server's threads so far, seconds.
    pub(crate) threads: Threads,
    /// CPU of the clients so far, seconds.
    pub(crate) clients: f64,
    pub(crate) resident_kib: f64,
    /// What the console said; `None`: it did not answer in time.
    pub(crate) status: Option<Value>,
}

impl Sample {
    pub(crate) fn take(began: Instant, life: u32, server: &Server, clients: u32) -> Result<Self> {
        let pid = server.pid()?;
        // The console first: its answer takes CPU of the server, which then lies in the interval that it belongs to.
        let status = server.console()?.status().ok();
        Ok(Self {
            at: began.elapsed().as_secs_f64(),
            life,
            threads: process::threads(pid)?,
            clients: process::cpu_seconds(clients)?,
            resident_kib: process::resident_kib(pid)?,
            status,
        })
    }

    /// CPU of all threads, seconds.
    pub(crate) fn cpu(&self) -> f64 {
        self.threads.values().sum()
    }

    /// A count of the network by its name.
    pub(crate) fn net(&self, name: &str) -> f64 {
        number(self.status.as_ref(), &format!("/net/{name}"))
    }

    /// KiB that the store holds in memory and could do without.
    pub(crate) fn buffered_kib(&self) -> f64 {
        number(self.status.as_ref(), "/store/files/bufferedBytes") / 1_024.0
    }

    /// The sum of a number over all zones.
    pub(crate) fn zones(&self, pointer: &str) -> f64 {
        let zones = self.status.as_ref().and_then(|status| status["zones"].as_array());
        zones.into_iter().flatten().map(|zone| number(Some(zone), pointer)).sum()
    }

    /// The time below which ticks lie and their count, of the zone with the most viewers.
    pub(crate) fn tick_times(&self) -> Vec<(u32, f64)> {
        let zones = self.status.as_ref().and_then(|status| status["zones"].as_array());
        let crowded = zones.into_iter().flatten().max_by_key(|zone| zone["viewers"].as_u64());
        let buckets = crowded.and_then(|zone| zone["tickTimes"].as_array());
        let bucket = |pair: &Value| Some((u32::try_from(pair[0].as_u64()?).ok()?, pair[1].as_f64()?));
        buckets.into_iter().flatten().filter_map(bucket).collect()
    }
}

fn number(value: Option<&Value>, pointer: &str) -> f64 {
    value.and_then(|value| value.pointer(pointer)).and_then(Value::as_f64).unwrap_or(0.0)
}

/// Adds a sample; a list that is full gives up every second one.
pub(crate) fn keep(samples: &mut Vec<Sample>, sample: Sample) {
    if samples.len() >= SAMPLES_MAX {
        let mut is_kept = false;
        samples.retain(|_| {
            is_kept = !is_kept;
            is_kept
        });
    }
    samples.push(sample);
}

/// What a histogram gained: counts of `later` without those of `before`.
pub(crate) fn between(before: &[(u32, f64)], later: &[(u32, f64)]) -> Vec<(u32, f64)> {
    let had = |upper: u32| before.iter().find(|(other, _)| *other == upper).map_or(0.0, |(_, count)| *count);
    later
        .iter()
        .map(|(upper, count)| (*upper, count - had(*upper)))
        .filter(|(_, count)| *count > 0.0)
        .collect()
}

/// The same as [`quantile`], between the ends of its bucket: for ratios that are finer than buckets are wide (an eighth).
pub(crate) fn quantile_within(histogram: &[(u32, f64)], share: f64) -> f64 {
    let all: f64 = histogram.iter().map(|(_, count)| count).sum();
    let mut seen = 0.0;
    for (upper, count) in histogram {
        if seen + count >= all * share {
            let (upper, lower) = (f64::from(*upper), f64::from(*upper) * 8.0 / 9.0);
            return lower + (upper - lower) * (all * share - seen) / count;
        }
        seen += count;
    }
    f64::NAN
}

/// The time below which a share of a histogram lies; NaN if it is empty.
pub(crate) fn quantile(histogram: &[(u32, f64)], share: f64) -> f64 {
    let all: f64 = histogram.iter().map(|(_, count)| count).sum();
    let mut seen = 0.0;
    for (upper, count) in histogram {
        seen += count;
        if seen >= all * share {
            return f64::from(*upper);
        }
    }
    f64::NAN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(left: f64, right: f64) -> bool {
        (left - right).abs() < 1.0e-9
    }

    #[test]
    fn quantiles_are_upper_ends_of_buckets() {
        let histogram = [(16, 50.0), (32, 49.0), (64, 1.0)];
        assert!(is(quantile(&histogram, 0.5), 16.0));
        assert!(is(quantile(&histogram, 0.99), 32.0));
        assert!(is(quantile(&histogram, 1.0), 64.0));
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn between_the_ends_of_a_bucket_a_quantile_is_finer() {
        let histogram = [(90, 50.0), (180, 50.0)];
        assert!(is(quantile_within(&histogram, 0.25), 85.0));
        assert!(is(quantile_within(&histogram, 0.75), 170.0));
        assert!(quantile_within(&[], 0.5).is_nan());
    }

    #[test]
    fn what_was_there_before_does_not_count() {
        assert_eq!(between(&[(16, 5.0)], &[(16, 5.0), (32, 2.0)]), [(32, 2.0)]);
    }
}
