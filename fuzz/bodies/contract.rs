//! What the fuzz targets of the byte format do with their input; ordinary tests run the same over the seeds and noise.
//!
//! Whatever comes: no panic, no loop that outlives its input, and what was read is written back to the same value.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::time::Duration;

use lightmoon_contract::codec::{Data, Limits, decode, encode};
use lightmoon_contract::descriptor::check_compatible;
use lightmoon_contract::{Descriptor, NetId, data};

/// A growing type with most of what can be inside.
#[data]
#[derive(Clone, Debug, Default)]
pub(crate) struct Everything {
    pub(crate) numbers: Vec<u64>,
    pub(crate) names: BTreeMap<String, Vec<Option<u16>>>,
    pub(crate) set: BTreeSet<(u8, i32)>,
    pub(crate) choice: Choice,
    pub(crate) queue: VecDeque<Box<Fixed>>,
    pub(crate) inside: Vec<Everything>,
}

/// A growing enum.
#[data]
#[derive(Clone, Debug, Default)]
pub(crate) enum Choice {
    #[number(1)]
    Text(String),
    #[number(2)]
    Array([u16; 4], #[required] Result<u8, char>),
    #[number(300)]
    Deep { inside: Option<Box<Everything>> },
    #[default]
    #[other]
    #[number(0)]
    Other,
}

/// A fixed enum with the scalars that are not integers.
#[data(fixed)]
#[derive(Clone, Debug)]
pub(crate) enum Fixed {
    Nothing,
    Reals(f32, f64, bool),
    Addresses { ip: IpAddr, socket: SocketAddr, id: NetId },
    Others(Duration, NonZeroU16, u128, i128, [u8; 3]),
    Again(Option<Box<Fixed>>),
}

/// Reads the bytes after the first as the type that the first one chooses.
pub(crate) fn read(input: &[u8]) {
    let Some((which, bytes)) = input.split_first() else { return };
    match which % 5 {
        0 => check::<Everything>(bytes),
        1 => check::<Vec<Choice>>(bytes),
        2 => check::<BTreeMap<String, BTreeSet<u32>>>(bytes),
        3 => exactly::<Vec<Fixed>>(bytes),
        _ => exactly::<(BTreeMap<i16, char>, String, Option<Vec<u8>>)>(bytes),
    }
}

/// What is read is written to bytes that a strict reader takes for the same.
fn check<T: Data>(bytes: &[u8]) {
    let strict = decode::<T>(bytes, Limits::CLIENT.strict());
    let Ok(value) = decode::<T>(bytes, Limits::CLIENT) else {
        assert!(strict.is_err(), "a strict reader takes no more than others");
        return;
    };
    let written = encode(&value);
    // Missing fields come back as their defaults, so what is written may be longer than what was read.
    let wide = Limits { input_bytes: usize::MAX, allocation_bytes: usize::MAX, ..Limits::CLIENT.strict() };
    match decode::<T>(&written, wide) {
        Ok(again) => assert_eq!(encode(&again), written),
        Err(error) => panic!("own bytes are refused: {error}"),
    }
}

/// Types without growing parts have one form: a strict reader takes only what would be written.
fn exactly<T: Data>(bytes: &[u8]) {
    check::<T>(bytes);
    if let Ok(value) = decode::<T>(bytes, Limits::CLIENT.strict()) {
        assert_eq!(encode(&value), bytes);
    }
}

/// Reads a descriptor as a server does in a handshake.
pub(crate) fn descriptor(input: &[u8]) {
    let Ok(client) = Descriptor::from_bytes(input) else { return };
    let _ = client.to_json();
    let _ = client.fingerprint();
    // A descriptor from outside may refer to types that it does not have; with itself it is compatible otherwise.
    let _ = check_compatible(&client, &client);
    let again = Descriptor::from_bytes(&client.to_bytes());
    assert!(again.is_err() || again.is_ok_and(|again| again.to_bytes() == client.to_bytes()));
}
