//! The offerer's side of trades.
//!
//! *Responsible for*: opening an offer, the ways it ends. *Not responsible for*: telling anybody ([`super::desk`]).

use bevy_ecs::prelude::*;
use game_sample_contracts::{Flown, Goods, Trade, TradeId, TradeRefused};

use super::{Escrow, OFFER_MS, OFFERS_MAX, OfferCount, Parcel, goods, left_ms};
use crate::{hold, purse};

/// What may be offered, as it is kept.
///
/// # Errors
/// See [`TradeRefused`].
pub fn judged(give: &Goods, want: &Goods) -> Result<(Goods, Goods), TradeRefused> {
    let tidy = |claimed| goods::tidy(claimed).ok_or(TradeRefused::BadGoods);
    let (give, want) = (tidy(give)?, tidy(want)?);
    if goods::is_nothing(&give) && goods::is_nothing(&want) {
        return Err(TradeRefused::Nothing);
    }
    Ok((give, want))
}

/// Opens an offer of pilot `me`: moves what is given from the hold into an escrow.
///
/// # Errors
/// Nothing changed.
pub fn open(
    world: &mut World,
    me: u64,
    other: Flown,
    (give, want): (Goods, Goods),
    now_ms: u64,
) -> Result<Escrow, TradeRefused> {
    if other.pilot == me {
        return Err(TradeRefused::OwnShip);
    }
    if world.query::<&Escrow>().iter(world).count() >= OFFERS_MAX {
        return Err(TradeRefused::TooMany);
    }
    if !hold::take(world, &give) {
        return Err(TradeRefused::NotEnough);
    }
    let mut count = world.resource_mut::<OfferCount>();
    count.last += 1;
    let number = count.last;
    let Flown { pilot: to, name, .. } = other;
    let escrow = Escrow { number, to, name, give, want, until_ms: now_ms + OFFER_MS };
    world.spawn(escrow.clone());
    Ok(escrow)
}

/// An open offer.
#[must_use]
pub fn find(world: &mut World, number: u64) -> Option<Escrow> {
    world.query::<&Escrow>().iter(world).find(|escrow| escrow.number == number).cloned()
}

/// Ends an offer: what is in its escrow goes back into the hold. `None`: there is none, or `may` says no.
pub fn end(world: &mut World, number: u64, may: impl Fn(&Escrow) -> bool) -> Option<Escrow> {
    let escrow = take_out(world, number, may)?;
    hold::put(world, &escrow.give);
    Some(escrow)
}

/// An offer of pilot `me` was accepted by `by` and paid with `paid`: what goes back to `by`, and the escrow that this ended.
///
/// What was paid goes into the hold, and what was in the escrow to the other pilot; the fee is destroyed. If the offer is
/// over, or was made to another pilot, what was paid goes back.
pub fn sell(world: &mut World, me: u64, trade: TradeId, by: u64, paid: Goods) -> (Parcel, Option<Escrow>) {
    let is_meant = |escrow: &Escrow| trade.pilot == me && escrow.to == by && escrow.want == paid;
    let Some(escrow) = take_out(world, trade.number, is_meant) else {
        return (Parcel { to: by, trade, goods: paid, settles: false }, None);
    };
    hold::put(world, &paid);
    purse::pay_fee(world);
    (Parcel { to: by, trade, goods: escrow.give.clone(), settles: true }, Some(escrow))
}

fn take_out(world: &mut World, number: u64, may: impl Fn(&Escrow) -> bool) -> Option<Escrow> {
    let mut escrows = world.query::<(Entity, &Escrow)>();
    let found = escrows.iter(world).find(|(_, escrow)| escrow.number == number && may(escrow));
    let (entity, escrow) = found.map(|(entity, escrow)| (entity, escrow.clone()))?;
    world.despawn(entity);
    Some(escrow)
}

/// The deadlines of all open offers after a restart, each at most [`OFFER_MS`] from now: their numbers, milliseconds left.
pub fn renew(world: &mut World, now_ms: u64) -> Vec<(u64, u32)> {
    let mut left = Vec::new();
    for mut escrow in world.query::<&mut Escrow>().iter_mut(world) {
        let until_ms = escrow.until_ms.min(now_ms + OFFER_MS);
        escrow.until_ms = until_ms;
        left.push((escrow.number, left_ms(until_ms, now_ms)));
    }
    left.sort_unstable();
    left
}

/// All open offers of pilot `me`, oldest first.
#[must_use]
pub fn list(world: &mut World, me: u64, now_ms: u64) -> Vec<Trade> {
    let mut all: Vec<Trade> =
        world.query::<&Escrow>().iter(world).map(|escrow| shown(escrow, me, now_ms)).collect();
    all.sort_unstable_by_key(|trade| trade.id);
    all
}

/// An offer of pilot `me` as its client sees it.
#[must_use]
pub fn shown(escrow: &Escrow, me: u64, now_ms: u64) -> Trade {
    let Escrow { number, to, name, give, want, until_ms } = escrow.clone();
    let id = TradeId { pilot: me, number };
    Trade { id, with: to, name, give, want, left_ms: left_ms(until_ms, now_ms), accepted: false }
}
