//! A server whose events a test can wait for, and clients of both kinds.

use bytes::Bytes;
use lightmoon_contract::{Lane, Priority, Reliability};
use lightmoon_net::{Commands, Endpoint, LinkId, NetEvent, NetOptions, TlsIdentity, Transport};
use lightmoon_wire::Transmit;
use quinn::crypto::rustls::QuicClientConfig;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Longer than anything here takes on a busy machine; reached only by a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A datagram with this makes the server panic while it deals with it.
pub(crate) const PANIC: &[u8] = b"panic, please";

pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    pub(crate) commands: Commands,
    pub(crate) identity: TlsIdentity,
    /// Whether the next link makes the server panic while it reports it.
    pub(crate) trips: Arc<AtomicBool>,
    events: UnboundedReceiver<NetEvent>,
}

pub(crate) fn local() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub(crate) fn new_identity() -> TlsIdentity {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    TlsIdentity { cert_der: made.cert.der().to_vec(), key_der: made.signing_key.serialize_der() }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(NetOptions { listen: local(), ..NetOptions::default() })
    }

    pub(crate) fn with(options: NetOptions) -> Self {
        Self::with_identity(options, new_identity())
    }

    pub(crate) fn with_identity(options: NetOptions, identity: TlsIdentity) -> Self {
        let (sender, events) = unbounded_channel();
        let trips = Arc::new(AtomicBool::new(false));
        let tripping = Arc::clone(&trips);
        let endpoint = Endpoint::bind(options, &identity, move |event| {
            let is_opening = matches!(event, NetEvent::Opened { .. });
            assert!(!is_opening || !tripping.swap(false, Ordering::Relaxed), "as was asked for");
            if let NetEvent::Datagram { bytes, .. } = &event {
                assert_ne!(bytes, PANIC, "as was asked for");
            }
            // A test that ended listens no more.
            let _ = sender.send(event);
        })
        .unwrap();
        Self { commands: endpoint.commands(), endpoint, identity, events, trips }
    }

    /// The next event that is no news of a path.
    pub(crate) async fn event(&mut self) -> NetEvent {
        loop {
            let event = self.any_event().await;
            if !matches!(event, NetEvent::Path { .. }) {
                return event;
            }
        }
    }

    pub(crate) async fn any_event(&mut self) -> NetEvent {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        event.expect("an event within patience").expect("the endpoint lives")
    }

    /// The next event, which must be a link's opening.
    pub(crate) async fn opened(&mut self) -> (LinkId, Transport) {
        match self.event().await {
            NetEvent::Opened { link, transport, remote } => {
                assert!(remote.starts_with("127.0.0.1:"), "{remote}");
                (link, transport)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The next event, which must be a link's opening, from wherever.
    pub(crate) async fn next_opened(&mut self) -> LinkId {
        match self.event().await {
            NetEvent::Opened { link, .. } => link,
            other => panic!("{other:?}"),
        }
    }

    /// The next bytes of a stream, at least `count` of them.
    pub(crate) async fn stream_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < count {
            match self.event().await {
                NetEvent::Stream { bytes, .. } => all.extend_from_slice(&bytes),
                other => panic!("{other:?}"),
            }
        }
        all
    }

    pub(crate) async fn datagram(&mut self) -> Bytes {
        match self.event().await {
            NetEvent::Datagram { bytes, .. } => bytes,
            other => panic!("{other:?}"),
        }
    }

    /// Skips to the link's end.
    pub(crate) async fn closed(&mut self) -> (Option<u32>, String) {
        loop {
            if let NetEvent::Closed { code, reason, .. } = self.event().await {
                return (code, reason);
            }
        }
    }

    pub(crate) fn send(&self, link: LinkId, lane: Lane, bytes: impl Into<Bytes>) {
        assert!(self.commands.send(link, Transmit::Stream { lane, bytes: bytes.into() }));
    }

    /// A native client's connection.
    pub(crate) async fn native(&self) -> quinn::Connection {
        self.try_connect(b"lightmoon/1", quinn::TransportConfig::default()).await.unwrap()
    }

    /// As [`Self::native`], from another address of this machine.
    pub(crate) async fn native_from(&self, address: Ipv4Addr) -> quinn::Connection {
        let endpoint = quinn::Endpoint::client(SocketAddr::from((address, 0))).unwrap();
        let config = client_config(&self.identity, b"lightmoon/1");
        endpoint.connect_with(config, self.endpoint.address(), "localhost").unwrap().await.unwrap()
    }

    pub(crate) async fn try_connect(
        &self,
        alpn: &[u8],
        transport: quinn::TransportConfig,
    ) -> Result<quinn::Connection, quinn::ConnectionError> {
        let mut config = client_config(&self.identity, alpn);
        config.transport_config(Arc::new(transport));
        let endpoint = quinn::Endpoint::client(local()).unwrap();
        endpoint.connect_with(config, self.endpoint.address(), "localhost").unwrap().await
    }

    /// A browser's session, by the certificate's hash.
    pub(crate) async fn browser(&self) -> web_transport_quinn::Session {
        self.try_browser(self.identity.certificate_hash()).await.unwrap()
    }

    pub(crate) async fn try_browser(
        &self,
        hash: [u8; 32],
    ) -> Result<web_transport_quinn::Session, web_transport_quinn::ClientError> {
        let client = web_transport_quinn::ClientBuilder::new()
            .with_server_certificate_hashes(vec![hash.to_vec()])
            .unwrap();
        let url: url::Url = format!("https://{}/", self.endpoint.address()).parse().unwrap();
        client.connect(url).await
    }
}

pub(crate) fn client_config(identity: &TlsIdentity, alpn: &[u8]) -> quinn::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(identity.cert_der.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

pub(crate) fn lane(priority: Priority) -> Lane {
    Lane::new(priority, Reliability::ReliableOrdered)
}

/// Waits for something that a counter will show.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    tokio::time::timeout(PATIENCE, async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it becomes so within patience");
}
