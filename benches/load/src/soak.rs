//! `soak`: bots that come and go for a long time, while the node is killed now and then.
//!
//! *Responsible for*: how many bots, when it is killed, what is held at the end. *Not responsible for*: what is stored (the sample's
//! verb `audit`).
//!
//! Invariants:
//! - I1: a kill is of the node alone; its parent starts it again.
//! - I2: memory is judged within the life of one node, after its warm-up.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use game_sample_rig::{Cores, Place, Server};
use serde_json::Value;

use crate::fleet::Crew;
use crate::limits::CLIENTS_MAX;
use crate::sample::{self, Sample};
use crate::{figure, phase, place, report};

/// How the run goes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long
    #[arg(long, value_name = "M", default_value_t = 30.0)]
    pub(crate) minutes: f64,
    /// Bots; without it as many as leave a fifth of the machine idle
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u32>,
    /// Minutes between two kills, on average; the last three quarters of the time have none
    #[arg(long, value_name = "M", default_value_t = 3.0)]
    kill_every: f64,
    /// Decides when is killed, and what bots do
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Also write a report with plots: this Markdown file, and SVG files beside it
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What the report says of the commit
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    pub(crate) commit: String,
    /// Most that the server's store keeps unsorted, and of what it read, MiB: small buffers are full soon, so that what else grows is seen in
    /// less time
    #[arg(long, value_name = "MIB", default_value_t = 1)]
    store_buffer: u32,
    /// The sample's program; without it the one beside this program
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// What a long run showed.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) count: u32,
    pub(crate) seed: u64,
    pub(crate) samples: Vec<Sample>,
    /// Seconds since the beginning.
    pub(crate) kills: Vec<f64>,
    pub(crate) ready_ms: Vec<u128>,
    pub(crate) slopes: Vec<Slope>,
    pub(crate) bots: Value,
    pub(crate) audit: Vec<String>,
    pub(crate) violations: Vec<String>,
}

/// How the memory of one life grew.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Slope {
    pub(crate) life: u32,
    /// Minutes that were looked at.
    pub(crate) minutes: f64,
    pub(crate) mib_per_hour: f64,
    /// Half the width of what chance alone explains (2 standard errors).
    pub(crate) give_or_take: f64,
}

/// The least of a life that is judged, after its warm-up: in less, noise is larger than what is looked for.
const JUDGED_MIN: f64 = 300.0;
/// What a node needs at least until its memory is what it stays. For ten minutes it remembers what it answered and which sessions ended, so
/// for as long that grows; what one that was killed had stored of it counts from the start of the next. A minute more for the buffers behind it.
const WARM_UP: f64 = 660.0;
/// And how full the buffers of its store must have been, of the most that they are in all its life: the allocator keeps what they took, and
/// what comes next takes its place. Each table has a buffer, and those that fill slowly make the sum grow until they are written out too.
const FILLED: f64 = 0.95;
/// Of the whole time, so much is left without kills, at the end: a life that is warm for long.
const LEFT_ALONE: f64 = 0.75;
/// A run from so many minutes on has to tell how memory grew.
const TELLS_FROM: f64 = 30.0;
/// Growth that is let pass, MiB in an hour.
pub(crate) const GROWTH_MAX: f64 = 1.0;
/// Bots that are tried to find out what one costs.
const PROBE_COUNT: u32 = 200;
/// How long, and from when on.
const PROBE_TIMES: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(10));
/// Of each core so much is used.
const USED: f64 = 0.8;
/// Most bots: what the sectors that they live in hold, less those who change over.
const COUNT_MAX: f64 = 1_200.0;

/// Whether nothing was violated.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    ensure!((0.5..=10_080.0).contains(&arguments.minutes), "--minutes must be 0.5 to 10080");
    ensure!(arguments.kill_every >= 0.2, "--kill-every must be at least 0.2");
    ensure!(
        arguments.count.is_none_or(|count| (1..=CLIENTS_MAX).contains(&count)),
        "--count must be 1 to {CLIENTS_MAX}"
    );
    let binary = arguments.binary.as_ref();
    let cores = Cores::choose()?;
    let count = match arguments.count {
        Some(count) => count,
        None => affordable(&place(binary, "probe")?, cores, arguments.store_buffer)?,
    };
    let place = place(binary, "soak")?;
    let mut outcome = Outcome { count, seed: arguments.seed, ..Outcome::default() };
    let server = play(arguments, &place, cores, &mut outcome)?;
    if let Err(error) = phase::stop(server) {
        outcome.violations.push(format!("{error:#}"));
    }
    audit(&place, &mut outcome)?;
    judge(&mut outcome);
    if outcome.slopes.is_empty() && arguments.minutes >= TELLS_FROM {
        outcome.violations.push(
            "memory could not be judged: in no life were the buffers of the store full once, with five minutes behind it"
                .to_owned(),
        );
    }
    for line in report::soak_lines(&outcome) {
        figure::line(&line);
    }
    if let Some(path) = &arguments.report {
        report::of_soak(path, arguments, &outcome)?;
    }
    let passed = outcome.violations.is_empty();
    if passed {
        std::fs::remove_dir_all(&place.folder).context("cannot remove the folder of the run")?;
    } else {
        figure::line(&format!("data, ledger and logs of the run: {}", place.folder.display()));
    }
    Ok(passed)
}

/// A server with a parent.
fn supervised(place: &Place, cores: Cores, store_buffer: u32) -> Result<Server> {
    let buffer = store_buffer.to_string();
    let arguments = ["--supervise", "on", "--store-buffer", &buffer, "--store-cache", &buffer];
    Server::start(place.clone(), &arguments, Some(cores.server))
}

/// As many bots as leave a fifth of the fuller core idle.
fn affordable(place: &Place, cores: Cores, store_buffer: u32) -> Result<u32> {
    let server = supervised(place, cores, store_buffer)?;
    let fleet = crew(PROBE_COUNT, 1, false).start(place, cores.clients)?;
    let began = Instant::now();
    std::thread::sleep(PROBE_TIMES.0);
    let before = Sample::take(began, 0, &server, fleet.pid())?;
    std::thread::sleep(PROBE_TIMES.1);
    let after = Sample::take(began, 0, &server, fleet.pid())?;
    fleet.stop()?;
    phase::stop(server)?;
    std::fs::remove_dir_all(&place.folder).context("cannot remove the folder of the run")?;
    let seconds = after.at - before.at;
    let (server, clients) =
        ((after.cpu() - before.cpu()) / seconds, (after.clients - before.clients) / seconds);
    let fuller = if cores.server == cores.clients { server + clients } else { server.max(clients) };
    // Sight makes the cost of one grow with how many there are: half of it is taken to grow with the square.
    let mut count = f64::from(PROBE_COUNT);
    while count < COUNT_MAX && fuller * growth(count + 10.0) < USED {
        count += 10.0;
    }
    figure::line(&format!(
        "{PROBE_COUNT} bots take {:.1} % of the server's core and {:.1} % of their own: {count} of them leave a fifth idle",
        server * 100.0,
        clients * 100.0
    ));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 200 and 1,210")]
    Ok(count as u32)
}

fn growth(count: f64) -> f64 {
    let times = count / f64::from(PROBE_COUNT);
    (times + times * times) / 2.0
}

fn crew(count: u32, seed: u64, has_ledger: bool) -> Crew {
    Crew { script: "churn", count, seed, warm_up: Duration::ZERO, has_ledger }
}

/// Everything up to the stop of the server.
fn play(arguments: &Arguments, place: &Place, cores: Cores, outcome: &mut Outcome) -> Result<Server> {
    let mut random = Rng::with_seed(arguments.seed);
    let mut server = supervised(place, cores, arguments.store_buffer)?;
    let began = Instant::now();
    let fleet = crew(outcome.count, arguments.seed, true).start(place, cores.clients)?;
    let (mut life, mut next_kill) = (0, kill_after(arguments, &mut random, 0.0));
    let end = arguments.minutes * 60.0;
    while began.elapsed().as_secs_f64() < end {
        std::thread::sleep(Duration::from_secs(1));
        let at = began.elapsed().as_secs_f64();
        // The last part is left alone: a life that is judged, and everybody back at the end.
        if at >= next_kill && at < end * (1.0 - LEFT_ALONE) && at + WARM_UP + JUDGED_MIN < end {
            let killed = Instant::now();
            server.kill(true, false)?;
            server.await_ready()?;
            outcome.kills.push(at);
            outcome.ready_ms.push(killed.elapsed().as_millis());
            life += 1;
            next_kill = kill_after(arguments, &mut random, at);
            figure::line(&format!(
                "kill {life} after {:.1} min, ready again in {} ms",
                at / 60.0,
                killed.elapsed().as_millis()
            ));
        }
        match Sample::take(began, life, &server, fleet.pid()) {
            Ok(sample) => sample::keep(&mut outcome.samples, sample),
            Err(error) => outcome.violations.push(format!("after {at:.0} s: {error:#}")),
        }
    }
    stuck(&server, outcome);
    outcome.bots = fleet.stop()?;
    Ok(server)
}

/// Between half and one and a half of the average.
fn kill_after(arguments: &Arguments, random: &mut Rng, at: f64) -> f64 {
    at + arguments.kill_every * 60.0 * (0.5 + random.f64())
}

/// At the end nearly everybody plays: of bots that stay a minute and are away for three seconds few are missing.
fn stuck(server: &Server, outcome: &mut Outcome) {
    let Ok(status) = server.console().and_then(|console| console.status()) else {
        outcome.violations.push("the console is silent at the end".to_owned());
        return;
    };
    let zones = status["zones"].as_array();
    let viewers: u64 = zones.into_iter().flatten().filter_map(|zone| zone["viewers"].as_u64()).sum();
    let few = u64::from(outcome.count) * 4 / 5;
    if viewers < few {
        outcome.violations.push(format!("{viewers} of {} bots play at the end", outcome.count));
    }
}

/// What is stored against what bots were told.
fn audit(place: &Place, outcome: &mut Outcome) -> Result<()> {
    let mut store = std::ffi::OsString::from("files:");
    store.push(place.file("data"));
    let mut command = place.command("audit.log")?;
    command.arg("audit").arg("--store").arg(store).arg("--ledger").arg(place.file("ledger.jsonl"));
    let output = command.stdout(std::process::Stdio::piped()).output().context("cannot start the audit")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    outcome.audit = text.lines().map(str::to_owned).collect();
    if !output.status.success() {
        outcome.violations.push(format!("the audit ended with {}", output.status));
        let wrong =
            text.lines().filter(|line| line.starts_with("wrong")).map(|line| format!("audit: {line}"));
        outcome.violations.extend(wrong.take(40));
    }
    Ok(())
}

/// Memory, and players that were never heard of again.
fn judge(outcome: &mut Outcome) {
    let lives = outcome.samples.iter().map(|sample| sample.life).max().map_or(0, |last| last + 1);
    outcome.slopes = (0..lives).filter_map(|life| slope(&outcome.samples, life)).collect();
    for slope in &outcome.slopes {
        // What chance alone explains is no growth.
        if slope.mib_per_hour - slope.give_or_take >= GROWTH_MAX {
            outcome.violations.push(format!(
                "memory of life {} grows by {:.2} MiB/h (give or take {:.2})",
                slope.life, slope.mib_per_hour, slope.give_or_take
            ));
        }
    }
}

/// The straight line through the memory of a life after its warm-up, without what the store buffers; `None`: it was too short.
fn slope(samples: &[Sample], life: u32) -> Option<Slope> {
    let of_life = || samples.iter().filter(|sample| sample.life == life && sample.status.is_some());
    let fullest = of_life().map(Sample::buffered_kib).fold(0.0, f64::max);
    let filled = of_life().find(|sample| sample.buffered_kib() >= fullest * FILLED)?;
    let from = filled.at.max(of_life().next()?.at + WARM_UP);
    let points: Vec<[f64; 3]> = of_life()
        .filter(|sample| sample.at >= from)
        .map(|sample| [sample.at, sample.buffered_kib(), sample.resident_kib])
        .collect();
    let seconds = points.last()?[0] - points.first()?[0];
    if seconds < JUDGED_MIN {
        return None;
    }
    let (per_second, error) = line(&points);
    let mib_per_hour = |kib_per_second: f64| kib_per_second * 3_600.0 / 1_024.0;
    Some(Slope {
        life,
        minutes: seconds / 60.0,
        mib_per_hour: mib_per_hour(per_second),
        give_or_take: 2.0 * mib_per_hour(error),
    })
}

/// Least squares of memory by time and by what the store buffers: the growth in a second that is not of the store, and its
/// standard error. A buffer that only grew in all that time cannot be told from a leak: then the error says so. Neighbours in
/// time are alike, so only one point in a minute counts as news.
fn line(points: &[[f64; 3]]) -> (f64, f64) {
    let count = count(points.len());
    let mean = |at: usize| points.iter().map(|point| point[at]).sum::<f64>() / count;
    let means = [mean(0), mean(1), mean(2)];
    let together = |one: usize, other: usize| -> f64 {
        points.iter().map(|point| (point[one] - means[one]) * (point[other] - means[other])).sum()
    };
    let [time, buffer] = [together(0, 0), together(1, 1)];
    // What of time the buffer does not explain.
    let own = if buffer > 0.0 { time - together(0, 1).powi(2) / buffer } else { time };
    let (slope, share) = if buffer > 0.0 {
        let slope = (together(0, 2) - together(0, 1) * together(1, 2) / buffer) / own.max(f64::MIN_POSITIVE);
        (slope, (together(1, 2) - slope * together(0, 1)) / buffer)
    } else {
        (together(0, 2) / time, 0.0)
    };
    let rest = |point: &[f64; 3]| {
        point[2] - means[2] - slope * (point[0] - means[0]) - share * (point[1] - means[1])
    };
    let rest: f64 = points.iter().map(|point| rest(point).powi(2)).sum();
    let news = (count / 60.0).max(4.0);
    (slope, (rest / count / (news - 3.0)).sqrt() / (own / count).max(f64::MIN_POSITIVE).sqrt())
}

fn count(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory that grows by `leak` a second, under a buffer that is emptied every `every` seconds.
    fn memory(leak: f64, every: u32, noise: f64) -> Vec<[f64; 3]> {
        let mut random = Rng::with_seed(7);
        let mut point = |x: u32| {
            let buffer = 40.0 * f64::from(x % every);
            [f64::from(x), buffer, 5_000.0 + leak * f64::from(x) + 1.3 * buffer + noise * random.f64()]
        };
        (0..900).map(&mut point).collect()
    }

    #[test]
    fn a_leak_is_found_under_a_buffer_that_comes_and_goes() {
        let (slope, error) = line(&memory(2.0, 200, 50.0));
        assert!((slope - 2.0).abs() < 3.0 * error && error < 0.2, "{slope} {error}");
    }

    #[test]
    fn a_buffer_that_comes_and_goes_is_no_leak() {
        let (slope, error) = line(&memory(0.0, 200, 50.0));
        assert!(slope.abs() < 3.0 * error && error < 0.2, "{slope} {error}");
    }

    #[test]
    fn without_a_buffer_it_is_a_straight_line() {
        let (slope, error) = line(&memory(2.0, 1, 0.0));
        assert!((slope - 2.0).abs() < 1.0e-9 && error < 1.0e-6, "{slope} {error}");
    }
}
