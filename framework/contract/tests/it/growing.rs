//! Types that grow: old and new builds read each other.

use lightmoon_contract::codec::{DecodeReason, Limits, decode, encode};
use lightmoon_contract::data;

mod old {
    use lightmoon_contract::data;

    #[data]
    #[derive(Clone, Debug, PartialEq, Default)]
    pub(super) struct Ship {
        pub(super) name: String,
        pub(super) hull: u16,
    }

    #[data]
    #[derive(Clone, Debug, PartialEq)]
    pub(super) enum Event {
        #[number(1)]
        Hit { damage: u16 },
        #[number(2)]
        Gone,
        #[other]
        #[number(0)]
        Other,
    }
}

mod new {
    use lightmoon_contract::data;

    #[data]
    #[derive(Clone, Debug, PartialEq, Default)]
    pub(super) struct Ship {
        pub(super) name: String,
        pub(super) hull: u16,
        pub(super) crew: Vec<String>,
        pub(super) captain: Option<Box<Ship>>,
    }

    #[data]
    #[derive(Clone, Debug, PartialEq)]
    pub(super) enum Event {
        #[number(1)]
        Hit { damage: u16, by: String },
        #[number(2)]
        Gone,
        #[number(3)]
        Docked(u64, Vec<u8>),
        #[other]
        #[number(0)]
        Other,
    }
}

const LIMITS: Limits = Limits::CLIENT;

#[test]
fn an_old_reader_skips_fields_it_does_not_know() {
    let ship = new::Ship {
        name: "Moth".into(),
        hull: 300,
        crew: vec!["a".into()],
        captain: Some(Box::new(new::Ship::default())),
    };
    let list = vec![ship.clone(), ship];
    let old: Vec<old::Ship> = decode(&encode(&list), LIMITS).unwrap();
    assert_eq!(old, vec![old::Ship { name: "Moth".into(), hull: 300 }; 2]);
}

#[test]
fn a_new_reader_fills_missing_fields_with_defaults() {
    let old = old::Ship { name: "Moth".into(), hull: 300 };
    let new: (new::Ship, u8) = decode(&encode(&(old, 9u8)), LIMITS).unwrap();
    assert_eq!(new, (new::Ship { name: "Moth".into(), hull: 300, ..Default::default() }, 9));
}

#[test]
fn an_unknown_variant_becomes_the_other_one_and_what_follows_is_read() {
    let events = vec![new::Event::Docked(7, vec![1, 2, 3]), new::Event::Gone];
    let old: Vec<old::Event> = decode(&encode(&events), LIMITS).unwrap();
    assert_eq!(old, [old::Event::Other, old::Event::Gone]);
}

#[test]
fn variants_grow_like_structs() {
    let new = new::Event::Hit { damage: 5, by: "x".into() };
    assert_eq!(decode::<old::Event>(&encode(&new), LIMITS), Ok(old::Event::Hit { damage: 5 }));
    let old = old::Event::Hit { damage: 5 };
    let read = decode::<new::Event>(&encode(&old), LIMITS);
    assert_eq!(read, Ok(new::Event::Hit { damage: 5, by: String::new() }));
}

#[test]
fn a_length_that_ends_inside_a_field_is_an_error() {
    let bytes = encode(&old::Ship { name: "Moth".into(), hull: 300 });
    for cut in [2, 3, 6, 7] {
        let mut shorter = bytes[..=cut].to_vec();
        shorter[0] = u8::try_from(cut).unwrap();
        let result = decode::<old::Ship>(&shorter, LIMITS);
        // Ends between fields are fine, all others not.
        assert_eq!(result.is_ok(), cut == 5, "cut {cut}: {result:?}");
    }
    let mut between = bytes[..6].to_vec();
    between[0] = 5;
    assert_eq!(decode(&between, LIMITS), Ok(old::Ship { name: "Moth".into(), hull: 0 }));
}

#[test]
fn a_window_does_not_read_past_its_end_into_what_follows() {
    // The window holds the text's length but not its bytes, which stand behind it.
    let error = decode::<(old::Ship, String)>(&[1, 4, b'M', b'o', b't', b'h'], LIMITS).unwrap_err();
    assert_eq!((error.reason(), error.at()), (DecodeReason::Count, 1));
}

#[test]
fn long_windows_have_long_lengths() {
    for length in [245usize, 246, 247, 248, 249, 250, 251, 252, 260, 65_540, 70_000] {
        let ship = old::Ship { name: "x".repeat(length), hull: 1 };
        let bytes = encode(&ship);
        assert_eq!(decode(&bytes, Limits::NODE.strict()), Ok(ship), "length {length}");
    }
}

/// One of its fields has no default: it was there from the first version on.
#[data]
#[derive(Debug, PartialEq)]
struct Bound {
    #[required]
    to: Target,
    note: String,
}

#[data(fixed)]
#[derive(Debug, PartialEq)]
enum Target {
    Me,
}

#[test]
fn a_required_field_cannot_be_left_out() {
    assert_eq!(decode::<Bound>(&[0], LIMITS).unwrap_err().reason(), DecodeReason::Missing);
    assert_eq!(decode(&[1, 0], LIMITS), Ok(Bound { to: Target::Me, note: String::new() }));
}

#[data]
#[derive(Debug, PartialEq, Default)]
struct Empty {}

#[data]
#[derive(Debug, PartialEq, Default)]
struct Unit;

#[data(fixed)]
#[derive(Debug, PartialEq, Default)]
struct FixedUnit;

#[data]
#[derive(Debug, PartialEq, Default)]
struct Numbered(u16, bool);

#[test]
fn structs_without_names_or_fields_travel_too() {
    assert_eq!(encode(&Empty {}), [0]);
    assert_eq!(encode(&Unit), [0]);
    assert_eq!(encode(&FixedUnit), []);
    assert_eq!(encode(&Numbered(300, true)), [4, 0xFB, 0x2C, 1, 1]);
    assert_eq!(decode(&[4, 0xFB, 0x2C, 1, 1], LIMITS), Ok(Numbered(300, true)));
}

#[data]
#[derive(Debug, PartialEq, Default)]
struct Tree {
    branches: Vec<Tree>,
}

fn tree(depth: u32) -> Tree {
    Tree { branches: if depth == 1 { Vec::new() } else { vec![tree(depth - 1)] } }
}

#[test]
fn values_nest_32_deep_and_not_deeper() {
    assert_eq!(decode(&encode(&tree(32)), LIMITS), Ok(tree(32)));
    assert_eq!(decode::<Tree>(&encode(&tree(33)), LIMITS).unwrap_err().reason(), DecodeReason::Nesting);
}
