//! What the server's process holds and uses, over a time.
//!
//! *Responsible for*: watching it from a thread of its own, the line through what it held. *Not responsible for*: judging.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use game_sample_rig::process;

use crate::limits::MEMORY_EVERY;

/// Bytes of the process in memory.
pub(crate) fn resident(pid: u32) -> Result<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "KiB of a process")]
    Ok(process::resident_kib(pid)? as u64 * 1_024)
}

/// What it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) first: u64,
    pub(crate) most: u64,
    /// MiB a minute, by the straight line through all of it.
    pub(crate) slope: f64,
    /// Of a core.
    pub(crate) cpu_percent: f64,
}

/// Watches it until it is asked.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Memory>>,
}

impl Watch {
    pub(crate) fn start(pid: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (began, cpu) = (Instant::now(), process::cpu_seconds(pid)?);
            let mut points = vec![(0.0, resident(pid)?)];
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(MEMORY_EVERY);
                points.push((began.elapsed().as_secs_f64(), resident(pid)?));
            }
            let cpu = process::cpu_seconds(pid)? - cpu;
            Ok(summed_up(&points, cpu, began.elapsed()))
        });
        Self { stop, thread }
    }

    pub(crate) fn stop(self) -> Result<Memory> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the watch panicked"))?
    }
}

fn summed_up(points: &[(f64, u64)], cpu: f64, took: Duration) -> Memory {
    let bytes = || points.iter().map(|(_, bytes)| *bytes);
    Memory {
        first: bytes().next().unwrap_or(0),
        most: bytes().max().unwrap_or(0),
        slope: slope(points) * 60.0,
        cpu_percent: 100.0 * cpu / took.as_secs_f64().max(0.001),
    }
}

/// MiB a second, by least squares.
fn slope(points: &[(f64, u64)]) -> f64 {
    let count = f64::from(u32::try_from(points.len()).unwrap_or(u32::MAX)).max(1.0);
    let mean = |value: fn(&(f64, u64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (time, held) = (mean(|point| point.0), mean(|point| mib_of(point.1)));
    let both: f64 = points.iter().map(|(at, bytes)| (at - time) * (mib_of(*bytes) - held)).sum();
    let alone: f64 = points.iter().map(|(at, _)| (at - time).powi(2)).sum();
    if alone > 0.0 { both / alone } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "bytes of a process, far below 2^53")]
pub(crate) fn mib_of(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// Bytes for people.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", mib_of(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_that_of_the_line() {
        let points: Vec<(f64, u64)> =
            (0..10u32).map(|second| (f64::from(second), u64::from(second) * 1_048_576)).collect();
        assert!((slope(&points) - 1.0).abs() < 1e-9);
        assert!(slope(&[(0.0, 5), (1.0, 5)]).abs() < 1e-9);
        assert!(slope(&[]).abs() < 1e-9);
    }
}
