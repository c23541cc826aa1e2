//! A pilot's trading desk: the rules of trades, with messages to other pilots, news for the client, and timers.
//!
//! *Responsible for*: what is sent when, and what happens if it cannot be. *Not responsible for*: the rules ([`super::offers`],
//! [`super::proposals`]).
//!
//! Made for one operation, on the pilot's own world. A message that cannot be sent undoes what it was to tell of; goods that
//! are owed to another pilot are kept as a [`Parcel`] and sent later.

use std::time::Duration;

use bevy_ecs::prelude::*;
use game_sample_contracts::pilot::{SendParcels, TimeOut, TradeCame};
use game_sample_contracts::{
    Flown, Goods, Moved, PilotContract, Trade, TradeEnd, TradeId, TradeOver, TradeRefused, Trades, pilot,
};
use lightmoon::actor::{Cx, Told};
use lightmoon::contract::{ActorRef, Caller, Contract as _, SessionId};

use super::letter::{Letter, Says};
use super::proposals::{NotNoted, Paid};
use super::{OFFER_MS, Parcel, Proposal, offers, proposals};
use crate::hold;

/// Wait before goods that could not be sent are sent again.
const SEND_AGAIN: Duration = Duration::from_secs(1);

/// A pilot's trading desk, for one operation.
pub struct Desk<'a> {
    world: &'a mut World,
    cx: &'a mut Cx,
    session: Option<SessionId>,
}

impl<'a> Desk<'a> {
    /// The desk of the pilot whose operation this is; its client hears of changes by `session`.
    pub const fn new(world: &'a mut World, cx: &'a mut Cx, session: Option<SessionId>) -> Self {
        Self { world, cx, session }
    }

    /// An activation began: timers of the last one are forgotten.
    pub fn wake(&mut self) {
        let (me, now_ms) = (self.me(), self.now_ms());
        for (number, left_ms) in offers::renew(self.world, now_ms) {
            // If there is no room for a timer, the offer ends when it is cancelled, declined or accepted.
            let _full = self.watch(TradeId { pilot: me, number }, left_ms);
        }
        for (trade, left_ms) in proposals::renew(self.world, now_ms) {
            let _full = self.watch(trade, left_ms);
        }
        if self.world.query::<&Parcel>().iter(self.world).next().is_some() {
            self.send_later();
        }
    }

    /// [`pilot::Offer`], when it is known who flies the ship.
    ///
    /// # Errors
    /// Nothing changed.
    pub fn offer(
        &mut self,
        from_name: String,
        other: Flown,
        goods: (Goods, Goods),
    ) -> Result<Trade, TradeRefused> {
        let (me, now_ms) = (self.me(), self.now_ms());
        let escrow = offers::open(self.world, me, other, goods, now_ms)?;
        let shown = offers::shown(&escrow, me, now_ms);
        let says = Says::Offered {
            from_name,
            give: escrow.give.clone(),
            want: escrow.want.clone(),
            left_ms: shown.left_ms,
        };
        let letter = Letter { to: escrow.to, trade: shown.id, says };
        if self.watch(shown.id, shown.left_ms).is_err() || self.send(letter).is_err() {
            offers::end(self.world, escrow.number, |_| true);
            return Err(TradeRefused::Unavailable);
        }
        Ok(shown)
    }

    /// [`pilot::Accept`].
    ///
    /// # Errors
    /// Nothing changed.
    pub fn accept(&mut self, trade: TradeId) -> Result<Moved, TradeRefused> {
        let now_ms = self.now_ms();
        let Paid { proposal, was_before } = proposals::pay(self.world, trade, now_ms)?;
        let goods = proposal.want;
        let letter = Letter { to: trade.pilot, trade, says: Says::Accepted(goods.clone()) };
        if !was_before && self.send(letter).is_err() {
            proposals::unpay(self.world, trade);
            return Err(TradeRefused::Unavailable);
        }
        Ok(Moved { trade, goods })
    }

    /// [`pilot::Refuse`].
    ///
    /// # Errors
    /// Nothing changed.
    pub fn refuse(&mut self, trade: TradeId) -> Result<Moved, TradeRefused> {
        proposals::forget(self.world, trade, |_| true).ok_or(TradeRefused::Unknown)?;
        self.decline(trade, TradeEnd::Refused);
        Ok(Moved { trade, goods: Goods::default() })
    }

    /// [`pilot::Cancel`].
    ///
    /// # Errors
    /// Nothing changed.
    pub fn cancel(&mut self, trade: TradeId) -> Result<Moved, TradeRefused> {
        let is_own = trade.pilot == self.me();
        let ended = is_own.then(|| offers::end(self.world, trade.number, |_| true)).flatten();
        let escrow = ended.ok_or(TradeRefused::Unknown)?;
        self.withdraw(escrow.to, trade, TradeEnd::Cancelled);
        Ok(Moved { trade, goods: escrow.give })
    }

    /// [`pilot::Trades`].
    pub fn trades(&mut self) -> Trades {
        let (me, now_ms) = (self.me(), self.now_ms());
        Trades {
            hold: hold::list(self.world),
            to_me: proposals::list(self.world, now_ms),
            from_me: offers::list(self.world, me, now_ms),
        }
    }

    /// [`pilot::Offered`].
    pub fn offered(&mut self, trade: TradeId, name: String, give: Goods, want: Goods, left_ms: u32) {
        if !self.is_from_offerer(trade) {
            return;
        }
        let now_ms = self.now_ms();
        let until_ms = now_ms + u64::from(left_ms).min(OFFER_MS);
        let proposal = Proposal { trade, name, give, want, until_ms, is_paid: false };
        let shown = proposals::shown(&proposal, now_ms);
        match proposals::note(self.world, proposal) {
            Ok(()) => {
                // Without a timer it stays until its offerer withdraws it.
                let _full = self.watch(trade, shown.left_ms);
                if let Some(session) = self.session {
                    self.cx.push(session, TradeCame { trade: shown });
                }
            }
            Err(NotNoted::TooMany) => self.decline(trade, TradeEnd::TooMany),
            Err(NotNoted::Known) => {}
        }
    }

    /// [`pilot::Declined`].
    pub fn declined(&mut self, trade: TradeId, end: TradeEnd) {
        let Some(by) = self.sender().filter(|_| trade.pilot == self.me()) else { return };
        if let Some(escrow) = offers::end(self.world, trade.number, |escrow| escrow.to == by) {
            self.tell(trade, escrow.name, end, escrow.give);
        }
    }

    /// [`pilot::Accepted`].
    pub fn accepted(&mut self, trade: TradeId, goods: Goods) {
        let Some(by) = self.sender() else { return };
        let me = self.me();
        let (parcel, sold) = offers::sell(self.world, me, trade, by, goods);
        self.dispatch(parcel);
        if let Some(escrow) = sold {
            self.tell(trade, escrow.name, TradeEnd::Settled, escrow.want);
        }
    }

    /// [`pilot::Settled`] and [`pilot::Returned`].
    pub fn closed(&mut self, trade: TradeId, goods: Goods, end: TradeEnd) {
        if !self.is_from_offerer(trade) {
            return;
        }
        if let Some(proposal) = proposals::close(self.world, trade, &goods) {
            self.tell(trade, proposal.name, end, goods);
        }
    }

    /// [`pilot::Withdrawn`].
    pub fn withdrawn(&mut self, trade: TradeId, end: TradeEnd) {
        if !self.is_from_offerer(trade) {
            return;
        }
        if let Some(proposal) = proposals::forget(self.world, trade, |_| true) {
            self.tell(trade, proposal.name, end, Goods::default());
        }
    }

    /// [`pilot::TimeOut`].
    pub fn time_out(&mut self, trade: TradeId) -> bool {
        let now_ms = self.now_ms();
        let name_and_back = if trade.pilot == self.me() {
            let ended = offers::end(self.world, trade.number, |escrow| escrow.until_ms <= now_ms);
            ended.map(|escrow| {
                self.withdraw(escrow.to, trade, TradeEnd::TimedOut);
                (escrow.name, escrow.give)
            })
        } else {
            let ended = proposals::forget(self.world, trade, |proposal| proposal.until_ms <= now_ms);
            ended.map(|proposal| (proposal.name, Goods::default()))
        };
        let is_over = name_and_back.is_some();
        if let Some((name, back)) = name_and_back {
            self.tell(trade, name, TradeEnd::TimedOut, back);
        }
        is_over
    }

    /// [`pilot::SendParcels`].
    pub fn send_parcels(&mut self) {
        let mut parcels = self.world.query::<(Entity, &Parcel)>();
        let mut waiting: Vec<(Entity, Parcel)> =
            parcels.iter(self.world).map(|(entity, parcel)| (entity, parcel.clone())).collect();
        waiting.sort_unstable_by_key(|(_, parcel)| (parcel.to, parcel.trade));
        for (entity, parcel) in waiting {
            self.world.despawn(entity);
            self.dispatch(parcel);
        }
    }

    /// Sends goods that are another pilot's, now or later.
    fn dispatch(&mut self, parcel: Parcel) {
        let Parcel { to, trade, goods, settles } = parcel.clone();
        let says = if settles { Says::Settled(goods) } else { Says::Returned(goods) };
        if self.send(Letter { to, trade, says }).is_err() {
            self.world.spawn(parcel);
            self.send_later();
        }
    }

    fn send_later(&mut self) {
        // If there is no room for a timer, the next activation sends them.
        let _full = self.cx.after(SEND_AGAIN, SendParcels {});
    }

    fn decline(&mut self, trade: TradeId, end: TradeEnd) {
        // If it cannot be sent the offer ends by itself.
        let _unsent = self.send(Letter { to: trade.pilot, trade, says: Says::Declined(end) });
    }

    fn withdraw(&mut self, to: u64, trade: TradeId, end: TradeEnd) {
        // If it cannot be sent the other pilot's note of the offer ends by itself.
        let _unsent = self.send(Letter { to, trade, says: Says::Withdrawn(end) });
    }

    fn send(&mut self, letter: Letter) -> Told {
        let Letter { to, trade, says } = letter;
        let mut pilot = self.cx.to(ActorRef::<PilotContract>::new(to));
        match says {
            Says::Offered { from_name, give, want, left_ms } => {
                pilot.offered(trade, from_name, give, want, left_ms)
            }
            Says::Withdrawn(end) => pilot.withdrawn(trade, end),
            Says::Settled(goods) => pilot.settled(trade, goods),
            Says::Returned(goods) => pilot.returned(trade, goods),
            Says::Declined(end) => pilot.declined(trade, end),
            Says::Accepted(goods) => pilot.accepted(trade, goods),
        }
    }

    /// Lets an offer end by itself.
    fn watch(&mut self, trade: TradeId, left_ms: u32) -> Told {
        let after = Duration::from_millis(left_ms.into());
        self.cx.after(after, TimeOut { trade }).map_err(|undelivered| undelivered.error)
    }

    /// Tells the client, if one is there, how an offer ended.
    fn tell(&mut self, trade: TradeId, name: String, end: TradeEnd, got: Goods) {
        if let Some(session) = self.session {
            let over = TradeOver { trade, name, end, got, hold: hold::list(self.world) };
            self.cx.push(session, pilot::TradeOver { over });
        }
    }

    /// The pilot whose message this is.
    fn sender(&self) -> Option<u64> {
        match self.cx.caller() {
            Caller::Actor(actor) if actor.kind == PilotContract::KIND => Some(actor.key),
            Caller::Actor(_) | Caller::Client { .. } | Caller::Node => None,
        }
    }

    fn is_from_offerer(&self, trade: TradeId) -> bool {
        self.sender() == Some(trade.pilot)
    }

    fn me(&self) -> u64 {
        self.cx.key()
    }

    fn now_ms(&self) -> u64 {
        self.cx.now().as_millis()
    }
}

impl std::fmt::Debug for Desk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("cx", &self.cx).field("session", &self.session).finish_non_exhaustive()
    }
}
