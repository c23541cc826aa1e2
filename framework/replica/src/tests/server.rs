//! A server of one client, as small as it can be: entities with random components, all values of the past kept.

use std::collections::BTreeMap;

use lightmoon_contract::{NetId, Tick};

use crate::examples::{HEALTH, LABEL, POSE};
use crate::*;

/// Position of each component in the schema of the tests.
pub(super) const POSE_AT: u8 = 0;
pub(super) const LABEL_AT: u8 = 1;
pub(super) const HEALTH_AT: u8 = 2;

pub(super) fn schema() -> Schema {
    Schema::new(&[POSE, LABEL, HEALTH]).unwrap()
}

/// One entity's values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Body {
    pub(super) mask: u64,
    pub(super) row: Vec<u32>,
    pub(super) label: Vec<u8>,
}

impl EntityValues for Body {
    fn row(&self) -> &[u32] {
        &self.row
    }
    fn sticky(&self, position: u8) -> &[u8] {
        assert_eq!(position, LABEL_AT);
        &self.label
    }
}

impl Body {
    pub(super) fn random(random: &mut fastrand::Rng) -> Self {
        let mut body = Self { mask: random.u64(1..8), row: vec![0; 5], label: Vec::new() };
        body.relabel(random);
        body.step(random);
        body
    }

    pub(super) fn step(&mut self, random: &mut fastrand::Rng) {
        for (field, value) in schema().fields().zip(&mut self.row) {
            *value = random.u32(..) & (u32::MAX >> (32 - u32::from(field.bits)));
        }
    }

    pub(super) fn relabel(&mut self, random: &mut fastrand::Rng) {
        self.label = lightmoon_contract::codec::encode(&format!("ship {}", random.u16(..)));
    }

    /// The fields of one component.
    pub(super) fn fields(&self, position: u8) -> &[u32] {
        if position == POSE_AT { &self.row[..3] } else { &self.row[3..] }
    }
}

/// The server's side of one view.
pub(super) struct Server {
    pub(super) schema: Schema,
    pub(super) tick: Tick,
    pub(super) sequence: u64,
    counter: IndexCounter,
    next_id: u64,
    /// What the client should see, with the index of each.
    pub(super) seen: BTreeMap<NetId, (u16, Body)>,
    /// All that was seen at each tick.
    pub(super) past: BTreeMap<Tick, BTreeMap<NetId, Body>>,
    /// What is seen after each View payload.
    pub(super) after_view: Vec<Vec<NetId>>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self {
            schema: schema(),
            tick: Tick(0),
            sequence: 0,
            counter: IndexCounter::default(),
            next_id: 1,
            seen: BTreeMap::new(),
            past: BTreeMap::new(),
            after_view: Vec::new(),
        }
    }

    /// One tick: everything moves, some enter, leave, change. Gives the View payloads, mostly none or one.
    pub(super) fn step(&mut self, random: &mut fastrand::Rng) -> Vec<Vec<u8>> {
        self.tick = self.tick.next();
        let mut view = ViewWriter::new(self.tick, self.sequence, Vec::new());
        if self.sequence == 0 {
            view.layout(&self.schema);
        }
        for (index, body) in self.seen.values_mut() {
            body.step(random);
            match random.u8(..40) {
                0 if body.mask & 0b010 != 0 => {
                    body.relabel(random);
                    assert!(view.sticky(*index, LABEL_AT, &body.label));
                }
                1 => {
                    let old = std::mem::replace(&mut body.mask, random.u64(..8));
                    assert!(view.mask(&self.schema, *index, old, body.mask, body));
                }
                _ => {}
            }
        }
        let ids: Vec<NetId> = self.seen.keys().copied().collect();
        for id in ids.into_iter().filter(|_| random.u8(..30) == 0) {
            let (index, _) = self.seen.remove(&id).unwrap();
            assert!(view.leave(index, LeaveReason::OutOfView));
        }
        for _ in 0..random.usize(..3) {
            let body = Body::random(random);
            let (id, seen) = (NetId(self.next_id), &self.seen);
            self.next_id += 1;
            let index = self.counter.take(|index| seen.values().any(|(other, _)| *other == index));
            assert!(view.enter(&self.schema, index, id, body.mask, &body));
            self.seen.insert(id, (index, body));
        }
        let now = self.seen.iter().map(|(id, (_, body))| (*id, body.clone())).collect();
        self.past.insert(self.tick, now);
        if view.is_empty() {
            return Vec::new();
        }
        self.sequence += 1;
        self.after_view.push(self.seen.keys().copied().collect());
        vec![view.finish()]
    }

    /// A state packet of the present tick, starting at the entity `first` of those seen.
    pub(super) fn state(&self, first: usize, budget_bytes: usize) -> (Vec<u8>, usize) {
        let head =
            StateHead { tick: self.tick, rate_hz: 20, input: self.tick.0 * 2, view_sequence: self.sequence };
        let mut writer = StateWriter::new(&self.schema, &head, budget_bytes, Vec::new());
        let mut table = StateTable::default();
        for (_, body) in self.seen.values() {
            table.push(&self.schema, body.mask, &body.row);
        }
        let order = (first..self.seen.len()).chain(0..first.min(self.seen.len()));
        let mut packed = 0;
        let indexes: Vec<u16> = self.seen.values().map(|(index, _)| *index).collect();
        for row in order {
            if !writer.push(indexes[row], &table.get(row).unwrap()) {
                break;
            }
            packed += 1;
        }
        (writer.finish(), packed)
    }
}
