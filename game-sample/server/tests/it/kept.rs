//! What the sample keeps, byte by byte: a build of tomorrow has to read it.
//!
//! Who changes one of these types appends fields, or raises its `Persist::VERSION` and adds the step that reads the older one;
//! then the bytes of the older version stay here and have to decode.

use game_sample::crystal::{Crystal, Spent};
use game_sample::drifter::Drifter;
use game_sample::flight::Motion;
use game_sample::hold::Ore;
use game_sample::pilot::{Berth, Profile};
use game_sample::purse::Purse;
use game_sample::ship::{Flight, Ship};
use game_sample::trade::{Escrow, OfferCount, Parcel, Proposal};
use game_sample_contracts::{Goods, Label, OreStack, Place, Pose, Role, TradeId};
use lightmoon::contract::codec::{self, Limits};
use lightmoon::contract::{NetId, Persist};

/// Holds the name, version and bytes of a value to those that were released.
fn stands<T: Persist + PartialEq + std::fmt::Debug>(value: T, name: &str, bytes: &str) {
    let written: String = codec::encode(&value).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((T::NAME, T::VERSION, written.as_str()), (name, 1, bytes));
    assert_eq!(codec::decode::<T>(&codec::encode(&value), Limits::NODE), Ok(value));
}

#[test]
fn what_is_kept_keeps_its_names_and_bytes() {
    let motion = Motion { x: 1.0, y: -2.0, vx: 0.5, vy: 0.0, yaw: 3.0, charge: 1.0, spent: true };
    stands(Ship { player: 7 }, "ship", "0107");
    stands(Flight(motion), "flight", "1a190000803f000000c00000003f00000000000040400000803f01");
    stands(Pose { x: 1.0, y: -2.0, yaw: 0.5, thrust: 3 }, "pose", "0d0000803f000000c00000003f03");
    stands(Label { name: "Ada".to_owned(), hue: 300, role: Role::Spent }, "label", "0903416461fb2c010400");
    stands(Crystal { ore: 5 }, "crystal", "0105");
    stands(Spent { by: 7, until: 400 }, "spent", "0407fb9001");
    stands(Drifter { speed: 30.0, pace: 31.0, whim: -1.0 }, "drifter", "0c0000f0410000f841000080bf");
    stands(Ore { hue: 240, amount: 1_000 }, "ore", "04f0fbe803");
    stands(Profile { name: "Ada".to_owned(), hue: 300 }, "profile", "0703416461fb2c01");
    stands(
        Berth { sector: 2, place: Place { x: 1.0, y: -2.0, yaw: 0.5 }, ship: NetId(9) },
        "berth",
        "0f020c0000803f000000c00000003f09",
    );
}

#[test]
fn what_is_kept_of_coins_and_trades_keeps_its_names_and_bytes() {
    let goods = |coins, hue, amount| Goods { coins, ore: vec![OreStack { hue, amount }] };
    let (give, want) = (goods(3, 60, 2), goods(0, 0, 1));
    let (name, until_ms) = ("Ada".to_owned(), 30_000);
    stands(Purse { coins: 99, minted: 101, destroyed: 2, is_granted: true }, "purse", "0463650201");
    stands(OfferCount { last: 7 }, "offer-count", "0107");
    stands(
        Escrow { number: 7, to: 9, name: name.clone(), give: give.clone(), want: want.clone(), until_ms },
        "escrow",
        "15070903416461050301023c02050001020001fb3075",
    );
    let trade = TradeId { pilot: 9, number: 300 };
    stands(
        Proposal { trade, name, give: give.clone(), want, until_ms, is_paid: true },
        "proposal",
        "190409fb2c0103416461050301023c02050001020001fb307501",
    );
    stands(Parcel { to: 9, trade, goods: give, settles: true }, "parcel", "0d090409fb2c01050301023c0201");
}

#[test]
fn a_purse_of_before_there_were_purses_is_empty_and_not_granted() {
    let nothing = codec::decode::<Purse>(&[0], Limits::NODE);
    assert_eq!(nothing, Ok(Purse::default()));
}
