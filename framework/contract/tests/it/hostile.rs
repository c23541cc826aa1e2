//! Bytes that mean harm: reading ends, with an error or a value, and does not panic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use fastrand::Rng;
use lightmoon_contract::codec::{Data, DecodeReason, Limits, Reader, Writer, decode, encode};
use lightmoon_contract::{Descriptor, data};

use crate::arbitrary::Arbitrary;
use crate::bodies;

#[data]
#[derive(Debug, PartialEq, Default)]
struct Everything {
    numbers: Vec<u64>,
    names: BTreeMap<String, Vec<Option<u16>>>,
    set: BTreeSet<(u8, i32)>,
    choice: Choice,
    inside: Vec<Everything>,
}

#[data]
#[derive(Debug, PartialEq, Default)]
enum Choice {
    #[number(1)]
    Text(String),
    #[number(2)]
    Array([u16; 4], #[required] Result<u8, char>),
    #[default]
    #[other]
    #[number(0)]
    Other,
}

impl Arbitrary for Choice {
    fn arbitrary(rng: &mut Rng) -> Self {
        match rng.u8(..3) {
            0 => Self::Text(String::arbitrary(rng)),
            1 => Self::Array(Arbitrary::arbitrary(rng), Arbitrary::arbitrary(rng)),
            _ => Self::Other,
        }
    }
}

impl Everything {
    fn new(rng: &mut Rng, depth: u32) -> Self {
        Self {
            numbers: Vec::arbitrary(rng),
            names: BTreeMap::arbitrary(rng),
            set: BTreeSet::arbitrary(rng),
            choice: Choice::arbitrary(rng),
            inside: (0..depth).map(|_| Self::new(rng, depth - 1)).collect(),
        }
    }
}

/// What decodes is written back to bytes that decode to the same.
fn survives<T: Data + Debug + PartialEq>(bytes: &[u8], limits: Limits, what: impl Fn() -> String) {
    if let Ok(value) = decode::<T>(bytes, limits) {
        let again = encode(&value);
        let wide = Limits { input_bytes: usize::MAX, allocation_bytes: usize::MAX, ..limits };
        assert_eq!(decode::<T>(&again, wide.strict()).as_ref(), Ok(&value), "{}", what());
    }
}

#[test]
fn mutants_are_refused_or_read_but_never_panic() {
    for seed in 0..4_000 {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = encode(&Everything::new(&mut rng, 2));
        for _ in 0..rng.usize(1..=4) {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        survives::<Everything>(&bytes, Limits::CLIENT, || format!("seed {seed}"));
        survives::<Everything>(&bytes, Limits::CLIENT.strict(), || format!("seed {seed}, strict"));
    }
}

#[test]
fn noise_is_refused_or_read_but_never_panics() {
    for seed in 0..4_000 {
        let mut rng = Rng::with_seed(seed);
        let bytes: Vec<u8> =
            (0..rng.usize(..200)).map(|_| if rng.bool() { rng.u8(..8) } else { rng.u8(..) }).collect();
        survives::<Everything>(&bytes, Limits::CLIENT, || format!("seed {seed}"));
        survives::<Vec<Choice>>(&bytes, Limits::CLIENT, || format!("seed {seed}"));
        // A descriptor is read before a client proved anything.
        if let Ok(descriptor) = Descriptor::from_bytes(&bytes) {
            let _ = lightmoon_contract::descriptor::check_compatible(&descriptor, &descriptor);
        }
    }
}

#[test]
fn a_count_beyond_the_bytes_that_follow_is_refused_at_once() {
    for count in [65u64, 10_000_000, 1 << 32, 1 << 40, u64::MAX / 8, u64::MAX - 1, u64::MAX] {
        let mut writer = Writer::new();
        writer.varint(count);
        writer.raw(&[0; 64]);
        let bytes = writer.into_bytes();
        let refused = [
            decode::<Vec<u64>>(&bytes, Limits::NODE).err(),
            decode::<Vec<Vec<String>>>(&bytes, Limits::NODE).err(),
            decode::<Vec<u8>>(&bytes, Limits::NODE).err(),
            decode::<String>(&bytes, Limits::NODE).err(),
            decode::<BTreeMap<u8, ()>>(&bytes, Limits::NODE).err(),
            decode::<BTreeSet<Option<()>>>(&bytes, Limits::NODE).err(),
        ];
        for error in refused {
            assert_eq!(
                error.map(|error| (error.reason(), error.at())),
                Some((DecodeReason::Count, 0)),
                "{count}"
            );
        }
    }
}

#[test]
fn memory_is_one_budget_over_all_lists() {
    // 16 KiB of empty texts are 24 bytes each in memory: 384 KiB, more than a client may cost.
    let list = vec![String::new(); 16_000];
    let bytes = encode(&list);
    assert_eq!(decode::<Vec<String>>(&bytes, Limits::CLIENT).unwrap_err().reason(), DecodeReason::Allocation);
    // The same in many short lists.
    let lists = vec![vec![String::new(); 15]; 1_000];
    let bytes = encode(&lists);
    assert_eq!(
        decode::<Vec<Vec<String>>>(&bytes, Limits::CLIENT).unwrap_err().reason(),
        DecodeReason::Allocation
    );
    assert!(decode::<Vec<Vec<String>>>(&bytes, Limits::NODE).is_ok());
}

#[test]
fn input_over_the_limit_is_refused_unread() {
    let bytes = vec![0; Limits::CLIENT.input_bytes + 1];
    assert_eq!(decode::<u8>(&bytes, Limits::CLIENT).unwrap_err().reason(), DecodeReason::TooLong);
}

#[test]
fn a_strict_reader_takes_our_own_form_only() {
    let long = [0xFB, 5, 0];
    assert_eq!(decode::<u16>(&long, Limits::CLIENT), Ok(5));
    assert_eq!(
        decode::<u16>(&long, Limits::CLIENT.strict()).unwrap_err().reason(),
        DecodeReason::NotShortest
    );
    for keys in [[1, 1], [2, 1]] {
        let map = [2, keys[0], 9, keys[1], 8];
        assert!(decode::<BTreeMap<u8, u8>>(&map, Limits::CLIENT).is_ok());
        let error = decode::<BTreeMap<u8, u8>>(&map, Limits::CLIENT.strict()).unwrap_err();
        assert_eq!((error.reason(), error.at()), (DecodeReason::KeyOrder, 3));
        let set = [2, keys[0], keys[1]];
        let error = decode::<BTreeSet<u8>>(&set, Limits::CLIENT.strict()).unwrap_err();
        assert_eq!((error.reason(), error.at()), (DecodeReason::KeyOrder, 2));
    }
    // The last value of a repeated key counts.
    assert_eq!(decode::<BTreeMap<u8, u8>>(&[2, 1, 9, 1, 8], Limits::CLIENT), Ok(BTreeMap::from([(1, 8)])));
}

/// The inputs that fuzzing starts from, found ones included.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        seeds.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    seeds.sort();
    assert!(!seeds.is_empty(), "{folder} is empty");
    seeds
}

#[test]
fn the_fuzz_targets_survive_their_seeds_and_mutants_of_them() {
    for (name, bytes) in seeds("contract_read") {
        for seed in 0..60 {
            let mut rng = Rng::with_seed(seed);
            let mut bytes = bytes.clone();
            for _ in 0..seed.min(4) {
                let at = rng.usize(..bytes.len());
                bytes[at] = rng.u8(..);
            }
            let run = std::panic::catch_unwind(|| bodies::read(&bytes));
            assert!(run.is_ok(), "{name}, seed {seed}");
        }
    }
    for (name, bytes) in seeds("contract_descriptor") {
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] = bytes[at].wrapping_add(1);
            let run = std::panic::catch_unwind(|| bodies::descriptor(&bytes));
            assert!(run.is_ok(), "{name}, byte {at}");
        }
    }
}

#[test]
fn a_list_that_fails_has_spent_what_it_claimed() {
    // Two lists of bytes: one of 40, and one whose count is more than what follows.
    let mut bytes = vec![2, 40];
    bytes.extend([0; 40]);
    bytes.push(99);
    let claimed = 2 * size_of::<Vec<u8>>() + 40;
    let limits = Limits { allocation_bytes: claimed + 10, ..Limits::NODE };
    let mut reader = Reader::new(&bytes, limits).unwrap();
    assert_eq!(reader.get::<Vec<Vec<u8>>>().unwrap_err().reason(), DecodeReason::Count);
    assert_eq!(reader.remaining(), 0);
    assert_eq!(reader.claim(11).unwrap_err().reason(), DecodeReason::Allocation);
    assert_eq!(reader.claim(10), Ok(()));
}
