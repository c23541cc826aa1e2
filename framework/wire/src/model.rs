//! A model of a QUIC connection over a narrow link, for tests of what leaves when.
//!
//! *Responsible for*: a link with a rate, a delay, a drop-tail queue and losses; a transport above it that sends datagrams before streams, more
//! urgent streams first, within a congestion window, and repairs losses. *Not responsible for*: what tests assert, the way back, which only
//! delays.
//!
//! The scheduling is that of quinn-proto 0.11.19: all datagrams that fit, then streams by priority, a packet each.
//!
//! Invariants:
//! - I1: bytes of a stream arrive once and in order; datagrams arrive once or never.
//! - I2: one seed gives one run.

mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use lightmoon_contract::{Lane, Mono};

use crate::arrived::Arrived;
use crate::counters::Counters;
use crate::frame::{self, Answer, Frame, LaneAck, Sender, State, View};
use crate::stream::{IncomingStreams, StreamKey};
use crate::transmit::{Outbox, Path, Transmit};

const PACKET_BYTES: usize = 1_200;
const DATAGRAM_BUFFER_BYTES: usize = 16 * 1_024;
/// Of the model's loop: less than half a packet's time on the link.
const STEP: Duration = Duration::from_micros(50);

/// What a link is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkModel {
    pub(crate) bytes_per_second: u64,
    pub(crate) delay: Duration,
    /// The longest that a packet waits for its turn; others are dropped.
    pub(crate) queue: Duration,
    /// Chance that a packet is lost.
    pub(crate) loss: f64,
}

impl LinkModel {
    /// 10 MB/s, 10 ms each way, a queue of 10 ms.
    pub(crate) const NARROW: Self = Self {
        bytes_per_second: 10_000_000,
        delay: Duration::from_millis(10),
        queue: Duration::from_millis(10),
        loss: 0.0,
    };

    fn time_of(&self, bytes: usize) -> Duration {
        Duration::from_nanos(frame::count(bytes) * 1_000_000_000 / self.bytes_per_second)
    }
}

/// Something that arrived whole: its number, how long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) lane: Option<Lane>,
    pub(crate) number: u32,
    pub(crate) took: Duration,
}

#[derive(Clone, Debug)]
enum Piece {
    Stream { way: Way, at: u64, bytes: Vec<u8> },
    Datagram(Bytes),
}

/// A stream: of a lane (0), or one of those of its own.
type Way = (Lane, u64);

#[derive(Debug, Default)]
struct SendBuffer {
    waiting: VecDeque<u8>,
    at: u64,
    lost: VecDeque<(u64, Vec<u8>)>,
}

impl SendBuffer {
    /// The next bytes, lost ones first, and where they belong; `None`: there is nothing, or no room.
    fn take(&mut self, room: usize) -> Option<(u64, Vec<u8>)> {
        if room == 0 {
            return None;
        }
        if let Some((at, mut bytes)) = self.lost.pop_front() {
            if bytes.len() > room {
                let rest = bytes.split_off(room);
                self.lost.push_front((at + frame::count(room), rest));
            }
            return Some((at, bytes));
        }
        let count = self.waiting.len().min(room);
        let at = self.at;
        self.at += frame::count(count);
        (count > 0).then(|| (at, self.waiting.drain(..count).collect()))
    }
}

#[derive(Debug, Default)]
struct Reassembly {
    next: u64,
    early: BTreeMap<u64, Vec<u8>>,
}

/// An outbox, the transport below it, the link, and who reads at the other end.
pub(crate) struct Model {
    pub(crate) now: Mono,
    pub(crate) outbox: Outbox,
    pub(crate) counters: Counters,
    pub(crate) arrivals: Vec<Arrival>,
    link: LinkModel,
    random: fastrand::Rng,
    buffers: BTreeMap<Way, SendBuffer>,
    datagrams: VecDeque<Bytes>,
    window: f64,
    threshold: f64,
    in_flight: BTreeMap<u64, (usize, Vec<Piece>)>,
    in_flight_bytes: usize,
    next_packet: u64,
    /// Losses of packets before this one were answered already.
    recovered: u64,
    solos: u64,
    busy_until: Mono,
    on_the_way: VecDeque<(Mono, u64, Vec<Piece>)>,
    acks: VecDeque<(Mono, u64)>,
    lane_acks: VecDeque<(Mono, LaneAck)>,
    reassembly: BTreeMap<Way, Reassembly>,
    incoming: IncomingStreams,
    arrived: Arrived,
}

impl Model {
    pub(crate) fn new(link: LinkModel, seed: u64) -> Self {
        let mut outbox = Outbox::default();
        outbox.expect_acknowledgements();
        let now = Mono::from_millis(1_000);
        Self {
            now,
            outbox,
            counters: Counters::default(),
            arrivals: Vec::new(),
            link,
            random: fastrand::Rng::with_seed(seed),
            buffers: BTreeMap::new(),
            datagrams: VecDeque::new(),
            window: 12_000.0,
            threshold: f64::MAX,
            in_flight: BTreeMap::new(),
            in_flight_bytes: 0,
            next_packet: 0,
            recovered: 0,
            solos: 0,
            busy_until: now,
            on_the_way: VecDeque::new(),
            acks: VecDeque::new(),
            lane_acks: VecDeque::new(),
            reassembly: BTreeMap::new(),
            incoming: IncomingStreams::default(),
            arrived: Arrived::default(),
        }
    }

    /// Writes a message that says when it was written.
    pub(crate) fn write(&mut self, lane: Lane, number: u32, size: usize) {
        let view = View { generation: number, payload: self.stamped(size) };
        self.outbox.stream(lane, &view, &mut self.counters).expect("the test writes no more than may wait");
    }

    /// The same as an answer on a stream of its own.
    pub(crate) fn write_alone(&mut self, lane: Lane, number: u32, size: usize) {
        let answer = Answer { request: number.into(), result: Ok(self.stamped(size)) };
        let bytes = frame::solo_bytes(lane, &answer).expect("small");
        self.outbox.solo(lane, bytes, &mut self.counters);
    }

    /// The stamp of now, filled up to a size.
    pub(crate) fn stamped(&self, size: usize) -> Bytes {
        let mut payload = self.now.0.to_le_bytes().to_vec();
        payload.resize(size.max(8), 0);
        payload.into()
    }

    /// One step of time: what is due arrives, what may leave leaves.
    pub(crate) fn step(&mut self) {
        self.now = self.now + STEP;
        self.arrive();
        self.hear_acks();
        let room =
            DATAGRAM_BUFFER_BYTES.saturating_sub(self.datagrams.iter().map(|bytes| bytes.len() + 32).sum());
        let rtt = self.link.delay * 2;
        self.outbox.set_path(Path { rtt, datagram_bytes_max: 1_200, datagram_room: Some(room) });
        self.outbox.advance(self.now);
        while let Some(transmit) = self.outbox.poll(&mut self.counters) {
            match transmit {
                Transmit::Stream { lane, bytes } => {
                    self.buffers.entry((lane, 0)).or_default().waiting.extend(&bytes)
                }
                Transmit::Solo { lane, bytes } => {
                    self.solos += 1;
                    self.buffers.entry((lane, self.solos)).or_default().waiting.extend(&bytes);
                }
                Transmit::Datagram(bytes) => self.datagrams.push_back(bytes),
                Transmit::Close { reason, .. } => panic!("{reason}"),
            }
        }
        while let Some((size, pieces)) = self.next_packet() {
            self.send(size, pieces);
        }
    }

    fn next_packet(&mut self) -> Option<(usize, Vec<Piece>)> {
        if as_f64(self.in_flight_bytes + PACKET_BYTES) > self.window {
            return None;
        }
        let (mut size, mut pieces) = (0, Vec::new());
        while let Some(bytes) = self.datagrams.pop_front_if(|bytes| size + bytes.len() <= PACKET_BYTES) {
            size += bytes.len();
            pieces.push(Piece::Datagram(bytes));
        }
        for (way, buffer) in &mut self.buffers {
            while let Some((at, bytes)) = buffer.take(PACKET_BYTES - size) {
                size += bytes.len();
                pieces.push(Piece::Stream { way: *way, at, bytes });
            }
        }
        (size > 0).then_some((size, pieces))
    }

    fn send(&mut self, size: usize, pieces: Vec<Piece>) {
        let number = self.next_packet;
        self.next_packet += 1;
        self.in_flight.insert(number, (size, pieces.clone()));
        self.in_flight_bytes += size;
        let begins = self.busy_until.max(self.now);
        let is_full = begins.since(self.now) > self.link.queue;
        if is_full || self.random.f64() < self.link.loss {
            return;
        }
        self.busy_until = begins + self.link.time_of(size);
        self.on_the_way.push_back((self.busy_until + self.link.delay, number, pieces));
    }

    fn arrive(&mut self) {
        while let Some((at, number, pieces)) = self.on_the_way.pop_front_if(|(at, ..)| *at <= self.now) {
            self.acks.push_back((at + self.link.delay, number));
            for piece in pieces {
                match piece {
                    Piece::Datagram(bytes) => self.note_state(at, &bytes),
                    Piece::Stream { way, at: offset, bytes } => self.reassemble(at, way, offset, bytes),
                }
            }
        }
        let (arrived, lane_acks, now) = (&mut self.arrived, &mut self.lane_acks, self.now);
        let heard = now + self.link.delay;
        arrived.take(now, |lane, bytes| lane_acks.push_back((heard, LaneAck { lane, bytes, frames: 0 })));
    }

    fn reassemble(&mut self, at: Mono, way: Way, offset: u64, bytes: Vec<u8>) {
        let stream = self.reassembly.entry(way).or_default();
        stream.early.insert(offset, bytes);
        let mut ready = Vec::new();
        while let Some(entry) = stream.early.first_entry()
            && *entry.key() <= stream.next
        {
            let (offset, bytes) = entry.remove_entry();
            // A piece that was held for lost and came nevertheless.
            let known = usize::try_from(stream.next - offset).expect("small");
            if let Some(fresh) = bytes.get(known..) {
                stream.next += frame::count(fresh.len());
                ready.extend_from_slice(fresh);
            }
        }
        if ready.is_empty() {
            return;
        }
        let (lane, solo) = way;
        if solo == 0 {
            self.arrived.bytes(at, lane, frame::count(ready.len()));
        }
        let (key, mut rest) = (StreamKey(u64::from(lane.number()) + 256 * solo), &ready[..]);
        let mut stream = self.incoming.take(key, &mut rest).expect("it begins with its lane");
        while let Some(frame) = stream.next(Sender::Server, &mut rest).expect("whole frames") {
            if let Frame::Answer(Answer { request, result: Ok(value) }) = frame {
                // Alone on its stream.
                return self.note(at, Some(lane), u32::try_from(request).expect("few"), &value);
            }
            let Frame::View(View { generation, payload }) = frame else { panic!("{frame:?}") };
            self.note(at, Some(lane), generation, &payload);
        }
        self.incoming.put(key, stream);
    }

    fn note_state(&mut self, at: Mono, bytes: &[u8]) {
        match frame::read_datagram(Sender::Server, bytes) {
            Ok(Frame::State(State { generation, payload })) => self.note(at, None, generation, &payload),
            other => panic!("a test sends states, not {other:?}"),
        }
    }

    fn note(&mut self, at: Mono, lane: Option<Lane>, number: u32, payload: &[u8]) {
        let sent = u64::from_le_bytes(*payload.first_chunk().expect("a stamp"));
        self.arrivals.push(Arrival { lane, number, took: at.since(Mono(sent)) });
    }

    fn hear_acks(&mut self) {
        while let Some((_, ack)) = self.lane_acks.pop_front_if(|(at, _)| *at <= self.now) {
            self.outbox.acknowledged(ack).expect("it was sent");
        }
        while let Some((_, number)) = self.acks.pop_front_if(|(at, _)| *at <= self.now) {
            if let Some((size, _)) = self.in_flight.remove(&number) {
                self.in_flight_bytes -= size;
                // Slow start, then a packet more each round trip.
                let gain =
                    if self.window < self.threshold { 1.0 } else { as_f64(PACKET_BYTES) / self.window };
                self.window = (self.window + as_f64(size) * gain).min(4_000_000.0);
            }
            while let Some(entry) = self.in_flight.first_entry()
                && *entry.key() + 3 <= number
            {
                let (number, (size, pieces)) = entry.remove_entry();
                self.lose(number, size, pieces);
            }
        }
    }

    fn lose(&mut self, number: u64, size: usize, pieces: Vec<Piece>) {
        self.in_flight_bytes -= size;
        if number >= self.recovered {
            self.recovered = self.next_packet;
            self.window = (self.window * 0.7).max(2.0 * as_f64(PACKET_BYTES));
            self.threshold = self.window;
        }
        for piece in pieces {
            if let Piece::Stream { way, at, bytes } = piece {
                self.buffers.entry(way).or_default().lost.push_back((at, bytes));
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of some megabytes; exact to 2^53")]
fn as_f64(size: usize) -> f64 {
    size as f64
}
