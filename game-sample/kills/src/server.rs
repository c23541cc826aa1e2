//! The server: two processes, a parent and its node.
//!
//! *Responsible for*: starting it, waiting until it is ready, killing, stopping in order. *Not responsible for*: when
//! ([`crate::run`]).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::{LOOK_EVERY, READY_WITHIN, STOP_WITHIN};

/// Where a server runs, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) binary: PathBuf,
    pub(crate) store: String,
    /// Data folder, `ready.json` and log lie in it.
    pub(crate) folder: PathBuf,
}

impl Place {
    pub(crate) fn ready_json(&self) -> PathBuf {
        self.folder.join("ready.json")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The sample's program, nothing read from the environment, what it says in a log.
    pub(crate) fn command(&self, log: &str) -> Result<Command> {
        let path = self.folder.join(log);
        let open = || File::options().create(true).append(true).open(&path);
        let log = open().with_context(|| format!("cannot write {}", path.display()))?;
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }
}

/// A server that runs, or was killed a moment ago.
#[derive(Debug)]
pub(crate) struct Server {
    place: Place,
    parent: Child,
    node: Pid,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) fn start(place: Place) -> Result<Self> {
        let _none = std::fs::remove_file(place.ready_json());
        let parent = spawn(&place)?;
        let node = Pid::from_raw(i32::MAX).context("a number that is no process")?;
        let mut server = Self { place, parent, node };
        server.await_ready()?;
        Ok(server)
    }

    /// Kills the node, and its parent if asked to.
    pub(crate) fn kill(&mut self, node: bool, parent: bool) -> Result<()> {
        if parent {
            self.parent.kill().context("cannot kill the parent")?;
        }
        if node {
            // With its parent gone it may have ended by itself.
            let killed = kill_process(self.node, Signal::KILL);
            if !parent {
                killed.context("cannot kill the node")?;
            }
        }
        if parent {
            self.parent.wait().context("cannot wait for the parent")?;
        }
        Ok(())
    }

    /// Starts the server again after its parent was killed, as an operator would.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        self.parent = spawn(&self.place)?;
        Ok(())
    }

    /// Waits until another node than the one known is ready.
    pub(crate) fn await_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        loop {
            if let Some(node) = ready_node(&self.place.ready_json()).filter(|node| *node != self.node) {
                self.node = node;
                return Ok(());
            }
            if let Some(status) = self.parent.try_wait().context("cannot look at the parent")? {
                bail!("the server ended by itself ({status}); see server.log");
            }
            if began.elapsed() > READY_WITHIN {
                bail!("the server was not ready within {READY_WITHIN:?}; see server.log");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Kills the follower of a killed node while it starts, `between` after it began. Whether there was one in time.
    pub(crate) fn kill_follower(&mut self, between: Duration) -> Result<bool> {
        let began = Instant::now();
        while began.elapsed() < READY_WITHIN {
            if let Some(follower) = self.child_of_parent().filter(|child| *child != self.node) {
                std::thread::sleep(between);
                let is_ready = ready_node(&self.place.ready_json()) == Some(follower);
                kill_process(follower, Signal::KILL).context("cannot kill the node that starts")?;
                self.node = follower;
                return Ok(!is_ready);
            }
            std::thread::yield_now();
        }
        Ok(false)
    }

    /// The parent's one child, as the system knows it.
    fn child_of_parent(&self) -> Option<Pid> {
        let parent = self.parent.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
        children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).next_back()
    }

    /// Stops it in order.
    pub(crate) fn stop(mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.parent), Signal::TERM).context("cannot ask the server to stop")?;
        await_end(&mut self.parent, STOP_WITHIN)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended cannot be killed, which is what we want. Its node ends with it.
        let _ended = self.parent.kill();
        let _ended = self.parent.wait();
    }
}

fn spawn(place: &Place) -> Result<Child> {
    let mut command = place.command("server.log")?;
    command.args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--bots", "0"]);
    command.args(["--pin", "off", "--store", &place.store, "--ready-json"]).arg(place.ready_json());
    command.arg("--data").arg(place.data());
    command.spawn().with_context(|| format!("cannot start {}", place.binary.display()))
}

/// The node of a file that a server wrote when it was ready.
fn ready_node(path: &Path) -> Option<Pid> {
    let ready: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Pid::from_raw(ready["pid"].as_i64()?.try_into().ok()?)
}

/// Waits for the end of a child.
pub(crate) fn await_end(child: &mut Child, within: Duration) -> Result<ExitStatus> {
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
