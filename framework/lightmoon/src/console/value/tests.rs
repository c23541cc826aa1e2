//! What comes out of a form, goes into bytes and comes back.

use super::{arguments, decode};
use lightmoon_contract::contract;
use lightmoon_contract::descriptor::{DescribeContract, Descriptor, TypeRef, TypeTable};
use lightmoon_contract::{Data, data};
use serde_json::{Value, json};

/// An item.
#[data]
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Item {
    /// How many.
    pub(super) count: u64,
    /// What.
    pub(super) kind: Sort,
    /// Where.
    pub(super) at: (f32, f32),
}

/// What an item is.
#[data]
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) enum Sort {
    /// None.
    #[default]
    #[other]
    Nothing,
    /// Ore of a colour.
    Ore {
        /// Which.
        hue: u16,
    },
}

/// A shop.
#[contract(number = 5)]
pub(super) trait Shop {
    /// Puts items there.
    #[operation]
    fn put(name: String, items: Vec<Item>, note: Option<String>, rest: Vec<Result<u8, String>>) -> u64;
}

fn descriptor() -> (Descriptor, TypeRef) {
    let mut table = TypeTable::default();
    let contracts = vec![<ShopContract as DescribeContract>::describe_contract(&mut table)];
    let item = Item::describe(&mut table);
    let types = table.into_types();
    (Descriptor { game: "g".to_owned(), contracts, components: Vec::new(), types }, item)
}

fn given() -> Value {
    json!({
        "name": "lamp",
        "items": [
            { "count": "18446744073709551615", "kind": { "Ore": { "hue": 60 } }, "at": [1.5, -2.0] },
            { "count": 3, "kind": "Nothing", "at": [0.0, 0.25] },
        ],
        "note": null,
        "rest": [{ "error": "none" }, { "ok": 7 }],
    })
}

#[test]
fn a_form_makes_the_bytes_that_the_types_make() {
    let (descriptor, _) = descriptor();
    let fields = &descriptor.contracts[0].operations[0].arguments;
    let bytes = arguments(&descriptor, fields, &given()).unwrap();
    let items = vec![
        Item { count: u64::MAX, kind: Sort::Ore { hue: 60 }, at: (1.5, -2.0) },
        Item { count: 3, kind: Sort::Nothing, at: (0.0, 0.25) },
    ];
    let call =
        shop::Put { name: "lamp".to_owned(), items, note: None, rest: vec![Err("none".to_owned()), Ok(7)] };
    assert_eq!(bytes, lightmoon_contract::codec::encode(&call));
}

#[test]
fn values_come_back_as_they_were_given() {
    let (descriptor, item) = descriptor();
    let value = Item { count: u64::MAX, kind: Sort::Ore { hue: 60 }, at: (1.5, -2.0) };
    let bytes = lightmoon_contract::codec::encode(&value);
    assert_eq!(decode(&descriptor, &item, &bytes).unwrap(), given()["items"][0]);
    assert!(decode(&descriptor, &item, &bytes[..bytes.len() - 1]).is_err(), "a cut value is none");
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let (descriptor, _) = descriptor();
    let fields = &descriptor.contracts[0].operations[0].arguments;
    let says = |change: &dyn Fn(&mut Value)| {
        let mut given = given();
        change(&mut given);
        arguments(&descriptor, fields, &given).unwrap_err().to_string()
    };
    assert_eq!(
        says(&|given| given["items"][1]["count"] = json!(-1)),
        "`arguments.items[1].count` has to be a number of type u64"
    );
    assert_eq!(
        says(&|given| given["items"][0]["kind"] = json!("Gold")),
        "`arguments.items[0].kind` has to be one of Nothing, Ore"
    );
    assert_eq!(
        says(&|given| given["nome"] = json!(1)),
        "`arguments.nome` has to be left out: there is no such field"
    );
    assert_eq!(
        says(&|given| drop(given.as_object_mut().unwrap().remove("note"))),
        "`arguments.note` has to be given"
    );
}
