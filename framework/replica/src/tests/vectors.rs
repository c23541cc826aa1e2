//! Golden bytes: `client-sdk/vectors/state.json`, which every client implementation reads.
//!
//! The test writes the file anew when it is stale and fails once; look at what changed before committing it. Bytes
//! that were released must stay.

use std::fmt::Write as _;

use lightmoon_contract::codec::Writer;
use lightmoon_contract::replicate::{ComponentSpec, FieldSpec, Quantise, Travel};
use lightmoon_contract::{NetId, Tick};

use super::server::{Body, Server};
use crate::examples::{HEALTH, LABEL, POSE, WIDE};
use crate::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../client-sdk/vectors/state.json");

/// What a client is given, one after the other.
enum Step {
    Attach(u32),
    Detach,
    View(u32, Vec<u8>),
    State(u32, Vec<u8>),
}

struct Case {
    name: &'static str,
    components: Vec<ComponentSpec>,
    steps: Vec<Step>,
}

fn schema() -> Schema {
    super::server::schema()
}

fn body(mask: u64, row: [u32; 5], label: &str) -> Body {
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
fn raw_view(sequence: u64, events: &[u8]) -> Step {
    let mut writer = Writer::new();
    writer.varint(50);
    writer.varint(sequence);
    writer.raw(events);
    Step::View(1, writer.into_bytes())
}

fn first_view() -> Step {
    view(50, 0, |schema, writer| {
        assert!(writer.enter(schema, 0, NetId(0x0000_0100_0000_0001), 0b111, &body(0b111, FULL, "Ada")));
        assert!(writer.enter(schema, 1, NetId(7), 0b001, &body(0b001, [1, 2, 3, 0, 0], "")));
        assert!(writer.enter(schema, 9, NetId(u64::MAX), 0b110, &body(0b110, [0, 0, 0, 50, 1], "Zoë 愛")));
        assert!(writer.enter(schema, 300, NetId(8), 0, &body(0, [0; 5], "")));
    })
}

const FULL: [u32; 5] = [40_000, 65_535, 200, 63, 1];

fn good() -> Vec<Case> {
    let all = || vec![POSE, LABEL, HEALTH];
    let moved = |x| body(0b001, [x, 2, 3, 0, 0], "");
    let case = |name, steps| Case { name, components: vec![POSE, LABEL, HEALTH], steps };
    let mut cases = vec![
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
        case(
            "an older packet, a doubled one, one for an unknown entity and one of another attachment change nothing",
            vec![
                Step::Attach(1),
                first_view(),
                state(53, 1, &[(1, moved(11))]),
                state(52, 1, &[(1, moved(10))]),
                state(53, 1, &[(1, moved(12))]),
                state(54, 2, &[(2, moved(13)), (500, body(0b101, FULL, ""))]),
                match state(55, 1, &[(1, moved(14))]) {
                    Step::State(_, packet) => Step::State(0, packet),
                    other => other,
                },
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
    ];
    let more = vec![
        Step::Attach(1),
        first_view(),
        state(51, 1, &[(0, body(0b111, FULL, "")), (9, body(0b110, FULL, ""))]),
    ];
    cases.push(Case {
        name: "a client that knows one of three components",
        components: vec![HEALTH],
        steps: more,
    });
    let narrow = ComponentSpec { fields: &POSE.fields[..2], ..POSE };
    let more = vec![Step::Attach(1), first_view(), state(51, 1, &[(0, body(0b111, [8, 9, 10, 11, 1], ""))])];
    cases.push(Case {
        name: "a client that knows fewer fields of a component",
        components: vec![narrow, HEALTH],
        steps: more,
    });
    cases.push(Case { name: "forty ticks of a small world", components: all(), steps: long_run() });
    cases
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

fn bad() -> Vec<Case> {
    let case = |name, components: &[ComponentSpec], steps: Vec<Step>| {
        let mut all = vec![Step::Attach(1)];
        all.extend(steps);
        Case { name, components: components.to_vec(), steps: all }
    };
    let all = [POSE, LABEL, HEALTH];
    let layout = [0, 3, 1, 40, 2, 0, 7, 7];
    let with_layout = |events: &[u8]| [&layout[..], events].concat();
    let after = |name, events: &[u8]| case(name, &all, vec![first_view(), raw_view(1, events)]);
    let enter = |index: u8, id: u8, mask: u8| [1, index, 0, id, 0, 0, 0, 0, 0, 0, 0, mask];
    let states = |name, bytes: &[u8]| case(name, &all, vec![first_view(), Step::State(1, bytes.to_vec())]);
    let cut = |name, step: Step, less: usize| {
        let step = match step {
            Step::View(generation, bytes) => Step::View(generation, bytes[..bytes.len() - less].to_vec()),
            Step::State(generation, bytes) => Step::State(generation, bytes[..bytes.len() - less].to_vec()),
            other => other,
        };
        case(name, &all, vec![first_view(), step])
    };
    let large = [&[3, 0, 0, 1, 251, 1, 16][..], &[0; 4_097]].concat();
    let many: Vec<u8> = [0, 65].into_iter().chain((1..=65).flat_map(|number| [number, 1])).collect();
    vec![
        case("an event before the layout", &all, vec![raw_view(0, &[2, 0, 0, 0])]),
        case("a layout that is not first", &all, vec![raw_view(0, &with_layout(&layout))]),
        case("a layout with numbers out of order", &all, vec![raw_view(0, &[0, 2, 2, 0, 1, 40])]),
        case("a layout with a number twice", &all, vec![raw_view(0, &[0, 2, 2, 0, 2, 0])]),
        case("a layout wider than 4,096 bits", &all, vec![raw_view(0, &[0, 1, 8, 251, 1, 16])]),
        case("a layout of 65 components", &all, vec![raw_view(0, &many)]),
        case("a layout that ends early", &all, vec![raw_view(0, &[0, 3, 1, 40])]),
        case("a component that is narrower than the client's", &[WIDE_POSE, LABEL], vec![first_view()]),
        case("a component that is sticky at the client", &[STICKY_POSE, LABEL], vec![first_view()]),
        case("a missing view payload", &all, vec![first_view(), raw_view(2, &[2, 0, 0, 0])]),
        case(
            "a tick that runs backwards",
            &all,
            vec![first_view(), view(49, 1, |_, writer| assert!(writer.leave(0, LeaveReason::Gone)))],
        ),
        after("enter of an index in use", &enter(1, 99, 0)),
        after("enter of an entity in view", &enter(99, 7, 0)),
        after("enter without an id", &enter(99, 0, 0)),
        after("enter with a mask beyond the layout", &enter(99, 99, 0b1000)),
        after("enter without its values", &enter(99, 99, 0b001)),
        after(
            "enter with filling bits that are not zero",
            &[&enter(99, 99, 0b100)[..], &[0b1000_0000]].concat(),
        ),
        after("leave of an unknown index", &[2, 2, 0, 0]),
        after("leave for an unknown reason", &[2, 0, 0, 2]),
        after("sticky of an unknown index", &[3, 2, 0, 1, 0]),
        after("sticky of a state component", &[3, 0, 0, 0, 0]),
        after("sticky of a component that the entity does not have", &[3, 1, 0, 1, 0]),
        after("sticky beyond the layout", &[3, 0, 0, 9, 0]),
        after("a sticky value that is longer than its payload", &[3, 0, 0, 1, 5, 1, 2]),
        after("a sticky value of 4,097 bytes", &large),
        after("mask of an unknown index", &[4, 2, 0, 0]),
        after("mask beyond the layout", &[4, 0, 0, 8]),
        after("an unknown event", &[5, 0, 0]),
        after("an event cut off", &[2, 0]),
        case(
            "a view of an attachment that never was",
            &all,
            vec![match first_view() {
                Step::View(_, bytes) => Step::View(2, bytes),
                other => other,
            }],
        ),
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
        cut(
            "a state packet cut off",
            state(51, 1, &[(0, body(0b111, FULL, "")), (1, body(0b111, FULL, ""))]),
            1,
        ),
        states("a state packet of 1,101 bytes", &[&[51, 20, 0, 1, 0, 0][..], &[0; 1_095]].concat()),
    ]
}

const WIDE_POSE: ComponentSpec = ComponentSpec { name: "Pose", number: 1, ..WIDE };
const STICKY_POSE: ComponentSpec = ComponentSpec { travel: Travel::Sticky, fields: &[], ..POSE };

/// Runs a case; the last result.
fn run(case: &Case) -> (ClientView, Result<(), ReplicaError>) {
    let mut client = ClientView::new(Schema::new(&case.components).unwrap());
    let mut last = Ok(());
    for step in &case.steps {
        assert_eq!(last, Ok(()), "{}: failed before its last step", case.name);
        last = match step {
            Step::Attach(generation) => {
                client.attach(*generation);
                Ok(())
            }
            Step::Detach => {
                client.detach();
                Ok(())
            }
            Step::View(generation, payload) => client.apply_view(*generation, payload).map(|_| ()),
            Step::State(generation, packet) => client.apply_state(*generation, packet).map(|_| ()),
        };
    }
    (client, last)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn field_json(field: &FieldSpec) -> String {
    let quantise = match field.quantise {
        Quantise::Range { min, step } => format!(r#""kind": "range", "min": {min:?}, "step": {step:?}"#),
        Quantise::Angle => r#""kind": "angle""#.to_owned(),
        Quantise::Unsigned => r#""kind": "unsigned""#.to_owned(),
        Quantise::Bool => r#""kind": "bool""#.to_owned(),
    };
    format!(r#"{{ "name": "{}", "bits": {}, {quantise} }}"#, field.name, field.bits)
}

fn components_json(components: &[ComponentSpec]) -> String {
    let one = |spec: &ComponentSpec| {
        let travel = match spec.travel {
            Travel::State => "state",
            Travel::Sticky => "sticky",
        };
        let fields: Vec<String> = spec.fields.iter().map(field_json).collect();
        let (name, number, fields) = (spec.name, spec.number, fields.join(", "));
        format!(
            r#"        {{ "name": "{name}", "number": {number}, "travel": "{travel}", "fields": [{fields}] }}"#
        )
    };
    components.iter().map(one).collect::<Vec<_>>().join(",\n")
}

fn step_json(step: &Step) -> String {
    match step {
        Step::Attach(generation) => format!(r#"        {{ "attach": {generation} }}"#),
        Step::Detach => r#"        { "detach": true }"#.to_owned(),
        Step::View(generation, bytes) => {
            format!(r#"        {{ "view": "{}", "generation": {generation} }}"#, hex(bytes))
        }
        Step::State(generation, bytes) => {
            format!(r#"        {{ "state": "{}", "generation": {generation} }}"#, hex(bytes))
        }
    }
}

fn entity_json(entity: &Entity<'_>, components: &[ComponentSpec]) -> String {
    let mut parts = Vec::new();
    for spec in components.iter().filter(|spec| entity.has(spec.number)) {
        let value = match (entity.fields(spec.number), entity.sticky(spec.number)) {
            (Some(bits), _) => {
                let values: Vec<f64> =
                    spec.fields.iter().zip(bits).map(|(field, bits)| field.restore(*bits)).collect();
                let tick = entity.tick_of(spec.number).unwrap().0;
                format!(r#"{{ "tick": {tick}, "bits": {bits:?}, "values": {values:?} }}"#)
            }
            (None, bytes) => format!(r#"{{ "bytes": "{}" }}"#, hex(bytes.unwrap_or_default())),
        };
        parts.push(format!(r#""{}": {value}"#, spec.number));
    }
    let (id, parts) = (entity.id().0, parts.join(", "));
    format!(r#"        {{ "id": "{id}", "components": {{ {parts} }} }}"#)
}

fn event_json(event: ViewEvent) -> String {
    let (name, id, rest) = match event {
        ViewEvent::Entered(id) => ("entered", id, String::new()),
        ViewEvent::Left(id, LeaveReason::OutOfView) => {
            ("left", id, r#", "reason": "out of view""#.to_owned())
        }
        ViewEvent::Left(id, LeaveReason::Gone) => ("left", id, r#", "reason": "gone""#.to_owned()),
        ViewEvent::StickyChanged(id, number) => ("sticky changed", id, format!(r#", "component": {number}"#)),
        ViewEvent::ComponentAdded(id, number) => {
            ("component added", id, format!(r#", "component": {number}"#))
        }
        ViewEvent::ComponentRemoved(id, number) => {
            ("component removed", id, format!(r#", "component": {number}"#))
        }
    };
    format!(r#"        {{ "event": "{name}", "id": "{}"{rest} }}"#, id.0)
}

fn case_json(case: &Case) -> String {
    let (mut client, last) = run(case);
    let steps: Vec<String> = case.steps.iter().map(step_json).collect();
    let mut text = format!(
        "    {{\n      \"name\": \"{}\",\n      \"components\": [\n{}\n      ],\n      \"steps\": [\n{}\n      ]",
        case.name,
        components_json(&case.components),
        steps.join(",\n")
    );
    if let Err(error) = last {
        let _ = write!(text, ",\n      \"error\": \"{error}\"");
    } else {
        let entities: Vec<String> =
            client.entities().map(|entity| entity_json(&entity, &case.components)).collect();
        let events: Vec<String> = client.drain_events().map(event_json).collect();
        let _ = write!(
            text,
            ",\n      \"entities\": [\n{}\n      ],\n      \"events\": [\n{}\n      ]",
            entities.join(",\n"),
            events.join(",\n")
        );
    }
    text + "\n    }"
}

#[test]
fn golden_cases_end_as_they_say() {
    for case in good() {
        let (_, last) = run(&case);
        assert_eq!(last, Ok(()), "{}", case.name);
    }
    for case in bad() {
        let (_, last) = run(&case);
        assert!(last.is_err(), "{} was taken", case.name);
    }
}

#[test]
fn golden_bytes_are_as_committed() {
    let cases: Vec<String> = good().iter().map(case_json).collect();
    let failing: Vec<String> = bad().iter().map(case_json).collect();
    let about = "View and State payloads, docs/wire-state.md. In `cases` every step succeeds (ignored payloads too) and \
                 leaves these entities and events; ids are decimal text, components are named by number. In `must_fail` \
                 exactly the last step is an error; its text is for readers.";
    let text = format!(
        "{{\n  \"about\": \"{about}\",\n  \"cases\": [\n{}\n  ],\n  \"must_fail\": [\n{}\n  ]\n}}\n",
        cases.join(",\n"),
        failing.join(",\n")
    );
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    if committed != text {
        std::fs::write(PATH, text).unwrap();
        panic!("client-sdk/vectors/state.json was stale and is written anew: look at the difference");
    }
}
