//! What the fuzz targets of replication do with their input; ordinary tests run the same over the seeds.
//!
//! `client`: a list of steps `op u8 | count u16 little-endian | count bytes` from a hostile server. `round`: bytes that drive
//! an honest server, whose client must agree with it.

use std::collections::BTreeMap;

use lightmoon_contract::replicate::{ComponentSpec, FieldSpec, Quantise, Travel};
use lightmoon_contract::{NetId, Tick};
use lightmoon_replica::{
    Applied, ClientView, EntityValues, IndexCounter, LeaveReason, Schema, StateHead, StateTable, StateWriter,
    ViewWriter, limits,
};

const POSE: ComponentSpec = ComponentSpec {
    name: "Pose",
    number: 1,
    travel: Travel::State,
    fields: &[
        FieldSpec { name: "x", bits: 16, quantise: Quantise::Range { min: -1024.0, step: 0.03125 } },
        FieldSpec { name: "y", bits: 16, quantise: Quantise::Range { min: -1024.0, step: 0.03125 } },
        FieldSpec { name: "yaw", bits: 8, quantise: Quantise::Angle },
    ],
};

const LABEL: ComponentSpec = ComponentSpec { name: "Label", number: 2, travel: Travel::Sticky, fields: &[] };

const HEALTH: ComponentSpec = ComponentSpec {
    name: "Health",
    number: 7,
    travel: Travel::State,
    fields: &[
        FieldSpec { name: "points", bits: 6, quantise: Quantise::Unsigned },
        FieldSpec { name: "shield", bits: 1, quantise: Quantise::Bool },
    ],
};

fn schema() -> Schema {
    Schema::new(&[POSE, LABEL, HEALTH]).expect("the components fit together")
}

/// A client that is told anything: it errors or it does not, and stays within its limits.
pub(crate) fn client(mut input: &[u8]) {
    let mut view = ClientView::new(schema());
    let mut failed = false;
    while let Some((head, rest)) = input.split_first_chunk::<3>() {
        let count = usize::from(u16::from_le_bytes([head[1], head[2]])).min(rest.len());
        let (bytes, rest) = rest.split_at(count);
        input = rest;
        let before: Vec<NetId> = view.entities().map(|entity| entity.id()).collect();
        match head[0] {
            0 => view.attach(bytes.first().copied().unwrap_or(1).into()),
            1 => view.detach(),
            2..=126 => failed |= view.apply_view(u32::from(head[0]) - 1, bytes).is_err(),
            _ => {
                failed |= match head[0] {
                    ..200 => view.apply_state(u32::from(head[0]) - 127, bytes).is_err(),
                    _ => view.apply_delta(u32::from(head[0]) - 200, bytes).is_err(),
                };
                let after: Vec<NetId> = view.entities().map(|entity| entity.id()).collect();
                assert_eq!(before, after, "a state packet made or dropped an entity");
            }
        }
        assert!(view.len() <= limits::ENTITIES_MAX);
        look(&view);
        if failed {
            // A real client closes here; ours goes on being asked, and may not panic.
            failed = false;
            view.attach(1);
        }
    }
    assert!(view.drain_events().count() <= limits::EVENTS_MAX);
}

fn look(view: &ClientView) {
    let mut fields = [0.0; 3];
    for entity in view.entities() {
        assert_eq!(view.entity(entity.id()).map(|same| same.id()), Some(entity.id()));
        for number in [1, 2, 7, 9] {
            let is_there = entity.fields(number).is_some() || entity.sticky(number).is_some();
            assert_eq!(is_there, entity.has(number));
            let newest = entity.tick_of(number).map_or(0.0, |tick| tick.0 as f64);
            for tick in [newest - 1.5, newest, newest + 9.0, f64::NAN] {
                if entity.sample_fields(number, tick, &mut fields).is_some() && !tick.is_nan() {
                    assert!(fields.iter().all(|value| value.is_finite()));
                }
            }
        }
    }
}

struct Body {
    index: u16,
    mask: u64,
    row: [u32; 5],
    label: Vec<u8>,
}

impl EntityValues for Body {
    fn row(&self) -> &[u32] {
        &self.row
    }

    fn sticky(&self, _: u8) -> &[u8] {
        &self.label
    }
}

/// Fields of a number, cut to their widths.
fn row(seed: u32) -> [u32; 5] {
    let at = |factor: u32, bits: u32| seed.wrapping_mul(factor) & ((1 << bits) - 1);
    [at(1, 16), at(31, 16), at(101, 8), at(7, 6), at(13, 1)]
}

/// An honest server, driven by the input: each client that missed nothing equals it.
pub(crate) fn round(input: &[u8]) {
    let schema = schema();
    let mut view = ClientView::new(schema.clone());
    view.attach(1);
    let mut bodies: BTreeMap<NetId, Body> = BTreeMap::new();
    let mut indexes = IndexCounter::default();
    let mut ids = 0;
    for (sequence, step) in (0..).zip(input.chunks(8)) {
        let tick = Tick(sequence * 2);
        let mut writer = ViewWriter::new(tick, sequence, Vec::new());
        if sequence == 0 {
            writer.layout(&schema);
        }
        for op in step {
            let (kind, value) = (op >> 5, op & 31);
            change(&schema, &mut writer, &mut bodies, &mut indexes, &mut ids, kind, value);
        }
        assert_eq!(view.apply_view(1, &writer.finish()), Ok(Applied::Taken));
        compare(&view, &bodies);
        let packet = states(&schema, tick.next(), sequence + 1, &mut bodies);
        assert!(packet.len() <= limits::STATE_BYTES_MAX);
        let header = view.apply_state(1, &packet).expect("our own packet").expect("of this attachment");
        assert_eq!(header.head.tick, tick.next());
        compare(&view, &bodies);
    }
}

fn change(
    schema: &Schema,
    writer: &mut ViewWriter,
    bodies: &mut BTreeMap<NetId, Body>,
    indexes: &mut IndexCounter,
    ids: &mut u64,
    kind: u8,
    value: u8,
) {
    let chosen = bodies.keys().copied().nth(usize::from(value));
    match (kind, chosen) {
        (0..=2, _) => {
            *ids += 1;
            let index = indexes.take(|index| bodies.values().any(|body| body.index == index));
            let body = Body {
                index,
                mask: u64::from(value) & 7,
                row: row(u32::from(value) * 77),
                label: vec![value; value.into()],
            };
            assert!(writer.enter(schema, index, NetId(*ids), body.mask, &body), "small events fit");
            bodies.insert(NetId(*ids), body);
        }
        (3, Some(id)) => {
            let body = bodies.remove(&id).expect("it was chosen");
            assert!(writer.leave(body.index, LeaveReason::Gone), "small events fit");
        }
        (4, Some(id)) => {
            let body = bodies.get_mut(&id).expect("it was chosen");
            if body.mask & 2 != 0 {
                body.label = vec![value; 9];
                assert!(writer.sticky(body.index, 1, &body.label), "small events fit");
            }
        }
        (5, Some(id)) => {
            let body = bodies.get_mut(&id).expect("it was chosen");
            let old = std::mem::replace(&mut body.mask, (u64::from(value) * 5) & 7);
            assert!(writer.mask(schema, body.index, old, body.mask, body), "small events fit");
        }
        _ => {}
    }
}

/// Moves everything that fits a packet of `tick`.
fn states(schema: &Schema, tick: Tick, view_sequence: u64, bodies: &mut BTreeMap<NetId, Body>) -> Vec<u8> {
    let head = StateHead { tick, rate_hz: 20, input: 0, view_sequence };
    let mut writer = StateWriter::new(schema, &head, limits::STATE_BYTES_MAX, Vec::new());
    let mut table = StateTable::default();
    for body in bodies.values_mut() {
        let moved = row(body.row[0].wrapping_add(3));
        table.clear();
        table.push(schema, body.mask, &moved);
        if !writer.push(body.index, &table.get(0).expect("it was pushed")) {
            break;
        }
        if body.mask & 1 != 0 {
            body.row[..3].copy_from_slice(&moved[..3]);
        }
        if body.mask & 4 != 0 {
            body.row[3..].copy_from_slice(&moved[3..]);
        }
    }
    writer.finish()
}

fn compare(view: &ClientView, bodies: &BTreeMap<NetId, Body>) {
    assert!(view.entities().map(|entity| entity.id()).eq(bodies.keys().copied()));
    for (entity, body) in view.entities().zip(bodies.values()) {
        assert_eq!(entity.fields(1), (body.mask & 1 != 0).then_some(&body.row[..3]));
        assert_eq!(entity.sticky(2), (body.mask & 2 != 0).then_some(&body.label[..]));
        assert_eq!(entity.fields(7), (body.mask & 4 != 0).then_some(&body.row[3..]));
    }
}
