//! The side of trades to whom something is offered.
//!
//! *Responsible for*: what is known of others' offers, paying for one, what comes of that. *Not responsible for*: telling anybody
//! ([`super::desk`]).

use bevy_ecs::prelude::*;
use game_sample_contracts::{Goods, Trade, TradeId, TradeRefused};

use super::{OFFER_MS, PROPOSALS_MAX, Proposal, left_ms};
use crate::hold;

/// Why an offer is not taken note of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotNoted {
    /// It is known already.
    Known,
    /// There are too many.
    TooMany,
}

/// Takes note of another pilot's offer.
///
/// # Errors
/// Nothing changed.
pub fn note(world: &mut World, proposal: Proposal) -> Result<(), NotNoted> {
    let mut proposals = world.query::<&Proposal>();
    if proposals.iter(world).any(|known| known.trade == proposal.trade) {
        return Err(NotNoted::Known);
    }
    if proposals.iter(world).count() >= PROPOSALS_MAX {
        return Err(NotNoted::TooMany);
    }
    world.spawn(proposal);
    Ok(())
}

/// A proposal that was paid for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paid {
    /// Which one.
    pub proposal: Proposal,
    /// It was paid before: nothing changed now.
    pub was_before: bool,
}

/// Pays what an offer wants out of the hold.
///
/// # Errors
/// Nothing changed.
pub fn pay(world: &mut World, trade: TradeId, now_ms: u64) -> Result<Paid, TradeRefused> {
    let (entity, proposal) = find(world, trade).ok_or(TradeRefused::Unknown)?;
    if proposal.is_paid {
        return Ok(Paid { proposal, was_before: true });
    }
    if proposal.until_ms < now_ms {
        return Err(TradeRefused::Unknown);
    }
    if !hold::take(world, &proposal.want) {
        return Err(TradeRefused::NotEnough);
    }
    set_paid(world, entity, true);
    Ok(Paid { proposal, was_before: false })
}

/// Takes a payment back that did not leave.
pub fn unpay(world: &mut World, trade: TradeId) {
    if let Some((entity, proposal)) = find(world, trade).filter(|(_, proposal)| proposal.is_paid) {
        hold::put(world, &proposal.want);
        set_paid(world, entity, false);
    }
}

fn set_paid(world: &mut World, entity: Entity, is_paid: bool) {
    if let Some(mut proposal) = world.get_mut::<Proposal>(entity) {
        proposal.is_paid = is_paid;
    }
}

/// Forgets an offer that is not paid. `None`: there is none.
pub fn forget(world: &mut World, trade: TradeId, may: impl Fn(&Proposal) -> bool) -> Option<Proposal> {
    let (entity, proposal) = find(world, trade)?;
    if proposal.is_paid || !may(&proposal) {
        return None;
    }
    world.despawn(entity);
    Some(proposal)
}

/// Goods came for an offer that is paid: they go into the hold, and it is done. `None`: none is, and nothing changed.
pub fn close(world: &mut World, trade: TradeId, goods: &Goods) -> Option<Proposal> {
    let (entity, proposal) = find(world, trade)?;
    if !proposal.is_paid {
        return None;
    }
    world.despawn(entity);
    hold::put(world, goods);
    Some(proposal)
}

fn find(world: &mut World, trade: TradeId) -> Option<(Entity, Proposal)> {
    let mut proposals = world.query::<(Entity, &Proposal)>();
    let found = proposals.iter(world).find(|(_, proposal)| proposal.trade == trade);
    found.map(|(entity, proposal)| (entity, proposal.clone()))
}

/// The deadlines of all that are not paid after a restart, each at most [`OFFER_MS`] from now, and the milliseconds left.
pub fn renew(world: &mut World, now_ms: u64) -> Vec<(TradeId, u32)> {
    let mut left = Vec::new();
    for mut proposal in world.query::<&mut Proposal>().iter_mut(world) {
        let until_ms = proposal.until_ms.min(now_ms + OFFER_MS);
        proposal.until_ms = until_ms;
        if !proposal.is_paid {
            left.push((proposal.trade, left_ms(until_ms, now_ms)));
        }
    }
    left.sort_unstable();
    left
}

/// All that are open or under way, oldest first.
#[must_use]
pub fn list(world: &mut World, now_ms: u64) -> Vec<Trade> {
    let mut all: Vec<&Proposal> = world.query::<&Proposal>().iter(world).collect();
    all.sort_unstable_by_key(|proposal| (proposal.until_ms, proposal.trade));
    all.into_iter().map(|proposal| shown(proposal, now_ms)).collect()
}

/// An offer as the client that it is made to sees it.
#[must_use]
pub fn shown(proposal: &Proposal, now_ms: u64) -> Trade {
    let Proposal { trade, name, give, want, until_ms, is_paid } = proposal.clone();
    let left_ms = left_ms(until_ms, now_ms);
    Trade { id: trade, with: trade.pilot, name, give, want, left_ms, accepted: is_paid }
}
