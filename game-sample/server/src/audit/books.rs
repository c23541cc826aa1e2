//! Accounts against what is stored, against each other, and against the ledger.
//!
//! *Responsible for*: the rules of bookkeeping. *Not responsible for*: what a single log adds up to ([`super::account`]), where the
//! books come from ([`crate::audit`]).
//!
//! ```text
//! enter, for each pilot ─► messages, once ─► settle ─► compare with ledgers, overdue if the time is known
//! ```
//!
//! Invariants, each a check:
//! - I1: a crystal stands in one player's log.
//! - I2: hold, purse and open offers of a pilot are what its log adds up to.
//! - I3: goods that were sent came once, or are on their way, or wait to be sent; goods that came were sent.
//! - I4: minted less destroyed is held, in escrow and on its way together: coins, and ore of each colour.
//! - I5: every line of the ledger stands in its player's log.
//! - I6: no offer is open longer than its time-out, if it is known how late it is.

use std::collections::BTreeMap;

use bevy_ecs::prelude::World;
use game_sample_bots::ledger::{LedgerLine, MinedLine, TradeLine};
use game_sample_contracts::{Goods, Hold, OreStack, PilotContract, TradeId};
use lightmoon::archive::{self, Letter};
use lightmoon::contract::{ActorId, Contract, NetId};

use super::account::{Account, Carrier, Known, Operation, Shipment};
use super::sums::Sums;
use crate::hold;
use crate::pilot::Berth;
use crate::purse::Purse;
use crate::trade::{Escrow, OFFER_MS, Parcel, Proposal};

/// What is stored of a pilot besides its log.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Kept {
    /// The hold.
    pub hold: Hold,
    /// The purse.
    pub purse: Purse,
    /// Own offers.
    pub escrows: Vec<Escrow>,
    /// Others' offers.
    pub proposals: Vec<Proposal>,
    /// Goods that wait to be sent.
    pub parcels: Vec<Parcel>,
    /// The berth.
    pub berth: Option<Berth>,
}

impl Kept {
    /// What is kept in a pilot's world.
    #[must_use]
    pub fn of(world: &mut World) -> Self {
        Self {
            hold: hold::list(world),
            purse: *world.resource::<Purse>(),
            escrows: world.query::<&Escrow>().iter(world).cloned().collect(),
            proposals: world.query::<&Proposal>().iter(world).cloned().collect(),
            parcels: world.query::<&Parcel>().iter(world).cloned().collect(),
            berth: world.get_resource::<Berth>().copied(),
        }
    }
}

/// A message between two pilots, as it stands in a row of its sender.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Posted {
    /// Key of the pilot who sent it.
    pub from: u64,
    /// Key of the pilot it goes to.
    pub to: u64,
    /// Its number.
    pub number: u64,
    /// Which operation.
    pub operation: u16,
    /// Its arguments.
    pub arguments: Vec<u8>,
    /// Whether it is a dead letter: its receiver could not take it, and what it holds waits in its sender's outbox.
    pub is_dead: bool,
}

impl Posted {
    /// What stands in an outbox of the pilot `from`; `None`: it is for no pilot.
    #[must_use]
    pub fn of(from: u64, number: u64, letter: &Letter) -> Option<Self> {
        let archive::Posted { to, operation, arguments, .. } = &letter.posted;
        (to.kind == PilotContract::KIND).then(|| Self {
            from,
            to: to.key,
            number,
            operation: operation.0,
            arguments: arguments.to_vec(),
            is_dead: letter.is_dead,
        })
    }
}

/// Up to which message of a sender a pilot has taken all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// Key of the pilot who sends.
    pub from: u64,
    /// Key of the pilot who takes.
    pub to: u64,
    /// The number of the last message that was taken.
    pub number: u64,
}

impl Mark {
    /// What stands in the inbox of the pilot `to`; `None`: it is of no pilot.
    #[must_use]
    pub fn of(to: u64, from: ActorId, number: u64) -> Option<Self> {
        (from.kind == PilotContract::KIND).then_some(Self { from: from.key, to, number })
    }
}

/// The books of all pilots, and what is wrong in them.
#[derive(Clone, Debug, Default)]
pub struct Books {
    pilots: BTreeMap<u64, (Kept, Account)>,
    owners: BTreeMap<NetId, u64>,
    in_flight: Vec<Shipment>,
    /// What is wrong, for people.
    pub problems: Vec<String>,
}

impl Books {
    /// Enters what is stored of a pilot; its log in the order of its commits.
    pub fn enter(&mut self, player: u64, kept: Kept, log: &[Operation<'_>]) {
        let mut account = Account::follow(player, kept.purse.is_granted, log);
        self.problems.append(&mut account.problems);
        for crystal in account.mined.keys() {
            if let Some(other) = self.owners.insert(*crystal, player) {
                self.problems
                    .push(format!("crystal {crystal} was mined by player {other} and by player {player}"));
            }
        }
        self.check_kept(player, &kept, &account);
        self.pilots.insert(player, (kept, account));
    }

    fn check_kept(&mut self, player: u64, kept: &Kept, account: &Account) {
        let mut differs = |what: &str, stored: String, logged: String| {
            if stored != logged {
                let problem = format!("player {player}: {what} is {stored}, the log adds up to {logged}");
                self.problems.push(problem);
            }
        };
        differs("the hold", format!("{:?}", kept.hold), format!("{:?}", account.hold()));
        let Purse { minted, destroyed, .. } = kept.purse;
        differs(
            "the purse's account",
            format!("{minted} minted, {destroyed} destroyed"),
            format!("{} minted, {} destroyed", account.minted, account.destroyed),
        );
        let goods_of = |escrow: &Escrow| (escrow.number, (escrow.give.clone(), escrow.want.clone()));
        let escrows: BTreeMap<u64, (Goods, Goods)> = kept.escrows.iter().map(goods_of).collect();
        differs("what it offers", format!("{escrows:?}"), format!("{:?}", account.escrows));
        let known_of = |proposal: &Proposal| {
            let Proposal { trade, give, want, is_paid, .. } = proposal.clone();
            (trade, Known { give, want, is_paid })
        };
        let proposals: BTreeMap<TradeId, Known> = kept.proposals.iter().map(known_of).collect();
        differs("what it is offered", format!("{proposals:?}"), format!("{:?}", account.proposals));
    }

    /// Enters all messages that stand in rows of their senders. Those that their receiver has not taken are on their way, and
    /// so are their goods.
    pub fn messages(&mut self, posted: &[Posted], marks: &[Mark]) {
        let taken: BTreeMap<(u64, u64), u64> =
            marks.iter().map(|mark| ((mark.from, mark.to), mark.number)).collect();
        for message in posted {
            let mark = taken.get(&(message.from, message.to));
            if !message.is_dead && mark.is_some_and(|mark| message.number <= *mark) {
                continue;
            }
            match Shipment::of(message.operation, &message.arguments) {
                Ok(shipment) => self.in_flight.extend(shipment),
                Err(why) => {
                    let Posted { from, to, number, .. } = message;
                    self.problems
                        .push(format!("message {number} of player {from} to {to} cannot be read: {why}"));
                }
            }
        }
    }

    /// Follows every parcel from its sender to its receiver, and adds everything up. Called once, when all is entered.
    pub fn settle(&mut self) {
        let mut parcels: BTreeMap<(TradeId, Carrier), Parcels> = BTreeMap::new();
        for (kept, account) in self.pilots.values() {
            for shipment in &account.sent {
                parcels.entry(shipment.key()).or_default().sent.push(shipment.goods());
            }
            for shipment in &account.received {
                parcels.entry(shipment.key()).or_default().arrived.push(shipment.goods());
            }
            for shipment in kept.parcels.iter().map(waiting) {
                parcels.entry(shipment.key()).or_default().arrived.push(shipment.goods());
            }
        }
        for shipment in &self.in_flight {
            parcels.entry(shipment.key()).or_default().arrived.push(shipment.goods());
        }
        for ((trade, by), parcels) in parcels {
            if parcels.sent != parcels.arrived || parcels.sent.len() > 1 {
                let Parcels { sent, arrived } = parcels;
                self.problems.push(format!(
                    "{trade:?}, {by:?}: sent were {sent:?}, and came, or are on their way: {arrived:?}"
                ));
            }
        }
        let sums = self.sums();
        if let Err(why) = sums.balance() {
            self.problems.push(why);
        }
    }

    /// Looks every line of a ledger up.
    pub fn compare(&mut self, ledger: &[LedgerLine]) {
        for line in ledger {
            match line {
                LedgerLine::Mined(line) => self.compare_mined(line),
                LedgerLine::Traded(line) => self.compare_traded(line),
            }
        }
    }

    fn compare_mined(&mut self, line: &MinedLine) {
        let MinedLine { player, crystal, ore, total, coins, .. } = *line;
        let answer = self.pilots.get(&player).and_then(|(_, account)| account.mined.get(&NetId(crystal)));
        match answer {
            // Bots of a build without coins wrote none.
            Some(answer)
                if answer.ore == ore && answer.total == total && (coins == 0 || answer.coins == coins) => {}
            Some(answer) => {
                self.problems.push(format!("the ledger has {line:?}, the log of its player {answer:?}"));
            }
            None => self.problems.push(format!("lost: {line:?} is in no log of its player")),
        }
    }

    fn compare_traded(&mut self, line: &TradeLine) {
        let stack = |(hue, amount): &(u16, u64)| OreStack { hue: *hue, amount: *amount };
        let goods = Goods { coins: line.coins, ore: line.ore.iter().map(stack).collect() };
        let answer = (line.trade, TradeId { pilot: line.pilot, number: line.number }, goods);
        let account = self.pilots.get(&line.player).map(|(_, account)| account);
        if !account.is_some_and(|account| account.answers.contains(&answer)) {
            self.problems.push(format!("lost: {line:?} is in no log of its player"));
        }
    }

    /// Looks for offers that are open although their time was over `slack_ms` before `now_ms`, both of the node's time.
    pub fn overdue(&mut self, now_ms: u64, slack_ms: u64) {
        for (player, (kept, _)) in &self.pilots {
            let offers = kept.escrows.iter().map(|escrow| (escrow.until_ms, format!("{escrow:?}")));
            let unpaid = kept.proposals.iter().filter(|proposal| !proposal.is_paid);
            let proposals = unpaid.map(|proposal| (proposal.until_ms, format!("{proposal:?}")));
            // Who paid has its answer as soon as both pilots are there.
            let paid = kept.proposals.iter().filter(|proposal| proposal.is_paid);
            let paid = paid.map(|proposal| (proposal.until_ms + OFFER_MS, format!("{proposal:?}")));
            for (until_ms, what) in offers.chain(proposals).chain(paid) {
                if until_ms + slack_ms < now_ms {
                    let late = now_ms - until_ms;
                    self.problems.push(format!("player {player}: open {late} ms after its end: {what}"));
                }
            }
        }
    }

    /// What is stored of each pilot.
    pub fn pilots(&self) -> impl Iterator<Item = (u64, &Kept)> {
        self.pilots.iter().map(|(player, (kept, _))| (*player, kept))
    }

    /// What there is in all.
    #[must_use]
    pub fn sums(&self) -> Sums {
        let mut sums = Sums { pilots: self.pilots.len() as u64, ..Sums::default() };
        for (kept, account) in self.pilots.values() {
            sums.crystals += account.mined.len() as u64;
            for mined in account.mined.values() {
                sums.minted.add_ore(mined.hue, mined.ore.into());
            }
            sums.minted.coins += u128::from(kept.purse.minted);
            sums.destroyed.coins += u128::from(kept.purse.destroyed);
            sums.held.add(&Goods { coins: kept.hold.coins, ore: kept.hold.stacks.clone() });
            kept.escrows.iter().for_each(|escrow| sums.escrowed.add(&escrow.give));
            kept.parcels.iter().for_each(|parcel| sums.in_flight.add(&parcel.goods));
            let is_settlement = |shipment: &&Shipment| shipment.by == Carrier::Settled;
            sums.trades += account.sent.iter().filter(is_settlement).count() as u64;
        }
        self.in_flight.iter().for_each(|shipment| sums.in_flight.add(&shipment.goods()));
        sums
    }
}

/// What was sent for a trade by one kind of message, and where that is.
#[derive(Debug, Default)]
struct Parcels {
    sent: Vec<Goods>,
    arrived: Vec<Goods>,
}

/// A parcel that waits to be sent, as if it were on its way: its account has it as sent.
fn waiting(parcel: &Parcel) -> Shipment {
    let by = if parcel.settles { Carrier::Settled } else { Carrier::Returned };
    Shipment::new(parcel.trade, by, &parcel.goods)
}

#[cfg(test)]
mod tests;
