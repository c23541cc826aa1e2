//! The socket between a parent and its child.
//!
//! *Responsible for*: handing over the lock of the data folder, and the few bytes that are said. *Not responsible for*:
//! what follows from them (`supervise`, `supervised`).
//!
//! ```text
//! parent -> child   one byte, GREET or QUIET, with the descriptor of the lock
//! child -> parent   READY, once
//! ```

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use std::io::{Error, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

const GREET: u8 = b'g';
const QUIET: u8 = b'q';
const READY: u8 = b'r';

/// What a child is given.
#[derive(Debug)]
pub(super) struct Gift {
    /// The lock of the data folder. It stays taken while anybody has this open.
    pub(super) lock: OwnedFd,
    /// Whether to say where everything is: the parent never had a child that was ready.
    pub(super) greets: bool,
}

/// Sends the gift; it waits in the socket until a child takes it.
pub(super) fn give(socket: &UnixStream, lock: BorrowedFd<'_>, greets: bool) -> std::io::Result<()> {
    let descriptors = [lock];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let fits = ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    assert!(fits, "the space is made for one descriptor");
    let byte = [if greets { GREET } else { QUIET }];
    sendmsg(socket, &[IoSlice::new(&byte)], &mut ancillary, SendFlags::empty())?;
    Ok(())
}

/// Takes the gift.
pub(super) fn take(socket: &UnixStream) -> std::io::Result<Gift> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(&mut byte)];
    recvmsg(socket, &mut slices, &mut ancillary, RecvFlags::empty())?;
    let mut lock = None;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(mut descriptors) = message {
            lock = descriptors.next();
        }
    }
    let lock = lock.ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "no lock was sent"))?;
    // Processes that the game starts must not hold the folder.
    fcntl_setfd(&lock, FdFlags::CLOEXEC)?;
    Ok(Gift { lock, greets: byte == [GREET] })
}

/// Says that every port listens.
pub(super) fn say_ready(mut socket: &UnixStream) -> std::io::Result<()> {
    socket.write_all(&[READY])
}

/// Reads what the child said since the last time, without waiting: whether it is ready.
pub(super) fn hears_ready(mut socket: &UnixStream) -> std::io::Result<bool> {
    let mut said = [0; 8];
    match socket.read(&mut said) {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(count) => Ok(said[..count].contains(&READY)),
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn the_lock_and_what_is_said_arrive() {
        let scratch = Scratch::new();
        let file = File::create(scratch.path().join("lock")).unwrap();
        let (parent, child) = UnixStream::pair().unwrap();
        parent.set_nonblocking(true).unwrap();
        for greets in [true, false] {
            give(&parent, file.as_fd(), greets).unwrap();
            let gift = take(&child).unwrap();
            assert_eq!(gift.greets, greets);
            let inode = File::from(gift.lock).metadata().unwrap().ino();
            assert_eq!(inode, file.metadata().unwrap().ino());
        }
        assert!(!hears_ready(&parent).unwrap());
        say_ready(&child).unwrap();
        assert!(hears_ready(&parent).unwrap());
        drop(child);
        assert!(hears_ready(&parent).is_err(), "its end is heard");
    }

    #[test]
    fn a_byte_without_a_lock_is_no_gift() {
        let (mut parent, child) = UnixStream::pair().unwrap();
        parent.write_all(&[GREET]).unwrap();
        assert!(take(&child).is_err());
    }
}
