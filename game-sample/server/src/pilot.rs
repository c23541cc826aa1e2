//! Pilots: the player actors, one for each person or bot.
//!
//! *Responsible for*: who the pilot is, in which sector its ship flies, where it was left, entering, travelling through gates,
//! mining. *Not responsible for*: the ship itself ([`crate::ship`]), crystals ([`crate::crystal`]), the hold ([`crate::hold`]),
//! trading ([`crate::trade`]), whose operations are handed on from here.
//!
//! A pilot is a world of its own: a stack of ore is an entity, so is an offer; who the pilot is and where its ship was left are
//! resources.
//! They are kept because [`PilotActor::build`] says so. The session and the ship are not: after a crash the client enters
//! again and finds its ship where it was.
//!
//! A pilot whose session ends leaves at once: its ship is taken out and its place noted. A second login of the same pilot
//! takes the ship over instead.
//!
//! Invariants:
//! - I1: a pilot asks a sector for a ship only while it knows of none elsewhere: ships are never doubled. After a restart a
//!   sector may have brought back a ship that had left it; so the first entry tells all others to remove it.
//! - I2: when a sector did not answer, the pilot tells it to remove the ship before it asks another one. Both ride the
//!   same lane, so the sector serves them in this order.
//! - I3: a pilot without a session has no ship.
//! - I4: a crystal is counted once: what was answered for it is remembered, and a sector that took it before a crash gives the
//!   same answer again.

use bevy_ecs::prelude::*;
use game_sample_contracts::{
    EnterRefused, Entered, Entry, Goods, Hold, MineRefused, Mined, Moved, Pilot, PilotContract, Place,
    SectorContract, SpawnRefused, Spawned, TakeRefused, Taken, Trade, TradeEnd, TradeId, TradeRefused,
    Trades,
};
use lightmoon::actor::Cx;
use lightmoon::contract::{ActorId, ActorRef, Caller, NetId, SessionId, data};
use lightmoon::zone::{ActorWorld, WorldActor, WorldBuilder};

use crate::chat::clean_name;
use crate::hold::{self, Finds, Ore};
use crate::purse::{self, Purse};
use crate::trade::desk::Desk;
use crate::{ship, trade, world_map};

/// How often a pilot in a gate asks the sector behind it before it turns back.
const ASKS_MAX: u32 = 2;

/// Hues are degrees.
const FULL_CIRCLE: u16 = 360;

/// Who the pilot is.
#[data(persist = "profile")]
#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub struct Profile {
    /// As it was cleaned.
    pub name: String,
    /// Degrees, 0 to 359.
    pub hue: u16,
}

/// Where the ship was last: where it arrived, was seen some seconds ago, or was left.
#[data(persist = "berth")]
#[derive(Resource, Clone, Copy, PartialEq, Debug, Default)]
pub struct Berth {
    /// Key of the sector.
    pub sector: u64,
    /// Where in it.
    pub place: Place,
    /// The ship itself, to tell it from one that a crash brought back.
    pub ship: NetId,
}

/// A pilot.
#[derive(Debug)]
pub struct PilotActor {
    world: ActorWorld,
    session: Option<SessionId>,
    aboard: Option<Entered>,
    /// Whether a sector may have brought back a ship of before this activation.
    has_strays: bool,
}

/// Why a sector gave no ship.
enum NoShip {
    Refused(SpawnRefused),
    Silent,
}

impl From<NoShip> for EnterRefused {
    fn from(why: NoShip) -> Self {
        match why {
            NoShip::Refused(SpawnRefused::Full) => Self::Full,
            NoShip::Refused(SpawnRefused::Closing | SpawnRefused::Other) | NoShip::Silent => {
                Self::Unavailable
            }
        }
    }
}

fn why_not_mined(why: TakeRefused) -> MineRefused {
    match why {
        TakeRefused::Gone => MineRefused::Gone,
        TakeRefused::Spent => MineRefused::Spent,
        TakeRefused::OutOfReach => MineRefused::OutOfReach,
        TakeRefused::NoShip => MineRefused::NotAboard,
        TakeRefused::Other => MineRefused::Other,
    }
}

impl WorldActor for PilotActor {
    fn build(world: &mut WorldBuilder<'_>) {
        world
            .persist::<Ore>()
            .persist_resource::<Finds>()
            .persist_resource::<Profile>()
            .persist_resource::<Berth>()
            .persist_resource::<Purse>()
            .init_resource::<Finds>()
            .init_resource::<Purse>();
        trade::build(world);
    }

    fn activate(cx: &mut Cx, _key: u64, mut world: ActorWorld) -> Self {
        let has_strays = !world.is_new();
        purse::grant(&mut world);
        Desk::new(&mut world, cx, None).wake();
        Self { world, session: None, aboard: None, has_strays }
    }

    fn world(&mut self) -> &mut ActorWorld {
        &mut self.world
    }

    fn connected(&mut self, _cx: &mut Cx, session: SessionId) {
        self.session = Some(session);
    }

    fn disconnected(&mut self, cx: &mut Cx, session: SessionId) {
        // The end of an older session says nothing: the newer one may have taken the ship over.
        if self.session != Some(session) {
            return;
        }
        self.session = None;
        if self.aboard.is_some() {
            // An own operation, since the ship's place is asked for. If the queue is full the ship flies on alone until its
            // pilot enters again and gets it back.
            let _full = cx.to(ActorRef::<PilotContract>::new(cx.key())).leave();
        }
    }

    fn zone_lost(&mut self, cx: &mut Cx, _session: SessionId, zone: ActorId) {
        // An own operation, since boarding waits for the sector, which is starting over at this moment.
        let _full = cx.to(ActorRef::<PilotContract>::new(cx.key())).board_anew(zone.key);
    }
}

impl Pilot<Cx> for PilotActor {
    async fn enter(&mut self, cx: &mut Cx, name: String, hue: u16) -> Result<Entered, EnterRefused> {
        let sector = self.berth().map_or_else(|| world_map::home_of(cx.key()), |berth| berth.sector);
        self.enter_sector(cx, name, hue, sector).await
    }

    async fn enter_at(
        &mut self,
        cx: &mut Cx,
        name: String,
        hue: u16,
        sector: u64,
    ) -> Result<Entered, EnterRefused> {
        if world_map::sector(sector).is_none() {
            return Err(EnterRefused::NoSector);
        }
        if let Some(Entered { sector: left, .. }) = self.aboard.take_if(|aboard| aboard.sector != sector) {
            give_back(cx, left);
        }
        self.enter_sector(cx, name, hue, sector).await
    }

    async fn mine(&mut self, cx: &mut Cx, crystal: NetId) -> Result<Mined, MineRefused> {
        if let Some(mined) = hold::recall(&self.world, crystal) {
            return Ok(mined);
        }
        let Entered { sector, .. } = self.aboard.ok_or(MineRefused::NotAboard)?;
        let player = cx.key();
        match cx.to(ActorRef::<SectorContract>::new(sector)).take(player, crystal).await {
            Ok(Ok(Taken { ore, hue })) => Ok(hold::stow(&mut self.world, crystal, hue, ore)),
            Ok(Err(why)) => Err(why_not_mined(why)),
            // The sector may have given the crystal to this pilot: it gives it again when the client asks again.
            Err(_unknown) => Err(MineRefused::Unavailable),
        }
    }

    fn hold(&mut self, _cx: &mut Cx) -> Hold {
        hold::list(&mut self.world)
    }

    async fn offer(
        &mut self,
        cx: &mut Cx,
        ship: NetId,
        give: Goods,
        want: Goods,
    ) -> Result<Trade, TradeRefused> {
        let goods = trade::offers::judged(&give, &want)?;
        let Entered { sector, .. } = self.aboard.ok_or(TradeRefused::NotAboard)?;
        let found = cx.to(ActorRef::<SectorContract>::new(sector)).pilot_of(ship).await;
        let other = found.map_err(|_unknown| TradeRefused::Unavailable)?.ok_or(TradeRefused::NoShip)?;
        let Profile { name, .. } = self.world.get_resource::<Profile>().cloned().unwrap_or_default();
        self.desk(cx).offer(name, other, goods)
    }

    fn accept(&mut self, cx: &mut Cx, trade: TradeId) -> Result<Moved, TradeRefused> {
        self.desk(cx).accept(trade)
    }

    fn refuse(&mut self, cx: &mut Cx, trade: TradeId) -> Result<Moved, TradeRefused> {
        self.desk(cx).refuse(trade)
    }

    fn cancel(&mut self, cx: &mut Cx, trade: TradeId) -> Result<Moved, TradeRefused> {
        self.desk(cx).cancel(trade)
    }

    fn trades(&mut self, cx: &mut Cx) -> Trades {
        self.desk(cx).trades()
    }

    fn offered(
        &mut self,
        cx: &mut Cx,
        trade: TradeId,
        from_name: String,
        give: Goods,
        want: Goods,
        left_ms: u32,
    ) {
        self.desk(cx).offered(trade, from_name, give, want, left_ms);
    }

    fn declined(&mut self, cx: &mut Cx, trade: TradeId, end: TradeEnd) {
        self.desk(cx).declined(trade, end);
    }

    fn accepted(&mut self, cx: &mut Cx, trade: TradeId, goods: Goods) {
        self.desk(cx).accepted(trade, goods);
    }

    fn settled(&mut self, cx: &mut Cx, trade: TradeId, goods: Goods) {
        self.desk(cx).closed(trade, goods, TradeEnd::Settled);
    }

    fn returned(&mut self, cx: &mut Cx, trade: TradeId, goods: Goods) {
        self.desk(cx).closed(trade, goods, TradeEnd::Returned);
    }

    fn withdrawn(&mut self, cx: &mut Cx, trade: TradeId, end: TradeEnd) {
        self.desk(cx).withdrawn(trade, end);
    }

    fn time_out(&mut self, cx: &mut Cx, trade: TradeId) -> bool {
        self.desk(cx).time_out(trade)
    }

    fn send_parcels(&mut self, cx: &mut Cx) {
        self.desk(cx).send_parcels();
    }

    async fn through_gate(&mut self, cx: &mut Cx, from: u64, to: u64) {
        let left = self.aboard.take_if(|aboard| aboard.sector == from);
        if self.aboard.is_none() && self.berth().is_some_and(|berth| berth.sector == from) {
            self.moor_behind_gate(from, to);
        }
        let Some(session) = self.session.filter(|_| left.is_some()) else { return };
        for _ in 0..ASKS_MAX {
            if let Ok(aboard) = self.board(cx, to, Entry::Gate { from }).await {
                show(cx, session, aboard);
                return;
            }
        }
        // The sector behind the gate has no room or does not answer: back out of the gate it flew into.
        match self.board(cx, from, Entry::Gate { from: to }).await {
            Ok(aboard) => show(cx, session, aboard),
            Err(_) => cx.detach(session),
        }
    }

    async fn board_anew(&mut self, cx: &mut Cx, sector: u64) {
        let lost = self.aboard.take_if(|aboard| aboard.sector == sector);
        let Some(session) = self.session.filter(|_| lost.is_some()) else { return };
        match self.board(cx, sector, self.way_in(sector)).await {
            Ok(aboard) => show(cx, session, aboard),
            Err(_) => cx.detach(session),
        }
    }

    async fn leave(&mut self, cx: &mut Cx) {
        // A client that was back before this came keeps its ship.
        let Some(Entered { sector, avatar }) = self.aboard.take_if(|_| self.session.is_none()) else {
            return;
        };
        let player = cx.key();
        match cx.to(ActorRef::<SectorContract>::new(sector)).moor(player).await {
            Ok(Some(place)) => self.world.insert_resource(Berth { sector, place, ship: avatar }),
            // It is in a gate at this moment.
            Ok(None) => {}
            Err(_unknown) => give_back(cx, sector),
        }
    }

    fn sighted(&mut self, _cx: &mut Cx, sector: u64, place: Place) {
        // News of a sector that the ship has left meanwhile are too old.
        if let Some(berth) = self.berth().filter(|berth| berth.sector == sector) {
            self.world.insert_resource(Berth { place, ..berth });
        }
    }
}

impl PilotActor {
    async fn enter_sector(
        &mut self,
        cx: &mut Cx,
        name: String,
        hue: u16,
        sector: u64,
    ) -> Result<Entered, EnterRefused> {
        let Caller::Client { session, .. } = cx.caller() else { return Err(EnterRefused::Other) };
        if let Some(aboard) = self.aboard {
            show(cx, session, aboard);
            return Ok(aboard);
        }
        // Whoever is known may leave the name out.
        if !name.is_empty() || !self.world.contains_resource::<Profile>() {
            let name = clean_name(&name).ok_or(EnterRefused::BadName)?;
            self.world.insert_resource(Profile { name, hue: hue % FULL_CIRCLE });
        }
        if std::mem::take(&mut self.has_strays) {
            let others = world_map::SECTORS.iter().map(|plan| plan.key).filter(|key| *key != sector);
            others.for_each(|other| give_back(cx, other));
        }
        let aboard = self.board(cx, sector, self.way_in(sector)).await?;
        show(cx, session, aboard);
        Ok(aboard)
    }

    fn desk<'a>(&'a mut self, cx: &'a mut Cx) -> Desk<'a> {
        Desk::new(&mut self.world, cx, self.session)
    }

    /// Where the ship was last; nothing if the map has no such sector any more.
    fn berth(&self) -> Option<Berth> {
        let berth = self.world.get_resource::<Berth>().copied();
        berth.filter(|berth| world_map::sector(berth.sector).is_some())
    }

    /// How the ship comes into a sector if it comes through no gate.
    fn way_in(&self, sector: u64) -> Entry {
        let here = self.berth().filter(|berth| berth.sector == sector);
        here.map_or(Entry::Fresh, |berth| Entry::Berth { at: berth.place, ship: berth.ship })
    }

    /// The ship is on its way through a gate: it was last where it comes out.
    fn moor_behind_gate(&mut self, from: u64, to: u64) {
        if let Some(gate) = world_map::sector(to).and_then(|plan| plan.gate_to(from)) {
            let place = ship::place_of(&ship::gate_motion(&gate));
            self.world.insert_resource(Berth { sector: to, place, ship: NetId::NONE });
        }
    }

    /// Asks a sector for a ship.
    async fn board(&mut self, cx: &mut Cx, sector: u64, entry: Entry) -> Result<Entered, NoShip> {
        let player = cx.key();
        let Profile { name, hue } = self.world.get_resource::<Profile>().cloned().unwrap_or_default();
        let answer = cx.to(ActorRef::<SectorContract>::new(sector)).spawn(player, name, hue, entry).await;
        match answer {
            Ok(Ok(Spawned { avatar, place })) => {
                self.world.insert_resource(Berth { sector, place, ship: avatar });
                let aboard = Entered { sector, avatar };
                self.aboard = Some(aboard);
                Ok(aboard)
            }
            Ok(Err(refused)) => Err(NoShip::Refused(refused)),
            Err(_unknown) => {
                give_back(cx, sector);
                Err(NoShip::Silent)
            }
        }
    }
}

/// Tells a sector to remove the pilot's ship, if it has one.
fn give_back(cx: &mut Cx, sector: u64) {
    let player = cx.key();
    // If the sector's queue is full, its tick of the next moment notices the lost pilot no better than we do now; the
    // ship then flies on alone until its pilot enters again and gets it back.
    let _undelivered = cx.to(ActorRef::<SectorContract>::new(sector)).remove(player);
}

/// Lets a session see its ship's sector.
fn show(cx: &mut Cx, session: SessionId, aboard: Entered) {
    cx.attach(session, ActorRef::<SectorContract>::new(aboard.sector).id(), aboard.avatar);
}
