//! A UDP relay between an attacker's QUIC client and the server.
//!
//! *Responsible for*: passing packets on, once or many times, one way or both, from many addresses. *Not responsible for*: their bytes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// What a relay does.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Each packet to the server goes out so many times; answers go back.
    Replays(usize),
    /// Packets to the server go out from these addresses in turn, and no answer comes back.
    OneWay(Vec<Ipv4Addr>),
}

/// A relay that works until it is dropped.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Where clients send to.
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Relay {
    pub(crate) async fn start(server: SocketAddr, manner: Manner) -> Result<Self> {
        let near = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
        let address = near.local_addr()?;
        let mut tasks = JoinSet::new();
        match manner {
            Manner::Replays(times) => {
                let far = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?);
                tasks.spawn(both_ways(near, far, server, times));
            }
            Manner::OneWay(addresses) => {
                let mut far = Vec::new();
                for from in addresses {
                    far.push(
                        UdpSocket::bind((from, 0)).await.with_context(|| format!("no socket at {from}"))?,
                    );
                }
                tasks.spawn(one_way(near, far, server));
            }
        }
        Ok(Self { address, _tasks: tasks })
    }
}

async fn both_ways(near: Arc<UdpSocket>, far: Arc<UdpSocket>, server: SocketAddr, times: usize) {
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    let mut client = None;
    loop {
        tokio::select! {
            Ok((count, from)) = near.recv_from(&mut up) => {
                client = Some(from);
                for _ in 0..times {
                    // One that finds no room is a lost packet.
                    let _lost = far.send_to(&up[..count], server).await;
                }
            }
            Ok((count, _)) = far.recv_from(&mut down) => {
                if let Some(client) = client {
                    let _lost = near.send_to(&down[..count], client).await;
                }
            }
            else => return,
        }
    }
}

async fn one_way(near: Arc<UdpSocket>, far: Vec<UdpSocket>, server: SocketAddr) {
    let (mut bytes, mut turn) = (vec![0; 65_536], 0usize);
    while let Ok((count, _)) = near.recv_from(&mut bytes).await {
        turn += 1;
        if let Some(socket) = far.get(turn % far.len().max(1)) {
            let _lost = socket.send_to(&bytes[..count], server).await;
        }
    }
}
