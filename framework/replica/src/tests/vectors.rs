//! Golden bytes: `client-sdk/vectors/state.json`, which every client implementation reads.
//!
//! The test writes the file anew when it is stale and fails once; look at what changed before committing it. Bytes
//! that were released must stay.

mod cases;
mod delta_cases;

use std::fmt::Write as _;

use lightmoon_contract::replicate::{ComponentSpec, FieldSpec, Quantise, Travel};

use crate::*;
use cases::{bad, good};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../client-sdk/vectors/state.json");

/// What a client is given, one after the other.
#[derive(Clone)]
enum Step {
    Attach(u32),
    Detach,
    View(u32, Vec<u8>),
    State(u32, Vec<u8>),
    Delta(u32, Vec<u8>),
}

impl Step {
    /// The same payload in a frame of another generation.
    fn of_generation(self, generation: u32) -> Self {
        match self {
            Self::View(_, bytes) => Self::View(generation, bytes),
            Self::State(_, bytes) => Self::State(generation, bytes),
            Self::Delta(_, bytes) => Self::Delta(generation, bytes),
            Self::Attach(_) | Self::Detach => self,
        }
    }

    fn without_last_byte(self) -> Self {
        match self {
            Self::View(generation, bytes) => Self::View(generation, bytes[..bytes.len() - 1].to_vec()),
            Self::State(generation, bytes) => Self::State(generation, bytes[..bytes.len() - 1].to_vec()),
            Self::Delta(generation, bytes) => Self::Delta(generation, bytes[..bytes.len() - 1].to_vec()),
            Self::Attach(_) | Self::Detach => self,
        }
    }
}

struct Case {
    name: &'static str,
    components: Vec<ComponentSpec>,
    steps: Vec<Step>,
}

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
            Step::Delta(generation, packet) => client.apply_delta(*generation, packet).map(|_| ()),
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
        Step::Delta(generation, bytes) => {
            format!(r#"        {{ "delta": "{}", "generation": {generation} }}"#, hex(bytes))
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
        if let Some(Receipt { tick, received, views, .. }) =
            client.receipt().filter(|told| told.received != 0)
        {
            let told = format!(r#"{{ "tick": {tick}, "received": {received}, "views": {views} }}"#);
            let _ = write!(text, ",\n      \"receipt\": {told}");
        }
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

/// A case as an input of the fuzz target `replica_client`.
fn seed(case: &Case) -> Vec<u8> {
    let mut input = Vec::new();
    let op = |first: u8, generation: u32| first + u8::try_from(generation).unwrap();
    for step in &case.steps {
        let (op, bytes) = match step {
            Step::Attach(generation) => (0, vec![u8::try_from(*generation).unwrap()]),
            Step::Detach => (1, Vec::new()),
            Step::View(generation, bytes) => (op(1, *generation), bytes.clone()),
            Step::State(generation, bytes) => (op(127, *generation), bytes.clone()),
            Step::Delta(generation, bytes) => (op(200, *generation), bytes.clone()),
        };
        input.push(op);
        input.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
        input.extend(bytes);
    }
    input
}

#[test]
fn every_golden_case_is_a_seed_of_the_fuzz_target() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/replica_client");
    std::fs::create_dir_all(&folder).unwrap();
    let mut stale = 0;
    for case in good().iter().chain(&bad()) {
        let words: Vec<&str> = case
            .name
            .split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let path = folder.join(words.join("-").to_lowercase());
        if std::fs::read(&path).ok().as_deref() != Some(&seed(case)[..]) {
            std::fs::write(path, seed(case)).unwrap();
            stale += 1;
        }
    }
    assert_eq!(stale, 0, "so many seeds were stale and are written anew");
}

#[test]
fn golden_bytes_are_as_committed() {
    let cases: Vec<String> = good().iter().map(case_json).collect();
    let failing: Vec<String> = bad().iter().map(case_json).collect();
    let about = "View, State and Delta payloads, docs/wire-state.md. In `cases` every step succeeds (ignored payloads too) and \
                 leaves these entities and events; ids are decimal text, components are named by number; \
                 `receipt` is what the client then tells of deltas. In `must_fail` \
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
