//! Values of all types from a seed.
//!
//! *Responsible for*: values near the borders of the format as often as in between. *Not responsible for*: shrinking.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI64, NonZeroU8, NonZeroU32};
use std::time::{Duration, SystemTime};

use fastrand::Rng;

/// A value drawn from a seed.
pub(crate) trait Arbitrary {
    fn arbitrary(rng: &mut Rng) -> Self;
}

macro_rules! integers {
    ($($type:ident)*) => {$(
        impl Arbitrary for $type {
            /// All widths are as likely; the format changes its form with the width.
            fn arbitrary(rng: &mut Rng) -> Self {
                let edges = [0, 1, 2, 125, 126, 127, Self::MAX, Self::MIN, Self::MAX - 1, Self::MIN + 1];
                if rng.u8(..4) == 0 {
                    edges[rng.usize(..edges.len())]
                } else {
                    rng.$type(..) >> rng.u32(..Self::BITS)
                }
            }
        }
    )*};
}

integers! { u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize }

impl Arbitrary for bool {
    fn arbitrary(rng: &mut Rng) -> Self {
        rng.bool()
    }
}

impl Arbitrary for char {
    fn arbitrary(rng: &mut Rng) -> Self {
        match rng.u8(..4) {
            0 => rng.char('\0'..='\u{7F}'),
            1 => rng.char('\u{80}'..='\u{7FF}'),
            2 => rng.char('\u{800}'..='\u{FFFF}'),
            _ => rng.char('\u{10000}'..='\u{10FFFF}'),
        }
    }
}

impl Arbitrary for f32 {
    fn arbitrary(rng: &mut Rng) -> Self {
        // Not a NaN: those are not equal to themselves; the vectors have one.
        let value = Self::from_bits(rng.u32(..));
        if value.is_nan() { Self::INFINITY } else { value }
    }
}

impl Arbitrary for f64 {
    fn arbitrary(rng: &mut Rng) -> Self {
        let value = Self::from_bits(rng.u64(..));
        if value.is_nan() { Self::NEG_INFINITY } else { value }
    }
}

fn count(rng: &mut Rng) -> usize {
    if rng.u8(..50) == 0 { rng.usize(240..300) } else { rng.usize(..6) }
}

impl Arbitrary for String {
    fn arbitrary(rng: &mut Rng) -> Self {
        (0..count(rng)).map(|_| char::arbitrary(rng)).collect()
    }
}

impl<T: Arbitrary> Arbitrary for Vec<T> {
    fn arbitrary(rng: &mut Rng) -> Self {
        (0..count(rng)).map(|_| T::arbitrary(rng)).collect()
    }
}

impl<T: Arbitrary> Arbitrary for VecDeque<T> {
    fn arbitrary(rng: &mut Rng) -> Self {
        let mut queue: Self = Vec::arbitrary(rng).into();
        queue.push_front(T::arbitrary(rng));
        queue
    }
}

impl<K: Arbitrary + Ord, V: Arbitrary> Arbitrary for BTreeMap<K, V> {
    fn arbitrary(rng: &mut Rng) -> Self {
        (0..count(rng)).map(|_| (K::arbitrary(rng), V::arbitrary(rng))).collect()
    }
}

impl<T: Arbitrary + Ord> Arbitrary for BTreeSet<T> {
    fn arbitrary(rng: &mut Rng) -> Self {
        (0..count(rng)).map(|_| T::arbitrary(rng)).collect()
    }
}

impl<T: Arbitrary> Arbitrary for Option<T> {
    fn arbitrary(rng: &mut Rng) -> Self {
        rng.bool().then(|| T::arbitrary(rng))
    }
}

impl<T: Arbitrary, E: Arbitrary> Arbitrary for Result<T, E> {
    fn arbitrary(rng: &mut Rng) -> Self {
        if rng.bool() { Ok(T::arbitrary(rng)) } else { Err(E::arbitrary(rng)) }
    }
}

impl<T: Arbitrary> Arbitrary for Box<T> {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self::new(T::arbitrary(rng))
    }
}

impl<T: Arbitrary, const N: usize> Arbitrary for [T; N] {
    fn arbitrary(rng: &mut Rng) -> Self {
        std::array::from_fn(|_| T::arbitrary(rng))
    }
}

impl Arbitrary for () {
    fn arbitrary(_: &mut Rng) -> Self {}
}

impl<A: Arbitrary, B: Arbitrary> Arbitrary for (A, B) {
    fn arbitrary(rng: &mut Rng) -> Self {
        (A::arbitrary(rng), B::arbitrary(rng))
    }
}

impl<A: Arbitrary, B: Arbitrary, C: Arbitrary> Arbitrary for (A, B, C) {
    fn arbitrary(rng: &mut Rng) -> Self {
        (A::arbitrary(rng), B::arbitrary(rng), C::arbitrary(rng))
    }
}

impl Arbitrary for Duration {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self::new(u64::arbitrary(rng), u32::arbitrary(rng) % 1_000_000_000)
    }
}

impl Arbitrary for SystemTime {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self::UNIX_EPOCH + Duration::new(u64::from(u32::arbitrary(rng)), u32::arbitrary(rng) % 1_000_000_000)
    }
}

impl Arbitrary for Ipv4Addr {
    fn arbitrary(rng: &mut Rng) -> Self {
        rng.u32(..).into()
    }
}

impl Arbitrary for Ipv6Addr {
    fn arbitrary(rng: &mut Rng) -> Self {
        rng.u128(..).into()
    }
}

impl Arbitrary for IpAddr {
    fn arbitrary(rng: &mut Rng) -> Self {
        if rng.bool() { Self::V4(Ipv4Addr::arbitrary(rng)) } else { Self::V6(Ipv6Addr::arbitrary(rng)) }
    }
}

impl Arbitrary for SocketAddr {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self::new(IpAddr::arbitrary(rng), u16::arbitrary(rng))
    }
}

impl Arbitrary for NonZeroU8 {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self::new(rng.u8(1..)).unwrap()
    }
}

impl Arbitrary for NonZeroU32 {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self::new(u32::arbitrary(rng)).unwrap_or(Self::MAX)
    }
}

impl Arbitrary for NonZeroI64 {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self::new(i64::arbitrary(rng)).unwrap_or(Self::MIN)
    }
}
