//! The server under attack: one process, its memory, its metrics.
//!
//! *Responsible for*: starting and stopping it, reading `/metrics` and its resident memory. *Not responsible for*: judging them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use game_sample_bots::Location;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::{LOOK_EVERY, METRICS_BYTES_MAX, METRICS_WITHIN, READY_WITHIN, STOP_WITHIN};

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) location: Location,
    console: SocketAddr,
    token: String,
}

impl Server {
    /// Starts a server that keeps nothing, with its log in `folder`, and waits until it is ready.
    pub(crate) fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let ready = folder.join("ready.json");
        let _none = std::fs::remove_file(&ready);
        let log = File::create(folder.join("server.log")).context("cannot write the server's log")?;
        let mut command = Command::new(binary);
        command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--bots", "0"]);
        command.args(["--pin", "off", "--supervise", "off", "--store", "memory:", "--ready-json"]);
        command.arg(&ready).arg("--data").arg(folder.join("data"));
        let mut child = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let text = match await_file(&mut child, &ready) {
            Ok(text) => text,
            Err(error) => {
                let _ended = child.kill();
                let _ended = child.wait();
                return Err(error);
            }
        };
        let json: Value = serde_json::from_str(&text)?;
        let word = |name: &str| json[name].as_str().with_context(|| format!("ready.json has no `{name}`"));
        Ok(Self {
            child,
            location: Location::from_ready_json(&ready)?,
            console: word("console")?.trim_start_matches("http://").trim_end_matches('/').parse()?,
            token: word("consoleToken")?.to_owned(),
        })
    }

    /// Whether it lives.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// A way to ask for its figures, also from other threads.
    pub(crate) fn gauge(&self) -> Gauge {
        Gauge { pid: self.child.id(), console: self.console, token: self.token.clone() }
    }

    /// Stops it in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot ask the server to stop")?;
        let began = Instant::now();
        while began.elapsed() < STOP_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the server ended with {status}; see server.log");
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        bail!("the server did not stop within {STOP_WITHIN:?}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended cannot be killed, which is what we want.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn await_file(child: &mut Child, ready: &PathBuf) -> Result<String> {
    let began = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(ready) {
            return Ok(text);
        }
        if let Some(status) = child.try_wait()? {
            bail!("the server ended by itself ({status}); see server.log");
        }
        if began.elapsed() > READY_WITHIN {
            bail!("the server was not ready within {READY_WITHIN:?}; see server.log");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Values of metrics by name.
pub(crate) type Metrics = BTreeMap<String, f64>;

/// Reads the figures of a server.
#[derive(Clone, Debug)]
pub(crate) struct Gauge {
    pid: u32,
    console: SocketAddr,
    token: String,
}

impl Gauge {
    /// Resident bytes of its process.
    pub(crate) fn resident(&self) -> Result<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.pid))
            .context("cannot read the server's memory")?;
        let pages: u64 = text.split_whitespace().nth(1).context("/proc has another form")?.parse()?;
        Ok(pages * u64::try_from(rustix::param::page_size())?)
    }

    /// Time of processors that it has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let (_, behind_name) = text.rsplit_once(')').context("/proc has another form")?;
        let ticks = behind_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|ticks| ticks.parse::<u64>().unwrap_or(0)).sum();
        Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
    }

    /// All its metrics.
    pub(crate) fn metrics(&self) -> Result<Metrics> {
        let mut stream = TcpStream::connect_timeout(&self.console, METRICS_WITHIN)?;
        stream.set_read_timeout(Some(METRICS_WITHIN))?;
        let (host, token) = (self.console, &self.token);
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        )?;
        let mut text = String::new();
        stream.take(METRICS_BYTES_MAX).read_to_string(&mut text).context("/metrics did not answer")?;
        if !text.starts_with("HTTP/1.1 200") {
            bail!("/metrics answered {}", text.lines().next().unwrap_or("nothing"));
        }
        let values = text.lines().filter(|line| line.starts_with("lightmoon_")).filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Ok(values.collect())
    }
}
