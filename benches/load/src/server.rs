//! The sample's server as a process, and what its console says.
//!
//! *Responsible for*: starting it on a core, its addresses, its status, killing and stopping it. *Not responsible for*: what is
//! measured.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::{CONSOLE_BYTES_MAX, CONSOLE_WITHIN, LOOK_EVERY, READY_WITHIN, STOP_WITHIN};
use crate::process;

/// Where programs run.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) binary: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Place {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The sample's program; what it says goes into a log.
    pub(crate) fn command(&self, log: &str) -> Result<Command> {
        let path = self.file(log);
        let log = File::options().create(true).append(true).open(&path);
        let log = log.with_context(|| format!("cannot write {}", path.display()))?;
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    place: Place,
    child: Child,
    ready: Value,
}

impl Server {
    /// Starts one on a core and waits until it is ready. Supervised, it is two processes: a parent and its node.
    pub(crate) fn start(place: &Place, core: usize, is_supervised: bool) -> Result<Self> {
        let ready = place.file("ready.json");
        let _none = std::fs::remove_file(&ready);
        let child = process::on_core(core, || {
            let mut command = place.command("server.log")?;
            command.args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--bots", "0"]);
            command.args(["--supervise", if is_supervised { "on" } else { "off" }, "--ready-json"]);
            command.arg(&ready).arg("--data").arg(place.file("data"));
            command.spawn().with_context(|| format!("cannot start {}", place.binary.display()))
        })?;
        let mut server = Self { place: place.clone(), child, ready: Value::Null };
        server.await_ready(None)?;
        Ok(server)
    }

    /// Waits until a node other than `before` is ready.
    pub(crate) fn await_ready(&mut self, before: Option<u32>) -> Result<()> {
        let began = Instant::now();
        loop {
            if let Some(ready) = read(&self.place.file("ready.json")).filter(|ready| pid_of(ready) != before)
            {
                self.ready = ready;
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().context("cannot look at the server")? {
                bail!("the server ended with {status}; see {}", self.place.file("server.log").display());
            }
            ensure!(began.elapsed() < READY_WITHIN, "the server was not ready within {READY_WITHIN:?}");
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// The node's process.
    pub(crate) fn pid(&self) -> Result<u32> {
        pid_of(&self.ready).context("the server does not say which process it is")
    }

    /// What the console tells now.
    pub(crate) fn status(&self) -> Result<Value> {
        let text = |name: &str| self.ready[name].as_str().with_context(|| format!("no `{name}`"));
        let host = text("console")?.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let token = text("consoleToken")?;
        let address = host.parse().context("the console's address")?;
        let mut stream = TcpStream::connect_timeout(&address, CONSOLE_WITHIN)?;
        stream.set_read_timeout(Some(CONSOLE_WITHIN))?;
        stream.set_write_timeout(Some(CONSOLE_WITHIN))?;
        let head = format!("GET /status.json HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n");
        stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.take(CONSOLE_BYTES_MAX).read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("the console's answer was cut off")?;
        serde_json::from_str(body).context("the console's answer is no JSON")
    }

    /// Kills the node; its parent starts it again.
    pub(crate) fn kill_node(&mut self) -> Result<()> {
        let before = self.pid()?;
        let pid = i32::try_from(before).ok().and_then(Pid::from_raw).context("the node's process")?;
        kill_process(pid, Signal::KILL).context("cannot kill the node")?;
        self.await_ready(Some(before))
    }

    /// Stops it in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot ask the server to stop")?;
        let status = await_end(&mut self.child, STOP_WITHIN).context("the server")?;
        ensure!(status.success(), "the server's stop ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended cannot be killed, which is what we want. A node ends with its parent.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn read(path: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn pid_of(ready: &Value) -> Option<u32> {
    ready["pid"].as_u64()?.try_into().ok()
}

/// Waits for the end of a child; over time it is killed.
pub(crate) fn await_end(child: &mut Child, within: std::time::Duration) -> Result<std::process::ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot look at a child")? {
            return Ok(status);
        }
        if began.elapsed() > within {
            child.kill().context("cannot end a child")?;
            child.wait().context("cannot wait for a child")?;
            bail!("it did not end within {within:?} and was killed");
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
