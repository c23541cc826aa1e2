//! A client whose bytes are ours to spoil.
//!
//! *Responsible for*: connecting from any address of this machine, an honest handshake if wanted, raw bytes on lanes and in datagrams,
//! the close code. *Not responsible for*: what is sent ([`crate::attack`]).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use game_sample_bots::Bot;
use lightmoon_contract::{Contract as _, Lane, Mono, Operation, Writer};
use lightmoon_wire::{ALPN, ClientConfig, ClientLink, StreamKey, Transmit};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, ConnectionError, SendStream, TransportConfig, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use tokio::time::timeout;

/// Time for one connection and its handshake.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of one frame's kind that clients send for a call.
pub(crate) const CALL: u8 = 16;
/// The same of a datagram.
const UNRELIABLE_CALL: u8 = 49;

/// A socket from which attackers connect.
#[derive(Clone, Debug)]
pub(crate) struct Camp {
    endpoint: quinn::Endpoint,
    server: SocketAddr,
    config: quinn::ClientConfig,
}

impl Camp {
    /// A camp at this address of the machine.
    pub(crate) fn at(address: Ipv4Addr, server: SocketAddr) -> Result<Self> {
        Self::with(address, server, TransportConfig::default())
    }

    /// The same, whose clients let the server send so many bytes of a stream ahead.
    pub(crate) fn narrow(address: Ipv4Addr, server: SocketAddr, window: u32) -> Result<Self> {
        let mut transport = TransportConfig::default();
        transport.stream_receive_window(VarInt::from_u32(window)).receive_window(VarInt::from_u32(window));
        Self::with(address, server, transport)
    }

    fn with(address: Ipv4Addr, server: SocketAddr, transport: TransportConfig) -> Result<Self> {
        let endpoint = quinn::Endpoint::client((address, 0).into())
            .with_context(|| format!("no socket at {address}"))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
            .with_no_client_auth();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        config.transport_config(Arc::new(transport));
        Ok(Self { endpoint, server, config })
    }

    /// Its socket.
    pub(crate) fn endpoint(&self) -> quinn::Endpoint {
        self.endpoint.clone()
    }

    /// Begins a connection to `address`.
    pub(crate) fn begin(&self, address: SocketAddr) -> Result<quinn::Connecting> {
        Ok(self.endpoint.connect_with(self.config.clone(), address, "localhost")?)
    }

    /// A connection without a word.
    pub(crate) async fn silent(&self) -> Result<Connection> {
        Ok(timeout(PATIENCE, self.begin(self.server)?).await.context("no connection in time")??)
    }

    /// A client that was let in.
    pub(crate) async fn enter(&self, token: &str) -> Result<Peer> {
        Peer::enter(self.silent().await?, token).await
    }
}

/// A client that was let in, or a connection that says what it likes.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) connection: Connection,
    lanes: BTreeMap<Lane, SendStream>,
    /// The first frame, as it was sent.
    pub(crate) hello: Bytes,
}

impl Peer {
    /// Says nothing yet.
    pub(crate) const fn new(connection: Connection) -> Self {
        Self { connection, lanes: BTreeMap::new(), hello: Bytes::new() }
    }

    /// An honest handshake.
    async fn enter(connection: Connection, token: &str) -> Result<Self> {
        let options = Bot::client_options(token);
        let descriptor = options.descriptor;
        let config = ClientConfig::new(descriptor.fingerprint(), descriptor.to_bytes().into(), options.token);
        let began = Instant::now();
        let now = || Mono(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        let mut link = ClientLink::new(config, now());
        let mut peer = Self::new(connection);
        peer.send_all(&mut link).await?;
        while !link.is_open() {
            let arrived = timeout(PATIENCE, peer.connection.accept_uni()).await;
            let mut stream = arrived.context("nothing answered the Hello")??;
            let key = StreamKey(u64::from(stream.id()));
            // The Welcome, or the wish for our descriptor, is the first on the first stream.
            while !link.is_open() {
                match timeout(PATIENCE, stream.read_chunk(64, true)).await.context("no Welcome in time")?? {
                    Some(chunk) => link.on_stream(now(), key, &chunk.bytes),
                    None => bail!("the server ended its stream"),
                }
                peer.send_all(&mut link).await?;
            }
        }
        Ok(peer)
    }

    async fn send_all(&mut self, link: &mut ClientLink) -> Result<()> {
        while let Some(transmit) = link.poll_transmit() {
            match transmit {
                Transmit::Stream { lane, bytes } => {
                    if self.hello.is_empty() {
                        self.hello = bytes.clone();
                    }
                    self.raw(lane, &bytes).await?;
                }
                Transmit::Solo { bytes, .. } => self.alone(&bytes).await?,
                Transmit::Datagram(bytes) => self.connection.send_datagram(bytes)?,
                Transmit::Close { reason, .. } => bail!("refused: {reason}"),
            }
        }
        Ok(())
    }

    /// Bytes on a lane's stream, as they are; the first ones must begin with the lane's number.
    pub(crate) async fn raw(&mut self, lane: Lane, bytes: &[u8]) -> Result<()> {
        if !self.lanes.contains_key(&lane) {
            self.lanes.insert(lane, self.connection.open_uni().await?);
        }
        let stream = self.lanes.get_mut(&lane).context("it was just opened")?;
        stream.write_all(bytes).await?;
        Ok(())
    }

    /// Bytes on a stream of their own.
    async fn alone(&self, bytes: &[u8]) -> Result<()> {
        let mut stream = self.connection.open_uni().await?;
        stream.write_all(bytes).await?;
        stream.finish()?;
        Ok(())
    }

    /// Bytes on the lane of `O`, which is opened if need be.
    pub(crate) async fn on_lane_of<O: Operation>(&mut self, bytes: &[u8]) -> Result<()> {
        let lane = O::SPEC.lane;
        if !self.lanes.contains_key(&lane) {
            self.raw(lane, &[lane.number()]).await?;
        }
        self.raw(lane, bytes).await
    }

    /// Reads and forgets whatever comes, until the connection ends.
    pub(crate) fn drain(&self) {
        let connection = self.connection.clone();
        tokio::spawn(async move {
            while let Ok(stream) = connection.accept_uni().await {
                tokio::spawn(swallow(stream));
            }
        });
    }

    /// How the server closed the connection, if it did in time.
    pub(crate) async fn closed(&self, within: Duration) -> Ending {
        ending(&self.connection, within).await
    }
}

async fn swallow(mut stream: quinn::RecvStream) {
    while let Ok(Some(_)) = stream.read_chunk(65_536, false).await {}
}

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Ending {
    /// By the server, with this code.
    Code(u64),
    /// By the transport.
    Lost,
    /// Not at all.
    Open,
}

/// How a connection ends, if it does in time.
pub(crate) async fn ending(connection: &Connection, within: Duration) -> Ending {
    match timeout(within, connection.closed()).await {
        Ok(ConnectionError::ApplicationClosed(close)) => Ending::Code(close.error_code.into_inner()),
        Ok(_) => Ending::Lost,
        Err(_) => Ending::Open,
    }
}

/// A frame that calls `O` on the own player, with these bytes as its arguments; request 0 wants no answer.
pub(crate) fn call<O: Operation>(request: u64, args: &[u8]) -> Vec<u8> {
    frame::<O>(request, |to| to.put(&0u8), args)
}

/// A frame that calls `O` on the zone of the attachment with this generation, and wants no answer.
pub(crate) fn call_zone<O: Operation>(generation: u32, args: &[u8]) -> Vec<u8> {
    let aim = |to: &mut Writer| {
        to.put(&1u8);
        to.put(&generation);
    };
    frame::<O>(0, aim, args)
}

fn frame<O: Operation>(request: u64, aim: impl FnOnce(&mut Writer), args: &[u8]) -> Vec<u8> {
    let mut to = Writer::new();
    to.window(|to| {
        to.raw(&[CALL]);
        to.put(&request);
        aim(to);
        to.put(&O::Contract::KIND.0);
        to.put(&O::SPEC.number.0);
        to.bytes(args);
    });
    to.into_bytes()
}

/// A datagram that calls `O` on the own player; the first one is refused if that has no such operation, all others are doubles.
pub(crate) fn unreliable_call<O: Operation>(sequence: u32, args: &[u8]) -> Vec<u8> {
    let mut to = Writer::new();
    to.raw(&[UNRELIABLE_CALL]);
    to.put(&sequence);
    to.put(&O::SPEC.lane.number());
    to.put(&0u8);
    to.put(&O::Contract::KIND.0);
    to.put(&O::SPEC.number.0);
    to.bytes(args);
    to.into_bytes()
}

/// Whether the server refused a connection, before TLS.
pub(crate) fn is_refused(error: &anyhow::Error) -> bool {
    // RFC 9000, section 20.1: CONNECTION_REFUSED.
    const REFUSED: u64 = 2;
    matches!(
        error.downcast_ref(),
        Some(ConnectionError::ConnectionClosed(close)) if u64::from(close.error_code) == REFUSED
    )
}

/// Takes any certificate: the server is the one that this program started, on this machine.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
