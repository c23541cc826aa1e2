//! Trade: two pilots exchange goods, and every coin and unit of ore is in exactly one place all the time.
//!
//! *Responsible for*: what is kept of an offer on both sides, the limits, the rules. *Not responsible for*: holds
//! ([`crate::hold`], [`crate::purse`]), whose ship it is ([`crate::sector`]), commits and repeated messages: the contract says
//! `sync` and `exactly_once`, the framework does the rest.
//!
//! A offers, B is whom it is offered to. A's goods wait in an [`Escrow`] of A's own world, B's travel inside of messages:
//!
//! ```text
//! A: hold ─► escrow ── offered ──► B: a proposal
//!                   ◄─ declined ── B refuses                        A: escrow ─► hold
//!    cancel, time-out ─ withdrawn ► B: the proposal is gone         A: escrow ─► hold
//!                   ◄─ accepted ── B: hold ─► goods in the message
//!    the escrow is there ─ settled ─► B: goods ─► hold              A: paid goods ─► hold, escrow ─► goods in the message
//!    it is over ───────── returned ─► B: goods ─► hold              A: paid goods ─► goods in the message
//! ```
//!
//! Both sides decide alone, in one commit each: an offer is open as long as A's escrow is there, whatever B knows of it. So it
//! does not matter which messages cross. Who pays with `accepted` gets one answer with goods, and waits for it.
//!
//! Parts: [`offers`] is A's side and [`proposals`] B's, both rules on a world; [`letter`] is what they tell each other; [`desk`] does
//! the talking: messages, news for clients, timers.
//!
//! Invariants:
//! - I1: goods are in one place: a hold, an [`Escrow`], a [`Parcel`] that waits to be sent, or one exactly-once message. Each rule moves
//!   them in the commit that sends the message.
//! - I2: an escrow ends once, and by that alone its goods move.
//! - I3: a proposal that is paid stays until its goods came: [`proposals::close`].
//! - I4: an unknown or finished trade is refused, and a message about one changes nothing; only goods that were paid for one go back.
//! - I5: an offer ends by itself [`OFFER_MS`] after it was made, also over a restart: deadlines are kept, timers are set again.

pub mod desk;
pub mod goods;
pub mod letter;
pub mod offers;
pub mod proposals;
#[cfg(test)]
mod tests;

use bevy_ecs::prelude::*;
use game_sample_contracts::{Goods, TradeId};
use lightmoon::contract::data;
use lightmoon::zone::WorldBuilder;

/// How long an offer is open: long enough to read it and fly on, short enough that goods are not locked up by who does not look.
pub const OFFER_MS: u64 = 30_000;
/// Own offers open at a time: more than a person overlooks, and what a pilot's state grows by stays small.
pub const OFFERS_MAX: usize = 8;
/// Offers of others that are open or under way: cards for a whole screen. More are declined at once, so nobody can fill
/// another's state.
pub const PROPOSALS_MAX: usize = 16;
/// Most coins, and most ore of one colour, of one side of a trade. A pilot that mines all day for a year has less, sums of a
/// million such are far from 64 bits, and a browser's numbers hold it.
pub const AMOUNT_MAX: u64 = 1_000_000_000_000;
/// Most stacks of one side: one for each colour that ore has.
pub const STACKS_MAX: usize = 6;
/// Parts of a circle in which ore has colours, degrees.
pub const HUE_STEP: u16 = 60;

/// An own offer that is open, and the goods that are in it.
#[data(persist = "escrow")]
#[derive(Component, Clone, PartialEq, Eq, Debug, Default)]
pub struct Escrow {
    /// Counts this pilot's offers.
    pub number: u64,
    /// Key of the pilot it is offered to.
    pub to: u64,
    /// That pilot's name.
    pub name: String,
    /// What is offered.
    pub give: Goods,
    /// What is wanted for it.
    pub want: Goods,
    /// When it ends by itself, milliseconds of the node's time.
    pub until_ms: u64,
}

/// Another pilot's offer.
#[data(persist = "proposal")]
#[derive(Component, Clone, PartialEq, Eq, Debug, Default)]
pub struct Proposal {
    /// Its name.
    pub trade: TradeId,
    /// The offerer's name.
    pub name: String,
    /// What is offered.
    pub give: Goods,
    /// What is wanted for it.
    pub want: Goods,
    /// When it ends by itself unless it is paid, milliseconds of the node's time.
    pub until_ms: u64,
    /// What was wanted is on its way to the offerer.
    pub is_paid: bool,
}

/// Goods that go to another pilot and could not be sent yet.
#[data(persist = "parcel")]
#[derive(Component, Clone, PartialEq, Eq, Debug, Default)]
pub struct Parcel {
    /// Key of the pilot who gets them.
    pub to: u64,
    /// For which trade.
    pub trade: TradeId,
    /// What.
    pub goods: Goods,
    /// Whether they settle the trade; else they are what was paid for one that was over.
    pub settles: bool,
}

/// How many offers a pilot ever made.
#[data(persist = "offer-count")]
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OfferCount {
    /// The number of the last one.
    pub last: u64,
}

/// Registers what is kept of trades.
pub fn build(world: &mut WorldBuilder<'_>) {
    world
        .persist_all::<(Escrow, Proposal, Parcel)>()
        .persist_resource::<OfferCount>()
        .init_resource::<OfferCount>();
}

/// Milliseconds that are left, at most [`OFFER_MS`]: after a restart of the machine the node's time begins anew.
fn left_ms(until_ms: u64, now_ms: u64) -> u32 {
    u32::try_from(until_ms.saturating_sub(now_ms).min(OFFER_MS)).unwrap_or(u32::MAX)
}
