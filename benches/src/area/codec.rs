//! The byte format: our codec beside bincode 2.0.1 and beside copying.
//!
//! *Responsible for*: an envelope with a body of 48 bytes, fixed and growing, and a list of 1,000 points.
//! *Not responsible for*: equality of the bytes in general; `lightmoon-contract` tests that.
//!
//! Each repetition encodes into a buffer that is kept and decodes into a new value. The floor copies the encoded bytes
//! into the buffer and, where a decoded value owns memory, out into a new allocation.

use std::hint::black_box;

use bincode::config::{self, Configuration};
use bincode::{Decode, Encode};
use lightmoon_contract::codec::{self, Data, Limits};
use lightmoon_contract::{Writer, data};

use crate::figure::{Figure, Goal};
use crate::measure::{Body, Effort, Times};

const BINCODE: Configuration = config::standard();

/// Bytes of the body of a usual call.
const BODY_BYTES: usize = 48;
/// Points in the list.
const POINTS: u16 = 1_000;

/// Ours may cost as much as bincode, which checks less.
const GOAL_FIXED: Goal = Goal::Ratio(1.0);
/// The length in front of a growing value costs a second look at the buffer.
const GOAL_GROWING: Goal = Goal::Ratio(1.25);
/// Nanoseconds of an envelope, there and back: 4 % of a core at a million messages a second.
const GOAL_ENVELOPE: Goal = Goal::Value(25.0);

#[data(fixed)]
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
struct Fixed {
    kind: u16,
    key: u64,
    number: u16,
    request: u64,
    timeout_ms: u32,
    body: Vec<u8>,
}

#[data]
#[derive(Clone, PartialEq, Debug)]
struct Growing {
    kind: u16,
    key: u64,
    number: u16,
    request: u64,
    timeout_ms: u32,
    body: Vec<u8>,
}

#[data(fixed)]
#[derive(Clone, Copy, PartialEq, Debug, Encode, Decode)]
struct Point {
    x: f32,
    y: f32,
    hue: u16,
}

/// Measures the shapes.
pub(crate) fn run(effort: Effort) -> Vec<Figure> {
    let mut rng = fastrand::Rng::with_seed(1);
    let body: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(BODY_BYTES).collect();
    let (kind, key, number, request, timeout_ms) = (7, 4_242, 3, 70_000, 5_000);
    let fixed = Fixed { kind, key, number, request, timeout_ms, body: body.clone() };
    let growing = Growing { kind, key, number, request, timeout_ms, body };
    let points: Vec<Point> =
        (0..POINTS).map(|index| Point { x: rng.f32(), y: rng.f32(), hue: index % 360 }).collect();

    let mut figures = envelopes(effort, &fixed, &growing);
    figures.extend(lists(effort, &points));
    figures
}

fn envelopes(effort: Effort, fixed: &Fixed, growing: &Growing) -> Vec<Figure> {
    let bytes = codec::encode(fixed);
    let subject = Subject { name: "envelope", unit: "ns", units: 1.0 };
    let mut bodies = [ours(fixed), ours(growing), peer(fixed), floor(&bytes, BODY_BYTES)];
    let times = Times::measure(effort, &mut bodies);
    vec![
        subject.figure("fixed", &times, 0, Beside::Bincode(2), Some(GOAL_FIXED)),
        subject.figure("growing", &times, 1, Beside::Bincode(2), Some(GOAL_GROWING)),
        subject.figure("fixed", &times, 0, Beside::Copying(3), Some(GOAL_ENVELOPE)),
        subject.figure("growing", &times, 1, Beside::Copying(3), Some(GOAL_ENVELOPE)),
        subject.figure("bincode", &times, 2, Beside::Copying(3), None),
    ]
}

fn lists(effort: Effort, points: &Vec<Point>) -> Vec<Figure> {
    let bytes = codec::encode(points);
    let subject = Subject { name: "points-1000", unit: "us", units: 1e-3 };
    let owned = points.len() * size_of::<Point>();
    let mut bodies = [ours(points), peer(points), floor(&bytes, owned)];
    let times = Times::measure(effort, &mut bodies);
    let mut halves = [encoding(points), peer_encoding(points), decoding(points), peer_decoding(points)];
    let halves = Times::measure(effort, &mut halves);
    vec![
        subject.figure("fixed", &times, 0, Beside::Bincode(1), Some(GOAL_FIXED)),
        subject.figure("fixed", &times, 0, Beside::Copying(2), None),
        subject.figure("fixed.encode", &halves, 0, Beside::Bincode(1), None),
        subject.figure("fixed.decode", &halves, 2, Beside::Bincode(3), None),
    ]
}

/// What is encoded and decoded.
struct Subject {
    name: &'static str,
    unit: &'static str,
    /// Units in a nanosecond.
    units: f64,
}

/// What a body is compared with: the index of another body.
enum Beside {
    Bincode(usize),
    Copying(usize),
}

impl Subject {
    fn figure(
        &self,
        variant: &str,
        times: &Times,
        body: usize,
        beside: Beside,
        goal: Option<Goal>,
    ) -> Figure {
        let (other, beside) = match beside {
            Beside::Bincode(other) => (other, "bincode 2.0.1"),
            Beside::Copying(other) => (other, "copying"),
        };
        Figure {
            name: format!("codec.{}.{variant}", self.name),
            value: times.of(body) * self.units,
            unit: self.unit,
            ratio: times.ratio(body, other),
            beside,
            goal,
        }
    }
}

/// Both halves.
fn ours<'a, T: Data + PartialEq + std::fmt::Debug>(value: &'a T) -> Body<'a> {
    let mut buffer = codec::encode(value);
    assert_eq!(codec::decode::<T>(&buffer, Limits::NODE).as_ref(), Ok(value));
    Box::new(move |count| {
        for _ in 0..count {
            encode_into(black_box(value), &mut buffer);
            black_box(decode::<T>(black_box(&buffer)));
        }
    })
}

fn encoding<T: Data>(value: &T) -> Body<'_> {
    let mut buffer = Vec::new();
    Box::new(move |count| {
        for _ in 0..count {
            encode_into(black_box(value), &mut buffer);
            black_box(&buffer);
        }
    })
}

fn decoding<T: Data>(value: &T) -> Body<'_> {
    let bytes = codec::encode(value);
    Box::new(move |count| {
        for _ in 0..count {
            black_box(decode::<T>(black_box(&bytes)));
        }
    })
}

/// Encodes into a buffer that is kept.
fn encode_into<T: Data>(value: &T, buffer: &mut Vec<u8>) {
    let mut kept = std::mem::take(buffer);
    kept.clear();
    let mut writer = Writer::onto(kept);
    value.write(&mut writer);
    *buffer = writer.into_bytes();
}

fn decode<T: Data>(bytes: &[u8]) -> T {
    codec::decode(bytes, Limits::NODE).expect("what was encoded is decoded")
}

/// Both halves.
fn peer<'a, T: Encode + Decode<()> + PartialEq + std::fmt::Debug>(value: &'a T) -> Body<'a> {
    let mut buffer = bincode::encode_to_vec(value, BINCODE).expect("a plain value is encoded");
    assert_eq!(&peer_decode::<T>(&buffer), value);
    Box::new(move |count| {
        for _ in 0..count {
            let written = peer_encode_into(black_box(value), &mut buffer);
            black_box(peer_decode::<T>(black_box(&buffer[..written])));
        }
    })
}

fn peer_encoding<T: Encode>(value: &T) -> Body<'_> {
    let mut buffer = bincode::encode_to_vec(value, BINCODE).expect("a plain value is encoded");
    Box::new(move |count| {
        for _ in 0..count {
            peer_encode_into(black_box(value), &mut buffer);
            black_box(&buffer);
        }
    })
}

fn peer_decoding<'a, T: Encode + Decode<()> + 'a>(value: &T) -> Body<'a> {
    let bytes = bincode::encode_to_vec(value, BINCODE).expect("a plain value is encoded");
    Box::new(move |count| {
        for _ in 0..count {
            black_box(peer_decode::<T>(black_box(&bytes)));
        }
    })
}

fn peer_encode_into<T: Encode>(value: &T, buffer: &mut [u8]) -> usize {
    bincode::encode_into_slice(value, buffer, BINCODE).expect("it fits")
}

fn peer_decode<T: Decode<()>>(bytes: &[u8]) -> T {
    bincode::decode_from_slice(bytes, BINCODE).expect("what was encoded is decoded").0
}

/// Copies the bytes into a buffer, and `owned` bytes into a new allocation.
fn floor(bytes: &[u8], owned: usize) -> Body<'_> {
    let mut buffer = vec![0; bytes.len()];
    let value = vec![1_u8; owned];
    Box::new(move |count| {
        for _ in 0..count {
            buffer.copy_from_slice(black_box(bytes));
            black_box(&buffer);
            black_box(black_box(&value).clone());
        }
    })
}

#[cfg(test)]
mod tests {
    use lightmoon_contract::codec;

    use super::{BINCODE, Fixed, Point};

    #[test]
    fn both_sides_write_the_same_bytes() {
        let fixed =
            Fixed { kind: 7, key: 300, number: 1, request: 70_000, timeout_ms: 5, body: vec![1, 2, 3] };
        assert_eq!(codec::encode(&fixed), bincode::encode_to_vec(&fixed, BINCODE).unwrap());
        let points = vec![Point { x: 1.0, y: -2.5, hue: 300 }; 3];
        assert_eq!(codec::encode(&points), bincode::encode_to_vec(&points, BINCODE).unwrap());
    }
}
