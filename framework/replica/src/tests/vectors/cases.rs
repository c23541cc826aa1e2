//! The cases themselves.

use lightmoon_contract::codec::Writer;
use lightmoon_contract::replicate::{ComponentSpec, Travel};
use lightmoon_contract::{NetId, Tick};

use super::{Case, Step, delta_cases};
use crate::examples::{HEALTH, LABEL, POSE, WIDE};
use crate::tests::server::{self, Body, Server};
use crate::*;

pub(super) fn schema() -> Schema {
    server::schema()
}

pub(super) fn body(mask: u64, row: [u32; 5], label: &str) -> Body {
    Body { mask, row: row.to_vec(), label: lightmoon_contract::codec::encode(&label.to_owned()) }
}

/// A View payload with the layout and what `fill` adds.
fn view(tick: u64, sequence: u64, fill: impl FnOnce(&Schema, &mut ViewWriter)) -> Step {
    let schema = schema();
    let mut writer = ViewWriter::new(Tick(tick), sequence, Vec::new());
    if sequence == 0 {
        writer.layout(&schema);
    }
    fill(&schema, &mut writer);
    Step::View(1, writer.finish())
}

/// A state packet of these records.
fn state(tick: u64, view_sequence: u64, records: &[(u16, Body)]) -> Step {
    let schema = schema();
    let mut table = StateTable::default();
    let head = StateHead { tick: Tick(tick), rate_hz: 20, input: 300, view_sequence };
    let mut writer = StateWriter::new(&schema, &head, 1_100, Vec::new());
    for (_, body) in records {
        table.push(&schema, body.mask, &body.row);
    }
    for (row, (index, _)) in records.iter().enumerate() {
        assert!(writer.push(*index, &table.get(row).unwrap()));
    }
    Step::State(1, writer.finish())
}

/// Header of a View payload, then raw bytes.
pub(super) fn raw_view(sequence: u64, events: &[u8]) -> Step {
    let mut writer = Writer::new();
    writer.varint(50);
    writer.varint(sequence);
    writer.raw(events);
    Step::View(1, writer.into_bytes())
}

pub(super) fn first_view() -> Step {
    view(50, 0, |schema, writer| {
        assert!(writer.enter(schema, 0, NetId(0x0000_0100_0000_0001), 0b111, &body(0b111, FULL, "Ada")));
        assert!(writer.enter(schema, 1, NetId(7), 0b001, &body(0b001, [1, 2, 3, 0, 0], "")));
        assert!(writer.enter(schema, 9, NetId(u64::MAX), 0b110, &body(0b110, [0, 0, 0, 50, 1], "Zoë 愛")));
        assert!(writer.enter(schema, 300, NetId(8), 0, &body(0, [0; 5], "")));
    })
}

pub(super) const FULL: [u32; 5] = [40_000, 65_535, 200, 63, 1];

/// Cases that end well.
pub(super) fn good() -> Vec<Case> {
    let mut cases = good_payloads();
    cases.extend(good_orders());
    cases.extend(older_clients());
    cases.extend(delta_cases::good());
    cases.push(case("forty ticks of a small world", long_run()));
    cases
}

pub(super) fn case(name: &'static str, steps: Vec<Step>) -> Case {
    Case { name, components: vec![POSE, LABEL, HEALTH], steps }
}

fn moved(x: u32) -> Body {
    body(0b001, [x, 2, 3, 0, 0], "")
}

fn good_payloads() -> Vec<Case> {
    vec![
        case("enter in all forms", vec![Step::Attach(1), first_view()]),
        case(
            "state: next index, gap, far index, masks",
            vec![
                Step::Attach(1),
                first_view(),
                state(
                    51,
                    1,
                    &[
                        (0, body(0b111, [1, 2, 3, 4, 0], "")),
                        (1, moved(9)),
                        (9, body(0b110, [0, 0, 0, 5, 0], "")),
                        (300, body(0, [0; 5], "")),
                    ],
                ),
            ],
        ),
        case(
            "leave, sticky, mask",
            vec![
                Step::Attach(1),
                first_view(),
                view(52, 1, |schema, writer| {
                    assert!(writer.leave(1, LeaveReason::OutOfView));
                    assert!(writer.leave(300, LeaveReason::Gone));
                    assert!(writer.sticky(0, 1, &body(0, [0; 5], "Eve").label));
                    assert!(writer.mask(schema, 0, 0b111, 0b010, &body(0b010, FULL, "")));
                    assert!(writer.mask(schema, 9, 0b110, 0b111, &body(0b111, FULL, "Zoë 愛")));
                }),
            ],
        ),
    ]
}

fn good_orders() -> Vec<Case> {
    vec![
        case(
            "an older packet, a doubled one, one for an unknown entity and one of another attachment change nothing",
            vec![
                Step::Attach(1),
                first_view(),
                state(53, 1, &[(1, moved(11))]),
                state(52, 1, &[(1, moved(10))]),
                state(53, 1, &[(1, moved(12))]),
                state(54, 2, &[(2, moved(13)), (500, body(0b101, FULL, ""))]),
                state(55, 1, &[(1, moved(14))]).of_generation(0),
                first_view(),
            ],
        ),
        case(
            "a packet of before a component was added does not set it",
            vec![
                Step::Attach(1),
                first_view(),
                view(60, 1, |schema, writer| {
                    assert!(writer.mask(schema, 1, 0b001, 0b101, &body(0b101, [0, 0, 0, 37, 1], "")));
                }),
                state(59, 1, &[(1, body(0b101, [21, 22, 23, 24, 0], ""))]),
                state(61, 2, &[(0, body(0b100, [0, 0, 0, 3, 1], ""))]),
            ],
        ),
        case(
            "a packet before the first view changes nothing",
            vec![Step::Attach(1), state(51, 1, &[(0, moved(5))]), first_view()],
        ),
        case(
            "detached views are empty",
            vec![Step::Attach(1), first_view(), Step::Detach, state(51, 1, &[(1, moved(5))])],
        ),
        case(
            "the world starts anew",
            vec![Step::Attach(1), first_view(), {
                let mut writer = ViewWriter::new(Tick(70), 1, Vec::new());
                writer.layout(&schema());
                assert!(writer.enter(&schema(), 1, NetId(99), 0b001, &moved(4)));
                Step::View(1, writer.finish())
            }],
        ),
    ]
}

fn older_clients() -> Vec<Case> {
    let one = vec![
        Step::Attach(1),
        first_view(),
        state(51, 1, &[(0, body(0b111, FULL, "")), (9, body(0b110, FULL, ""))]),
    ];
    let narrow = ComponentSpec { fields: &POSE.fields[..2], ..POSE };
    let fewer = vec![Step::Attach(1), first_view(), state(51, 1, &[(0, body(0b111, [8, 9, 10, 11, 1], ""))])];
    vec![
        Case { name: "a client that knows one of three components", components: vec![HEALTH], steps: one },
        Case {
            name: "a client that knows fewer fields of a component",
            components: vec![narrow, HEALTH],
            steps: fewer,
        },
    ]
}

fn long_run() -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(2);
    let mut server = Server::new();
    let mut steps = vec![Step::Attach(1)];
    let mut first = 0;
    for _ in 0..40 {
        let payloads = server.step(&mut random);
        steps.extend(payloads.into_iter().map(|payload| Step::View(1, payload)));
        let (packet, packed) = server.state(first, 120);
        first = (first + packed) % server.seen.len().max(1);
        steps.push(Step::State(1, packet));
    }
    steps
}

/// Cases whose last step fails.
pub(super) fn bad() -> Vec<Case> {
    let mut cases = bad_layouts_and_orders();
    cases.extend(bad_events());
    cases.extend(bad_states());
    cases.extend(delta_cases::bad());
    cases
}

pub(super) const ALL: [ComponentSpec; 3] = [POSE, LABEL, HEALTH];

pub(super) fn fails(name: &'static str, components: &[ComponentSpec], steps: Vec<Step>) -> Case {
    let steps = std::iter::once(Step::Attach(1)).chain(steps).collect();
    Case { name, components: components.to_vec(), steps }
}

fn after(name: &'static str, step: Step) -> Case {
    fails(name, &ALL, vec![first_view(), step])
}

fn event(name: &'static str, event: &[u8]) -> Case {
    after(name, raw_view(1, event))
}

fn states(name: &'static str, packet: &[u8]) -> Case {
    after(name, Step::State(1, packet.to_vec()))
}

fn bad_layouts_and_orders() -> Vec<Case> {
    let layout = [0, 3, 1, 40, 2, 0, 7, 7];
    let with_layout = |events: &[u8]| [&layout[..], events].concat();
    let many: Vec<u8> = [0, 65].into_iter().chain((1..=65).flat_map(|number| [number, 1])).collect();
    vec![
        fails("an event before the layout", &ALL, vec![raw_view(0, &[2, 0, 0, 0])]),
        fails("a layout that is not first", &ALL, vec![raw_view(0, &with_layout(&layout))]),
        fails("a layout with numbers out of order", &ALL, vec![raw_view(0, &[0, 2, 2, 0, 1, 40])]),
        fails("a layout with a number twice", &ALL, vec![raw_view(0, &[0, 2, 2, 0, 2, 0])]),
        fails("a layout wider than 4,096 bits", &ALL, vec![raw_view(0, &[0, 1, 8, 251, 1, 16])]),
        fails("a layout of 65 components", &ALL, vec![raw_view(0, &many)]),
        fails("a layout that ends early", &ALL, vec![raw_view(0, &[0, 3, 1, 40])]),
        fails("a component that is narrower than the client's", &[WIDE_POSE, LABEL], vec![first_view()]),
        fails("a component that is sticky at the client", &[STICKY_POSE, LABEL], vec![first_view()]),
        fails("a missing view payload", &ALL, vec![first_view(), raw_view(2, &[2, 0, 0, 0])]),
        fails(
            "a tick that runs backwards",
            &ALL,
            vec![first_view(), view(49, 1, |_, writer| assert!(writer.leave(0, LeaveReason::Gone)))],
        ),
    ]
}

fn bad_events() -> Vec<Case> {
    let enter = |index: u8, id: u8, mask: u8| [1, index, 0, id, 0, 0, 0, 0, 0, 0, 0, mask];
    let large = [&[3, 0, 0, 1, 251, 1, 16][..], &[0; 4_097]].concat();
    vec![
        event("enter of an index in use", &enter(1, 99, 0)),
        event("enter of an entity in view", &enter(99, 7, 0)),
        event("enter without an id", &enter(99, 0, 0)),
        event("enter with a mask beyond the layout", &enter(99, 99, 0b1000)),
        event("enter without its values", &enter(99, 99, 0b001)),
        event(
            "enter with filling bits that are not zero",
            &[&enter(99, 99, 0b100)[..], &[0b1000_0000]].concat(),
        ),
        event("leave of an unknown index", &[2, 2, 0, 0]),
        event("leave for an unknown reason", &[2, 0, 0, 2]),
        event("sticky of an unknown index", &[3, 2, 0, 1, 0]),
        event("sticky of a state component", &[3, 0, 0, 0, 0]),
        event("sticky of a component that the entity does not have", &[3, 1, 0, 1, 0]),
        event("sticky beyond the layout", &[3, 0, 0, 9, 0]),
        event("a sticky value that is longer than its payload", &[3, 0, 0, 1, 5, 1, 2]),
        event("a sticky value of 4,097 bytes", &large),
        event("mask of an unknown index", &[4, 2, 0, 0]),
        event("mask beyond the layout", &[4, 0, 0, 8]),
        event("an unknown event", &[6, 0, 0]),
        event("an event cut off", &[2, 0]),
        fails("a view of an attachment that never was", &ALL, vec![first_view().of_generation(2)]),
    ]
}

fn bad_states() -> Vec<Case> {
    vec![
        states("a state packet without anything", &[]),
        states("a rate of 0", &[51, 0, 0, 1, 0, 0]),
        states("a rate of 61", &[51, 61, 0, 1, 0, 0]),
        states("a count without records", &[51, 20, 0, 1, 1, 0]),
        states("bytes behind the last record", &[51, 20, 0, 1, 0, 0, 0]),
        // Index 0 (next), mask of the same kind (both state components): 2 + 47 bits, 7 filling bits of which one is 1.
        states(
            "filling bits of a packet that are not zero",
            &[51, 20, 0, 1, 1, 0, 0b10, 0, 0, 0, 0, 0, 0b1000_0000],
        ),
        after(
            "a state packet cut off",
            state(51, 1, &[(0, body(0b111, FULL, "")), (1, body(0b111, FULL, ""))]).without_last_byte(),
        ),
        states("a state packet of 1,101 bytes", &[&[51, 20, 0, 1, 0, 0][..], &[0; 1_095]].concat()),
    ]
}

const WIDE_POSE: ComponentSpec = ComponentSpec { name: "Pose", number: 1, ..WIDE };
const STICKY_POSE: ComponentSpec = ComponentSpec { travel: Travel::Sticky, fields: &[], ..POSE };
