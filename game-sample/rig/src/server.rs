//! The server as a process, or as two: a parent and its node.
//!
//! *Responsible for*: starting it, waiting until it is ready, killing it in parts, stopping it in order. *Not responsible for*: when,
//! and what it is asked ([`crate::console`]).
//!
//! Invariants:
//! - I1: [`Server::start`] and [`Server::await_ready`] return when a node serves that was not known before, or with an error.

use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::limits::{LOOK_EVERY, READY_WITHIN, STOP_WITHIN};
use crate::place::await_end;
use crate::{Console, Place, process};

/// A server that runs, or was killed a moment ago.
#[derive(Debug)]
pub struct Server {
    place: Place,
    /// What it is started with beside the addresses, and the core that it keeps to.
    arguments: Vec<String>,
    core: Option<usize>,
    /// The parent, or without one the node itself.
    child: Child,
    /// What it wrote when it was ready last.
    ready: Value,
}

impl Server {
    /// Starts `serve` on ports of the system's choice, without bots, with these further arguments, on one core if one is named, and
    /// waits until it is ready.
    ///
    /// # Errors
    /// It does not start, ends by itself, or is not ready in time.
    pub fn start(place: Place, arguments: &[&str], core: Option<usize>) -> Result<Self> {
        let _none = std::fs::remove_file(place.ready_json());
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let child = spawn(&place, &arguments, core)?;
        let mut server = Self { place, arguments, core, child, ready: Value::Null };
        server.await_ready()?;
        Ok(server)
    }

    /// Starts it again after its parent was killed, as an operator would; [`Self::await_ready`] waits for it.
    ///
    /// # Errors
    /// It does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.child = spawn(&self.place, &self.arguments, self.core)?;
        Ok(())
    }

    /// Waits until a node other than the one known is ready.
    ///
    /// # Errors
    /// The server ends by itself, or none is ready in time.
    pub fn await_ready(&mut self) -> Result<()> {
        let (began, before) = (Instant::now(), pid_of(&self.ready));
        loop {
            if let Some(ready) = read(&self.place.ready_json()).filter(|ready| pid_of(ready) != before) {
                self.ready = ready;
                return Ok(());
            }
            let log = self.place.file("server.log");
            if let Some(status) = self.child.try_wait().context("cannot look at the server")? {
                bail!("the server ended by itself ({status}); see {}", log.display());
            }
            if began.elapsed() > READY_WITHIN {
                bail!("the server was not ready within {READY_WITHIN:?}; see {}", log.display());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Whether the process that was started lives.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The node's process.
    ///
    /// # Errors
    /// The server did not say.
    pub fn pid(&self) -> Result<u32> {
        pid_of(&self.ready).context("the server does not say which process it is")
    }

    /// A way to ask it, also from other threads. Good until its node is another.
    ///
    /// # Errors
    /// The server did not say where.
    pub fn console(&self) -> Result<Console> {
        Console::of(&self.ready)
    }

    /// Kills the node, and its parent if asked to.
    ///
    /// # Errors
    /// They cannot be killed.
    pub fn kill(&mut self, node: bool, parent: bool) -> Result<()> {
        if parent {
            self.child.kill().context("cannot kill the parent")?;
        }
        if node {
            // With its parent gone it may have ended by itself.
            let killed = kill_process(self.node()?, Signal::KILL);
            if !parent {
                killed.context("cannot kill the node")?;
            }
        }
        if parent {
            self.child.wait().context("cannot wait for the parent")?;
        }
        Ok(())
    }

    /// Kills the follower of a killed node while it starts, `between` after it began. Whether there was one in time.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill_follower(&mut self, between: Duration) -> Result<bool> {
        let (began, before) = (Instant::now(), self.node()?);
        while began.elapsed() < READY_WITHIN {
            if let Some(follower) = self.child_of_parent().filter(|child| *child != before) {
                std::thread::sleep(between);
                let ready = read(&self.place.ready_json()).unwrap_or(Value::Null);
                let number = follower.as_raw_nonzero().get().unsigned_abs();
                let is_ready = pid_of(&ready) == Some(number);
                kill_process(follower, Signal::KILL).context("cannot kill the node that starts")?;
                self.ready["pid"] = number.into();
                return Ok(!is_ready);
            }
            std::thread::yield_now();
        }
        Ok(false)
    }

    fn node(&self) -> Result<Pid> {
        Pid::from_raw(self.pid()?.try_into()?).context("0 is no process")
    }

    /// The parent's one child, as the system knows it.
    fn child_of_parent(&self) -> Option<Pid> {
        let parent = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
        children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).next_back()
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// It is not there any more, or does not end in time.
    pub fn stop(mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot ask the server to stop")?;
        await_end(&mut self.child, STOP_WITHIN).context("the server")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended cannot be killed, which is what we want. A node ends with its parent.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn spawn(place: &Place, arguments: &[String], core: Option<usize>) -> Result<Child> {
    process::on_core(core, || {
        let mut command = place.command("server.log")?;
        command.args(["serve", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--bots", "0"]);
        command.args(arguments).arg("--ready-json").arg(place.ready_json()).arg("--data").arg(place.data());
        command.spawn().with_context(|| format!("cannot start {}", place.binary.display()))
    })
}

/// The file that a server writes when it is ready.
fn read(path: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn pid_of(ready: &Value) -> Option<u32> {
    ready["pid"].as_u64()?.try_into().ok()
}
