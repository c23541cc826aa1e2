//! The part of a bot that mines: which crystal, when it is asked for, and what came of it.
//!
//! *Responsible for*: choosing among the crystals in view, asking for one at a time, asking again while it is not known whether
//! the last one was counted. *Not responsible for*: flying there ([`crate::brain`]), writing down what was acknowledged
//! ([`crate::ledger`]).
//!
//! Invariants:
//! - I1: at most one crystal is asked for at a time.
//! - I2: a request whose outcome is not known is repeated for the same crystal until the server says what it is. Nothing
//!   else is mined before.

use std::collections::VecDeque;
use std::time::Duration;

use game_sample_contracts::{Label, MineRefused, Mined, PilotContract, Pose, Role, pilot};
use lightmoon_client::{Client, Pending};
use lightmoon_contract::{Mono, NetId, Operation};

use crate::report::Tally;

/// Asks for crystals nearer than this, units: the sector allows 120, and the ship flies on while the request is under way.
const REACH: f32 = 95.0;
/// Wait before asking again for the same crystal: the server may be starting.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Wait between two crystals: within the rate that the contract allows.
const ASK_EVERY: Duration = Duration::from_millis(600);
/// Crystals that were refused and are left alone; a sector has 20.
const SHUNNED_MAX: usize = 32;
/// How much later than the operation's time-out an answer may come: until the client looks at its clock.
pub const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// What a bot knows of crystals.
#[derive(Debug, Default)]
pub struct Miner {
    asking: Option<Asking>,
    /// Was asked for, and nobody knows whether it was counted.
    unsettled: Option<NetId>,
    ask_from: Mono,
    shunned: VecDeque<NetId>,
    acknowledged: Vec<Mined>,
}

#[derive(Debug)]
struct Asking {
    pending: Pending<pilot::Mine>,
    crystal: NetId,
    since: Mono,
}

/// A crystal in view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighted {
    /// Which one.
    pub crystal: NetId,
    /// Units from the middle of the sector.
    pub x: f32,
    /// Units from the middle of the sector.
    pub y: f32,
    /// Units from the ship.
    pub distance: f32,
}

impl Miner {
    /// What was acknowledged since this was called last.
    pub fn take_acknowledged(&mut self) -> Vec<Mined> {
        std::mem::take(&mut self.acknowledged)
    }

    /// The nearest crystal in view that is worth a flight.
    #[must_use]
    pub fn nearest(&self, client: &Client, from: Pose) -> Option<Sighted> {
        let sighted = client.view().entities().filter_map(|entity| {
            let is_whole = entity.get::<Label>().is_some_and(|label| label.role == Role::Crystal);
            let at = entity.get::<Pose>().filter(|_| is_whole && !self.shunned.contains(&entity.id()))?;
            let distance = (at.x - from.x).hypot(at.y - from.y);
            Some(Sighted { crystal: entity.id(), x: at.x, y: at.y, distance })
        });
        sighted.min_by(|one, other| one.distance.total_cmp(&other.distance))
    }

    /// Asks for what is due: the unsettled crystal, or one in reach. The request, with the time by which it is answered.
    pub fn ask(
        &mut self,
        now: Mono,
        nearest: Option<Sighted>,
        client: &mut Client,
        tally: &mut Tally,
    ) -> Option<(u64, Mono)> {
        if self.asking.is_some() || now < self.ask_from {
            return None;
        }
        let in_reach = nearest.filter(|sighted| sighted.distance < REACH).map(|sighted| sighted.crystal);
        let crystal = self.unsettled.or(in_reach)?;
        tally.sent("mine");
        let pending = client.me::<PilotContract>().mine(crystal);
        let request = pending.request();
        self.asking = Some(Asking { pending, crystal, since: now });
        let patience = Duration::from_millis(pilot::Mine::SPEC.timeout_ms.into()) + ANSWER_GRACE;
        Some((request, now + patience))
    }

    /// A request of the client was answered; whether it was this one.
    pub fn answered(&mut self, now: Mono, request: u64, client: &mut Client, tally: &mut Tally) -> bool {
        let Some(Asking { pending, crystal, since }) =
            self.asking.take_if(|asking| asking.pending.request() == request)
        else {
            return false;
        };
        self.ask_from = now + ASK_EVERY;
        match client.reply(&pending) {
            Some(Ok(Ok(mined))) => {
                tally.done("mine", now.since(since));
                tally.mined += 1;
                tally.ore += u64::from(mined.ore);
                tally.mined_after_doubt += u64::from(self.unsettled == Some(crystal));
                self.unsettled = None;
                self.acknowledged.push(mined);
            }
            Some(Ok(Err(refused))) => self.refused(now, crystal, refused, tally),
            Some(Err(error)) => {
                tally.failed("mine", &error);
                self.doubt(now, crystal);
            }
            None => {
                tally.failed("mine", &"the answer was gone");
                self.doubt(now, crystal);
            }
        }
        true
    }

    fn refused(&mut self, now: Mono, crystal: NetId, refused: MineRefused, tally: &mut Tally) {
        match refused {
            MineRefused::Unavailable => {
                tally.failed("mine", &"Unavailable");
                self.doubt(now, crystal);
            }
            // In a gate, or not entered yet: whether it was counted before is still not known.
            MineRefused::NotAboard if self.unsettled.is_some() => self.doubt(now, crystal),
            MineRefused::NotAboard
            | MineRefused::Gone
            | MineRefused::Spent
            | MineRefused::OutOfReach
            | MineRefused::Other => {
                tally.refusals += 1;
                self.unsettled = None;
                if self.shunned.len() >= SHUNNED_MAX {
                    self.shunned.pop_front();
                }
                self.shunned.push_back(crystal);
            }
        }
    }

    fn doubt(&mut self, now: Mono, crystal: NetId) {
        self.unsettled = Some(crystal);
        self.ask_from = now + ASK_AGAIN;
    }
}
