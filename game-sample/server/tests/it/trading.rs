//! Trading: two pilots exchange goods, and whatever happens between, each has what it had or what it traded for.

use std::time::Duration;

use game_sample::purse::{FEE, GRANT};
use game_sample::trade::{AMOUNT_MAX, OFFER_MS, OFFERS_MAX, PROPOSALS_MAX};
use game_sample::world_map::home_of;
use game_sample_contracts::pilot::{self, TradeCame};
use game_sample_contracts::{
    Entered, Goods, Moved, OreStack, Pose, Role, Trade, TradeEnd, TradeId, TradeOver, TradeRefused, Trades,
};
use lightmoon::actor::reserved::ToSession;
use lightmoon::contract::codec::{self, Limits};
use lightmoon::contract::{ActorId, Caller, NetId, Operation};

use crate::sky::{Sky, client, pilot_id, session_of};

/// Three players of one home.
const ADA: u64 = 4;
const BO: u64 = 9;
const CY: u64 = 14;

const fn coins(coins: u64) -> Goods {
    Goods { coins, ore: Vec::new() }
}

/// A sky with the ships of Ada, Bo and Cy in one sector.
fn sky() -> (Sky, [Entered; 3]) {
    let mut sky = Sky::new(1);
    assert!(home_of(ADA) == home_of(BO) && home_of(BO) == home_of(CY));
    let ships = [(ADA, "Ada"), (BO, "Bo"), (CY, "Cy")]
        .map(|(key, name)| sky.enter(key, name).expect("there is room"));
    (sky, ships)
}

fn offer(sky: &mut Sky, from: u64, ship: NetId, give: Goods, want: Goods) -> Result<Trade, TradeRefused> {
    sky.ask(client(from), pilot_id(from), pilot::Offer { ship, give, want })
}

fn accept(sky: &mut Sky, player: u64, trade: TradeId) -> Result<Moved, TradeRefused> {
    sky.ask(client(player), pilot_id(player), pilot::Accept { trade })
}

fn trades(sky: &mut Sky, player: u64) -> Trades {
    sky.ask(client(player), pilot_id(player), pilot::Trades {})
}

fn purses(sky: &mut Sky) -> [u64; 3] {
    [ADA, BO, CY].map(|player| trades(sky, player).hold.coins)
}

/// What a player's client was told of by this push, in order.
fn told<O: Operation>(sky: &Sky, player: u64) -> Vec<O> {
    let pushed = sky.told.iter().filter(|(session, _)| *session == session_of(player));
    let of = |(_, message): &(_, ToSession)| {
        let ToSession::Push { number, bytes, .. } = message else { return None };
        let is_this = *number == O::SPEC.number;
        is_this.then(|| codec::decode(bytes, Limits::NODE).expect("a push is what its number says"))
    };
    pushed.filter_map(of).collect()
}

/// The ways in which trades of a player ended, as its client was told.
fn ends(sky: &Sky, player: u64) -> Vec<(TradeEnd, Goods)> {
    told::<pilot::TradeOver>(sky, player)
        .into_iter()
        .map(|pilot::TradeOver { over: TradeOver { end, got, .. } }| (end, got))
        .collect()
}

/// A message between pilots, as if the pilot `from` had sent it.
fn post<O: Operation>(sky: &mut Sky, from: u64, to: u64, message: O) {
    let from = Caller::Actor(ActorId::new(pilot_id(from).kind, from));
    sky.ask(from, pilot_id(to), message);
}

#[test]
fn a_trade_gives_each_what_it_traded_for_and_costs_its_offerer_a_coin() {
    let (mut sky, [_, bo, _]) = sky();
    let trade = offer(&mut sky, ADA, bo.avatar, coins(10), coins(3)).unwrap();
    assert_eq!((trade.id, trade.with, trade.name.as_str()), (TradeId { pilot: ADA, number: 1 }, BO, "Bo"));
    assert_eq!(purses(&mut sky), [GRANT - 10, GRANT, GRANT], "what is offered is in no hold");
    let came = told::<TradeCame>(&sky, BO).remove(0).trade;
    assert_eq!((came.id, came.with, came.name.as_str()), (trade.id, ADA, "Ada"));
    assert_eq!((&came.give, &came.want), (&coins(10), &coins(3)));
    assert_eq!(trades(&mut sky, BO).to_me, [came]);
    assert_eq!(accept(&mut sky, BO, trade.id), Ok(Moved { trade: trade.id, goods: coins(3) }));
    assert_eq!(purses(&mut sky), [GRANT - 10 + 3 - FEE, GRANT + 10 - 3, GRANT]);
    assert_eq!(ends(&sky, ADA), [(TradeEnd::Settled, coins(3))]);
    assert_eq!(ends(&sky, BO), [(TradeEnd::Settled, coins(10))]);
    for player in [ADA, BO] {
        let Trades { to_me, from_me, .. } = trades(&mut sky, player);
        assert!(to_me.is_empty() && from_me.is_empty());
    }
    assert_eq!(accept(&mut sky, BO, trade.id), Err(TradeRefused::Unknown), "it is over");
}

#[test]
fn ore_is_traded_by_its_colour() {
    let mut sky = Sky::new(1);
    let crystal = sky.things(home_of(ADA), Role::Crystal).remove(0);
    let ada = sky.enter_at(ADA, "Ada", crystal.pose);
    sky.enter_at(BO, "Bo", Pose { x: crystal.pose.x + 10.0, ..crystal.pose });
    let mined = sky.ask(client(BO), pilot_id(BO), pilot::Mine { crystal: crystal.net }).unwrap();
    assert_eq!(mined.coins, GRANT + 1, "a crystal brings a coin");
    let ore = |amount| Goods { coins: 0, ore: vec![OreStack { hue: mined.hue, amount }] };
    let all = ore(mined.ore.into());
    let trade = offer(&mut sky, BO, ada.avatar, all.clone(), coins(7)).unwrap();
    assert_eq!(trades(&mut sky, BO).hold.total, 0);
    accept(&mut sky, ADA, trade.id).unwrap();
    let hold = trades(&mut sky, ADA).hold;
    assert_eq!((hold.stacks, hold.crystals, hold.coins), (all.ore, 0, GRANT - 7));
    assert_eq!(trades(&mut sky, BO).hold.coins, GRANT + 1 + 7 - FEE);
}

#[test]
fn what_was_refused_or_taken_back_is_in_the_hold_again() {
    let (mut sky, [_, bo, _]) = sky();
    let first = offer(&mut sky, ADA, bo.avatar, coins(10), coins(3)).unwrap();
    let refused = sky.ask(client(BO), pilot_id(BO), pilot::Refuse { trade: first.id });
    assert_eq!(refused, Ok(Moved { trade: first.id, goods: coins(0) }));
    assert_eq!(ends(&sky, ADA), [(TradeEnd::Refused, coins(10))]);
    let second = offer(&mut sky, ADA, bo.avatar, coins(20), coins(3)).unwrap();
    let cancelled = sky.ask(client(ADA), pilot_id(ADA), pilot::Cancel { trade: second.id });
    assert_eq!(cancelled, Ok(Moved { trade: second.id, goods: coins(20) }));
    assert_eq!(ends(&sky, BO), [(TradeEnd::Cancelled, coins(0))]);
    assert_eq!(purses(&mut sky), [GRANT; 3]);
    for trade in [first.id, second.id, TradeId { pilot: ADA, number: 77 }, TradeId::default()] {
        assert_eq!(accept(&mut sky, BO, trade), Err(TradeRefused::Unknown));
        let refused = sky.ask(client(BO), pilot_id(BO), pilot::Refuse { trade });
        let cancelled = sky.ask(client(ADA), pilot_id(ADA), pilot::Cancel { trade });
        assert_eq!((refused, cancelled), (Err(TradeRefused::Unknown), Err(TradeRefused::Unknown)));
    }
    assert_eq!(purses(&mut sky), [GRANT; 3]);
}

#[test]
fn only_who_offers_cancels_and_only_whom_it_is_offered_to_accepts() {
    let (mut sky, [_, bo, _]) = sky();
    let trade = offer(&mut sky, ADA, bo.avatar, coins(10), coins(3)).unwrap().id;
    assert_eq!(accept(&mut sky, CY, trade), Err(TradeRefused::Unknown));
    assert_eq!(accept(&mut sky, ADA, trade), Err(TradeRefused::Unknown));
    for other in [BO, CY] {
        let cancelled = sky.ask(client(other), pilot_id(other), pilot::Cancel { trade });
        assert_eq!(cancelled, Err(TradeRefused::Unknown));
    }
    assert_eq!(trades(&mut sky, ADA).from_me.len(), 1);
}

#[test]
fn an_offer_ends_by_itself_on_both_sides() {
    let (mut sky, [_, bo, _]) = sky();
    let trade = offer(&mut sky, ADA, bo.avatar, coins(10), coins(3)).unwrap();
    assert_eq!(u64::from(trade.left_ms), OFFER_MS);
    sky.run(Duration::from_millis(OFFER_MS - 1_000), |_| {});
    assert!(trades(&mut sky, BO).to_me[0].left_ms <= 1_000);
    assert_eq!((ends(&sky, ADA), ends(&sky, BO)), (vec![], vec![]));
    sky.run(Duration::from_millis(1_100), |_| {});
    assert_eq!(ends(&sky, ADA), [(TradeEnd::TimedOut, coins(10))]);
    assert_eq!(ends(&sky, BO), [(TradeEnd::TimedOut, coins(0))]);
    assert_eq!(accept(&mut sky, BO, trade.id), Err(TradeRefused::Unknown));
    assert_eq!(purses(&mut sky), [GRANT; 3]);
}

#[test]
fn a_time_out_that_comes_early_or_again_ends_nothing() {
    let (mut sky, [_, bo, _]) = sky();
    let trade = offer(&mut sky, ADA, bo.avatar, coins(10), coins(3)).unwrap().id;
    for player in [ADA, BO] {
        assert!(!sky.ask(Caller::Node, pilot_id(player), pilot::TimeOut { trade }));
    }
    assert_eq!((trades(&mut sky, ADA).from_me.len(), trades(&mut sky, BO).to_me.len()), (1, 1));
    accept(&mut sky, BO, trade).unwrap();
    sky.run(Duration::from_millis(OFFER_MS + 100), |_| {});
    assert_eq!(purses(&mut sky), [GRANT - 10 + 3 - FEE, GRANT + 10 - 3, GRANT]);
    assert_eq!(ends(&sky, BO).len(), 1, "the timers of a trade that was done say nothing");
}

#[test]
fn who_accepts_too_late_gets_back_what_it_paid() {
    let (mut sky, [_, bo, _]) = sky();
    let trade = offer(&mut sky, ADA, bo.avatar, coins(10), coins(3)).unwrap().id;
    // Ada takes it back and Bo accepts before hearing of it: Bo's note of the offer is as it was.
    sky.ask(client(ADA), pilot_id(ADA), pilot::Cancel { trade }).unwrap();
    let (give, want) = (coins(10), coins(3));
    post(
        &mut sky,
        ADA,
        BO,
        pilot::Offered { trade, from_name: "Ada".to_owned(), give, want, left_ms: 5_000 },
    );
    assert!(accept(&mut sky, BO, trade).is_ok());
    assert_eq!(purses(&mut sky), [GRANT; 3]);
    assert_eq!(ends(&sky, BO).last(), Some(&(TradeEnd::Returned, coins(3))));
    assert_eq!(ends(&sky, ADA), [], "nothing more came of it");
}

#[test]
fn messages_of_others_and_repeated_ones_move_nothing() {
    let (mut sky, [_, bo, _]) = sky();
    let trade = offer(&mut sky, ADA, bo.avatar, coins(10), coins(3)).unwrap().id;
    let goods = coins(1_000);
    // Cy meddles.
    post(&mut sky, CY, ADA, pilot::Declined { trade, end: TradeEnd::Refused });
    post(&mut sky, CY, BO, pilot::Withdrawn { trade, end: TradeEnd::Cancelled });
    post(&mut sky, CY, BO, pilot::Settled { trade, goods: goods.clone() });
    post(
        &mut sky,
        CY,
        BO,
        pilot::Offered {
            trade: TradeId { pilot: ADA, number: 2 },
            from_name: "Ada".to_owned(),
            give: goods.clone(),
            want: coins(0),
            left_ms: 5_000,
        },
    );
    // Ada's own messages come before they are waited for.
    post(&mut sky, ADA, BO, pilot::Settled { trade, goods: goods.clone() });
    post(&mut sky, ADA, BO, pilot::Returned { trade, goods });
    assert_eq!((trades(&mut sky, ADA).from_me.len(), trades(&mut sky, BO).to_me.len()), (1, 1));
    accept(&mut sky, BO, trade).unwrap();
    for _ in 0..2 {
        post(&mut sky, ADA, BO, pilot::Settled { trade, goods: coins(10) });
        post(&mut sky, BO, ADA, pilot::Accepted { trade, goods: coins(3) });
        post(&mut sky, BO, ADA, pilot::Declined { trade, end: TradeEnd::Refused });
    }
    assert_eq!(purses(&mut sky), [GRANT - 10 + 3 - FEE, GRANT + 10 - 3, GRANT]);
}

#[test]
fn offers_that_make_no_sense_are_refused_and_move_nothing() {
    let (mut sky, [ada, bo, _]) = sky();
    let crystal = sky.things(home_of(ADA), Role::Crystal).remove(0).net;
    let ore = |hue, amount| Goods { coins: 0, ore: vec![OreStack { hue, amount }] };
    for (ship, give, want, why) in [
        (ada.avatar, coins(1), coins(0), TradeRefused::OwnShip),
        (NetId(77), coins(1), coins(0), TradeRefused::NoShip),
        (crystal, coins(1), coins(0), TradeRefused::NoShip),
        (NetId::NONE, coins(1), coins(0), TradeRefused::NoShip),
        (bo.avatar, coins(0), coins(0), TradeRefused::Nothing),
        (bo.avatar, ore(60, 0), coins(0), TradeRefused::Nothing),
        (bo.avatar, coins(GRANT + 1), coins(0), TradeRefused::NotEnough),
        (bo.avatar, ore(60, 1), coins(0), TradeRefused::NotEnough),
        (bo.avatar, ore(61, 1), coins(0), TradeRefused::BadGoods),
        (bo.avatar, coins(1), coins(u64::MAX), TradeRefused::BadGoods),
        (bo.avatar, coins(1), ore(0, AMOUNT_MAX + 1), TradeRefused::BadGoods),
        (
            bo.avatar,
            coins(1),
            Goods { coins: 0, ore: vec![OreStack { hue: 0, amount: u64::MAX }; 2] },
            TradeRefused::BadGoods,
        ),
        (bo.avatar, coins(1), Goods { coins: 0, ore: vec![OreStack::default(); 7] }, TradeRefused::BadGoods),
    ] {
        assert_eq!(offer(&mut sky, ADA, ship, give, want).map(drop), Err(why));
    }
    let stranger =
        sky.ask(client(77), pilot_id(77), pilot::Offer { ship: bo.avatar, give: coins(1), want: coins(0) });
    assert_eq!(stranger.map(drop), Err(TradeRefused::NotAboard));
    assert_eq!(purses(&mut sky), [GRANT; 3]);
}

#[test]
fn who_cannot_pay_may_not_accept_and_a_gift_needs_no_payment() {
    let (mut sky, [_, bo, _]) = sky();
    let dear = offer(&mut sky, ADA, bo.avatar, coins(10), coins(GRANT + 1)).unwrap();
    assert_eq!(accept(&mut sky, BO, dear.id), Err(TradeRefused::NotEnough));
    assert_eq!(trades(&mut sky, BO).to_me.len(), 1, "it may be paid later");
    let gift = offer(&mut sky, ADA, bo.avatar, coins(1), coins(0)).unwrap();
    assert!(accept(&mut sky, BO, gift.id).is_ok());
    assert!(accept(&mut sky, BO, dear.id).is_ok());
    assert_eq!(purses(&mut sky), [GRANT - 11 - FEE + GRANT + 1 - FEE, 10, GRANT]);
}

#[test]
fn nobody_has_more_open_offers_than_can_be_looked_at() {
    let (mut sky, ships) = sky();
    for _ in 0..OFFERS_MAX {
        offer(&mut sky, ADA, ships[1].avatar, coins(1), coins(0)).unwrap();
    }
    assert_eq!(
        offer(&mut sky, ADA, ships[1].avatar, coins(1), coins(0)).map(drop),
        Err(TradeRefused::TooMany)
    );
    for _ in 0..PROPOSALS_MAX - OFFERS_MAX {
        offer(&mut sky, CY, ships[1].avatar, coins(1), coins(0)).unwrap();
    }
    assert_eq!(trades(&mut sky, BO).to_me.len(), PROPOSALS_MAX);
    let fourth = sky.enter(19, "Dee").map(drop);
    assert_eq!(fourth, Ok(()));
    let more = offer(&mut sky, 19, ships[1].avatar, coins(5), coins(0)).unwrap();
    assert_eq!(ends(&sky, 19), [(TradeEnd::TooMany, coins(5))], "{:?} is declined at once", more.id);
    assert_eq!(trades(&mut sky, 19).hold.coins, GRANT);
}
