//! The cases of delta packets.

use lightmoon_contract::replicate::{ComponentSpec, FieldSpec, Quantise, Travel};
use lightmoon_contract::{NetId, Tick};

use super::cases::{ALL, FULL, body, case, fails, first_view, raw_view, schema};
use super::{Case, Step};
use crate::examples::{HEALTH, POSE};
use crate::tests::server::Body;
use crate::*;

/// The entities of these cases, by row: index, mask, and the row at each tick; until 50 they rest.
struct World {
    indexes: Vec<u16>,
    masks: Vec<u64>,
    rows: fn(u64) -> Vec<[u32; 5]>,
}

/// One that flies straight, one that turns and is hurt, one that rests, one that jumps and one whose motion crosses the seam.
fn world() -> World {
    World {
        indexes: vec![0, 1, 5, 100, 101],
        masks: vec![0b101, 0b101, 0b001, 0b101, 0b001],
        rows: |tick| {
            let by = u32::try_from(tick.saturating_sub(50)).unwrap();
            let sway = [0, 3, 11, 90, 1_000, 4, 4][by as usize % 7];
            vec![
                [1_000 + 17 * by, 2_000 - 9 * by, 40, 50, 1],
                [30_000 + sway, 30_000 + by, (by * 31) & 0xFF, 63 - by, by & 1],
                [7, 8, 9, 0, 0],
                [(by * 40_009) & 0xFFFF, (by * 9_973) & 0xFFFF, 1, 2, 0],
                [65_520_u32.wrapping_add(by * 5) & 0xFFFF, 3, 250_u32.wrapping_add(by * 3) & 0xFF, 0, 0],
            ]
        },
    }
}

fn view(world: &World) -> Step {
    let schema = schema();
    let mut writer = ViewWriter::new(Tick(50), 0, Vec::new());
    writer.layout(&schema);
    writer.fields(&schema);
    for (nth, row) in (world.rows)(50).into_iter().enumerate() {
        let mask = world.masks[nth];
        let id = NetId(nth as u64 + 1);
        assert!(writer.enter(&schema, world.indexes[nth], id, mask, &body(mask, row, "")));
    }
    Step::View(1, writer.finish())
}

/// A packet of `tick` with these rows, each against its baseline.
fn packet(world: &World, tick: u64, head: Baseline, records: &[(usize, Baseline)]) -> Step {
    let schema = schema();
    let mut table = DeltaTable::new(schema.clone());
    for now in 40..=tick {
        let rows: Vec<u32> = (world.rows)(now).into_iter().flatten().collect();
        table.collect(Tick(now), &rows, world.masks.iter().copied());
    }
    let head =
        DeltaHead { tick: Tick(tick), rate_hz: 20, waited_ms: Some(tick.to_le_bytes()[0]), baseline: head };
    let mut writer = DeltaWriter::new(&schema, &head, 1_100, Vec::new());
    for (row, baseline) in records {
        let slot = table.baseline(*baseline);
        table.bits(*row, slot);
        assert!(writer.push(world.indexes[*row], *baseline, &table.body(*row, slot)));
    }
    Step::Delta(1, writer.finish())
}

const WHOLE: Baseline = Baseline::WHOLE;
const MOTION: Baseline = Baseline { age: 2, gap: 1 };

fn all(baseline: Baseline) -> Vec<(usize, Baseline)> {
    (0..5).map(|row| (row, baseline)).collect()
}

fn flight() -> Vec<Step> {
    let world = world();
    let old = Baseline::of_age;
    vec![
        Step::Attach(1),
        view(&world),
        packet(&world, 51, WHOLE, &all(WHOLE)),
        packet(&world, 52, old(1), &all(old(1))),
        packet(&world, 53, MOTION, &all(MOTION)),
        // All forms in one packet; the third is older than its tick says, and the same.
        packet(&world, 54, MOTION, &[(0, MOTION), (1, old(2)), (2, old(2)), (3, WHOLE), (4, old(4))]),
        packet(&world, 56, Baseline { age: 2, gap: 3 }, &all(Baseline { age: 2, gap: 3 })),
    ]
}

pub(super) fn good() -> Vec<Case> {
    let world = world();
    let old = Baseline::of_age;
    let mut late = flight();
    late.push(packet(&world, 55, WHOLE, &all(WHOLE)));
    late.push(packet(&world, 56, WHOLE, &all(WHOLE)));
    late.push(packet(&world, 57, WHOLE, &all(WHOLE)).of_generation(0));
    let mut known = flight();
    known.truncate(3);
    known.push({
        let mut writer = ViewWriter::new(Tick(52), 1, Vec::new());
        assert!(writer.leave(1, LeaveReason::Gone));
        assert!(writer.mask(&schema(), 0, 0b101, 0b001, &body(0b001, FULL, "")));
        Step::View(1, writer.finish())
    });
    known.push(packet(&world, 53, old(2), &all(old(2))));
    let missing = vec![
        Step::Attach(1),
        view(&world),
        packet(&world, 53, old(5), &[(0, old(5)), (2, old(3)), (4, WHOLE)]),
    ];
    let narrow = ComponentSpec { fields: &POSE.fields[..2], ..POSE };
    vec![
        case("deltas: whole, against one tick, against a motion, in all forms", flight()),
        case("deltas that come late, doubled or for another attachment change nothing", late),
        case("deltas for who left, and for a component that was removed, are passed over", known),
        case("a delta against what never was is passed over, the record behind it is not", missing),
        case(
            "a delta before the first view changes nothing",
            vec![Step::Attach(1), packet(&world, 51, WHOLE, &all(WHOLE))],
        ),
        Case {
            name: "deltas at a client that knows one of three components",
            components: vec![HEALTH],
            steps: flight(),
        },
        Case {
            name: "deltas at a client that knows fewer fields of a component",
            components: vec![narrow, HEALTH],
            steps: flight(),
        },
        wide(),
    ]
}

/// Fields of 32 bits and angles of 10, far and near.
fn wide() -> Case {
    const FAR: ComponentSpec = ComponentSpec {
        name: "Far",
        number: 3,
        travel: Travel::State,
        fields: &[
            FieldSpec { name: "id", bits: 32, quantise: Quantise::Unsigned },
            FieldSpec { name: "turn", bits: 10, quantise: Quantise::Angle },
            FieldSpec { name: "far", bits: 21, quantise: Quantise::Range { min: -8.0, step: 0.25 } },
            FieldSpec { name: "flag", bits: 1, quantise: Quantise::Bool },
        ],
    };
    let schema = Schema::new(&[FAR]).unwrap();
    let rows: [[u32; 4]; 5] = [
        [u32::MAX, 1_020, 5, 0],
        [3, 1_023, 1 << 20, 1],
        [9, 3, (1 << 21) - 1, 1],
        [u32::MAX / 2, 7, 0, 0],
        [u32::MAX / 2 + 9_000, 11, 1 << 20, 1],
    ];
    let mut writer = ViewWriter::new(Tick(65_530), 0, Vec::new());
    writer.layout(&schema);
    writer.fields(&schema);
    assert!(writer.enter(
        &schema,
        0,
        NetId(5),
        1,
        &Body { mask: 1, row: rows[0].to_vec(), label: Vec::new() }
    ));
    let mut steps = vec![Step::Attach(1), Step::View(1, writer.finish())];
    let mut table = DeltaTable::new(schema.clone());
    // Ticks run over the 16 bits that a packet has of them.
    for (tick, row) in (65_530..).step_by(3).zip(&rows) {
        table.collect(Tick(tick), row, std::iter::once(1));
        let baseline = match tick {
            65_530 => continue,
            65_533 => Baseline::of_age(3),
            _ => Baseline { age: 3, gap: 3 },
        };
        let head = DeltaHead { tick: Tick(tick), rate_hz: 60, waited_ms: None, baseline };
        let mut writer = DeltaWriter::new(&schema, &head, 1_100, Vec::new());
        let slot = table.baseline(baseline);
        table.bits(0, slot);
        assert!(writer.push(0, baseline, &table.body(0, slot)));
        steps.push(Step::Delta(1, writer.finish()));
    }
    Case { name: "deltas of wide fields, over the seam of ticks", components: vec![FAR], steps }
}

fn deltas(name: &'static str, bytes: &[u8]) -> Case {
    fails(name, &ALL, vec![view(&world()), Step::Delta(1, bytes.to_vec())])
}

pub(super) fn bad() -> Vec<Case> {
    let world = world();
    let layout = [0, 3, 1, 40, 2, 0, 7, 7];
    let fields = [5, 3, 16, 16, 8, 2, 6, 1];
    let with = |more: &[u8]| vec![raw_view(0, &[&layout[..], more].concat())];
    let whole = packet(&world, 51, WHOLE, &all(WHOLE));
    vec![
        fails("widths of fields without a layout", &ALL, vec![raw_view(0, &fields)]),
        fails("widths of fields twice", &ALL, with(&[fields, fields].concat())),
        fails(
            "widths of fields that are not those of the component",
            &ALL,
            with(&[5, 3, 16, 16, 9, 2, 6, 1]),
        ),
        fails("widths of fields that are not those of the client", &ALL, with(&[5, 3, 16, 15, 9, 2, 6, 1])),
        fails("a field of no width", &ALL, with(&[5, 4, 16, 16, 8, 0, 2, 6, 1])),
        fails("widths of fields that end early", &ALL, with(&[5, 3, 16, 16])),
        fails("widths of fields in a later payload", &ALL, vec![view(&world), raw_view(1, &fields)]),
        fails("a delta without widths of fields", &ALL, vec![first_view(), whole.clone()]),
        deltas("a delta without anything", &[]),
        deltas("a delta that ends before it says how long the input waited", &[51, 0, 20]),
        deltas("a delta of a rate of 0", &[51, 0, 0, 255, 0, 0, 0]),
        deltas("a delta of a rate of 61", &[51, 0, 61, 255, 0, 0, 0]),
        deltas("a delta against more than 31 ticks ago", &[51, 0, 20, 255, 0b0011_1111, 0, 0]),
        deltas("a gap without a baseline", &[51, 0, 20, 255, 0b0010_0000, 0, 0]),
        deltas("a count of deltas without records", &[51, 0, 20, 255, 0, 1, 0]),
        deltas("bytes behind the last delta", &[51, 0, 20, 255, 0, 0, 0, 0]),
        deltas("filling bits of a delta that are not zero", &[51, 0, 20, 255, 0, 0, 0b1000_0000]),
        // Index 0 (next), the mask before, then baseline `1 0` with the age 0.
        deltas("a record against 0 ticks ago", &[51, 0, 20, 255, 1, 1, 0b0110_0000, 0, 0, 0]),
        fails("a delta cut off", &ALL, vec![view(&world), whole.without_last_byte()]),
        deltas("a delta of 1,101 bytes", &[&[51, 0, 20, 255, 0, 0, 0][..], &[0; 1_094]].concat()),
    ]
}
