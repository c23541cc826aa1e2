//! One pilot's account: what its operation log adds up to.
//!
//! *Responsible for*: following a log row by row, by the rules of the game. *Not responsible for*: comparing accounts with what
//! is stored, and with each other ([`super::books`]).
//!
//! Invariants, each a check:
//! - I1: a crystal stands in the log with one answer, however often it was asked for.
//! - I2: what answers say of ore and coins is what the rows before add up to.
//! - I3: nothing is given that is not there.
//! - I4: goods that came are credited: a row that brings goods finds the trade that waits for them.

use std::collections::BTreeMap;

use game_sample_bots::ledger::TradeAct;
use game_sample_contracts::{
    Goods, Hold, MineRefused, Mined, Moved, OreStack, Trade, TradeId, TradeRefused, pilot,
};
use lightmoon::contract::codec::{self, Data, Limits};
use lightmoon::contract::{NetId, Operation as _};

use crate::purse;
use crate::trade::PROPOSALS_MAX;

/// A row of an operation log.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Which operation.
    pub number: u16,
    /// Its arguments.
    pub arguments: &'a [u8],
    /// Its answer.
    pub reply: &'a [u8],
}

/// Goods that one pilot sent to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shipment {
    /// For which trade.
    pub trade: TradeId,
    /// By which message.
    pub by: Carrier,
    /// Coins.
    pub coins: u64,
    /// Ore: colour and amount.
    pub ore: Vec<(u16, u64)>,
}

/// The messages that carry goods.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Carrier {
    /// What was wanted, to the offerer.
    Accepted,
    /// What was offered, to who accepted.
    Settled,
    /// What was paid for an offer that was over.
    Returned,
}

impl Shipment {
    /// Goods on their way.
    #[must_use]
    pub fn new(trade: TradeId, by: Carrier, goods: &Goods) -> Self {
        let ore = goods.ore.iter().map(|stack| (stack.hue, stack.amount)).collect();
        Self { trade, by, coins: goods.coins, ore }
    }

    /// What tells it from others: for one trade, each kind of message carries goods once at most.
    #[must_use]
    pub const fn key(&self) -> (TradeId, Carrier) {
        (self.trade, self.by)
    }

    /// What is in it.
    #[must_use]
    pub fn goods(&self) -> Goods {
        let stacks = self.ore.iter().map(|(hue, amount)| OreStack { hue: *hue, amount: *amount });
        Goods { coins: self.coins, ore: stacks.collect() }
    }

    /// What a message carries; `None`: no goods.
    ///
    /// # Errors
    /// Its arguments cannot be read.
    pub fn of(operation: u16, arguments: &[u8]) -> Result<Option<Self>, String> {
        Ok(match operation {
            number if number == pilot::Accepted::SPEC.number.0 => {
                let pilot::Accepted { trade, goods } = open(arguments)?;
                Some(Self::new(trade, Carrier::Accepted, &goods))
            }
            number if number == pilot::Settled::SPEC.number.0 => {
                let pilot::Settled { trade, goods } = open(arguments)?;
                Some(Self::new(trade, Carrier::Settled, &goods))
            }
            number if number == pilot::Returned::SPEC.number.0 => {
                let pilot::Returned { trade, goods } = open(arguments)?;
                Some(Self::new(trade, Carrier::Returned, &goods))
            }
            _ => None,
        })
    }
}

/// What a pilot knows of another's offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// What is offered.
    pub give: Goods,
    /// What is wanted.
    pub want: Goods,
    /// It was paid.
    pub is_paid: bool,
}

/// What a log adds up to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Account {
    /// Key of the pilot.
    pub player: u64,
    /// Coins.
    pub coins: u64,
    /// Coins that came into the world.
    pub minted: u64,
    /// Coins that left it.
    pub destroyed: u64,
    /// Ore by its colour.
    pub ore: BTreeMap<u16, u64>,
    /// Crystals, each once.
    pub mined: BTreeMap<NetId, Mined>,
    /// Open own offers: what they hold, what they want.
    pub escrows: BTreeMap<u64, (Goods, Goods)>,
    /// Others' offers that are open or paid.
    pub proposals: BTreeMap<TradeId, Known>,
    /// Goods that were sent.
    pub sent: Vec<Shipment>,
    /// Goods that came.
    pub received: Vec<Shipment>,
    /// What a client was answered about trades.
    pub answers: Vec<(TradeAct, TradeId, Goods)>,
    /// What is wrong, for people.
    pub problems: Vec<String>,
}

impl Account {
    /// Follows a log in the order of its commits.
    #[must_use]
    pub fn follow(player: u64, is_granted: bool, log: &[Operation<'_>]) -> Self {
        let first = if is_granted { purse::GRANT } else { 0 };
        let mut account = Self { player, coins: first, minted: first, ..Self::default() };
        for row in log {
            if let Err(why) = account.row(row) {
                account.wrong(format!("a row of the log cannot be read: {why}"));
            }
        }
        account
    }

    /// The hold that this makes.
    #[must_use]
    pub fn hold(&self) -> Hold {
        Hold {
            stacks: self.ore.iter().map(|(hue, amount)| OreStack { hue: *hue, amount: *amount }).collect(),
            total: self.ore.values().sum(),
            crystals: self.mined.len() as u64,
            coins: self.coins,
        }
    }

    fn row(&mut self, row: &Operation<'_>) -> Result<(), String> {
        match row.number {
            number if number == pilot::Mine::SPEC.number.0 => self.mine(row),
            number if number == pilot::Offer::SPEC.number.0 => self.offer(row),
            number if number == pilot::Accept::SPEC.number.0 => self.accept(row),
            number if number == pilot::Refuse::SPEC.number.0 => self.refuse(row),
            number if number == pilot::Cancel::SPEC.number.0 => self.cancel(row),
            number if number == pilot::Offered::SPEC.number.0 => self.offered(row),
            number if number == pilot::Declined::SPEC.number.0 => {
                let pilot::Declined { trade, .. } = open(row.arguments)?;
                self.end_offer(trade);
                Ok(())
            }
            number if number == pilot::Withdrawn::SPEC.number.0 => {
                let pilot::Withdrawn { trade, .. } = open(row.arguments)?;
                self.forget(trade);
                Ok(())
            }
            number if number == pilot::TimeOut::SPEC.number.0 => {
                let pilot::TimeOut { trade } = open(row.arguments)?;
                if open::<bool>(row.reply)? {
                    self.end_offer(trade);
                    self.forget(trade);
                }
                Ok(())
            }
            _ => {
                if let Some(shipment) = Shipment::of(row.number, row.arguments)? {
                    self.came(shipment);
                }
                Ok(())
            }
        }
    }

    fn mine(&mut self, row: &Operation<'_>) -> Result<(), String> {
        let asked: pilot::Mine = open(row.arguments)?;
        let Ok(answer) = open::<Result<Mined, MineRefused>>(row.reply)? else { return Ok(()) };
        if answer.crystal != asked.crystal {
            return Err(format!("asked for {}, answered {answer:?}", asked.crystal));
        }
        match self.mined.get(&answer.crystal) {
            Some(first) if *first == answer => return Ok(()),
            Some(first) => {
                self.wrong(format!("one crystal, two answers: {first:?}, {answer:?}"));
                return Ok(());
            }
            None => self.mined.insert(answer.crystal, answer),
        };
        *self.ore.entry(answer.hue).or_default() += u64::from(answer.ore);
        let total: u64 = self.ore.values().sum();
        if answer.total != total {
            self.wrong(format!("the log adds up to {total} ore, the answer was {answer:?}"));
        }
        // Answers of a build without coins have none.
        if answer.coins > 0 {
            self.minted += purse::PER_CRYSTAL;
            self.coins += purse::PER_CRYSTAL;
            if answer.coins != self.coins {
                self.wrong(format!("the log adds up to {} coins, the answer was {answer:?}", self.coins));
            }
        }
        Ok(())
    }

    fn offer(&mut self, row: &Operation<'_>) -> Result<(), String> {
        let Ok(trade) = open::<Result<Trade, TradeRefused>>(row.reply)? else { return Ok(()) };
        self.take(&trade.give, trade.id);
        let is_new = self.escrows.insert(trade.id.number, (trade.give.clone(), trade.want)).is_none();
        if !is_new || trade.id.pilot != self.player {
            self.wrong(format!("an offer has the name of another one: {:?}", trade.id));
        }
        self.answers.push((TradeAct::Offer, trade.id, trade.give));
        Ok(())
    }

    fn accept(&mut self, row: &Operation<'_>) -> Result<(), String> {
        let Ok(Moved { trade, goods }) = open::<Result<Moved, TradeRefused>>(row.reply)? else {
            return Ok(());
        };
        self.answers.push((TradeAct::Accept, trade, goods.clone()));
        match self.proposals.get_mut(&trade) {
            Some(known) if known.want == goods && known.is_paid => {}
            Some(known) if known.want == goods => {
                known.is_paid = true;
                self.take(&goods, trade);
                self.sent.push(Shipment::new(trade, Carrier::Accepted, &goods));
            }
            Some(_) | None => self.wrong(format!("accepted what was not offered: {trade:?}")),
        }
        Ok(())
    }

    fn refuse(&mut self, row: &Operation<'_>) -> Result<(), String> {
        let Ok(Moved { trade, goods }) = open::<Result<Moved, TradeRefused>>(row.reply)? else {
            return Ok(());
        };
        self.forget(trade);
        self.answers.push((TradeAct::Refuse, trade, goods));
        Ok(())
    }

    fn cancel(&mut self, row: &Operation<'_>) -> Result<(), String> {
        let Ok(Moved { trade, goods }) = open::<Result<Moved, TradeRefused>>(row.reply)? else {
            return Ok(());
        };
        if self.escrows.get(&trade.number).is_none_or(|(give, _)| *give != goods) {
            self.wrong(format!("cancelled what was not offered: {trade:?}"));
        }
        self.end_offer(trade);
        self.answers.push((TradeAct::Cancel, trade, goods));
        Ok(())
    }

    fn offered(&mut self, row: &Operation<'_>) -> Result<(), String> {
        let pilot::Offered { trade, give, want, .. } = open(row.arguments)?;
        if self.proposals.len() < PROPOSALS_MAX {
            self.proposals.entry(trade).or_insert(Known { give, want, is_paid: false });
        }
        Ok(())
    }

    /// Goods came.
    fn came(&mut self, shipment: Shipment) {
        let trade = shipment.trade;
        let goods = shipment.goods();
        match shipment.by {
            Carrier::Accepted => self.sell(trade, goods),
            Carrier::Settled | Carrier::Returned => match self.proposals.remove(&trade) {
                Some(known) if known.is_paid => self.put(&goods),
                Some(_) | None => self.wrong(format!("goods came that nothing waits for: {shipment:?}")),
            },
        }
        self.received.push(shipment);
    }

    fn sell(&mut self, trade: TradeId, paid: Goods) {
        let open = self.escrows.get(&trade.number).filter(|(_, want)| *want == paid);
        let Some((give, _)) = open.cloned() else {
            self.sent.push(Shipment::new(trade, Carrier::Returned, &paid));
            return;
        };
        self.escrows.remove(&trade.number);
        self.put(&paid);
        if let Some(left) = self.coins.checked_sub(purse::FEE) {
            self.coins = left;
            self.destroyed += purse::FEE;
        }
        self.sent.push(Shipment::new(trade, Carrier::Settled, &give));
    }

    /// An own offer ends, if it is open.
    fn end_offer(&mut self, trade: TradeId) {
        if trade.pilot == self.player
            && let Some((give, _)) = self.escrows.remove(&trade.number)
        {
            self.put(&give);
        }
    }

    /// Another's offer ends, unless it is paid.
    fn forget(&mut self, trade: TradeId) {
        if self.proposals.get(&trade).is_some_and(|known| !known.is_paid) {
            self.proposals.remove(&trade);
        }
    }

    fn take(&mut self, goods: &Goods, trade: TradeId) {
        let coins = self.coins.checked_sub(goods.coins);
        let mut lacks = coins.is_none();
        self.coins = coins.unwrap_or(0);
        for OreStack { hue, amount } in &goods.ore {
            let held = self.ore.remove(hue).unwrap_or(0);
            lacks |= held < *amount;
            if held > *amount {
                self.ore.insert(*hue, held - amount);
            }
        }
        if lacks {
            self.wrong(format!("gave what was not there: {goods:?} for {trade:?}"));
        }
    }

    fn put(&mut self, goods: &Goods) {
        self.coins += goods.coins;
        for OreStack { hue, amount } in &goods.ore {
            *self.ore.entry(*hue).or_default() += amount;
        }
    }

    fn wrong(&mut self, what: String) {
        self.problems.push(format!("player {}: {what}", self.player));
    }
}

fn open<T: Data>(bytes: &[u8]) -> Result<T, String> {
    codec::decode(bytes, Limits::NODE).map_err(|error| error.to_string())
}
