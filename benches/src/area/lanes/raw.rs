//! quinn alone: one stream, so many messages in each write.
//!
//! *Responsible for*: the baseline. *Not responsible for*: lanes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Cost, MESSAGE_BYTES, named, pin, runtime, thread_time};

const PROTOCOL: &[u8] = b"raw";

/// What a message costs from the writer to the reader, who lets so many bytes be under way, or as many as quinn likes.
pub(super) fn cost(time: Duration, per_write: usize, window: Option<u32>) -> Cost {
    let (certificate, key) = certificate();
    let (tell, told) = channel();
    let writer = named("quinn-writer", {
        let certificate = certificate.clone();
        move || {
            pin(0);
            runtime().block_on(write(certificate, key, per_write, &tell));
            thread_time()
        }
    });
    let address = told.recv().expect("the writer listens");
    let reader = named("quinn-reader", move || {
        pin(1);
        let (messages, wall) = runtime().block_on(read(&certificate, address, time, window));
        (messages, wall, thread_time())
    });
    let (messages, wall, reading) = reader.join().expect("the reader ends in order");
    let writing = writer.join().expect("the writer ends with the reader");
    Cost::of(messages, wall, reading + writing)
}

pub(super) fn certificate() -> (Vec<u8>, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
        .expect("a name that can be certified");
    (made.cert.der().to_vec(), made.signing_key.serialize_der())
}

/// A client that trusts this certificate.
pub(super) fn client(certificate: &[u8], protocol: &[u8], window: Option<u32>) -> quinn::Endpoint {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(certificate.to_vec())).expect("a good certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("ring knows TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![protocol.to_vec()];
    let crypto = QuicClientConfig::try_from(tls).expect("TLS 1.3 is on");
    let mut endpoint =
        quinn::Endpoint::client(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
    let mut config = quinn::ClientConfig::new(Arc::new(crypto));
    if let Some(window) = window {
        let mut transport = quinn::TransportConfig::default();
        transport.stream_receive_window(quinn::VarInt::from_u32(window));
        config.transport_config(Arc::new(transport));
    }
    endpoint.set_default_client_config(config);
    endpoint
}

async fn write(certificate: Vec<u8>, key: Vec<u8>, per_write: usize, tell: &Sender<SocketAddr>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("ring knows TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate)],
            PrivateKeyDer::try_from(key).expect("a good key"),
        )
        .expect("they belong together");
    tls.alpn_protocols = vec![PROTOCOL.to_vec()];
    let config =
        quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).expect("TLS 1.3 is on")));
    let endpoint =
        quinn::Endpoint::server(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
    tell.send(endpoint.local_addr().expect("it is bound")).expect("the bench waits");
    let connection = endpoint.accept().await.expect("a client comes").await.expect("it is honest");
    let mut stream = connection.open_uni().await.expect("the client allows it");
    let batch = vec![7; MESSAGE_BYTES * per_write];
    // Until the reader has enough and closes.
    while stream.write_all(&batch).await.is_ok() {}
}

async fn read(
    certificate: &[u8],
    address: SocketAddr,
    time: Duration,
    window: Option<u32>,
) -> (usize, Duration) {
    let endpoint = client(certificate, PROTOCOL, window);
    let connection =
        endpoint.connect(address, "localhost").expect("a good address").await.expect("it answers");
    let mut stream = connection.accept_uni().await.expect("the writer begins");
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < time {
        let chunk = stream.read_chunk(64 * 1_024, true).await.expect("the writer goes on");
        bytes += chunk.map_or(0, |chunk| chunk.bytes.len());
    }
    let wall = began.elapsed();
    connection.close(quinn::VarInt::from_u32(0), b"enough");
    endpoint.wait_idle().await;
    (bytes / MESSAGE_BYTES, wall)
}
