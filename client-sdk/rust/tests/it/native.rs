//! The driver over real sockets of this machine, against a host behind quinn.

#![expect(clippy::unwrap_used, reason = "this is a test: a failure should stop it")]

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lightmoon_client::{
    CertificateHash, ClientOptions, CloseCode, ConnectError, ConnectOptions, ConnectionState, Endpoint,
    Event, RetryOptions, Session, connect,
};
use lightmoon_contract::{Lane, Mono};
use lightmoon_wire::{ALPN, StreamKey, Transmit};
use quinn::VarInt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::game::{AVATAR, Host, PilotContract, Pose, SpaceContract, space};
use crate::world::options;

/// A host for every connection, each with a task of its own.
struct Server {
    endpoint: quinn::Endpoint,
    certificate: CertificateHash,
    /// Words of the test to all connections.
    refuse: Option<CloseCode>,
    cuts: Cuts,
}

/// Connections that break between a request and its reply.
#[derive(Clone, Default)]
struct Cuts {
    /// How many are still to break.
    left: Arc<AtomicU32>,
    /// Requests that arrived, over all connections.
    asked: Arc<Mutex<Vec<u64>>>,
}

impl Cuts {
    /// Whether this connection has to break now.
    fn is_due(&self, host: &mut Host) -> bool {
        let mut asked = self.asked.lock().unwrap();
        let arrived = !host.asked.is_empty();
        asked.extend(host.asked.drain(..).map(|(request, _)| request));
        arrived && host.is_mute
    }

    fn begin(&self, host: &mut Host) {
        host.ticket = Bytes::from_static(b"ticket");
        let cut = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        host.is_mute = cut.is_ok();
    }
}

enum Input {
    Stream(StreamKey, Bytes),
    Datagram(Bytes),
}

impl Server {
    fn new(refuse: Option<CloseCode>) -> Self {
        let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = CertificateHash::of(issued.cert.der());
        let key = rustls::pki_types::PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
        let mut tls =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_protocol_versions(&[&rustls::version::TLS13])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![issued.cert.der().clone()], key)
                .unwrap();
        tls.alpn_protocols = vec![ALPN.to_vec()];
        let tls = quinn::crypto::rustls::QuicServerConfig::try_from(tls).unwrap();
        let config = quinn::ServerConfig::with_crypto(Arc::new(tls));
        let endpoint = quinn::Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let accepting = endpoint.clone();
        let cuts = Cuts::default();
        let cuts_too = cuts.clone();
        tokio::spawn(async move {
            while let Some(incoming) = accepting.accept().await {
                if let Ok(connection) = incoming.await {
                    tokio::spawn(host(connection, refuse, cuts_too.clone()));
                }
            }
        });
        Self { endpoint, certificate, refuse, cuts }
    }

    fn options(&self, client: ClientOptions) -> ConnectOptions {
        let server = self.endpoint.local_addr().unwrap().to_string();
        ConnectOptions { server, certificates: vec![self.certificate], client, seed: 1 }
    }

    /// Ends all connections as a killed process would, but faster.
    fn kill(&self) {
        self.endpoint.close(VarInt::from_u32(CloseCode::ShuttingDown.number()), b"restart");
    }
}

/// Runs one host until its connection ends. Says what it hears, moves the avatar when it is steered.
async fn host(connection: quinn::Connection, refuse: Option<CloseCode>, cuts: Cuts) {
    let started = Instant::now();
    let now = || Mono::from_millis(1) + started.elapsed();
    let mut host = Host::new(now());
    host.refuse = refuse;
    cuts.begin(&mut host);
    let (input, mut inputs) = mpsc::channel(64);
    tokio::spawn(read(connection.clone(), input));
    let mut streams: BTreeMap<Lane, quinn::SendStream> = BTreeMap::new();
    let mut steered = 0;
    while !host.closed {
        let deadline =
            host.link.next_deadline().map_or(started, |at| started + at.since(Mono::from_millis(1)));
        tokio::select! {
            input = inputs.recv() => match input {
                Some(Input::Stream(key, bytes)) => host.link.on_stream(now(), key, &bytes),
                Some(Input::Datagram(bytes)) => host.link.on_datagram(now(), &bytes),
                None => host.link.on_closed(now(), None),
            },
            () = tokio::time::sleep_until(deadline) => host.link.on_deadline(now()),
        }
        host.serve(now());
        if cuts.is_due(&mut host) {
            return connection.close(VarInt::from_u32(CloseCode::Idle.number()), b"the network broke");
        }
        for thrust in host.steered.drain(..).collect::<Vec<_>>() {
            steered += 1;
            host.state(thrust * f32::from(u8::try_from(steered).unwrap()));
        }
        while let Some(transmit) = host.link.poll_transmit() {
            match transmit {
                Transmit::Stream { lane, bytes } => {
                    let mut stream = match streams.remove(&lane) {
                        Some(stream) => stream,
                        None => connection.open_uni().await.unwrap(),
                    };
                    stream.write_all(&bytes).await.unwrap();
                    streams.insert(lane, stream);
                }
                Transmit::Solo { bytes, .. } => {
                    let mut stream = connection.open_uni().await.unwrap();
                    stream.write_all(&bytes).await.unwrap();
                    stream.finish().unwrap();
                }
                Transmit::Datagram(bytes) => drop(connection.send_datagram(bytes)),
                Transmit::Close { code, reason } => {
                    connection.close(VarInt::from_u32(code.number()), reason.as_bytes());
                }
            }
        }
    }
}

async fn read(connection: quinn::Connection, input: mpsc::Sender<Input>) {
    loop {
        tokio::select! {
            stream = connection.accept_uni() => {
                let Ok(mut stream) = stream else { return };
                let (key, input) = (StreamKey(stream.id().index()), input.clone());
                tokio::spawn(async move {
                    while let Ok(Some(chunk)) = stream.read_chunk(4_096, true).await {
                        if input.send(Input::Stream(key, chunk.bytes)).await.is_err() {
                            return;
                        }
                    }
                });
            }
            datagram = connection.read_datagram() => {
                let Ok(bytes) = datagram else { return };
                if input.send(Input::Datagram(bytes)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Runs the session until an event of interest, at most 10 s.
async fn until<T>(session: &mut Session, mut wanted: impl FnMut(&mut Session, &Event) -> Option<T>) -> T {
    let search = async {
        loop {
            let event = session.next_event().await.expect("the session goes on");
            if let Some(found) = wanted(session, &event) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), search).await.expect("it comes in time")
}

async fn enter(session: &mut Session) {
    let entered = session.client().me::<PilotContract>().enter("ada".to_owned());
    let avatar = until(session, |session, _| session.client().reply(&entered)).await;
    assert_eq!(avatar, Ok(AVATAR.0));
    if session.client().view().is_empty() {
        until(session, |session, _| (!session.client().view().is_empty()).then_some(())).await;
    }
}

#[tokio::test]
async fn a_client_connects_by_certificate_hash_and_plays() {
    let server = Server::new(None);
    let endpoint = Endpoint::new().unwrap();
    let mut session = connect(&endpoint, server.options(options())).await.unwrap();
    enter(&mut session).await;
    session.client().me::<PilotContract>().shout("hello".to_owned()).unwrap();
    let said = until(&mut session, |_, event| event.push::<space::Said>()).await;
    assert_eq!(said.text, "hello");
    let x = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            // A datagram may be lost: steering is repeated, as games do.
            session.client().zone::<SpaceContract>().steer(2.0).unwrap();
            session.turn(Duration::from_millis(20)).await;
            let pose: Pose = session.client().view().entity(AVATAR).unwrap().get().unwrap();
            if pose.x > 0.0 {
                return pose.x;
            }
        }
    });
    assert_eq!(x.await.expect("steering arrives") % 2.0, 0.0);
    let stats = session.client().stats();
    assert!(stats.states > 0 && stats.datagrams_out > 0, "{stats:?}");
    session.close("bye").await;
    endpoint.wait_idle().await;
}

#[tokio::test]
async fn many_sessions_share_one_endpoint() {
    let server = Server::new(None);
    let endpoint = Endpoint::new().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20u64 {
        let (endpoint, mut options) = (
            endpoint.clone(),
            server.options(options().token(vec![0; usize::try_from(number + 1).unwrap()])),
        );
        options.seed = number;
        tasks.spawn(async move {
            let mut session = connect(&endpoint, options).await.unwrap();
            assert_eq!(session.client().session().unwrap().player, number + 1, "each has its own connection");
            enter(&mut session).await;
            let text = format!("from {number}");
            session.client().me::<PilotContract>().shout(text.clone()).unwrap();
            let said = until(&mut session, |_, event| event.push::<space::Said>()).await;
            assert_eq!(said.text, text);
            session.close("bye").await;
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn another_certificate_is_not_trusted() {
    let server = Server::new(None);
    let retry = RetryOptions { tries_max: Some(1), ..RetryOptions::default() };
    let mut options = server.options(options().retry(retry));
    options.certificates = vec![CertificateHash([7; 32])];
    let ConnectError::Lost(closing) = connect(&Endpoint::new().unwrap(), options).await.unwrap_err() else {
        panic!("another error");
    };
    assert!(closing.reason.contains("certificate"), "{closing:?}");
}

#[tokio::test]
async fn a_refused_client_is_told_why() {
    let server = Server::new(Some(CloseCode::Unauthenticated));
    assert_eq!(server.refuse, Some(CloseCode::Unauthenticated));
    let ConnectError::Lost(closing) =
        connect(&Endpoint::new().unwrap(), server.options(options())).await.unwrap_err()
    else {
        panic!("another error");
    };
    assert_eq!((closing.code, closing.reason.as_str()), (CloseCode::Unauthenticated, "not you"));
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = Server::new(None);
    let endpoint = Endpoint::new().unwrap();
    let mut options = server.options(options());
    let next = Server::new(None);
    // The restarted process has another certificate and port; the test plays the name service.
    options.certificates.push(next.certificate);
    let mut session = connect(&endpoint, options).await.unwrap();
    enter(&mut session).await;
    server.kill();
    until(&mut session, |_, event| matches!(event, Event::Resuming(_)).then_some(())).await;
    assert_eq!(session.client().state(), &ConnectionState::Resuming);
    session.set_server(next.endpoint.local_addr().unwrap().to_string());
    until(&mut session, |_, event| matches!(event, Event::Connected(_)).then_some(())).await;
    enter(&mut session).await;
    let stats = session.client().stats();
    assert_eq!((stats.sessions, stats.resumes), (1, 1), "its ticket is good there too");
}

#[tokio::test]
async fn a_request_is_sent_again_until_a_connection_holds() {
    let server = Server::new(None);
    server.cuts.left.store(3, Ordering::Relaxed);
    let endpoint = Endpoint::new().unwrap();
    let mut session = connect(&endpoint, server.options(options())).await.unwrap();
    let entered = session.client().me::<PilotContract>().enter("ada".to_owned());
    let avatar = until(&mut session, |session, _| session.client().reply(&entered)).await;
    assert_eq!(avatar, Ok(AVATAR.0));
    assert_eq!(
        *server.cuts.asked.lock().unwrap(),
        [entered.request(); 4],
        "one number, over four connections"
    );
    let stats = session.client().stats();
    assert_eq!((stats.sessions, stats.resumes, stats.requests_repeated), (1, 3, 3));
}

#[tokio::test]
async fn closing_while_nobody_answers_ends_at_once() {
    // A socket that hears and never speaks.
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let options = ConnectOptions { server, certificates: Vec::new(), client: options(), seed: 1 };
    let mut session = Session::new(&Endpoint::new().unwrap(), options);
    assert!(session.turn(Duration::from_millis(20)).await.is_empty());
    session.client().close("changed my mind");
    let last = session.next_event().await;
    assert!(matches!(&last, Some(Event::Lost(closing)) if closing.code == CloseCode::Normal), "{last:?}");
    assert_eq!(session.next_event().await, None);
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let server = Server::new(None);
    let port = server.endpoint.local_addr().unwrap().port();
    let mut options = server.options(options());
    options.server = format!("localhost:{port}");
    let mut session = connect(&Endpoint::new().unwrap(), options).await.unwrap();
    enter(&mut session).await;
}

#[tokio::test]
async fn a_dropped_future_loses_nothing() {
    let server = Server::new(None);
    let mut session = Session::new(&Endpoint::new().unwrap(), server.options(options()));
    let mut events = Vec::new();
    let mut entered = None;
    for round in 0..2_000 {
        // Cut off after a moment, whatever it was doing.
        let cut = tokio::time::timeout(Duration::from_micros(50 * (round % 40)), session.next_event()).await;
        events.extend(cut.ok().flatten());
        if entered.is_none() && matches!(events.last(), Some(Event::Connected(_))) {
            entered = Some(session.client().me::<PilotContract>().enter("ada".to_owned()));
        }
        if events.iter().any(|event| matches!(event, Event::Answered { .. })) {
            break;
        }
    }
    assert_eq!(session.client().reply(&entered.expect("it connected")), Some(Ok(AVATAR.0)));
}
