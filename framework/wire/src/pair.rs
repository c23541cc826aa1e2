//! A world in a test: one client link, one server link, and a transport between them that cuts, doubles and reorders.
//!
//! *Responsible for*: carrying transmits both ways under a seed. *Not responsible for*: what tests assert.

use std::collections::BTreeMap;

use bytes::Bytes;
use lightmoon_contract::{Descriptor, Fingerprint, Lane, Mono, SessionId};

use crate::{
    ClientConfig, ClientEvent, ClientLink, CloseCode, Compatibility, Grant, ServerConfig, ServerEvent,
    ServerLink, Settled, StreamKey, Transmit,
};

/// What the transport does to bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Cuts writes into pieces of random size.
    pub(crate) cut: bool,
    /// Datagrams come twice.
    pub(crate) double: bool,
    /// Pieces of different streams, and datagrams, overtake each other.
    pub(crate) reorder: bool,
}

/// Something on its way.
#[derive(Clone, Debug)]
enum Piece {
    Stream(StreamKey, Bytes),
    Datagram(Bytes),
}

pub(crate) struct Pair {
    pub(crate) client: ClientLink,
    pub(crate) server: ServerLink,
    pub(crate) known: Compatibility,
    pub(crate) now: Mono,
    pub(crate) faults: Faults,
    pub(crate) client_closed: Option<CloseCode>,
    pub(crate) server_closed: Option<CloseCode>,
    /// Streams of one frame so far, of both sides.
    pub(crate) solos: u64,
    rng: fastrand::Rng,
}

/// A descriptor of a game without anything.
pub(crate) fn descriptor(game: &str) -> Descriptor {
    Descriptor { game: game.to_owned(), contracts: Vec::new(), components: Vec::new(), types: Vec::new() }
}

pub(crate) fn client_config(descriptor: &Descriptor) -> ClientConfig {
    let bytes = descriptor.to_bytes();
    ClientConfig::new(descriptor.fingerprint(), bytes.into(), Bytes::from_static(b"token"))
}

impl Pair {
    /// Both sides of one game, before the first byte.
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let descriptor = descriptor("pair");
        Self::of(client_config(&descriptor), Compatibility::new(descriptor), seed, faults)
    }

    pub(crate) fn of(client: ClientConfig, known: Compatibility, seed: u64, faults: Faults) -> Self {
        let now = Mono::from_millis(1_000);
        Self {
            client: ClientLink::new(client, now),
            server: ServerLink::new(ServerConfig::default(), now),
            known,
            now,
            faults,
            client_closed: None,
            server_closed: None,
            solos: 0,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    /// Both sides after a good handshake, with the events of it taken.
    pub(crate) fn open(seed: u64, faults: Faults) -> Self {
        let mut pair = Self::new(seed, faults);
        pair.handshake();
        pair
    }

    /// Runs the handshake to its end.
    pub(crate) fn handshake(&mut self) {
        for _ in 0..4 {
            self.carry_to_server();
            while let Some(event) = self.server.poll_event() {
                if matches!(event, ServerEvent::Hello(_))
                    && self.server.settle(self.now, &mut self.known) == Settled::Compatible
                {
                    let grant = Grant { session: SessionId(9), player: 7, tick_hz: 20 };
                    self.server.welcome(self.now, grant).unwrap();
                }
            }
            self.carry_to_client();
        }
        assert!(matches!(self.client.poll_event(), Some(ClientEvent::Welcome(_))));
    }

    /// Carries everything from the client to the server.
    pub(crate) fn carry_to_server(&mut self) {
        let transmits: Vec<_> = std::iter::from_fn(|| self.client.poll_transmit()).collect();
        let (pieces, close) = self.carry(transmits);
        for piece in pieces {
            match piece {
                Piece::Stream(key, bytes) => self.server.on_stream(self.now, key, &bytes),
                Piece::Datagram(bytes) => self.server.on_datagram(self.now, &bytes),
            }
        }
        if let Some((code, _)) = close {
            self.client_closed = Some(code);
            self.server.on_closed(self.now, Some(code));
        }
    }

    /// Carries everything from the server to the client.
    pub(crate) fn carry_to_client(&mut self) {
        let transmits: Vec<_> = std::iter::from_fn(|| self.server.poll_transmit()).collect();
        let (pieces, close) = self.carry(transmits);
        for piece in pieces {
            match piece {
                Piece::Stream(key, bytes) => self.client.on_stream(self.now, key, &bytes),
                Piece::Datagram(bytes) => self.client.on_datagram(self.now, &bytes),
            }
        }
        if let Some(close) = close {
            self.server_closed = Some(close.0);
            self.client.on_closed(self.now, Some(close));
        }
    }

    /// All events of the server so far.
    pub(crate) fn server_events(&mut self) -> Vec<ServerEvent> {
        std::iter::from_fn(|| self.server.poll_event()).collect()
    }

    /// All events of the client so far.
    pub(crate) fn client_events(&mut self) -> Vec<ClientEvent> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    fn carry(&mut self, transmits: Vec<Transmit>) -> (Vec<Piece>, Option<(CloseCode, String)>) {
        let mut close = None;
        let mut streams: BTreeMap<StreamKey, Vec<Bytes>> = BTreeMap::new();
        let mut datagrams = Vec::new();
        let mut in_order = Vec::new();
        for transmit in transmits {
            match transmit {
                Transmit::Stream { lane, bytes } => self.put(key(lane), bytes, &mut in_order, &mut streams),
                Transmit::Solo { bytes, .. } => {
                    self.solos += 1;
                    self.put(StreamKey(1_000 + self.solos), bytes, &mut in_order, &mut streams);
                }
                Transmit::Datagram(bytes) => {
                    for _ in 0..=usize::from(self.faults.double) {
                        in_order.push(Piece::Datagram(bytes.clone()));
                        datagrams.push(bytes.clone());
                    }
                }
                Transmit::Close { code, reason } => close = Some((code, reason)),
            }
        }
        if self.faults.reorder {
            in_order = self.mix(streams, datagrams);
        }
        (in_order, close)
    }

    fn put(
        &mut self,
        key: StreamKey,
        bytes: Bytes,
        in_order: &mut Vec<Piece>,
        streams: &mut BTreeMap<StreamKey, Vec<Bytes>>,
    ) {
        for bytes in self.cut(bytes) {
            in_order.push(Piece::Stream(key, bytes.clone()));
            streams.entry(key).or_default().push(bytes);
        }
    }

    fn cut(&mut self, mut bytes: Bytes) -> Vec<Bytes> {
        let mut pieces = Vec::new();
        while self.faults.cut && !bytes.is_empty() {
            let most = bytes.len().min(if self.rng.bool() { 3 } else { 400 });
            pieces.push(bytes.split_to(self.rng.usize(1..=most)));
        }
        if !bytes.is_empty() {
            pieces.push(bytes);
        }
        pieces
    }

    /// Keeps the order within each stream and nothing else.
    fn mix(&mut self, streams: BTreeMap<StreamKey, Vec<Bytes>>, mut datagrams: Vec<Bytes>) -> Vec<Piece> {
        self.rng.shuffle(&mut datagrams);
        let mut queues: Vec<Vec<Piece>> = streams
            .into_iter()
            .map(|(key, pieces)| pieces.into_iter().rev().map(|bytes| Piece::Stream(key, bytes)).collect())
            .collect();
        queues.push(datagrams.into_iter().map(Piece::Datagram).collect());
        let mut mixed = Vec::new();
        while !queues.iter().all(Vec::is_empty) {
            let at = self.rng.usize(..queues.len());
            mixed.extend(queues[at].pop());
        }
        mixed
    }
}

/// Streams are told apart by any number; this one is easy to read in failures.
pub(crate) fn key(lane: Lane) -> StreamKey {
    StreamKey(u64::from(lane.number()) * 4 + 2)
}

/// A fingerprint that no descriptor of these tests has.
pub(crate) const UNKNOWN: Fingerprint = Fingerprint(0xDEAD);
