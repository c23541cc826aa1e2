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

use crate::figure::Figure;
use crate::measure::{Body, Effort, medians};

const BINCODE: Configuration = config::standard();

/// Bytes of the body of a usual call.
const BODY_BYTES: usize = 48;
/// Points in the list.
const POINTS: u16 = 1_000;

/// Ours may cost as much as bincode, which checks less.
const GOAL_FIXED: f64 = 1.0;
/// The length in front of a growing value costs a second look at the buffer.
const GOAL_GROWING: f64 = 1.25;

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

    let mut figures = Vec::new();
    let bytes = codec::encode(&fixed);
    let subject = Subject { name: "envelope", unit: "ns", units: 1.0 };
    let mut bodies = [ours(&fixed), ours(&growing), peer(&fixed), floor(&bytes, BODY_BYTES)];
    let times = medians(effort, &mut bodies);
    figures.push(subject.figure("fixed", times[0], Beside::Bincode(times[2]), Some(GOAL_FIXED)));
    figures.push(subject.figure("growing", times[1], Beside::Bincode(times[2]), Some(GOAL_GROWING)));
    figures.push(subject.figure("fixed", times[0], Beside::Copying(times[3]), None));
    figures.push(subject.figure("bincode", times[2], Beside::Copying(times[3]), None));

    let bytes = codec::encode(&points);
    let subject = Subject { name: "points-1000", unit: "us", units: 1e-3 };
    let owned = points.len() * size_of::<Point>();
    let times = medians(effort, &mut [ours(&points), peer(&points), floor(&bytes, owned)]);
    figures.push(subject.figure("fixed", times[0], Beside::Bincode(times[1]), Some(GOAL_FIXED)));
    figures.push(subject.figure("fixed", times[0], Beside::Copying(times[2]), None));
    figures
}

/// What is encoded and decoded.
struct Subject {
    name: &'static str,
    unit: &'static str,
    /// Units in a nanosecond.
    units: f64,
}

/// What a time is compared with, in nanoseconds.
enum Beside {
    Bincode(f64),
    Copying(f64),
}

impl Subject {
    fn figure(&self, variant: &str, nanoseconds: f64, beside: Beside, goal: Option<f64>) -> Figure {
        let (other, beside) = match beside {
            Beside::Bincode(time) => (time, "bincode 2.0.1"),
            Beside::Copying(time) => (time, "copying"),
        };
        let name = format!("codec.{}.{variant}", self.name);
        Figure {
            name,
            value: nanoseconds * self.units,
            unit: self.unit,
            ratio: nanoseconds / other,
            beside,
            goal,
        }
    }
}

fn ours<'a, T: Data + PartialEq + std::fmt::Debug>(value: &'a T) -> Body<'a> {
    let mut buffer = codec::encode(value);
    assert_eq!(codec::decode::<T>(&buffer, Limits::NODE).as_ref(), Ok(value));
    Box::new(move |count| {
        for _ in 0..count {
            let mut kept = std::mem::take(&mut buffer);
            kept.clear();
            let mut writer = Writer::onto(kept);
            black_box(value).write(&mut writer);
            buffer = writer.into_bytes();
            black_box(codec::decode::<T>(black_box(&buffer), Limits::NODE))
                .expect("what was encoded is decoded");
        }
    })
}

fn peer<'a, T: Encode + Decode<()> + PartialEq + std::fmt::Debug>(value: &'a T) -> Body<'a> {
    let mut buffer = bincode::encode_to_vec(value, BINCODE).expect("a plain value is encoded");
    let decode = |bytes: &[u8]| bincode::decode_from_slice::<T, _>(bytes, BINCODE).map(|(value, _)| value);
    assert_eq!(decode(&buffer).as_ref().ok(), Some(value));
    Box::new(move |count| {
        for _ in 0..count {
            let written =
                bincode::encode_into_slice(black_box(value), &mut buffer, BINCODE).expect("it fits");
            black_box(decode(black_box(&buffer[..written]))).expect("what was encoded is decoded");
        }
    })
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
