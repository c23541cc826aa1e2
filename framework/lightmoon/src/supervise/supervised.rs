//! The child's side: what a node does that has a parent.
//!
//! *Responsible for*: knowing that there is one, dying with it, having the lock, telling that the ports listen. *Not
//! responsible for*: serving.
//!
//! Invariants:
//! - I1: nothing else is done before the end of the parent would end this process too.

use super::{ARGUMENT, control};
use crate::{Failure, limits};
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::parent_id;

/// A process that has a parent, and what it was given.
#[derive(Debug)]
pub(crate) struct Supervised {
    socket: UnixStream,
    gift: control::Gift,
    parent: u32,
}

impl Supervised {
    /// Looks at the first argument, and takes it away: whether this process is a child, which is then bound to its parent.
    pub(crate) fn enter(arguments: &mut Vec<OsString>) -> Result<Option<Self>, Failure> {
        let Some(named) = arguments.get(1).and_then(|first| first.to_str()?.strip_prefix(ARGUMENT)) else {
            return Ok(None);
        };
        let parent = parent_id();
        if named.parse() != Ok(parent) {
            return Err(misused("it does not name the parent of this process"));
        }
        die_with_parent().map_err(|e| misused(&e.to_string()))?;
        if parent_id() != parent {
            return Err(misused("the parent ended before it could be watched"));
        }
        arguments.remove(1);
        let socket = take_input().map_err(|e| misused(&e.to_string()))?;
        let gift = control::take(&socket).map_err(|e| misused(&e.to_string()))?;
        end_with(&socket).map_err(|e| misused(&e.to_string()))?;
        if let Some(name) = arguments.first() {
            name_process(name);
        }
        Ok(Some(Self { socket, gift, parent }))
    }

    /// The lock of the data folder.
    pub(crate) fn lock(&self) -> BorrowedFd<'_> {
        self.gift.lock.as_fd()
    }

    /// Id of the parent process.
    pub(crate) fn parent(&self) -> u32 {
        self.parent
    }

    /// Whether to say where everything is.
    pub(crate) fn greets(&self) -> bool {
        self.gift.greets
    }

    /// Tells the parent that the server serves.
    pub(crate) fn say_ready(&self) {
        // A parent that ended takes this process with it.
        let _ = control::say_ready(&self.socket);
    }
}

/// The kernel kills this process when the thread that started it ends.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn die_with_parent() -> std::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

/// Elsewhere the end of the socket is all there is.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn die_with_parent() -> std::io::Result<()> {
    Ok(())
}

/// The socket that came as standard input, which is empty from now on: processes that the game starts must not get it.
fn take_input() -> std::io::Result<UnixStream> {
    let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(UnixStream::from(socket))
}

/// Ends this process when the parent's end of the socket is closed.
fn end_with(socket: &UnixStream) -> std::io::Result<()> {
    let mut socket = socket.try_clone()?;
    let wait = move || {
        // The parent says nothing more; what does not wait is the end.
        while socket.read(&mut [0]).is_ok_and(|count| count > 0) {}
        // As hard as the kernel would, whatever other threads do; a kill is always allowed.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    };
    std::thread::Builder::new()
        .name("lightmoon-orphan".to_owned())
        .stack_size(limits::ORPHAN_STACK_BYTES)
        .spawn(wait)?;
    Ok(())
}

/// Lists of processes then show what was started, not `exe`.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn name_process(name: &OsString) {
    let path = std::path::Path::new(name);
    let name = path.file_name().and_then(|name| std::ffi::CString::new(name.as_bytes()).ok());
    // Only looks.
    let _ = name.map(|name| rustix::thread::set_name(&name));
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn name_process(_name: &OsString) {}

fn misused(why: &str) -> Failure {
    Failure::wrong_arguments(
        format!("{ARGUMENT}… is for the server itself, and not good here: {why}"),
        "leave it out",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_the_argument_by_hand_is_refused_and_others_are_left_alone() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for argument in ["--supervised-by=1x", "--supervised-by=", "--supervised-by=4294967295"] {
            let failure = Supervised::enter(&mut words(&["game", argument])).unwrap_err();
            assert_eq!(failure.code(), 2);
            assert!(failure.to_string().contains("leave it out"), "{failure}");
        }
        let mut arguments = words(&["game", "serve", "--supervised-by=1"]);
        assert!(Supervised::enter(&mut arguments).unwrap().is_none());
        assert_eq!(arguments.len(), 3);
    }
}
