//! A UDP socket that any number of sessions share, and where a session connects to.
//!
//! *Responsible for*: QUIC and TLS settings of the client side. *Not responsible for*: single connections (`socket`).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lightmoon_wire::ALPN;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, IdleTimeout, TransportConfig, VarInt};

use super::pin::{CertificateHash, PinnedCertificates};
use crate::options::ClientOptions;

/// Bytes on their way that all lanes share: one budget, four times what the reliable lanes of a client hold.
const SEND_WINDOW_BYTES: u64 = 1_024 * 1_024;
/// Bytes of one lane the server may have on the way: what keeps bulk from delaying what is urgent.
const STREAM_WINDOW_BYTES: u32 = 64 * 1_024;
/// The same for all lanes together.
const WINDOW_BYTES: u32 = 256 * 1_024;
/// Outgoing datagrams that wait; more than a few ticks of input would only be old.
const DATAGRAM_SEND_BYTES: usize = 32 * 1_024;
/// Incoming datagrams that wait for the application: about 60 state packets.
const DATAGRAM_RECEIVE_BYTES: usize = 64 * 1_024;
/// Incoming streams: one per reliable lane is used, the rest is room for later minors.
const STREAMS_MAX: u32 = 16;

/// Streams that hold one answer, besides: as many requests as the protocol lets travel so.
const SOLO_STREAMS_MAX: u32 = 64;
/// How long a round trip is taken to be until one was measured, as the server does: a packet of the handshake that was lost is sent
/// again after three of it, instead of after a second.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// Silence after which QUIC gives up; the core's own patience is shorter.
const IDLE_TIME_MAX: Duration = Duration::from_secs(20);
/// Keeps a path through address translation open when nobody plays.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);

/// Where a session connects to, and as whom.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// `host:port`, looked up anew at each try.
    pub server: String,
    /// The server's certificate has one of these hashes. None at all: nothing is trusted, nothing connects.
    pub certificates: Vec<CertificateHash>,
    /// What the core is built from.
    pub client: ClientOptions,
    /// Spreads the reconnects of many clients; any number will do.
    pub seed: u64,
}

/// A UDP socket for any number of sessions. Clones share it; it closes with the last session and clone.
#[derive(Clone, Debug)]
pub struct Endpoint {
    quic: quinn::Endpoint,
    reaches_v6: bool,
}

impl Endpoint {
    /// Opens a socket on a free port, within a tokio runtime.
    ///
    /// # Errors
    /// The system gives no socket.
    pub fn new() -> io::Result<Self> {
        let v6 = quinn::Endpoint::client((Ipv6Addr::UNSPECIFIED, 0).into());
        let (quic, reaches_v6) = match v6 {
            Ok(quic) => (quic, true),
            // A machine without IPv6.
            Err(_) => (quinn::Endpoint::client((Ipv4Addr::UNSPECIFIED, 0).into())?, false),
        };
        Ok(Self { quic, reaches_v6 })
    }

    /// Waits until all connections are closed and the servers were told.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn wait_idle(&self) {
        self.quic.wait_idle().await;
    }

    /// Connects once. Of several addresses, IPv4 first, each attempt (from 1) takes the next.
    pub(super) async fn dial(
        self,
        server: String,
        config: ClientConfig,
        attempt: u32,
    ) -> Result<quinn::Connection, String> {
        let found = tokio::net::lookup_host(&server).await.map_err(|error| format!("{server}: {error}"))?;
        let mut usable: Vec<_> = found.filter(|address| self.reaches_v6 || address.is_ipv4()).collect();
        usable.sort_by_key(SocketAddr::is_ipv6);
        let turn = usize::try_from(attempt.saturating_sub(1)).unwrap_or(0);
        let address = usable.get(turn % usable.len().max(1)).copied();
        let address = address.ok_or_else(|| format!("{server} has no address to reach from here"))?;
        let explain = |error: &dyn std::error::Error| format!("{server} at {address}: {error}");
        let connecting = self
            .quic
            .connect_with(config, address, server_name(&server, address))
            .map_err(|error| explain(&error))?;
        connecting.await.map_err(|error| explain(&error))
    }
}

/// The host of `host:port`; a name that any TLS library takes if it is a bare address.
fn server_name(server: &str, address: SocketAddr) -> &str {
    let host = server.rsplit_once(':').map_or(server, |(host, _)| host);
    if address.is_ipv6() && host.starts_with('[') { "localhost" } else { host }
}

/// QUIC settings for servers of these certificates.
pub(super) fn quic_config(certificates: Vec<CertificateHash>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the built-in provider knows TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedCertificates::new(certificates, provider)))
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let tls = QuicClientConfig::try_from(tls).expect("TLS 1.3 has the suite that QUIC starts with");
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport()));
    config
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .initial_rtt(INITIAL_RTT)
        .send_window(SEND_WINDOW_BYTES)
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(WINDOW_BYTES))
        .datagram_send_buffer_size(DATAGRAM_SEND_BYTES)
        .datagram_receive_buffer_size(Some(DATAGRAM_RECEIVE_BYTES))
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS_MAX + SOLO_STREAMS_MAX))
        .max_idle_timeout(IdleTimeout::try_from(IDLE_TIME_MAX).ok())
        .keep_alive_interval(Some(KEEP_ALIVE_EVERY));
    transport
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn send_fairness_stays_on() {
        // Off, a cut-off stream is served before all others for ever, and urgent lanes starve.
        assert!(format!("{:?}", transport()).contains("send_fairness: true"));
    }

    #[test]
    fn a_lost_packet_of_a_handshake_costs_a_third_of_a_second() {
        assert!(format!("{:?}", transport()).contains("initial_rtt: 100ms"));
    }

    #[test]
    fn names_for_tls_are_hosts() {
        let v4: SocketAddr = "127.0.0.1:7".parse().unwrap();
        let v6: SocketAddr = "[::1]:7".parse().unwrap();
        assert_eq!(server_name("play.example:4433", v4), "play.example");
        assert_eq!(server_name("127.0.0.1:7", v4), "127.0.0.1");
        assert_eq!(server_name("[::1]:7", v6), "localhost");
    }
}
