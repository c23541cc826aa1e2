//! Our bytes against those of `bincode` 2.0.1 "standard", for every type of the format.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI64, NonZeroU8, NonZeroU32};
use std::time::{Duration, SystemTime};

use bincode::config::standard;
use fastrand::Rng;
use lightmoon_contract::codec::{Data, DecodeReason, Limits, decode, encode};
use lightmoon_contract::data;

use crate::arbitrary::Arbitrary;

/// Values for each type: enough to meet all widths and edges many times.
const VALUES: u64 = 300;

/// Wide enough that honest values of the tests fit.
fn limits() -> Limits {
    Limits::NODE.strict()
}

fn agrees<T>()
where
    T: Data + Arbitrary + PartialEq + Debug + bincode::Encode + bincode::Decode<()>,
{
    for seed in 0..VALUES {
        let value = T::arbitrary(&mut Rng::with_seed(seed));
        let ours = encode(&value);
        let theirs = bincode::encode_to_vec(&value, standard()).unwrap();
        assert_eq!(ours, theirs, "seed {seed}: {value:?}");
        assert!(ours.len() >= T::MIN_BYTES, "seed {seed}: MIN_BYTES of {value:?}");
        assert_eq!(decode::<T>(&ours, limits()).as_ref(), Ok(&value), "seed {seed}");
        assert_eq!(
            bincode::decode_from_slice(&ours, standard()).unwrap(),
            (value, ours.len()),
            "seed {seed}"
        );
        refuses_all_but_the_whole::<T>(&ours, seed);
    }
}

/// Every prefix and one byte more are errors.
fn refuses_all_but_the_whole<T: Data + Debug>(bytes: &[u8], seed: u64) {
    // Long values are cut at 250 places: all prefixes of all values would take most of the tests' time.
    for length in (0..bytes.len()).step_by(bytes.len() / 250 + 1) {
        assert!(
            decode::<T>(&bytes[..length], limits()).is_err(),
            "seed {seed}: prefix {length} of {bytes:02x?}"
        );
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    let error = decode::<T>(&longer, limits()).unwrap_err();
    assert_eq!((error.reason(), error.at()), (DecodeReason::Trailing, bytes.len()), "seed {seed}");
}

macro_rules! agree {
    ($($name:ident: $($type:ty),+;)*) => {$(
        #[test]
        fn $name() {
            $(agrees::<$type>();)+
        }
    )*};
}

agree! {
    integers_are_bincodes: u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize;
    floats_bools_and_chars_are_bincodes: f32, f64, bool, char;
    texts_and_lists_are_bincodes: String, Vec<u8>, Vec<u16>, Vec<String>, Vec<Vec<i64>>, VecDeque<u32>, VecDeque<u8>, Vec<(u8, String)>;
    maps_and_sets_are_bincodes: BTreeMap<u16, String>, BTreeMap<String, Vec<u8>>, BTreeSet<i32>, BTreeSet<String>;
    options_and_results_are_bincodes: Option<u32>, Option<Option<bool>>, Option<()>, Result<u16, String>, Result<(), Option<u8>>;
    tuples_arrays_and_boxes_are_bincodes: (), (u16, i8), (String, Option<u64>, bool), [u16; 3], [u8; 32], [String; 2], Box<u32>;
    times_and_addresses_are_bincodes: Duration, SystemTime, Ipv4Addr, Ipv6Addr, IpAddr, SocketAddr;
    numbers_that_are_never_0_are_bincodes: NonZeroU8, NonZeroU32, NonZeroI64;
}

/// A fixed struct and a fixed enum are what bincode's derives write.
#[data(fixed)]
#[derive(Debug, PartialEq, bincode::Encode, bincode::Decode)]
struct Inner {
    small: u8,
    text: String,
}

#[data(fixed)]
#[derive(Debug, PartialEq, bincode::Encode, bincode::Decode)]
enum Choice {
    Nothing,
    Pair(u32, i8),
    Named { inner: Inner, list: Vec<u16> },
}

#[data(fixed)]
#[derive(Debug, PartialEq, bincode::Encode, bincode::Decode)]
struct Outer {
    choices: Vec<Choice>,
    map: BTreeMap<u16, Inner>,
    unit: (),
}

impl Arbitrary for Inner {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self { small: u8::arbitrary(rng), text: String::arbitrary(rng) }
    }
}

impl Arbitrary for Choice {
    fn arbitrary(rng: &mut Rng) -> Self {
        match rng.u8(..3) {
            0 => Self::Nothing,
            1 => Self::Pair(u32::arbitrary(rng), i8::arbitrary(rng)),
            _ => Self::Named { inner: Inner::arbitrary(rng), list: Vec::arbitrary(rng) },
        }
    }
}

impl Arbitrary for Outer {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self { choices: Vec::arbitrary(rng), map: BTreeMap::arbitrary(rng), unit: () }
    }
}

agree! {
    fixed_structs_and_enums_are_bincodes: Inner, Choice, Outer;
}

/// A growing struct is a `Vec<u8>` that holds its fields; a growing variant is its number, then such a list.
#[data]
#[derive(Debug, PartialEq, Default)]
struct Growing {
    a: u16,
    text: String,
    inside: Vec<Kind>,
}

#[data]
#[derive(Debug, PartialEq, Default)]
enum Kind {
    #[number(7)]
    Pair(u32, i8),
    #[number(300)]
    Unit,
    #[default]
    #[other]
    #[number(0)]
    Other,
}

impl Kind {
    fn oracle(&self) -> Vec<u8> {
        let (number, fields) = match self {
            Self::Pair(a, b) => (7u32, bincode::encode_to_vec((a, b), standard()).unwrap()),
            Self::Unit => (300, Vec::new()),
            Self::Other => (0, Vec::new()),
        };
        bincode::encode_to_vec((number, fields), standard()).unwrap()
    }
}

impl Growing {
    fn oracle(&self) -> Vec<u8> {
        let mut fields =
            bincode::encode_to_vec((self.a, &self.text, self.inside.len() as u64), standard()).unwrap();
        fields.extend(self.inside.iter().flat_map(Kind::oracle));
        bincode::encode_to_vec(fields, standard()).unwrap()
    }
}

impl Arbitrary for Kind {
    fn arbitrary(rng: &mut Rng) -> Self {
        match rng.u8(..3) {
            0 => Self::Pair(u32::arbitrary(rng), i8::arbitrary(rng)),
            1 => Self::Unit,
            _ => Self::Other,
        }
    }
}

impl Arbitrary for Growing {
    fn arbitrary(rng: &mut Rng) -> Self {
        Self { a: u16::arbitrary(rng), text: String::arbitrary(rng), inside: Vec::arbitrary(rng) }
    }
}

#[test]
fn growing_types_are_lists_of_bytes_that_hold_their_fields() {
    for seed in 0..VALUES {
        let value = Growing::arbitrary(&mut Rng::with_seed(seed));
        let ours = encode(&value);
        assert_eq!(ours, value.oracle(), "seed {seed}: {value:?}");
        assert_eq!(decode::<Growing>(&ours, limits()).as_ref(), Ok(&value), "seed {seed}");
        refuses_all_but_the_whole::<Growing>(&ours, seed);
    }
}
