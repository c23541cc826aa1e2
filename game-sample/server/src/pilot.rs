//! Pilots: the player actors, one for each person or bot.
//!
//! *Responsible for*: who the pilot is, in which sector its ship flies, entering and travelling through gates.
//! *Not responsible for*: the ship itself ([`crate::ship`]).
//!
//! A pilot whose session ends leaves at once: its ship is removed, and it enters afresh when it comes back. A second
//! login of the same pilot takes the ship over instead.
//!
//! Invariants:
//! - I1: a pilot asks a sector for a ship only while it knows of none elsewhere: ships are never doubled.
//! - I2: when a sector did not answer, the pilot tells it to remove the ship before it asks another one. Both ride the
//!   same lane, so the sector serves them in this order.
//! - I3: a pilot without a session has no ship.

use game_sample_contracts::{
    EnterRefused, Entered, Entry, Pilot, PilotContract, SectorContract, SpawnRefused, Spawned,
};
use lightmoon::actor::{Actor, Cx};
use lightmoon::contract::{ActorId, Caller, Ref, SessionId};

use crate::chat::clean_name;
use crate::world_map;

/// How often a pilot in a gate asks the sector behind it before it turns back.
const ASKS_MAX: u32 = 2;

/// Hues are degrees.
const FULL_CIRCLE: u16 = 360;

/// A pilot.
#[derive(Debug, Default)]
pub struct PilotActor {
    session: Option<SessionId>,
    name: String,
    hue: u16,
    aboard: Option<Entered>,
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

impl Actor for PilotActor {
    fn activate(_cx: &mut Cx, _key: u64) -> Self {
        Self::default()
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
        if let Some(aboard) = self.aboard.take() {
            give_back(cx, aboard.sector);
        }
    }

    fn zone_lost(&mut self, cx: &mut Cx, _session: SessionId, zone: ActorId) {
        // An own operation, since boarding waits for the sector, which is starting over at this moment.
        let _full = cx.to(Ref::<PilotContract>::new(cx.key())).board_anew(zone.key);
    }
}

impl Pilot<Cx> for PilotActor {
    async fn enter(&mut self, cx: &mut Cx, name: String, hue: u16) -> Result<Entered, EnterRefused> {
        let Caller::Client { session, .. } = cx.caller() else { return Err(EnterRefused::Other) };
        if let Some(aboard) = self.aboard {
            show(cx, session, aboard);
            return Ok(aboard);
        }
        self.name = clean_name(&name).ok_or(EnterRefused::BadName)?;
        self.hue = hue % FULL_CIRCLE;
        let aboard = self.board(cx, world_map::home_of(cx.key()), Entry::Fresh).await?;
        show(cx, session, aboard);
        Ok(aboard)
    }

    async fn through_gate(&mut self, cx: &mut Cx, from: u64, to: u64) {
        let left = self.aboard.take_if(|aboard| aboard.sector == from);
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
        match self.board(cx, sector, Entry::Fresh).await {
            Ok(aboard) => show(cx, session, aboard),
            Err(_) => cx.detach(session),
        }
    }
}

impl PilotActor {
    /// Asks a sector for a ship.
    async fn board(&mut self, cx: &mut Cx, sector: u64, entry: Entry) -> Result<Entered, NoShip> {
        let (player, name) = (cx.key(), self.name.clone());
        let answer = cx.to(Ref::<SectorContract>::new(sector)).spawn(player, name, self.hue, entry).await;
        match answer {
            Ok(Ok(Spawned { avatar })) => {
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
    let _undelivered = cx.to(Ref::<SectorContract>::new(sector)).remove(player);
}

/// Lets a session see its ship's sector.
fn show(cx: &mut Cx, session: SessionId, aboard: Entered) {
    cx.attach(session, Ref::<SectorContract>::new(aboard.sector).id(), aboard.avatar);
}
