//! The parent's signals, as bytes in sockets that one `poll` can watch.
//!
//! *Responsible for*: SIGINT, SIGTERM, SIGCHLD of the parent. *Not responsible for*: those of the node (`io`).
//!
//! Invariants:
//! - I1: a signal that came before [`Signals::wait`] makes it return: its byte is there.

use crate::limits;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Somebody wants the server to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Request {
    Interrupt,
    Terminate,
}

impl Request {
    pub(super) fn signal(self) -> Signal {
        match self {
            Self::Interrupt => Signal::INT,
            Self::Terminate => Signal::TERM,
        }
    }

    pub(super) fn number(self) -> i32 {
        self.signal().as_raw()
    }

    /// The exit code of a process that ended by it at once.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => limits::EXIT_SIGINT,
            Self::Terminate => limits::EXIT_SIGTERM,
        }
    }
}

#[derive(Debug)]
pub(super) struct Signals {
    interrupt: UnixStream,
    terminate: UnixStream,
    child: UnixStream,
}

impl Signals {
    /// From now on these signals do nothing else.
    pub(super) fn watch() -> std::io::Result<Self> {
        Ok(Self { interrupt: socket(SIGINT)?, terminate: socket(SIGTERM)?, child: socket(SIGCHLD)? })
    }

    /// Waits for a signal, for something from `control`, or for so long. May return for nothing.
    pub(super) fn wait(&self, control: Option<&UnixStream>, limit: Option<Duration>) -> std::io::Result<()> {
        let mut watched: Vec<PollFd<'_>> =
            [Some(&self.interrupt), Some(&self.terminate), Some(&self.child), control]
                .into_iter()
                .flatten()
                .map(|socket| PollFd::new(socket, PollFlags::IN))
                .collect();
        let limit = limit.map(|limit| Timespec {
            tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        });
        match poll(&mut watched, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        // Only wakes: whether a child ended is asked of the child.
        while takes_byte(&self.child) {}
        Ok(())
    }

    /// The next request, if there is one.
    pub(super) fn next(&self) -> Option<Request> {
        if takes_byte(&self.interrupt) {
            return Some(Request::Interrupt);
        }
        takes_byte(&self.terminate).then_some(Request::Terminate)
    }
}

/// One end of a socket whose other end gets a byte for each signal.
fn socket(signal: i32) -> std::io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    pipe::register(signal, theirs)?;
    Ok(ours)
}

fn takes_byte(mut socket: &UnixStream) -> bool {
    socket.read(&mut [0]).is_ok_and(|count| count > 0)
}
