//! What clients asked for and were told, for the checkers.

use std::collections::BTreeMap;

use lightmoon_contract::{CallError, Mono};
use lightmoon_sim::Violation;
use lightmoon_sim::checker::history::{Model, OperationId, Outcome, Verdict};
use lightmoon_sim::checker::ledger::Promise;
use lightmoon_sim::checker::{History, Items, Ledger};

use super::client::{Deed, News, Said};
use super::game::{GOLD, PURSES};

/// The gold in one purse, as its clients see it.
pub(crate) struct Account;

/// What happens to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Move {
    Look,
    In(u64),
    Out(u64),
}

impl Model for Account {
    type State = u64;
    type Call = Move;
    /// The balance; none: there was not enough, and nothing was done.
    type Answer = Option<u64>;

    fn first(&self) -> u64 {
        0
    }

    fn step(&self, balance: &u64, call: &Move, answer: Option<&Option<u64>>) -> Option<u64> {
        let after = match call {
            Move::Look => Some(*balance),
            Move::In(amount) => Some(balance + amount),
            Move::Out(amount) => balance.checked_sub(*amount),
        };
        match (answer, after) {
            // Nothing was done although there was enough: so much may be under way that no more is sent.
            (Some(None), _) => matches!(call, Move::Out(_)).then_some(*balance),
            (Some(answer), after) if *answer != after => None,
            (Some(_) | None, after) => Some(after.unwrap_or(*balance)),
        }
    }
}

/// A request whose answer is to come.
struct Asked {
    client: u64,
    deed: Deed,
    /// What it does to its purse, and what will come of it there or elsewhere some time.
    own: Option<(u64, OperationId)>,
    later: Option<(u64, OperationId)>,
}

/// Everything that clients said.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) ledger: Ledger,
    pub(crate) items: Items,
    histories: BTreeMap<u64, History<Account>>,
    open: BTreeMap<u64, Asked>,
    /// Whether some messages are dead letters for a while: those of their pairs have gaps then.
    pub(crate) is_poisoned: bool,
    /// The last balances that were seen, by purse and currency.
    pub(crate) seen: BTreeMap<(u64, u8), u64>,
}

impl Watch {
    pub(crate) fn new(is_poisoned: bool) -> Self {
        let histories = PURSES.map(|key| (key, History::new(Account))).into();
        Self { histories, is_poisoned, ..Self::default() }
    }

    pub(crate) fn hear(&mut self, now: Mono, client: u64, news: News) -> Result<(), Violation> {
        match news {
            News::Asked(token, deed) => {
                self.asked(now, client, token, deed);
                Ok(())
            }
            News::Answered(token, result) => self.answered(now, token, result),
            News::Told(token) => self.ledger.told(now, token),
        }
    }

    fn moves(&mut self, now: Mono, client: u64, of: u64, what: Move) -> Option<(u64, OperationId)> {
        self.histories.get_mut(&of)?.invoked(now, client, what).map(|id| (of, id))
    }

    fn asked(&mut self, now: Mono, client: u64, token: u64, deed: Deed) {
        let mut asked = Asked { client, deed, own: None, later: None };
        match deed {
            Deed::Earn { of, currency: GOLD, amount } => {
                asked.own = self.moves(now, client, of, Move::In(amount));
            }
            Deed::Spend { of, currency: GOLD, amount } => {
                asked.own = self.moves(now, client, of, Move::Out(amount));
            }
            Deed::Pay { of, to, currency: GOLD, amount, back } => {
                asked.own = self.moves(now, client, of, Move::Out(amount));
                asked.later = self.moves(now, client, if back { of } else { to }, Move::In(amount));
            }
            Deed::Look { of, currency: GOLD } => asked.own = self.moves(now, client, of, Move::Look),
            Deed::Forge { .. } => self.items.minting(token),
            Deed::Earn { .. }
            | Deed::Spend { .. }
            | Deed::Pay { .. }
            | Deed::Look { .. }
            | Deed::Hand { .. }
            | Deed::Melt { .. }
            | Deed::Fetch { .. } => {}
        }
        if !matches!(deed, Deed::Look { .. }) {
            self.ledger.asked(token, Promise::Sync);
        }
        self.open.insert(token, asked);
    }

    fn answered(&mut self, now: Mono, token: u64, result: Result<Said, CallError>) -> Result<(), Violation> {
        let Some(Asked { client, deed, own, later }) = self.open.remove(&token) else {
            return Err(Violation::new("answers", format!("token {token:#x} was answered twice")));
        };
        let (outcome, was_done) = match &result {
            Ok(Said::Balance(balance)) => (Outcome::Ok(*balance), balance.is_some()),
            Ok(Said::Item(item)) => (Outcome::Unknown, *item != 0),
            // The only errors that say for sure that nothing was done.
            Err(CallError::StoreUnavailable | CallError::TooFast) => (Outcome::Failed, false),
            Err(_) => (Outcome::Unknown, false),
        };
        let is_known = result.is_ok() || outcome == Outcome::Failed;
        if let Some((of, id)) = own
            && let Some(history) = self.histories.get_mut(&of)
        {
            history.returned(now, id, outcome);
        }
        if let Some((of, id)) = later.filter(|_| is_known && !was_done)
            && let Some(history) = self.histories.get_mut(&of)
        {
            history.returned(now, id, Outcome::Failed);
        }
        match (deed, &result) {
            (Deed::Look { of, currency }, Ok(Said::Balance(Some(balance)))) => {
                self.seen.insert((of, currency), *balance);
            }
            (Deed::Forge { .. }, Ok(Said::Item(item))) if *item != token => {
                let what = format!("client {client} asked for item {token:#x} and got {item:#x}");
                return Err(Violation::new("answers", what));
            }
            (Deed::Forge { .. }, Ok(_)) => self.items.minted(token),
            (Deed::Melt { .. }, Ok(Said::Item(item))) if *item != 0 => self.items.destroyed(*item),
            (_, _) => {}
        }
        match (deed, is_known, was_done) {
            (Deed::Look { .. }, ..) | (_, false, _) => Ok(()),
            (_, true, true) => self.ledger.told(now, token),
            (_, true, false) => self.ledger.refused(token),
        }
    }

    /// Looks for orders that explain what clients saw of each purse: how many were found, and how many were too hard.
    pub(crate) fn check_histories(&self) -> Result<(u64, u64), Violation> {
        let (mut decided, mut undecided) = (0, 0);
        for (purse, history) in &self.histories {
            let verdict = history.check().map_err(|Violation { checker, what }| {
                Violation::new(checker, format!("the gold of purse {purse}: {what}"))
            })?;
            match verdict {
                Verdict::Linearizable => decided += 1,
                Verdict::Undecided => undecided += 1,
            }
        }
        Ok((decided, undecided))
    }
}
