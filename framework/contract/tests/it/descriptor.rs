//! Descriptors: what they say, their fingerprint, which of two go together.

use lightmoon_contract::descriptor::{Incompatible, check_compatible};
use lightmoon_contract::{Descriptor, limits};

/// A game in one version; tests change words of it.
macro_rules! game {
    ($module:ident { $($items:tt)* } contracts $contracts:tt components $components:tt) => {
        mod $module {
            use lightmoon_contract::{contract, contracts, data, replicate};
            $($items)*
            contracts! { game = "test", contracts = $contracts, components = $components, lock = none }
        }
    };
}

game! { base {
    /// A point.
    #[data(fixed)]
    #[derive(Clone, Debug, Default)]
    pub(super) struct Point { x: f32 }
    #[data]
    #[derive(Clone, Debug, Default)]
    pub(super) struct Order { to: Point, tags: Vec<String>, next: Option<Box<Order>> }
    #[data]
    #[derive(Clone, Debug, Default)]
    pub(super) enum Answer { #[default] Yes, No { why: String }, #[other] Other }
    #[contract(ticking)]
    pub(super) trait Space {
        /// Goes.
        #[operation(client = zone)]
        fn go(order: Order) -> Answer;
        #[operation]
        fn hidden(a: u8);
        #[operation(push)]
        fn told(answer: Answer);
    }
    #[replicate(state)]
    #[derive(Clone)]
    pub(super) struct Pose { #[quantise(bits = 4)] x: u8 }
    #[replicate(sticky)]
    #[derive(Clone)]
    pub(super) struct Label { name: String }
} contracts [Space] components [Pose, Label] }

// All that may be added, other comments, and changes of what no client sees.
game! { grown {
    #[data(fixed)]
    #[derive(Clone, Debug, Default)]
    pub(super) struct Point { x: f32 }
    #[data]
    #[derive(Clone, Debug, Default)]
    pub(super) struct Order { to: Point, tags: Vec<String>, next: Option<Box<Order>>, speed: u32, mode: Mode }
    #[data]
    #[derive(Clone, Debug, Default)]
    pub(super) enum Mode { #[default] Slow, #[other] Other }
    #[data]
    #[derive(Clone, Debug, Default)]
    pub(super) enum Answer { #[default] Yes, No { why: String, code: u8 }, #[other] Other, Later(u64) }
    #[contract(ticking)]
    pub(super) trait Space {
        #[operation(client = zone, rate = 7, timeout_ms = 1)]
        fn go(order: Order, extra: u64) -> Answer;
        #[operation]
        fn hidden(other: String, b: u8) -> u32;
        #[operation(push)]
        fn told(answer: Answer);
        #[operation(client = zone)]
        fn stop();
    }
    #[contract]
    pub(super) trait Second { #[operation(client = own)] fn hello(); }
    #[replicate(state)]
    #[derive(Clone)]
    pub(super) struct Pose { #[quantise(bits = 4)] x: u8, y: bool }
    #[replicate(sticky)]
    #[derive(Clone)]
    pub(super) struct Label { name: String, hue: u16 }
    #[replicate(state)]
    #[derive(Clone)]
    pub(super) struct Health { left: u8 }
} contracts [Space, Second] components [Pose, Label, Health] }

fn refused(change: impl FnOnce(&mut Descriptor)) -> String {
    let mut server = base::descriptor();
    change(&mut server);
    check_compatible(&server, &base::descriptor()).unwrap_err().to_string()
}

/// The entry of a named type.
fn entry<'a>(descriptor: &'a mut Descriptor, name: &str) -> &'a mut lightmoon_contract::descriptor::Shape {
    &mut descriptor.types.iter_mut().find(|entry| entry.name == name).unwrap().shape
}

fn fields(
    shape: &mut lightmoon_contract::descriptor::Shape,
) -> &mut Vec<lightmoon_contract::descriptor::FieldEntry> {
    match shape {
        lightmoon_contract::descriptor::Shape::Struct { fields, .. } => fields,
        lightmoon_contract::descriptor::Shape::Enum { .. } => panic!("an enum"),
    }
}

fn variants(
    shape: &mut lightmoon_contract::descriptor::Shape,
) -> &mut Vec<lightmoon_contract::descriptor::VariantEntry> {
    match shape {
        lightmoon_contract::descriptor::Shape::Enum { variants, .. } => variants,
        lightmoon_contract::descriptor::Shape::Struct { .. } => panic!("a struct"),
    }
}

#[test]
fn additions_pass() {
    assert_eq!(check_compatible(&base::descriptor(), &base::descriptor()), Ok(()));
    assert_eq!(check_compatible(&grown::descriptor(), &base::descriptor()), Ok(()));
}

#[test]
fn a_client_that_knows_more_than_the_server_is_refused() {
    let Incompatible { place, difference } =
        check_compatible(&base::descriptor(), &grown::descriptor()).unwrap_err();
    assert_eq!(place, "contract `Space`, operation `go`, field `order`, field `speed`");
    assert_eq!(difference, "the server does not have it");
}

#[test]
fn changes_are_refused_by_their_place() {
    let cases: [(&str, String); 11] = [
        (
            "contract `Space`, operation `go`, field `order`, field `tags`: the type is String in the server and \
             List<String> in the client",
            refused(|server| {
                fields(entry(server, "Order"))[1].value = lightmoon_contract::descriptor::TypeRef::Text
            }),
        ),
        (
            "contract `Space`, operation `go`, field `order`, field `tags`: the server has `labels` in its place",
            refused(|server| fields(entry(server, "Order"))[1].name = "labels".into()),
        ),
        (
            "contract `Space`, operation `go`, field `order`, field `next`: the server does not have it",
            refused(|server| drop(fields(entry(server, "Order")).pop())),
        ),
        (
            "contract `Space`, operation `go`, field `order`, field `must`: the client does not send it, and it cannot \
             be left out",
            refused(|server| {
                let fields = fields(entry(server, "Order"));
                let mut must = fields[1].clone();
                (must.name, must.required) = ("must".into(), true);
                fields.push(must);
            }),
        ),
        (
            "contract `Space`, operation `go`, field `order`, field `to`, field `y`: the client does not send it, and \
             it cannot be left out",
            refused(|server| {
                let fields = fields(entry(server, "Point"));
                let mut second = fields[0].clone();
                second.name = "y".into();
                fields.push(second);
            }),
        ),
        (
            "contract `Space`, operation `go`, the answer, variant `No`: the number is 5 in the server and 1 in the client",
            refused(|server| variants(entry(server, "Answer"))[1].number = 5),
        ),
        (
            "contract `Space`, operation `go`: the aim is own in the server and zone in the client",
            refused(|server| {
                server.contracts[0].operations[0].aim = Some(lightmoon_contract::operation::Aim::Own)
            }),
        ),
        (
            "contract `Space`, operation `told`: the server does not have it",
            refused(|server| drop(server.contracts[0].operations.pop())),
        ),
        ("contract `Space`: the server does not have it", refused(|server| server.contracts.clear())),
        (
            "component `Pose`, field `x`: its quantising is 5 bits in the server and 4 bits in the client",
            refused(|server| server.components[0].fields[0].bits = 5),
        ),
        (
            "component `Label`: state in the server and sticky in the client",
            refused(|server| server.components[1].travel = lightmoon_contract::replicate::Travel::State),
        ),
    ];
    for (expected, found) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn a_descriptor_from_outside_cannot_break_the_comparison() {
    let mut client = base::descriptor();
    client.types.clear();
    let error = check_compatible(&base::descriptor(), &client).unwrap_err();
    assert_eq!(error.difference, "the descriptor refers to a type that it does not have");
    // Every prefix, and every single changed byte, of a descriptor's bytes.
    let bytes = base::descriptor().to_bytes();
    for at in 0..bytes.len() {
        assert!(Descriptor::from_bytes(&bytes[..at]).is_err());
        for change in [1u8, 0x80, 0xFF] {
            let mut bytes = bytes.clone();
            bytes[at] ^= change;
            if let Ok(client) = Descriptor::from_bytes(&bytes) {
                let _ = check_compatible(&base::descriptor(), &client);
                let _ = client.to_json();
            }
        }
    }
}

#[test]
fn the_fingerprint_changes_with_what_travels_and_not_with_comments_or_durability() {
    let base = base::descriptor();
    assert_eq!(Descriptor::from_bytes(&base.to_bytes()).unwrap().fingerprint(), base.fingerprint());
    let mut commented = base.clone();
    commented.contracts[0].docs = "another text".into();
    commented.contracts[0].operations[0].docs = "another text".into();
    commented.contracts[0].provisional = !commented.contracts[0].provisional;
    commented.types[0].docs = "another text".into();
    assert_eq!(commented.fingerprint(), base.fingerprint());
    let mut kept = base.clone();
    let operation = &mut kept.contracts[0].operations[0];
    operation.durability = lightmoon_contract::operation::Durability::Sync;
    (operation.max_loss_ms, operation.logged) = (1, true);
    assert_eq!(kept.fingerprint(), base.fingerprint());
    let mut changed = base.clone();
    changed.contracts[0].operations[0].rate.burst += 1;
    assert_ne!(changed.fingerprint(), base.fingerprint());
    assert_ne!(grown::descriptor().fingerprint(), base.fingerprint());
    assert!(base.fits_handshake() && base.to_bytes().len() < limits::DESCRIPTOR_BYTES_MAX);
}

#[test]
fn types_of_one_name_are_told_apart() {
    mod other {
        #[lightmoon_contract::data]
        #[derive(Default)]
        pub(super) struct Order {
            a: u8,
        }
    }
    use lightmoon_contract::Data as _;
    let mut table = lightmoon_contract::descriptor::TypeTable::new();
    base::Order::describe(&mut table);
    other::Order::describe(&mut table);
    base::Order::describe(&mut table);
    let names: Vec<_> = table.into_types().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["Order", "Point", "Order_2"]);
}

#[test]
fn json_holds_documentation_numbers_and_types() {
    let json = base::descriptor().to_json();
    for part in [
        r#""game": "test""#,
        r#""name": "Space", "docs": "", "kind": 1, "provisional": true, "ticking": true"#,
        r#""name": "go", "docs": "Goes.", "number": 1, "provisional": true, "form": "request", "priority": "normal", "reliability": "reliable-ordered", "lane": 35, "aim": "zone", "rate": {"perSecond": 30, "burst": 30}, "timeoutMs": 30000, "everyMs": null"#,
        r#""arguments": [{"name": "order", "docs": "", "type": {"named": "Order"}, "required": false}], "reply": {"named": "Answer"}, "durability": "behind", "maxLossMs": 10000, "logged": false"#,
        r#""name": "next", "docs": "", "type": {"option": {"named": "Order"}}"#,
        r#""name": "x", "bits": 4, "quantise": "unsigned""#,
        r#""name": "Point", "docs": "A point.", "struct": {"grows": false"#,
    ] {
        assert!(json.contains(part), "{part}\nis not in\n{json}");
    }
}
