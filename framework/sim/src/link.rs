//! A model of one QUIC connection: what loss, delay and doubling do to streams and datagrams.
//!
//! *Responsible for*: when bytes arrive, and in which pieces. *Not responsible for*: congestion, bandwidth, encryption.
//!
//! A lost packet of a stream costs its bytes, and all after them on that stream, a retransmission; a lost datagram is
//! gone. Streams do not wait for each other. All chances come from one seed.
//!
//! Invariants:
//! - I1: bytes of one stream arrive once and in order.
//! - I2: nothing arrives after the connection's end, and the end arrives at both sides.
//! - I3: one seed and one sequence of sends give one sequence of deliveries.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::Mono;
use lightmoon_wire::{CloseCode, StreamKey, Transmit};

/// What a link does to packets.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LinkOptions {
    /// One-way delay of an undisturbed packet.
    pub latency: Duration,
    /// Additional delay, drawn evenly from zero to this for each packet; reorders datagrams.
    pub jitter: Duration,
    /// Chance that a packet is lost, 0 to 1.
    pub loss: f64,
    /// Chance that a datagram arrives twice, 0 to 1.
    pub doubled: f64,
}

impl LinkOptions {
    /// A wire without faults: 20 ms each way.
    pub const CLEAN: Self =
        Self { latency: Duration::from_millis(20), jitter: Duration::ZERO, loss: 0.0, doubled: 0.0 };

    /// A bad mobile network: 60 to 150 ms each way, so that packets of neighbouring ticks overtake each other; a tenth
    /// lost, a twentieth doubled.
    pub const LOSSY: Self = Self {
        latency: Duration::from_millis(60),
        jitter: Duration::from_millis(90),
        loss: 0.1,
        doubled: 0.05,
    };
}

impl LinkOptions {
    /// Faults drawn from `random`: often some, sometimes none, up to what a game must endure.
    #[must_use]
    pub fn drawn(random: &mut fastrand::Rng) -> Self {
        let mut share = |most: f64| if random.u8(..3) == 0 { 0.0 } else { random.f64() * most };
        let (loss, doubled, jitter) = (share(0.3), share(0.5), share(200.0));
        let latency = Duration::from_micros(random.u64(1_000..120_000));
        Self { latency, jitter: Duration::from_millis(1).mul_f64(jitter), loss, doubled }
    }

    /// The longest time that bytes of a stream can take.
    #[must_use]
    pub fn slowest(&self) -> Duration {
        self.latency + self.jitter + self.retransmission() * RETRANSMISSIONS_MAX
    }

    /// What a lost packet costs: the sender learns of it after a round trip and an acknowledgement delay of 25 ms.
    fn retransmission(&self) -> Duration {
        self.latency * 2 + self.jitter + Duration::from_millis(25)
    }
}

/// One end of a link.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum End {
    /// The client's.
    Client,
    /// The node's.
    Node,
}

impl End {
    /// The opposite end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Node,
            Self::Node => Self::Client,
        }
    }
}

/// Something that arrives at an end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// Bytes of a stream.
    Stream {
        /// The stream, named by its lane's number, or one of its own.
        stream: StreamKey,
        /// The next bytes of it.
        bytes: Bytes,
    },
    /// A datagram.
    Datagram(Bytes),
    /// The connection is over.
    Closed {
        /// The code, if the other end sent one; `None` when the network ended it.
        code: Option<(CloseCode, String)>,
    },
}

/// A packet on its way. Ordered by time, then by number, so that deliveries never depend on hashing.
type Due = (Mono, u64);

/// The model of one connection.
#[derive(Debug)]
pub struct Link {
    options: LinkOptions,
    random: fastrand::Rng,
    sent: u64,
    on_the_way: BTreeMap<Due, (End, Arrival)>,
    /// When the newest bytes of each stream arrive: later ones may not come earlier.
    stream_until: BTreeMap<(End, StreamKey), Mono>,
    /// Streams of one message so far.
    solos: u64,
    ending: bool,
    ended: bool,
}

/// Above the numbers of all lanes.
const FIRST_SOLO: u64 = 1 << 8;

/// Bytes that one packet carries at most; a write is cut into such pieces, as QUIC does.
const PACKET_BYTES: usize = 1_200;

/// Retransmissions of one packet after which the model lets it through: at a loss of 30 % the chance to get there is
/// 6·10⁻⁶, and a real connection would have died.
const RETRANSMISSIONS_MAX: u32 = 10;

impl Link {
    /// A new connection.
    #[must_use]
    pub fn new(options: LinkOptions, seed: u64) -> Self {
        Self {
            options,
            random: fastrand::Rng::with_seed(seed),
            sent: 0,
            on_the_way: BTreeMap::new(),
            stream_until: BTreeMap::new(),
            solos: 0,
            ending: false,
            ended: false,
        }
    }

    /// Changes what the link does from now on; what is on its way keeps its time.
    pub fn set_options(&mut self, options: LinkOptions) {
        self.options = options;
    }

    /// Whether the end has arrived at both sides.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes what `from` transmits.
    pub fn send(&mut self, now: Mono, from: End, transmit: Transmit) {
        if self.ending {
            return;
        }
        match transmit {
            Transmit::Stream { lane, bytes } => {
                self.send_stream(now, from, StreamKey(u64::from(lane.number())), &bytes)
            }
            Transmit::Solo { bytes, .. } => {
                self.solos += 1;
                let stream = StreamKey(FIRST_SOLO + self.solos);
                self.send_stream(now, from, stream, &bytes);
                // Nothing follows.
                self.stream_until.remove(&(from, stream));
            }
            Transmit::Datagram(bytes) => self.send_datagram(now, from, bytes),
            Transmit::Close { code, reason } => self.end(now, Some(from), Some((code, reason))),
        }
    }

    /// Ends the connection as a cut cable does: both ends learn of it after their idle time, here at once plus latency.
    pub fn kill(&mut self, now: Mono) {
        if !self.ending {
            self.end(now, None, None);
        }
    }

    /// When the next thing arrives.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Mono> {
        self.on_the_way.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next thing that has arrived by `now`.
    pub fn deliver(&mut self, now: Mono) -> Option<(End, Arrival)> {
        let due = *self.on_the_way.keys().next().filter(|(at, _)| *at <= now)?;
        let (end, arrival) = self.on_the_way.remove(&due)?;
        if matches!(arrival, Arrival::Closed { .. }) && self.on_the_way.is_empty() {
            self.ended = true;
        }
        Some((end, arrival))
    }

    fn send_stream(&mut self, now: Mono, from: End, stream: StreamKey, bytes: &Bytes) {
        let mut at = 0;
        while at < bytes.len() {
            // Pieces of uneven size: a receiver may rely on no boundary.
            let piece = self.random.usize(1..=PACKET_BYTES).min(bytes.len() - at);
            let mut arrives = now + self.delay();
            for _ in 0..RETRANSMISSIONS_MAX {
                if !self.chance(self.options.loss) {
                    break;
                }
                arrives = arrives + self.options.retransmission();
            }
            let until = self.stream_until.entry((from, stream)).or_default();
            arrives = arrives.max(*until);
            *until = arrives;
            self.put(arrives, from.other(), Arrival::Stream { stream, bytes: bytes.slice(at..at + piece) });
            at += piece;
        }
    }

    fn send_datagram(&mut self, now: Mono, from: End, bytes: Bytes) {
        if self.chance(self.options.doubled) {
            let arrives = now + self.delay();
            self.put(arrives, from.other(), Arrival::Datagram(bytes.clone()));
        }
        if !self.chance(self.options.loss) {
            let arrives = now + self.delay();
            self.put(arrives, from.other(), Arrival::Datagram(bytes));
        }
    }

    /// Ends the connection: the end that closed knows at once; the other when the news arrives, behind what was sent.
    fn end(&mut self, now: Mono, by: Option<End>, code: Option<(CloseCode, String)>) {
        self.ending = true;
        let news = now + self.delay();
        self.on_the_way.retain(|(at, _), _| *at <= news);
        for end in [End::Client, End::Node] {
            let closed_itself = by == Some(end);
            if closed_itself {
                self.on_the_way.retain(|_, (to, _)| *to != end);
            }
            let at = if closed_itself { now } else { news };
            self.put(at, end, Arrival::Closed { code: if closed_itself { None } else { code.clone() } });
        }
    }

    fn put(&mut self, at: Mono, end: End, arrival: Arrival) {
        self.sent += 1;
        self.on_the_way.insert((at, self.sent), (end, arrival));
    }

    fn chance(&mut self, chance: f64) -> bool {
        // The draw is made even for a chance of 0, so that changing one option moves no other draw.
        self.random.f64() < chance
    }

    fn delay(&mut self) -> Duration {
        self.options.latency + self.options.jitter.mul_f64(self.random.f64())
    }
}

#[cfg(test)]
mod tests;
