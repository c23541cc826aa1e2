//! The raw clients: each answers a datagram with one, after a while, and reads what comes.
//!
//! *Responsible for*: many connections over some sockets in one thread, counting what came. *Not responsible for*: measuring CPU.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::{ALPN, transport};
use crate::limits::CLIENTS_MAX;

/// Connections of one socket, as the sample's bots have it.
const PER_ENDPOINT: usize = 32;
/// Time between two that begin, so that their handshakes do not come at one moment.
const BEGIN_EVERY: Duration = Duration::from_millis(8);
/// Bytes read from a stream at once.
const READ_BYTES: usize = 16 * 1_024;

/// What it sends.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Connections
    #[arg(long)]
    count: u32,
    /// Bytes of a datagram
    #[arg(long)]
    datagram_bytes: usize,
    /// Datagrams sent for each that came
    #[arg(long)]
    answers: f64,
    /// Milliseconds from a datagram that came to the answer
    #[arg(long)]
    delay_ms: u64,
    /// Seconds until the count of datagrams that came is printed, for the time between this and the end
    #[arg(long)]
    warm_up: u64,
    /// How long it runs, seconds
    #[arg(long)]
    seconds: u64,
    /// File that the server wrote
    #[arg(long)]
    ready: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!((1..=CLIENTS_MAX).contains(&arguments.count), "--count must be 1 to {CLIENTS_MAX}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let came = LocalSet::new().block_on(&runtime, swarm(arguments))?;
    crate::figure::line(&came.to_string());
    Ok(())
}

async fn swarm(arguments: &Arguments) -> Result<u64> {
    let ready: Value = serde_json::from_slice(&std::fs::read(&arguments.ready)?)?;
    let address: SocketAddr = ready["address"].as_str().context("no address")?.parse()?;
    let certificate: Vec<u8> = serde_json::from_value(ready["certificate"].clone())?;
    let config = config(certificate)?;
    let begun = Instant::now();
    let came = Rc::new(Cell::new(0_u64));
    let mut endpoints = Vec::new();
    for number in 0..arguments.count as usize {
        if number.is_multiple_of(PER_ENDPOINT) {
            endpoints.push(Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into())?);
        }
        let connecting =
            endpoints[number / PER_ENDPOINT].connect_with(config.clone(), address, "localhost")?;
        let (arguments, came) = (arguments.clone(), Rc::clone(&came));
        tokio::task::spawn_local(async move {
            // One that does not get through is missing in the count.
            let Ok(connection) = connecting.await else { return };
            tokio::join!(read_streams(&connection), answer(&connection, &arguments, &came));
        });
        sleep(BEGIN_EVERY).await;
    }
    sleep_until(begun + Duration::from_secs(arguments.warm_up)).await;
    came.set(0);
    sleep_until(begun + Duration::from_secs(arguments.seconds)).await;
    Ok(came.get())
}

async fn answer(connection: &Connection, arguments: &Arguments, came: &Cell<u64>) {
    let datagram = Bytes::from(vec![0xA5; arguments.datagram_bytes]);
    let mut due = 0.0;
    while connection.read_datagram().await.is_ok() {
        came.set(came.get() + 1);
        due += arguments.answers;
        if due >= 1.0 && arguments.delay_ms > 0 {
            sleep(Duration::from_millis(arguments.delay_ms)).await;
        }
        while due >= 1.0 {
            due -= 1.0;
            let _lost = connection.send_datagram(datagram.clone());
        }
    }
}

async fn read_streams(connection: &Connection) {
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(mut stream) = connection.accept_uni().await {
        while let Ok(Some(_)) = stream.read(&mut buffer).await {}
    }
}

fn config(certificate: Vec<u8>) -> Result<ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(certificate))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport()));
    Ok(config)
}
