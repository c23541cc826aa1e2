//! This program, started again as a child.
//!
//! *Responsible for*: the command line of a child, and the one child that lives. *Not responsible for*: when there is one
//! (`supervise`).
//!
//! Invariants:
//! - I1: the child is the program that the parent is, also when the file was replaced since: a build beside a running
//!   server does not change what a crash brings back.

use super::control;
use super::signals::Request;
use super::verdict::Ending;
use crate::Failure;
use rustix::process::{Pid, kill_process};
use std::ffi::OsString;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// What to start.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    /// What it is called in lists of processes.
    name: OsString,
    arguments: Vec<OsString>,
}

/// A process that is not reaped.
#[derive(Debug)]
pub(super) struct Child {
    process: std::process::Child,
    /// `None` once it ended.
    control: Option<UnixStream>,
}

impl Program {
    /// The one that runs, with these arguments; the first is its name.
    pub(super) fn this(arguments: &[OsString]) -> Result<Self, Failure> {
        // The kernel's own name for the open file; a path may lead to another one by now.
        let path = if cfg!(any(target_os = "linux", target_os = "android")) {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().map_err(|e| {
                Failure::new(
                    format!("cannot find this program's file: {e}"),
                    "start it by its whole path, or with --supervise off",
                )
            })?
        };
        let name = arguments.first().cloned().unwrap_or_default();
        Ok(Self { path, name, arguments: arguments.iter().skip(1).cloned().collect() })
    }

    /// Starts it. It gets the lock of the data folder, and says where everything is if it `greets`.
    pub(super) fn start(&self, lock: BorrowedFd<'_>, greets: bool) -> std::io::Result<Child> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        control::give(&ours, lock, greets)?;
        let process = Command::new(&self.path)
            .arg0(&self.name)
            .arg(format!("{}{}", super::ARGUMENT, std::process::id()))
            .args(&self.arguments)
            .stdin(OwnedFd::from(theirs))
            // A terminal's Ctrl-C then reaches the parent alone, which passes it on.
            .process_group(0)
            .spawn()?;
        Ok(Child { process, control: Some(ours) })
    }
}

impl Child {
    /// What to watch.
    pub(super) fn control(&self) -> Option<&UnixStream> {
        self.control.as_ref()
    }

    /// Whether it said since the last time that it is ready.
    pub(super) fn says_ready(&mut self) -> bool {
        let said = self.control.as_ref().map_or(Ok(false), control::hears_ready);
        if said.is_err() {
            // Its end; the process's own follows. Watching on would be a loop without a pause.
            self.control = None;
        }
        said.unwrap_or(false)
    }

    /// How it ended, and reaps it; `None` while it lives.
    pub(super) fn ending(&mut self) -> std::io::Result<Option<Ending>> {
        Ok(self.process.try_wait()?.map(Ending::from))
    }

    /// Asks it to stop.
    pub(super) fn signal(&self, request: Request) {
        // Not reaped, so the id is its own; one that ended already needs no signal.
        let _ = kill_process(Pid::from_child(&self.process), request.signal());
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        let _ = self.process.kill();
    }
}
