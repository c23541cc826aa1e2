//! Several pilots trade at random while their messages are late: all coins and ore are in one place all the time.

use std::collections::{BTreeMap, VecDeque};

use bevy_ecs::prelude::*;
use game_sample_contracts::{Flown, Goods, OreStack, TradeEnd, TradeId};
use lightmoon::contract::NetId;

use super::letter::{Letter, Says};
use super::proposals::NotNoted;
use super::{
    Escrow, OFFER_MS, OFFERS_MAX, OfferCount, PROPOSALS_MAX, Parcel, Proposal, goods, offers, proposals,
};
use crate::audit::sums::Stock;
use crate::hold::{self, Finds};
use crate::purse::{self, Purse};

const PILOTS: u64 = 4;

/// A pilot's world, as its actor makes it.
fn pilot() -> World {
    let mut world = World::new();
    world.init_resource::<Finds>();
    world.init_resource::<Purse>();
    world.init_resource::<OfferCount>();
    purse::grant(&mut world);
    world
}

/// Pilots, and the messages between them: in order from one to another, in any order else.
struct Bazaar {
    random: fastrand::Rng,
    now_ms: u64,
    pilots: BTreeMap<u64, World>,
    late: BTreeMap<(u64, u64), VecDeque<Letter>>,
    crystals: u64,
    ends: BTreeMap<&'static str, u32>,
}

impl Bazaar {
    fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            now_ms: 1_000,
            pilots: (1..=PILOTS).map(|key| (key, pilot())).collect(),
            late: BTreeMap::new(),
            crystals: 0,
            ends: BTreeMap::new(),
        }
    }

    fn send(&mut self, from: u64, letter: Letter) {
        self.late.entry((from, letter.to)).or_default().push_back(letter);
    }

    fn count(&mut self, end: &'static str) {
        *self.ends.entry(end).or_default() += 1;
    }

    fn step(&mut self) {
        self.now_ms += self.random.u64(..1_500);
        let me = self.random.u64(1..=PILOTS);
        match self.random.u8(..10) {
            0 => self.mine(me),
            1 | 2 => self.offer(me),
            3 | 4 => self.accept(me),
            5 => self.refuse(me),
            6 => self.cancel(me),
            7 => self.time_out(me),
            _ => self.deliver(),
        }
    }

    fn mine(&mut self, me: u64) {
        self.crystals += 1;
        let (hue, ore) = (self.random.u16(..6) * 60, self.random.u32(1..=5));
        let world = self.pilots.get_mut(&me).unwrap();
        hold::stow(world, NetId(self.crystals), hue, ore);
    }

    fn some_goods(&mut self) -> Goods {
        let stacks = self.random.usize(..3);
        let stack =
            |random: &mut fastrand::Rng| OreStack { hue: random.u16(..6) * 60, amount: random.u64(..4) };
        Goods { coins: self.random.u64(..40), ore: (0..stacks).map(|_| stack(&mut self.random)).collect() }
    }

    fn offer(&mut self, me: u64) {
        let (give, want) = (self.some_goods(), self.some_goods());
        let pilot = self.random.u64(1..=PILOTS);
        let other = Flown { ship: NetId(pilot), pilot, name: String::new() };
        let Ok(goods) = offers::judged(&give, &want) else { return };
        let world = self.pilots.get_mut(&me).unwrap();
        let Ok(escrow) = offers::open(world, me, other, goods, self.now_ms) else { return };
        assert!(pilot != me && world.query::<&Escrow>().iter(world).count() <= OFFERS_MAX);
        let trade = TradeId { pilot: me, number: escrow.number };
        let left_ms = u32::try_from(OFFER_MS).unwrap();
        let says = Says::Offered { from_name: String::new(), give: escrow.give, want: escrow.want, left_ms };
        self.send(me, Letter { to: escrow.to, trade, says });
    }

    /// Some trade that a pilot may know, or not.
    fn some_trade(&mut self, me: u64) -> TradeId {
        let world = self.pilots.get_mut(&me).unwrap();
        let known: Vec<TradeId> =
            world.query::<&Proposal>().iter(world).map(|proposal| proposal.trade).collect();
        let other = TradeId { pilot: self.random.u64(1..=PILOTS), number: self.random.u64(..20) };
        if self.random.u8(..4) == 0 { other } else { self.random.choice(known).unwrap_or(other) }
    }

    fn accept(&mut self, me: u64) {
        let trade = self.some_trade(me);
        let world = self.pilots.get_mut(&me).unwrap();
        if let Ok(paid) = proposals::pay(world, trade, self.now_ms)
            && !paid.was_before
        {
            self.send(me, Letter { to: trade.pilot, trade, says: Says::Accepted(paid.proposal.want) });
        }
    }

    fn refuse(&mut self, me: u64) {
        let trade = self.some_trade(me);
        if proposals::forget(self.pilots.get_mut(&me).unwrap(), trade, |_| true).is_some() {
            self.send(me, Letter { to: trade.pilot, trade, says: Says::Declined(TradeEnd::Refused) });
        }
    }

    fn cancel(&mut self, me: u64) {
        let number = self.random.u64(..20);
        if let Some(escrow) = offers::end(self.pilots.get_mut(&me).unwrap(), number, |_| true) {
            let trade = TradeId { pilot: me, number };
            self.send(me, Letter { to: escrow.to, trade, says: Says::Withdrawn(TradeEnd::Cancelled) });
        }
    }

    fn time_out(&mut self, me: u64) {
        let now_ms = self.now_ms;
        let world = self.pilots.get_mut(&me).unwrap();
        let numbers: Vec<u64> = world.query::<&Escrow>().iter(world).map(|escrow| escrow.number).collect();
        for number in numbers {
            let world = self.pilots.get_mut(&me).unwrap();
            if let Some(escrow) = offers::end(world, number, |escrow| escrow.until_ms <= now_ms) {
                let trade = TradeId { pilot: me, number };
                self.send(me, Letter { to: escrow.to, trade, says: Says::Withdrawn(TradeEnd::TimedOut) });
                self.count("timed out");
            }
        }
    }

    fn deliver(&mut self) {
        let pairs: Vec<(u64, u64)> =
            self.late.iter().filter(|(_, letters)| !letters.is_empty()).map(|(pair, _)| *pair).collect();
        let Some((from, to)) = self.random.choice(pairs) else { return };
        let letter = self.late.get_mut(&(from, to)).and_then(VecDeque::pop_front).unwrap();
        self.take(from, letter);
    }

    fn take(&mut self, from: u64, letter: Letter) {
        let Letter { to: me, trade, says } = letter;
        let now_ms = self.now_ms;
        let world = self.pilots.get_mut(&me).unwrap();
        match says {
            Says::Offered { give, want, .. } => {
                let until_ms = now_ms + OFFER_MS;
                let proposal = Proposal { trade, name: String::new(), give, want, until_ms, is_paid: false };
                if proposals::note(world, proposal) == Err(NotNoted::TooMany) {
                    self.send(me, Letter { to: from, trade, says: Says::Declined(TradeEnd::TooMany) });
                    self.count("too many");
                }
            }
            Says::Withdrawn(_) => drop(proposals::forget(world, trade, |_| true)),
            Says::Declined(_) => {
                if offers::end(world, trade.number, |escrow| escrow.to == from).is_some() {
                    self.count("declined");
                }
            }
            Says::Accepted(paid) => {
                let (parcel, _) = offers::sell(world, me, trade, from, paid);
                let Parcel { to, trade, goods, settles } = parcel;
                let says = if settles { Says::Settled(goods) } else { Says::Returned(goods) };
                self.count(if settles { "settled" } else { "returned" });
                self.send(me, Letter { to, trade, says });
            }
            Says::Settled(goods) | Says::Returned(goods) => {
                assert!(proposals::close(world, trade, &goods).is_some(), "goods came for nobody");
            }
        }
    }

    /// Everything, wherever it is.
    fn all(&mut self) -> (Stock, u64, u64) {
        let (mut all, mut minted, mut destroyed) = (Stock::default(), 0, 0);
        for world in self.pilots.values_mut() {
            let held = hold::list(world);
            all.add(&Goods { coins: held.coins, ore: held.stacks });
            world.query::<&Escrow>().iter(world).for_each(|escrow| all.add(&escrow.give));
            minted += world.resource::<Purse>().minted;
            destroyed += world.resource::<Purse>().destroyed;
            let proposals = world.query::<&Proposal>().iter(world).count();
            assert!(proposals <= PROPOSALS_MAX);
        }
        for letter in self.late.values().flatten() {
            if let Says::Accepted(goods) | Says::Settled(goods) | Says::Returned(goods) = &letter.says {
                all.add(goods);
            }
        }
        (all, minted, destroyed)
    }
}

#[test]
fn whatever_pilots_do_and_however_late_messages_are_goods_are_neither_made_nor_lost() {
    let mut ends: BTreeMap<&'static str, u32> = BTreeMap::new();
    for seed in 0..60 {
        let mut bazaar = Bazaar::new(seed);
        let mut before = bazaar.all();
        for step in 0..400 {
            let crystals = bazaar.crystals;
            bazaar.step();
            let now = bazaar.all();
            let (minted, destroyed) = (now.1 - before.1, now.2 - before.2);
            assert_eq!(
                now.0.coins + u128::from(destroyed),
                before.0.coins + u128::from(minted),
                "seed {seed}, step {step}"
            );
            if crystals == bazaar.crystals {
                assert_eq!(now.0.ore, before.0.ore, "seed {seed}, step {step}");
            }
            before = now;
        }
        settle(&mut bazaar, seed);
        for (end, count) in bazaar.ends {
            *ends.entry(end).or_default() += count;
        }
    }
    for end in ["settled", "returned", "declined", "timed out"] {
        assert!(ends.get(end).is_some_and(|count| *count > 20), "{end} was hardly tried: {ends:?}");
    }
}

/// All messages arrive and all time is over: nothing is open.
fn settle(bazaar: &mut Bazaar, seed: u64) {
    bazaar.now_ms += OFFER_MS;
    for _ in 0..4 {
        (1..=PILOTS).for_each(|me| bazaar.time_out(me));
        while bazaar.late.values().any(|letters| !letters.is_empty()) {
            bazaar.deliver();
        }
    }
    for world in bazaar.pilots.values_mut() {
        assert_eq!(world.query::<&Escrow>().iter(world).count(), 0, "seed {seed}");
        assert_eq!(world.query::<&Proposal>().iter(world).count(), 0, "seed {seed}");
    }
}

#[test]
fn a_message_that_came_twice_makes_nothing() {
    let (mut ada, mut bo) = (pilot(), pilot());
    let coins = |coins| Goods { coins, ore: Vec::new() };
    let other = Flown { ship: NetId(1), pilot: 9, name: String::new() };
    let escrow = offers::open(&mut ada, 4, other, (coins(10), coins(3)), 0).unwrap();
    let trade = TradeId { pilot: 4, number: escrow.number };
    let proposal = Proposal { trade, give: coins(10), want: coins(3), until_ms: 9, ..Proposal::default() };
    assert_eq!(proposals::note(&mut bo, proposal.clone()), Ok(()));
    assert_eq!(proposals::note(&mut bo, proposal), Err(NotNoted::Known));
    assert!(!proposals::pay(&mut bo, trade, 0).unwrap().was_before);
    assert!(proposals::pay(&mut bo, trade, 0).unwrap().was_before);
    let (first, _) = offers::sell(&mut ada, 4, trade, 9, coins(3));
    let (second, sold) = offers::sell(&mut ada, 4, trade, 9, coins(3));
    assert!(first.settles && !second.settles && sold.is_none());
    assert!(proposals::close(&mut bo, trade, &first.goods).is_some());
    assert!(proposals::close(&mut bo, trade, &second.goods).is_none(), "it waits for nothing any more");
    assert!(proposals::close(&mut bo, trade, &first.goods).is_none());
    assert_eq!((purse::coins(&ada), purse::coins(&bo)), (100 - 10 + 3 - 1, 100 + 10 - 3));
}

#[test]
fn a_payment_that_does_not_fit_or_is_another_pilots_goes_back() {
    let mut ada = pilot();
    let coins = |coins| Goods { coins, ore: Vec::new() };
    let other = Flown { ship: NetId(1), pilot: 9, name: String::new() };
    let escrow = offers::open(&mut ada, 4, other, (coins(10), coins(3)), 0).unwrap();
    let trade = TradeId { pilot: 4, number: escrow.number };
    for (of, by, paid) in [
        (trade, 8, 3),
        (trade, 9, 2),
        (TradeId { pilot: 5, ..trade }, 9, 3),
        (TradeId { number: 7, ..trade }, 9, 3),
    ] {
        let (parcel, sold) = offers::sell(&mut ada, 4, of, by, coins(paid));
        assert!(sold.is_none() && !parcel.settles && parcel.to == by && parcel.goods == coins(paid));
    }
    assert!(offers::find(&mut ada, escrow.number).is_some());
}

#[test]
fn after_a_restart_no_offer_is_open_longer_than_its_time() {
    let mut ada = pilot();
    let other = Flown { ship: NetId(1), pilot: 9, name: String::new() };
    let give = Goods { coins: 1, ore: Vec::new() };
    let escrow = offers::open(&mut ada, 4, other, (give, Goods::default()), 500_000).unwrap();
    assert_eq!(offers::renew(&mut ada, 510_000), [(escrow.number, 20_000)]);
    assert_eq!(offers::renew(&mut ada, 900_000), [(escrow.number, 0)], "its time is over");
    // The machine was started again: its time begins anew.
    assert_eq!(offers::renew(&mut ada, 2_000), [(escrow.number, 30_000)]);
    assert!(offers::end(&mut ada, escrow.number, |escrow| escrow.until_ms <= 32_000).is_some());
    assert!(goods::is_nothing(&Goods::default()));
}
