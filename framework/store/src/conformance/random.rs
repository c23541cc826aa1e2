//! Random requests, against the memory store as the model.

use bytes::Bytes;
use fastrand::Rng;
use lightmoon_contract::Mono;

use super::bench::{Bench, EPOCH, SEQ, test};
use crate::{
    Area, Change, Condition, Head, Is, KeyRange, MemoryStore, Partition, Request, Row, Scan, Space, Store,
    Ticket,
};

/// Requests in one run: enough that few keys and numbers meet each other in every way.
const STEPS: usize = 3_000;

pub(super) fn agrees_with_memory(bench: &mut Bench<'_>) -> Result<(), String> {
    // Always the same run: a failure is seen again.
    Comparison::new(0x5703_E5EE_D000_0001).go_on(bench, STEPS)
}

/// A run of random requests beside its model. It goes on when the store was opened again.
pub(super) struct Comparison {
    random: Rng,
    model: MemoryStore,
    step: usize,
}

impl Comparison {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), model: MemoryStore::new(), step: 0 }
    }

    pub(super) fn go_on(&mut self, bench: &mut Bench<'_>, steps: usize) -> Result<(), String> {
        for _ in 0..steps {
            let (request, step) = (request(&mut self.random), self.step);
            self.step += 1;
            let got = bench.call(request.clone())?;
            self.model
                .submit(Ticket(0), request.clone())
                .map_err(|rejected| format!("the suite is wrong: {rejected}"))?;
            let wanted = self.model.poll(Mono(0)).map(|(_, outcome)| outcome);
            if wanted.as_ref() != Some(&got) {
                return Err(format!("step {step}: {request:?} gave {got:?}, not {wanted:?}"));
            }
        }
        Ok(())
    }
}

fn key(random: &mut Rng) -> Bytes {
    let length = random.usize(..3);
    (0..length).map(|_| [0, 1, 0x7F, 0xFF][random.usize(..4)]).collect::<Vec<u8>>().into()
}

fn place(random: &mut Rng) -> Partition {
    Partition { space: Space(random.u16(..2)), key: key(random) }
}

fn row(random: &mut Rng) -> Row {
    Row { key: key(random), value: Bytes::from(random.u16(..).to_be_bytes().to_vec()) }
}

/// A row whose value follows from its key: chunks and log rows never change.
fn fixed_row(random: &mut Rng) -> Row {
    let key = key(random);
    Row { value: key.clone(), key }
}

fn range(random: &mut Rng) -> KeyRange {
    let (one, other) = (key(random), key(random));
    KeyRange { from: one.clone().min(other.clone()), to: random.bool().then(|| one.max(other)) }
}

fn condition(random: &mut Rng) -> Condition {
    let mut one = || {
        let is = if random.bool() { Is::Equal } else { Is::AtMost };
        test([EPOCH, SEQ][random.usize(..2)], is, random.u64(..4))
    };
    let tests = [one(), one()];
    match random.u8(..4) {
        0 => Condition::Absent,
        1 | 2 => Condition::Holds(tests[..1].to_vec()),
        _ => Condition::Holds(tests.to_vec()),
    }
}

fn head(random: &mut Rng) -> Head {
    let fields = [EPOCH, SEQ].into_iter().filter(|_| random.bool()).collect::<Vec<_>>();
    Head::of(fields.into_iter().map(|field| (field, random.u64(..4))))
}

fn area(random: &mut Rng) -> Area {
    [Area::Commits, Area::Chunks, Area::Log][random.usize(..3)]
}

fn change(random: &mut Rng) -> Change {
    match random.u8(..8) {
        0 => Change::Delete(key(random)),
        1 => Change::DeleteRange(range(random)),
        _ => Change::Put(row(random)),
    }
}

fn request(random: &mut Rng) -> Request {
    match random.u8(..12) {
        0..5 => {
            let changes = (0..random.usize(..5)).map(|_| change(random)).collect();
            let (condition, mut head) = (condition(random), head(random));
            if condition == Condition::Absent {
                head.set_all(&Head::of([(EPOCH, random.u64(..4))]));
            }
            Request::Commit { partition: place(random), condition, head, changes }
        }
        5..9 => Request::Read {
            area: area(random),
            partition: place(random),
            keys: range(random),
            limit: random.usize(1..5),
            serial: true,
        },
        9 => Request::PutChunk { partition: place(random), chunk: fixed_row(random) },
        10 => {
            let rows = (0..random.usize(1..4)).map(|_| fixed_row(random)).collect();
            Request::Append { log: place(random), rows }
        }
        _ => Request::Scan(scan(random)),
    }
}

fn scan(random: &mut Rng) -> Scan {
    let keys = vec![key(random), key(random)];
    match random.u8(..4) {
        0 => Scan::RemoveChunks { partition: place(random), keys },
        1 => Scan::RemoveFromLog { partition: place(random), keys },
        _ => {
            let after = random.bool().then(|| key(random));
            Scan::Partitions {
                area: area(random),
                space: Space(random.u16(..2)),
                after,
                limit: random.usize(1..5),
            }
        }
    }
}
