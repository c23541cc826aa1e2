//! The raw server: at each tick a datagram and, if wanted, bytes of a stream for each client; what comes is read.
//!
//! *Responsible for*: one current-thread runtime, a task for each client that reads, one loop that sends. *Not responsible for*:
//! measuring, which another process does.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, SendStream, ServerConfig};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::task::LocalSet;
use tokio::time::MissedTickBehavior;

use super::{ALPN, transport};

/// What it sends.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Ticks per second
    #[arg(long)]
    rate_hz: f64,
    /// Bytes of a datagram
    #[arg(long)]
    datagram_bytes: usize,
    /// Writes to a stream in a tick, on average, for each client
    #[arg(long)]
    writes: f64,
    /// Bytes of one
    #[arg(long)]
    write_bytes: usize,
    /// File for the certificate and the address, written whole
    #[arg(long)]
    ready: PathBuf,
}

struct Peer {
    connection: Connection,
    stream: SendStream,
    /// Writes that are due: whole ones are made.
    due: f64,
}

type Peers = Rc<RefCell<Vec<Peer>>>;

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(arguments))
}

async fn serve(arguments: &Arguments) -> Result<()> {
    let (config, certificate) = config()?;
    let endpoint = Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into())?;
    let ready =
        serde_json::json!({ "address": endpoint.local_addr()?.to_string(), "certificate": certificate });
    let half = arguments.ready.with_extension("half");
    std::fs::write(&half, ready.to_string()).context("cannot say where it listens")?;
    std::fs::rename(&half, &arguments.ready).context("cannot say where it listens")?;
    let peers = Peers::default();
    tokio::task::spawn_local(accept(endpoint.clone(), Rc::clone(&peers)));
    let datagram = Bytes::from(vec![0x5A; arguments.datagram_bytes]);
    let write = vec![0x5A; arguments.write_bytes];
    let mut clock = tokio::time::interval(Duration::from_secs_f64(1.0 / arguments.rate_hz));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // Until it is killed.
    loop {
        clock.tick().await;
        let mut sending = peers.take();
        for peer in &mut sending {
            // A full buffer is a lost packet, as in the framework.
            let _lost = peer.connection.send_datagram(datagram.clone());
            peer.due += arguments.writes;
            while peer.due >= 1.0 {
                peer.due -= 1.0;
                let _gone = peer.stream.write_all(&write).await;
            }
        }
        sending.retain(|peer| peer.connection.close_reason().is_none());
        peers.borrow_mut().append(&mut sending);
    }
}

async fn accept(endpoint: Endpoint, peers: Peers) {
    while let Some(incoming) = endpoint.accept().await {
        let peers = Rc::clone(&peers);
        tokio::task::spawn_local(async move {
            let Ok(connection) = incoming.await else { return };
            let Ok(stream) = connection.open_uni().await else { return };
            peers.borrow_mut().push(Peer { connection: connection.clone(), stream, due: 0.0 });
            while connection.read_datagram().await.is_ok() {}
        });
    }
}

fn config() -> Result<(ServerConfig, Vec<u8>)> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport()));
    Ok((config, certificate.to_vec()))
}
