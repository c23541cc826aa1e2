//! A server's link and a client's, over real sockets.
//!
//! *Responsible for*: driving both state machines, urgent messages, endless bulk. *Not responsible for*: figures.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lightmoon_contract::{ActorId, Descriptor, Kind, Lane, Mono, OperationNumber, SessionId};
use lightmoon_net::{Commands, Endpoint, LinkId, NetEvent, NetOptions, TlsIdentity, Transmit};
use lightmoon_wire::{
    ClientConfig, ClientEvent, ClientLink, Compatibility, Grant, ServerConfig, ServerEvent, ServerLink,
    StreamKey,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::raw::{certificate, client};
use super::{Cost, HIGH, LOW, MESSAGE_BYTES, named, pin, runtime, thread_time};

/// Time between two urgent messages.
const URGENT_EVERY: Duration = Duration::from_millis(1);
/// Cost of bulk that waits or is under way: nearly what a lane keeps. Of messages this small that is less than the window of a high lane.
const BULK_BYTES: usize = 240 * 1_024;
/// Messages that bulk adds in one turn.
const BULK_PER_TURN: usize = 256;

/// For handshake and farewell, on a machine that does something else, too.
const PATIENCE: Duration = Duration::from_secs(20);

const ACTOR: ActorId = ActorId::new(Kind(1), 1);
const URGENT: OperationNumber = OperationNumber(1);
const BULK: OperationNumber = OperationNumber(2);

/// What the server sends.
#[derive(Clone, Copy)]
struct Load {
    urgent: bool,
    bulk: Option<Lane>,
}

/// What the client got.
struct Got {
    urgent: Vec<Duration>,
    bulk: usize,
    /// Since the Welcome.
    time: Duration,
    /// Of both ends.
    cpu: Duration,
}

/// How long urgent messages took, alone or beside bulk.
pub(super) fn urgent(time: Duration, bulk: bool) -> Vec<Duration> {
    play(time, Load { urgent: true, bulk: bulk.then_some(LOW) }).urgent
}

/// What a message of a lane costs from one end to the other.
pub(super) fn cost(time: Duration, lane: Lane) -> Cost {
    let got = play(time, Load { urgent: false, bulk: Some(lane) });
    Cost::of(got.bulk, got.time, got.cpu)
}

fn play(time: Duration, load: Load) -> Got {
    let zero = Instant::now();
    let (cert_der, key_der) = certificate();
    let identity = TlsIdentity { cert_der: cert_der.clone(), key_der };
    let (tell, told) = channel();
    let server = named("lane-server", move || {
        pin(0);
        runtime().block_on(serve(&identity, load, zero, &tell));
        thread_time()
    });
    let address = told.recv().expect("the server listens");
    let client = named("lane-client", move || {
        pin(1);
        let most = time + PATIENCE;
        let heard = async { tokio::time::timeout(most, hear(&cert_der, address, time, zero)).await };
        let mut got = runtime().block_on(heard).expect("the server welcomes and goes on");
        got.cpu = thread_time();
        got
    });
    let mut got = client.join().expect("the client ends in order");
    got.cpu += server.join().expect("the server ends with its client");
    got
}

fn descriptor() -> Descriptor {
    Descriptor { game: "lanes".to_owned(), contracts: Vec::new(), components: Vec::new(), types: Vec::new() }
}

/// Not 0, so that no deadline lies before it.
fn mono(zero: Instant) -> Mono {
    Mono::from_millis(1_000) + zero.elapsed()
}

async fn serve(identity: &TlsIdentity, load: Load, zero: Instant, tell: &Sender<SocketAddr>) {
    let (give, mut events) = unbounded_channel();
    let options = NetOptions { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..NetOptions::default() };
    let endpoint =
        Endpoint::bind(options, identity, move |event| drop(give.send(event))).expect("a port is free");
    tell.send(endpoint.address()).expect("the bench waits");
    let commands = endpoint.commands();
    let mut host = Host {
        link: ServerLink::new(ServerConfig::default(), mono(zero)),
        known: Compatibility::new(descriptor()),
        commands,
        id: LinkId(1),
        transmits: Vec::new(),
        next_urgent: mono(zero),
        load,
        has_more: false,
        zero,
    };
    host.run(&mut events).await;
}

struct Host {
    link: ServerLink,
    known: Compatibility,
    commands: Commands,
    id: LinkId,
    transmits: Vec<(LinkId, Transmit)>,
    next_urgent: Mono,
    load: Load,
    /// The last turn ended before bulk found no room.
    has_more: bool,
    zero: Instant,
}

impl Host {
    /// Until the client is gone.
    async fn run(&mut self, events: &mut UnboundedReceiver<NetEvent>) {
        loop {
            let mut event = if self.has_more {
                // A lane is saturated only if what made room for a message is never waited for.
                tokio::task::yield_now().await;
                events.try_recv().ok()
            } else {
                let urgent = self.next_urgent.since(mono(self.zero));
                let wait = if self.load.urgent { urgent } else { URGENT_EVERY };
                tokio::time::timeout(wait, events.recv()).await.ok().flatten()
            };
            while let Some(happened) = event {
                if !self.take(happened) {
                    return;
                }
                event = events.try_recv().ok();
            }
            self.say();
            self.link.advance(mono(self.zero));
            self.link.on_deadline(mono(self.zero));
            while let Some(transmit) = self.link.poll_transmit() {
                self.transmits.push((self.id, transmit));
            }
            self.commands.send_all(&mut self.transmits);
        }
    }

    fn take(&mut self, event: NetEvent) -> bool {
        let now = mono(self.zero);
        match event {
            NetEvent::Opened { link, .. } => {
                self.id = link;
                self.link = ServerLink::new(ServerConfig::default(), now);
            }
            NetEvent::Stream { stream, bytes, .. } => self.link.on_stream(now, stream, &bytes),
            NetEvent::Datagram { bytes, .. } => self.link.on_datagram(now, &bytes),
            NetEvent::Path { path, .. } => self.link.on_path(now, path),
            NetEvent::Closed { .. } => return false,
        }
        while let Some(event) = self.link.poll_event() {
            match event {
                ServerEvent::Hello(_) => {
                    self.link.settle(now, &mut self.known);
                    let grant = Grant { session: SessionId(1), player: 1, tick_hz: 0 };
                    self.link.welcome(now, grant).expect("it just said Hello");
                }
                ServerEvent::Call(_) | ServerEvent::Received(_) => {}
                ServerEvent::Closed(closing) => panic!("{}", closing.reason),
            }
        }
        true
    }

    fn say(&mut self) {
        self.has_more = false;
        if !self.link.is_open() {
            return;
        }
        let now = mono(self.zero);
        if self.load.urgent && now >= self.next_urgent {
            self.next_urgent = now + URGENT_EVERY;
            self.push(HIGH, URGENT, now);
        }
        let Some(lane) = self.load.bulk else { return };
        for _ in 0..BULK_PER_TURN {
            if self.link.kept_bytes() > BULK_BYTES {
                return;
            }
            self.push(lane, BULK, now);
        }
        self.has_more = true;
    }

    fn push(&mut self, lane: Lane, number: OperationNumber, now: Mono) {
        let mut args = vec![0; MESSAGE_BYTES];
        args[..8].copy_from_slice(&now.0.to_le_bytes());
        self.link.push(lane, ACTOR, number, args.into()).expect("no more is said than is kept");
    }
}

async fn hear(certificate: &[u8], address: SocketAddr, time: Duration, zero: Instant) -> Got {
    let endpoint = client(certificate, lightmoon_wire::ALPN, None);
    let connection =
        endpoint.connect(address, "localhost").expect("a good address").await.expect("it answers");
    let (give, mut arriving) = unbounded_channel::<(u64, Bytes)>();
    tokio::spawn(accept(connection.clone(), give));
    let descriptor = descriptor();
    let config = ClientConfig::new(descriptor.fingerprint(), descriptor.to_bytes().into(), Bytes::new());
    let mut link = ClientLink::new(config, mono(zero));
    // A client that only listens writes to the control lane alone.
    let mut control = connection.open_uni().await.expect("the server allows it");
    let mut got = Got { urgent: Vec::new(), bulk: 0, time: Duration::ZERO, cpu: Duration::ZERO };
    let mut began = None;
    while began.is_none_or(|began: Instant| began.elapsed() < time) {
        while let Some(transmit) = link.poll_transmit() {
            match transmit {
                Transmit::Stream { bytes, .. } => control.write_chunk(bytes).await.expect("the server reads"),
                Transmit::Solo { .. } => unreachable!("it asks nothing"),
                Transmit::Datagram(bytes) => drop(connection.send_datagram(bytes)),
                Transmit::Close { reason, .. } => panic!("{reason}"),
            }
        }
        let wait = tokio::time::timeout(Duration::from_millis(20), arriving.recv()).await;
        let now = mono(zero);
        let mut arrived = wait.ok().map(|arrived| arrived.expect("the connection holds"));
        while let Some((key, bytes)) = arrived {
            link.on_stream(now, StreamKey(key), &bytes);
            arrived = arriving.try_recv().ok();
        }
        link.on_deadline(now);
        while let Some(event) = link.poll_event() {
            match event {
                ClientEvent::Push(push) if push.number == BULK => got.bulk += 1,
                ClientEvent::Push(push) => {
                    let sent = push.args.first_chunk().expect("a stamp");
                    got.urgent.push(now.since(Mono(u64::from_le_bytes(*sent))));
                }
                ClientEvent::Welcome(_) => began = Some(Instant::now()),
                ClientEvent::Closed(closing) => panic!("{}", closing.reason),
                ClientEvent::Ticket(_)
                | ClientEvent::Answer { .. }
                | ClientEvent::Attached(_)
                | ClientEvent::Detached { .. }
                | ClientEvent::View { .. }
                | ClientEvent::State { .. }
                | ClientEvent::Delta { .. } => {}
            }
        }
    }
    got.time = began.map_or(Duration::ZERO, |began| began.elapsed());
    connection.close(quinn::VarInt::from_u32(0), b"enough");
    endpoint.wait_idle().await;
    got
}

async fn accept(connection: quinn::Connection, give: tokio::sync::mpsc::UnboundedSender<(u64, Bytes)>) {
    while let Ok(mut stream) = connection.accept_uni().await {
        let give = give.clone();
        tokio::spawn(async move {
            while let Ok(Some(chunk)) = stream.read_chunk(64 * 1_024, true).await {
                if give.send((stream.id().index(), chunk.bytes)).is_err() {
                    return;
                }
            }
        });
    }
}
