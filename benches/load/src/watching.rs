//! What it costs that somebody watches: a server that says nothing of itself, one that does, and one that is asked each second.
//!
//! *Responsible for*: measuring the three under the same crowd. *Not responsible for*: figures.
//!
//! The last two are one server in turns, so that what the machine does otherwise meets both.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use game_sample_rig::{Cores, Place, Server, process};

use crate::phase::{self, Times, sleep_until};
use crate::sample::{Sample, between};

/// Turns of a server that is asked, and as many of one that is not.
const TURNS: u32 = 4;
/// As Prometheus at its busiest.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// What a server costs that is watched in some way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// CPU of a client in a second, us.
    pub(crate) micros: f64,
    /// Ticks of the crowded zone by their time.
    pub(crate) ticks: BTreeMap<u32, f64>,
}

/// The three.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    pub(crate) count: u32,
    /// It says nothing of itself (`--observe off`).
    pub(crate) silent: f64,
    /// Nobody asks.
    pub(crate) watched: Cost,
    /// Its metrics are read each second.
    pub(crate) scraped: Cost,
}

/// Measures the three.
pub(crate) fn measure(place: &Place, cores: Cores, count: u32, times: Times) -> Result<Watching> {
    let silent = silent(place, cores, count, times)?;
    std::fs::remove_dir_all(&place.folder).context("cannot remove the folder of the run")?;
    std::fs::create_dir_all(&place.folder).context("cannot make the folder of the run")?;
    let server = phase::alone(place, cores)?;
    let began = Instant::now();
    let fleet = phase::crowd(count, times).start(place, cores.clients)?;
    sleep_until(began + times.warm_up);
    let (mut costs, turn) = ([Cost::default(), Cost::default()], times.measured / TURNS);
    for nth in 0..2 * TURNS {
        let cost = &mut costs[(nth % 2) as usize];
        let before = Sample::take(began, 0, &server, fleet.pid())?;
        let end = Instant::now() + turn;
        while Instant::now() < end {
            sleep_until((Instant::now() + ASKED_EVERY).min(end));
            if nth % 2 == 1 {
                server.console()?.metrics_text()?;
            }
        }
        let after = Sample::take(began, 0, &server, fleet.pid())?;
        let spent = (after.cpu() - before.cpu()) * 1.0e6 / (after.at - before.at) / f64::from(count);
        cost.micros += spent / f64::from(TURNS);
        for (upper, ticks) in between(&before.tick_times(), &after.tick_times()) {
            *cost.ticks.entry(upper).or_default() += ticks;
        }
    }
    fleet.stop()?;
    phase::stop(server)?;
    let [watched, scraped] = costs;
    Ok(Watching { count, silent, watched, scraped })
}

fn silent(place: &Place, cores: Cores, count: u32, times: Times) -> Result<f64> {
    let arguments = ["--supervise", "off", "--observe", "off"];
    let server = Server::start(place.clone(), &arguments, Some(cores.server))?;
    let began = Instant::now();
    let fleet = phase::crowd(count, times).start(place, cores.clients)?;
    sleep_until(began + times.warm_up);
    let (before, from) = (process::cpu_seconds(server.pid()?)?, Instant::now());
    sleep_until(from + times.measured);
    let (after, took) = (process::cpu_seconds(server.pid()?)?, from.elapsed().as_secs_f64());
    fleet.stop()?;
    phase::stop(server)?;
    Ok((after - before) * 1.0e6 / took / f64::from(count))
}
