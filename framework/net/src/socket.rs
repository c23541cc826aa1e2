//! The UDP socket of an endpoint.
//!
//! *Responsible for*: binding, asking the kernel for buffers that survive a burst, reading many packets with one call, sending.
//! *Not responsible for*: what is in a packet (`driver`).

use crate::Error;
use crate::limits::{RECEIVED_BYTES_MAX, SOCKET_BUFFER_BYTES};
use quinn_proto as proto;
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use rustix::net::sockopt;
use std::array;
use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use tokio::io::Interest;

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

/// A bound socket that the runtime watches.
pub(crate) struct Socket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
    /// Room for a batch of packets, in equal parts.
    room: Box<[u8]>,
    /// Packets that the next batch has room for: preparing it costs something for each.
    batch: usize,
}

/// The least of it.
const BATCH_MIN: usize = 4;

/// Whether a socket has more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// It may have more: read again before waiting.
    Maybe,
    /// It had nothing more.
    Nothing,
}

impl Socket {
    pub(crate) fn new(socket: UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        let room = vec![0; RECEIVED_BYTES_MAX * BATCH_SIZE].into_boxed_slice();
        Ok(Self { io: tokio::net::UdpSocket::from_std(socket)?, state, room, batch: BATCH_MIN })
    }

    /// Whether packets leave as they are, so that path MTU discovery works.
    pub(crate) fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    /// Packets of one connection that one call can send.
    pub(crate) fn segments_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Reads one batch of packets, each with where it is from. Packets that the kernel joined come one by one.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(&RecvMeta, &[u8])) -> Left {
        let Self { io, state, room, batch } = self;
        let size = *batch;
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut parts = room.chunks_mut(RECEIVED_BYTES_MAX);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            array::from_fn(|_| IoSliceMut::new(parts.next().unwrap_or_default()));
        let mut count = 0;
        let read = io.try_io(Interest::READABLE, || {
            count = state.recv((&*io).into(), &mut slices[..size], &mut metas[..size])?;
            // A batch that is not full emptied the socket. Saying so spares a call that reads nothing: the next packet wakes us.
            if count < size { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        for (meta, slice) in metas.iter().zip(&slices).take(count) {
            slice[..meta.len].chunks(meta.stride.max(1)).for_each(|packet| take(meta, packet));
        }
        *batch = (2 * count).clamp(BATCH_MIN, BATCH_SIZE);
        match read {
            Ok(()) => Left::Maybe,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Left::Nothing,
            // An attacker can make the kernel report that a port is closed; what else it may report passes as well.
            Err(_) => Left::Maybe,
        }
    }

    /// Sends what a connection or the endpoint made; `false`: the kernel takes no more now. What it refuses for another reason counts as
    /// lost, as a packet on the way may be.
    pub(crate) fn send(&self, transmit: &proto::Transmit, bytes: &[u8]) -> bool {
        let transmit = quinn_udp::Transmit {
            destination: transmit.destination,
            ecn: transmit.ecn.map(ecn_out),
            contents: bytes,
            segment_size: transmit.segment_size,
            src_ip: transmit.src_ip,
        };
        let sent = self.io.try_io(Interest::WRITABLE, || self.state.send((&self.io).into(), &transmit));
        !sent.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Returns when there may be packets to read.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(crate) async fn readable(&self) {
        // An error shows when it is read.
        let _ = self.io.readable().await;
    }

    /// Returns when the kernel may take packets again.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(crate) async fn writable(&self) {
        let _ = self.io.writable().await;
    }
}

const fn ecn_out(ecn: proto::EcnCodepoint) -> quinn_udp::EcnCodepoint {
    match ecn {
        proto::EcnCodepoint::Ect0 => quinn_udp::EcnCodepoint::Ect0,
        proto::EcnCodepoint::Ect1 => quinn_udp::EcnCodepoint::Ect1,
        proto::EcnCodepoint::Ce => quinn_udp::EcnCodepoint::Ce,
    }
}

/// What the network noted on a packet that came.
pub(crate) const fn ecn_in(ecn: quinn_udp::EcnCodepoint) -> proto::EcnCodepoint {
    match ecn {
        quinn_udp::EcnCodepoint::Ect0 => proto::EcnCodepoint::Ect0,
        quinn_udp::EcnCodepoint::Ect1 => proto::EcnCodepoint::Ect1,
        quinn_udp::EcnCodepoint::Ce => proto::EcnCodepoint::Ce,
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
