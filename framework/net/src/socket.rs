//! The UDP socket of an endpoint.
//!
//! *Responsible for*: binding, and asking the kernel for buffers that survive a burst. *Not responsible for*: reading
//! and writing it (quinn).

use crate::Error;
use crate::limits::SOCKET_BUFFER_BYTES;
use rustix::net::sockopt;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

/// The buffers that the kernel gave to the UDP socket, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SocketBuffers {
    /// For packets that arrived and were not read.
    pub receive: usize,
    /// For packets that wait for the network card.
    pub send: usize,
}

impl SocketBuffers {
    /// Whether the kernel gave what a busy game needs: 4 MiB both ways.
    #[must_use]
    pub fn are_enough(self) -> bool {
        self.receive >= SOCKET_BUFFER_BYTES && self.send >= SOCKET_BUFFER_BYTES
    }
}

/// A socket on `address` with the largest buffers up to what we want.
pub(crate) fn bind(address: SocketAddr) -> Result<(UdpSocket, SocketBuffers), Error> {
    let socket = UdpSocket::bind(address).map_err(|source| {
        if source.kind() == ErrorKind::AddrInUse {
            return Error::PortInUse(address);
        }
        Error::Bind { address, source }
    })?;
    let buffers = grow_buffers(&socket);
    Ok((socket, buffers))
}

fn grow_buffers(socket: &UdpSocket) -> SocketBuffers {
    // A refusal leaves the size as it was; what counts is what we read afterwards. The forced variants need a privilege.
    let _ = sockopt::set_socket_recv_buffer_size(socket, SOCKET_BUFFER_BYTES);
    let _ = sockopt::set_socket_send_buffer_size(socket, SOCKET_BUFFER_BYTES);
    let buffers = read_buffers(socket);
    if buffers.are_enough() {
        return buffers;
    }
    #[cfg(target_os = "linux")]
    {
        let _ = sockopt::set_socket_recv_buffer_size_force(socket, SOCKET_BUFFER_BYTES);
        let _ = sockopt::set_socket_send_buffer_size_force(socket, SOCKET_BUFFER_BYTES);
    }
    read_buffers(socket)
}

fn read_buffers(socket: &UdpSocket) -> SocketBuffers {
    // Linux answers twice the usable size: it counts its own bookkeeping.
    let share = if cfg!(target_os = "linux") { 2 } else { 1 };
    SocketBuffers {
        receive: sockopt::socket_recv_buffer_size(socket).unwrap_or(0) / share,
        send: sockopt::socket_send_buffer_size(socket).unwrap_or(0) / share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_port_in_use_is_named() {
        let (first, _) = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        assert!(matches!(error, Error::PortInUse(_)));
    }

    #[test]
    fn buffers_are_larger_than_the_systems_default_or_said_to_be_too_small() {
        let plain = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let before = read_buffers(&plain);
        let (_socket, after) = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        assert!(after.receive >= before.receive && after.send >= before.send);
        assert!(
            after.are_enough() || after.receive < SOCKET_BUFFER_BYTES || after.send < SOCKET_BUFFER_BYTES
        );
    }
}
