//! One measurement: a server and its clients from cold to warm to the end, as a game and as raw QUIC.
//!
//! *Responsible for*: the order, and what lies between warm and end. *Not responsible for*: figures.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use game_sample_rig::limits::{LOOK_EVERY, READY_WITHIN};
use game_sample_rig::{Cores, Place, Server, process};
use serde_json::Value;

use crate::fleet::Crew;
use crate::sample::{Sample, between};

/// How long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// What a crowd did to a server.
#[derive(Debug)]
pub(crate) struct Game {
    pub(crate) count: u32,
    /// From warm to the end, one a second.
    pub(crate) samples: Vec<Sample>,
    /// What the bots measured.
    pub(crate) bots: Value,
}

impl Game {
    /// Seconds that were measured.
    pub(crate) fn seconds(&self) -> f64 {
        self.last().at - self.first().at
    }

    pub(crate) fn first(&self) -> &Sample {
        &self.samples[0]
    }

    pub(crate) fn last(&self) -> &Sample {
        &self.samples[self.samples.len() - 1]
    }

    /// Growth of a number of the console over all zones.
    pub(crate) fn zones_grown(&self, pointer: &str) -> f64 {
        self.last().zones(pointer) - self.first().zones(pointer)
    }

    /// CPU of the server's threads whose names `is` takes, in us per client and second.
    pub(crate) fn cpu_micros(&self, is: impl Fn(&str) -> bool) -> f64 {
        let sum = |sample: &Sample| -> f64 {
            sample.threads.iter().filter(|(name, _)| is(name)).map(|(_, seconds)| seconds).sum()
        };
        (sum(self.last()) - sum(self.first())) * 1.0e6 / self.seconds() / f64::from(self.count)
    }

    /// Ticks of the crowded zone by their time.
    pub(crate) fn tick_times(&self) -> Vec<(u32, f64)> {
        between(&self.first().tick_times(), &self.last().tick_times())
    }

    /// What one client got and sent.
    pub(crate) fn shape(&self) -> Shape {
        let bot = |name: &str| self.bots[name].as_f64().unwrap_or(0.0);
        let mean = |sum: f64, count: f64| if count > 0.0 { sum / count } else { 0.0 };
        let ticks = bot("datagrams_in");
        // What left the server, whether or not it came: that is what it paid for.
        let left = (self.last().net("datagrams_sent") - self.first().net("datagrams_sent"))
            / self.seconds()
            / f64::from(self.count);
        let answered = mean(mean(bot("datagrams_out"), bot("measured_seconds")), f64::from(self.count));
        Shape {
            rate_hz: left.max(1.0),
            datagram_bytes: mean(bot("datagram_bytes_in"), ticks),
            writes: mean(self.zones_grown("/views"), self.zones_grown("/states")),
            write_bytes: mean(self.zones_grown("/viewBytes"), self.zones_grown("/views")),
            answers: mean(answered, left),
            answer_bytes: mean(bot("datagram_bytes_out"), bot("datagrams_out")),
        }
    }
}

/// The traffic of one client, as raw QUIC repeats it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Shape {
    /// Datagrams that the server sent to the client in a second.
    pub(crate) rate_hz: f64,
    /// Bytes of one.
    pub(crate) datagram_bytes: f64,
    /// Writes to its stream in a tick.
    pub(crate) writes: f64,
    pub(crate) write_bytes: f64,
    /// Datagrams from the client for each to it.
    pub(crate) answers: f64,
    pub(crate) answer_bytes: f64,
}

/// A server of one process.
pub(crate) fn alone(place: &Place, cores: Cores) -> Result<Server> {
    Server::start(place.clone(), &["--supervise", "off"], Some(cores.server))
}

pub(crate) fn crowd(count: u32, times: Times) -> Crew {
    Crew { script: "crowd", count, seed: 1, warm_up: times.warm_up, has_ledger: false }
}

/// Stops a server, which must end well.
pub(crate) fn stop(server: Server) -> Result<()> {
    let status = server.stop()?;
    ensure!(status.success(), "the server's stop ended with {status}");
    Ok(())
}

/// Plays a crowd.
pub(crate) fn game(place: &Place, cores: Cores, count: u32, times: Times) -> Result<Game> {
    let server = alone(place, cores)?;
    let began = Instant::now();
    let fleet = crowd(count, times).start(place, cores.clients)?;
    sleep_until(began + times.warm_up);
    let mut samples = vec![Sample::take(began, 0, &server, fleet.pid())?];
    let end = began + times.warm_up + times.measured;
    while Instant::now() < end {
        sleep_until((Instant::now() + Duration::from_secs(1)).min(end));
        samples.push(Sample::take(began, 0, &server, fleet.pid())?);
    }
    ensure!(
        samples[0].status.is_some() && samples[samples.len() - 1].status.is_some(),
        "the console is silent"
    );
    let bots = fleet.stop()?;
    stop(server)?;
    Ok(Game { count, samples, bots })
}

/// What raw QUIC needs for the same packets, us of CPU per client and second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Raw {
    pub(crate) micros: f64,
    /// Datagrams that a client got in a second.
    pub(crate) rate: f64,
}

/// Sends what a game sent, without the game.
pub(crate) fn raw(place: &Place, cores: Cores, count: u32, times: Times, shape: Shape) -> Result<Raw> {
    let ready = place.file("raw.json");
    let _none = std::fs::remove_file(&ready);
    let own = std::env::current_exe()?;
    let mut server = Raised(process::on_core(Some(cores.server), || {
        let mut command = Command::new(&own);
        command.args(["raw-server", "--rate-hz", &format!("{:.4}", shape.rate_hz)]);
        command.args(["--writes", &format!("{:.4}", shape.writes)]);
        command.args([
            "--datagram-bytes",
            &whole(shape.datagram_bytes),
            "--write-bytes",
            &whole(shape.write_bytes),
        ]);
        command.arg("--ready").arg(&ready).stdin(Stdio::null()).spawn().context("no raw server")
    })?);
    await_file(&ready, &mut server.0)?;
    let began = Instant::now();
    let (warm_up, seconds) = (times.warm_up.as_secs(), (times.warm_up + times.measured).as_secs());
    let swarm = process::on_core(Some(cores.clients), || {
        let mut command = Command::new(&own);
        command.args([
            "raw-swarm",
            "--count",
            &count.to_string(),
            "--answers",
            &format!("{:.4}", shape.answers),
        ]);
        command.env(process::LARGE_PAGES.0, process::LARGE_PAGES.1);
        command.args(["--datagram-bytes", &whole(shape.answer_bytes), "--delay-ms", INPUT_DELAY_MS]);
        command.args(["--warm-up", &warm_up.to_string(), "--seconds", &seconds.to_string()]);
        command.arg("--ready").arg(&ready).stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().context("no raw clients")
    })?;
    let mut swarm = Raised(swarm);
    sleep_until(began + times.warm_up);
    let (before, from) = (process::cpu_seconds(server.0.id())?, Instant::now());
    sleep_until(began + times.warm_up + times.measured);
    let (after, took) = (process::cpu_seconds(server.0.id())?, from.elapsed().as_secs_f64());
    let mut printed = String::new();
    if let Some(mut output) = swarm.0.stdout.take() {
        std::io::Read::read_to_string(&mut output, &mut printed)?;
    }
    let came: f64 = printed.trim().parse().context("the raw clients did not count")?;
    Ok(Raw {
        micros: (after - before) * 1.0e6 / took / f64::from(count),
        rate: came / took / f64::from(count),
    })
}

/// Milliseconds from a state packet to the input after it: the longest that the clients of the game take, so that as many packets go by.
const INPUT_DELAY_MS: &str = "24";

fn whole(bytes: f64) -> String {
    format!("{:.0}", bytes.max(1.0))
}

/// A child that ends with its owner.
#[derive(Debug)]
struct Raised(Child);

impl Drop for Raised {
    fn drop(&mut self) {
        // One that ended cannot be killed, which is what we want.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn await_file(path: &std::path::Path, child: &mut Child) -> Result<()> {
    let began = Instant::now();
    while !path.exists() {
        if let Some(status) = child.try_wait()? {
            bail!("it ended with {status} before it was ready");
        }
        ensure!(began.elapsed() < READY_WITHIN, "not ready within {READY_WITHIN:?}");
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// KiB of memory that something idle takes in the server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Idle {
    /// A connection with its session.
    pub(crate) session: f64,
    /// What the session's player is: the sample's has a world of its own.
    pub(crate) player: f64,
}

/// Sessions that do nothing, twice: those that come second find the memory of the sessions before free, and the players before
/// still in place. So the first time shows sessions and players, the second time players alone.
pub(crate) fn idle(place: &Place, cores: Cores, count: u32) -> Result<Idle> {
    let server = alone(place, cores)?;
    std::thread::sleep(SETTLE);
    let resident = || process::resident_kib(server.pid()?);
    let before = resident()?;
    let come = |seed| -> Result<f64> {
        let crew = Crew { script: "idle", count, seed, warm_up: Duration::ZERO, has_ledger: false };
        let fleet = crew.start(place, cores.clients)?;
        await_sessions(&server, count)?;
        let full = resident()?;
        fleet.stop()?;
        await_sessions(&server, 0)?;
        Ok(full)
    };
    let (first, second) = (come(1)?, come(2)?);
    stop(server)?;
    let [all, player] = [first - before, second - first].map(|kib| kib / f64::from(count));
    Ok(Idle { session: all - player, player })
}

/// Until so many sessions are open, and what that brings has come.
fn await_sessions(server: &Server, count: u32) -> Result<()> {
    let began = Instant::now();
    loop {
        let open = server.console()?.status()?["sessions"]["open"].as_u64().unwrap_or(0);
        if open == u64::from(count) {
            std::thread::sleep(SETTLE);
            return Ok(());
        }
        ensure!(began.elapsed() < CONNECT_WITHIN, "{open} sessions and not {count} after {CONNECT_WITHIN:?}");
        std::thread::sleep(SETTLE / 10);
    }
}

/// Until what a change of the load brings has come.
const SETTLE: Duration = Duration::from_secs(3);
/// A thousand handshakes take half a second of a core.
const CONNECT_WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn sleep_until(time: Instant) {
    std::thread::sleep(time.saturating_duration_since(Instant::now()));
}
