//! The part of a bot that trades: what it offers to ships in sight, what it makes of others' offers, and what came of that.
//!
//! *Responsible for*: small offers of what it has, accepting most that it can pay, refusing and cancelling some, letting some end
//! by themselves, knowing which offers are open. *Not responsible for*: flying ([`crate::brain`]), mining ([`crate::miner`]),
//! writing down what was acknowledged ([`crate::ledger`]).
//!
//! Invariants:
//! - I1: at most one request about trades waits for its answer.
//! - I2: a request whose outcome is not known is followed by a look at all open offers; the server knows.
//! - I3: the same seed and the same events give the same trades.

use std::collections::BTreeMap;
use std::time::Duration;

use game_sample_contracts::pilot::{TradeCame, TradeOver as Over};
use game_sample_contracts::{
    Goods, Hold, Label, Moved, OreStack, PilotContract, Role, Trade, TradeEnd, TradeId, TradeOver,
    TradeRefused, Trades, pilot,
};
use lightmoon_client::{Client, Event, Pending};
use lightmoon_contract::{CallError, Mono, NetId, Operation};

use crate::ledger::{Acknowledged, TradeAct};
use crate::miner::ANSWER_GRACE;
use crate::report::Tally;

/// Wait between two requests about trades: within the rates that the contract allows.
const ASK_EVERY: Duration = Duration::from_millis(600);
/// Wait before the open offers are looked at again, in case a push was lost with its connection.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Own offers open at a time.
const OFFERS_MAX: usize = 3;
/// Most of anything in an offer: bots trade little and often.
const PIECES_MAX: u64 = 3;

/// What a bot means to do with another's offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Intent {
    Accept,
    Refuse,
    /// It lets it end by itself.
    Ignore,
}

/// What a bot knows of trades.
#[derive(Debug)]
pub struct Trader {
    random: fastrand::Rng,
    asking: Option<Asking>,
    ask_from: Mono,
    offer_from: Mono,
    look_from: Mono,
    hold: Hold,
    /// Others' offers, what it means to do with each, and when.
    to_me: BTreeMap<TradeId, (Goods, Intent, Mono)>,
    /// Own offers: when they were made, and when it takes them back, if it does.
    from_me: BTreeMap<TradeId, (Mono, Option<Mono>)>,
    /// Accepted and not settled yet, since when.
    under_way: BTreeMap<TradeId, Mono>,
    acknowledged: Vec<Acknowledged>,
    is_resting: bool,
}

#[derive(Debug)]
struct Asking {
    request: u64,
    since: Mono,
    what: Asked,
}

#[derive(Debug)]
enum Asked {
    Offer(Pending<pilot::Offer>),
    Accept(Pending<pilot::Accept>),
    Refuse(Pending<pilot::Refuse>),
    Cancel(Pending<pilot::Cancel>),
    Trades(Pending<pilot::Trades>),
}

impl Asked {
    /// What the report calls it, and how long the server may take, milliseconds.
    const fn about(&self) -> (&'static str, u32) {
        match self {
            Self::Offer(_) => ("offer", pilot::Offer::SPEC.timeout_ms),
            Self::Accept(_) => ("accept", pilot::Accept::SPEC.timeout_ms),
            Self::Refuse(_) => ("refuse", pilot::Refuse::SPEC.timeout_ms),
            Self::Cancel(_) => ("cancel", pilot::Cancel::SPEC.timeout_ms),
            Self::Trades(_) => ("trades", pilot::Trades::SPEC.timeout_ms),
        }
    }
}

impl Trader {
    /// The trader of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed ^ 0x7261_6465),
            asking: None,
            ask_from: Mono::default(),
            offer_from: Mono::default(),
            look_from: Mono::default(),
            hold: Hold::default(),
            to_me: BTreeMap::new(),
            from_me: BTreeMap::new(),
            under_way: BTreeMap::new(),
            acknowledged: Vec::new(),
            is_resting: false,
        }
    }

    /// What was acknowledged since this was called last.
    pub fn take_acknowledged(&mut self) -> Vec<Acknowledged> {
        std::mem::take(&mut self.acknowledged)
    }

    /// From now on it offers, accepts, refuses and cancels nothing.
    pub const fn rest(&mut self) {
        self.is_resting = true;
    }

    /// Takes note of something that happened to its client.
    pub fn on_event(&mut self, now: Mono, event: &Event, tally: &mut Tally) {
        if let Some(TradeCame { trade }) = event.push::<TradeCame>() {
            self.came(now, trade);
        } else if let Some(Over { over }) = event.push::<Over>() {
            self.over(now, over, tally);
        } else if matches!(event, Event::Connected(_)) {
            // What was pushed meanwhile is lost.
            self.look_from = now;
        }
    }

    fn came(&mut self, now: Mono, trade: Trade) {
        if trade.accepted || self.to_me.contains_key(&trade.id) {
            return;
        }
        let intent = match self.random.u8(..10) {
            0..7 => Intent::Accept,
            7..9 => Intent::Refuse,
            _ => Intent::Ignore,
        };
        let at = now + self.some_millis(200..3_000);
        self.to_me.insert(trade.id, (trade.want, intent, at));
    }

    fn over(&mut self, now: Mono, over: TradeOver, tally: &mut Tally) {
        let TradeOver { trade, end, hold, .. } = over;
        self.hold = hold;
        self.to_me.remove(&trade);
        tally.trade(outcome(end));
        let made = self.from_me.remove(&trade).map(|(made, _)| made);
        let accepted = self.under_way.remove(&trade);
        if end == TradeEnd::Settled {
            if let Some(made) = made {
                tally.done("trade", now.since(made));
            }
            if let Some(accepted) = accepted {
                tally.done("settle", now.since(accepted));
            }
        }
    }

    /// Asks for what is due, if anything is. The request, with the time by which it is answered.
    pub fn ask(
        &mut self,
        now: Mono,
        avatar: NetId,
        client: &mut Client,
        tally: &mut Tally,
    ) -> Option<(u64, Mono)> {
        if self.asking.is_some() || now < self.ask_from {
            return None;
        }
        let what = self.choose(now, avatar, client)?;
        let (kind, timeout_ms) = what.about();
        tally.sent(kind);
        let request = match &what {
            Asked::Offer(pending) => pending.request(),
            Asked::Accept(pending) => pending.request(),
            Asked::Refuse(pending) => pending.request(),
            Asked::Cancel(pending) => pending.request(),
            Asked::Trades(pending) => pending.request(),
        };
        self.asking = Some(Asking { request, since: now, what });
        Some((request, now + Duration::from_millis(timeout_ms.into()) + ANSWER_GRACE))
    }

    fn choose(&mut self, now: Mono, avatar: NetId, client: &mut Client) -> Option<Asked> {
        if now >= self.look_from {
            self.look_from = now + LOOK_EVERY;
            return Some(Asked::Trades(client.me::<PilotContract>().trades()));
        }
        if self.is_resting {
            return None;
        }
        let due = |(_, (want, intent, at)): &(&TradeId, &(Goods, Intent, Mono))| {
            let is_payable = *intent != Intent::Accept || can_pay(&self.hold, want);
            *intent != Intent::Ignore && *at <= now && is_payable
        };
        if let Some((trade, (_, intent, _))) = self.to_me.iter().find(due) {
            let (trade, accepts) = (*trade, *intent == Intent::Accept);
            self.to_me.remove(&trade);
            let mut me = client.me::<PilotContract>();
            if accepts {
                self.under_way.insert(trade, now);
                return Some(Asked::Accept(me.accept(trade)));
            }
            return Some(Asked::Refuse(me.refuse(trade)));
        }
        let is_due = |cancel: &Option<Mono>| cancel.is_some_and(|at| at <= now);
        if let Some((trade, (_, cancel))) = self.from_me.iter_mut().find(|(_, (_, cancel))| is_due(cancel)) {
            *cancel = None;
            return Some(Asked::Cancel(client.me::<PilotContract>().cancel(*trade)));
        }
        if now < self.offer_from || self.from_me.len() >= OFFERS_MAX {
            return None;
        }
        self.offer_from = now + self.some_millis(1_000..4_000);
        let ship = self.some_ship(avatar, client)?;
        let (give, want) = (self.some_goods_held()?, self.some_goods());
        Some(Asked::Offer(client.me::<PilotContract>().offer(ship, give, want)))
    }

    /// Another ship in sight.
    fn some_ship(&mut self, avatar: NetId, client: &Client) -> Option<NetId> {
        let is_ship = |label: Label| label.role == Role::Player;
        let ships: Vec<NetId> = client
            .view()
            .entities()
            .filter(|entity| entity.id() != avatar && entity.get::<Label>().is_some_and(is_ship))
            .map(|entity| entity.id())
            .collect();
        self.random.choice(ships)
    }

    /// A little of what it has.
    fn some_goods_held(&mut self) -> Option<Goods> {
        if self.hold.coins > 0 && (self.hold.stacks.is_empty() || self.random.bool()) {
            let coins = self.random.u64(1..=self.hold.coins.min(PIECES_MAX));
            return Some(Goods { coins, ore: Vec::new() });
        }
        let OreStack { hue, amount } = self.random.choice(&self.hold.stacks).copied()?;
        let amount = self.random.u64(1..=amount.clamp(1, PIECES_MAX));
        Some(Goods { coins: 0, ore: vec![OreStack { hue, amount }] })
    }

    /// A little of what others may have; now and then nothing: a present.
    fn some_goods(&mut self) -> Goods {
        let coins = self.random.u64(..=PIECES_MAX);
        let hue = self.random.u16(..6) * 60;
        let has_ore = self.random.u8(..4) == 0;
        Goods { coins, ore: has_ore.then_some(OreStack { hue, amount: 1 }).into_iter().collect() }
    }

    /// A request of the client was answered; whether it was this one.
    pub fn answered(&mut self, now: Mono, request: u64, client: &mut Client, tally: &mut Tally) -> bool {
        let Some(Asking { since, what, .. }) = self.asking.take_if(|asking| asking.request == request) else {
            return false;
        };
        self.ask_from = now + ASK_EVERY;
        let mut answer = Answer { kind: what.about().0, now, since, tally };
        match what {
            Asked::Trades(pending) => {
                if let Some(trades) = answer.of(client.reply(&pending)) {
                    self.look(now, trades);
                } else {
                    self.look_from = now + ASK_EVERY;
                }
            }
            Asked::Offer(pending) => {
                let offered = answer.granted(client.reply(&pending));
                self.offered(now, offered);
            }
            Asked::Accept(pending) => {
                let moved = answer.granted(client.reply(&pending));
                self.moved(now, TradeAct::Accept, moved);
            }
            Asked::Refuse(pending) => {
                let moved = answer.granted(client.reply(&pending));
                self.moved(now, TradeAct::Refuse, moved);
            }
            Asked::Cancel(pending) => {
                let moved = answer.granted(client.reply(&pending));
                if let Some(Moved { trade, .. }) = &moved {
                    self.from_me.remove(trade);
                    tally.trade(outcome(TradeEnd::Cancelled));
                }
                self.moved(now, TradeAct::Cancel, moved);
            }
        }
        true
    }

    fn offered(&mut self, now: Mono, offered: Option<Trade>) {
        let Some(Trade { id, give, .. }) = offered else { return self.look_soon(now) };
        self.acknowledged.push(Acknowledged::Traded(TradeAct::Offer, id, give));
        let takes_back = self.random.u8(..6) == 0;
        let at = now + self.some_millis(500..5_000);
        self.from_me.insert(id, (now, takes_back.then_some(at)));
        self.look_soon(now);
    }

    fn moved(&mut self, now: Mono, act: TradeAct, moved: Option<Moved>) {
        if let Some(Moved { trade, goods }) = moved {
            self.acknowledged.push(Acknowledged::Traded(act, trade, goods));
        }
        self.look_soon(now);
    }

    /// What it has changed, or it does not know whether it did.
    fn look_soon(&mut self, now: Mono) {
        self.look_from = self.look_from.min(now + ASK_EVERY);
    }

    /// The server told of all that is open.
    fn look(&mut self, now: Mono, trades: Trades) {
        let Trades { hold, to_me, from_me } = trades;
        self.hold = hold;
        self.to_me.retain(|id, _| to_me.iter().any(|trade| trade.id == *id));
        self.under_way.retain(|id, _| to_me.iter().any(|trade| trade.id == *id));
        self.from_me.retain(|id, _| from_me.iter().any(|trade| trade.id == *id));
        to_me.into_iter().for_each(|trade| self.came(now, trade));
        for trade in from_me {
            self.from_me.entry(trade.id).or_insert((now, None));
        }
    }

    fn some_millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }
}

/// An answer on its way into the report.
struct Answer<'a> {
    kind: &'static str,
    now: Mono,
    since: Mono,
    tally: &'a mut Tally,
}

impl Answer<'_> {
    fn of<T>(&mut self, reply: Option<Result<T, CallError>>) -> Option<T> {
        match reply {
            Some(Ok(value)) => {
                self.tally.done(self.kind, self.now.since(self.since));
                Some(value)
            }
            Some(Err(error)) => {
                self.tally.failed(self.kind, &error);
                None
            }
            None => {
                self.tally.failed(self.kind, &"the answer was gone");
                None
            }
        }
    }

    /// What was answered unless it was refused, which is no failure: offers end at any moment.
    fn granted<T>(&mut self, reply: Option<Result<Result<T, TradeRefused>, CallError>>) -> Option<T> {
        match self.of(reply)? {
            Ok(value) => Some(value),
            Err(why) => {
                self.tally.trade(refusal(why));
                None
            }
        }
    }
}

fn can_pay(hold: &Hold, want: &Goods) -> bool {
    let has = |wanted: &OreStack| {
        hold.stacks.iter().any(|stack| stack.hue == wanted.hue && stack.amount >= wanted.amount)
    };
    hold.coins >= want.coins && want.ore.iter().all(has)
}

/// What the report calls the end of an offer.
const fn outcome(end: TradeEnd) -> &'static str {
    match end {
        TradeEnd::Settled => "settled",
        TradeEnd::Refused => "refused",
        TradeEnd::TooMany => "too many for the other",
        TradeEnd::Cancelled => "cancelled",
        TradeEnd::TimedOut => "timed out",
        TradeEnd::Returned => "accepted too late",
        TradeEnd::Other => "other",
    }
}

/// What the report calls a refused request.
const fn refusal(why: TradeRefused) -> &'static str {
    match why {
        TradeRefused::NotAboard => "not done: not aboard",
        TradeRefused::NoShip => "not done: no such ship",
        TradeRefused::OwnShip => "not done: own ship",
        TradeRefused::Nothing => "not done: nothing for nothing",
        TradeRefused::BadGoods => "not done: no such goods",
        TradeRefused::NotEnough => "not done: not enough",
        TradeRefused::TooMany => "not done: too many offers",
        TradeRefused::Unknown => "not done: it was over",
        TradeRefused::Unavailable => "not done: unavailable",
        TradeRefused::Other => "not done: other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coins(coins: u64) -> Goods {
        Goods { coins, ore: Vec::new() }
    }

    fn offer(number: u64) -> Trade {
        let id = TradeId { pilot: 9, number };
        Trade { id, with: 9, give: coins(1), want: coins(2), left_ms: 30_000, ..Trade::default() }
    }

    #[test]
    fn most_offers_are_accepted_some_refused_and_some_left_alone_and_a_seed_decides_which() {
        let intents = |seed| {
            let mut trader = Trader::new(seed);
            (0..300).for_each(|number| trader.came(Mono::default(), offer(number)));
            trader.to_me.values().map(|(_, intent, _)| *intent).collect::<Vec<_>>()
        };
        let all = intents(1);
        let count = |wanted| all.iter().filter(|intent| **intent == wanted).count();
        let (accept, refuse, ignore) = (count(Intent::Accept), count(Intent::Refuse), count(Intent::Ignore));
        assert!(accept > 150 && refuse > 20 && ignore > 10, "{accept} {refuse} {ignore}");
        assert!(all == intents(1) && all != intents(2));
    }

    #[test]
    fn it_offers_only_what_it_has_and_little_of_it() {
        let mut trader = Trader::new(3);
        assert_eq!(trader.some_goods_held(), None);
        trader.hold = Hold { coins: 2, stacks: vec![OreStack { hue: 60, amount: 9 }], ..Hold::default() };
        for _ in 0..200 {
            let goods = trader.some_goods_held().unwrap();
            assert!(can_pay(&trader.hold, &goods), "{goods:?}");
            assert!(goods.ore.iter().all(|stack| (1..=PIECES_MAX).contains(&stack.amount)));
            assert!(goods != Goods::default());
        }
        assert!(!can_pay(&trader.hold, &coins(3)));
    }

    #[test]
    fn what_the_server_does_not_list_is_forgotten_and_what_it_lists_is_known() {
        let (mut trader, now) = (Trader::new(3), Mono::from_millis(5_000));
        (1..=3).for_each(|number| trader.came(now, offer(number)));
        trader.under_way.insert(offer(1).id, now);
        trader.from_me.insert(TradeId { pilot: 4, number: 1 }, (now, None));
        let own = Trade { id: TradeId { pilot: 4, number: 2 }, ..offer(1) };
        trader.look(now, Trades { to_me: vec![offer(2), offer(7)], from_me: vec![own], ..Trades::default() });
        let numbers = |ids: Vec<TradeId>| ids.into_iter().map(|id| id.number).collect::<Vec<_>>();
        assert_eq!(numbers(trader.to_me.keys().copied().collect()), [2, 7]);
        assert_eq!(numbers(trader.from_me.keys().copied().collect()), [2]);
        assert!(trader.under_way.is_empty());
    }

    #[test]
    fn the_end_of_a_trade_is_counted_once() {
        let (mut trader, mut tally) = (Trader::new(3), Tally::default());
        let (made, over_at) = (Mono::from_millis(1_000), Mono::from_millis(3_500));
        let id = TradeId { pilot: 4, number: 1 };
        trader.from_me.insert(id, (made, None));
        let over = TradeOver { trade: id, end: TradeEnd::Settled, ..TradeOver::default() };
        trader.over(over_at, over, &mut tally);
        let report = tally.report(1, Duration::from_secs(1), Duration::ZERO, 1);
        assert_eq!(report.trades.get("settled"), Some(&1));
        let latency = report.operations["trade"].latency_us.unwrap();
        assert!((2_400_000..=2_600_000).contains(&latency.max), "{latency:?}");
    }
}
