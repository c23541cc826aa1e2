//! A client that moves coins and items, and remembers what it asked for and what it was told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use lightmoon_client::{Client, ConnectionState, Event, Pending};
use lightmoon_contract::{ActorRef, CallError, Mono, Operation};
use lightmoon_sim::Player;

use super::game::{GOLD, POISON, PURSES, PurseContract, VAULT, VAULTS, VaultContract, purse};

/// Something to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    Earn { of: u64, currency: u8, amount: u64 },
    Spend { of: u64, currency: u8, amount: u64 },
    Pay { of: u64, to: u64, currency: u8, amount: u64, back: bool },
    Look { of: u64, currency: u8 },
    Forge { of: u64 },
    Hand { of: u64, to: u64, nth: u64, back: bool },
    Melt { of: u64, nth: u64 },
    Fetch { vault: u64, to: u64, nth: u64 },
}

impl Deed {
    const fn name(self) -> &'static str {
        match self {
            Self::Earn { .. } => "earn",
            Self::Spend { .. } => "spend",
            Self::Pay { .. } => "pay",
            Self::Look { .. } => "look",
            Self::Forge { .. } => "forge",
            Self::Hand { .. } => "hand",
            Self::Melt { .. } => "melt",
            Self::Fetch { .. } => "fetch",
        }
    }
}

/// Names of all deeds.
pub(crate) const NAMES: [&str; 8] = ["earn", "spend", "pay", "look", "forge", "hand", "melt", "fetch"];

/// What an answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    /// The balance; `None`: nothing was done.
    Balance(Option<u64>),
    /// The item; 0: nothing was done.
    Item(u64),
}

/// What an auditor has to know of a client.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// It asks for something, under this token.
    Asked(u64, Deed),
    /// It was answered.
    Answered(u64, Result<Said, CallError>),
    /// It was told by the way that something was done.
    Told(u64),
}

type Answer = Box<dyn FnMut(&mut Client) -> Option<Result<Said, CallError>>>;

/// A request under way.
struct Open {
    token: u64,
    deed: Deed,
    answer: Answer,
}

/// The client.
pub(crate) struct Payer {
    random: fastrand::Rng,
    /// The key of its purse.
    key: u64,
    tokens: u64,
    next: Mono,
    open: Vec<Open>,
    pub(crate) news: Vec<News>,
    /// What it is to ask for first.
    pub(crate) orders: VecDeque<Deed>,
    /// Deeds that were answered well, by name.
    pub(crate) answered: BTreeSet<&'static str>,
    /// Errors that it was answered, with how many there were.
    pub(crate) failures: BTreeMap<String, u32>,
    /// It asks for nothing but what it is ordered.
    pub(crate) is_quiet: bool,
    /// Some of what it pays is [`POISON`].
    pub(crate) is_poisoner: bool,
}

/// Requests under way at once.
const OPEN_MAX: usize = 8;

/// Few different amounts: what is unknown is then found out by few tries.
const AMOUNTS: [u64; 3] = [1, 10, 100];

impl Payer {
    pub(crate) fn new(seed: u64, key: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed ^ (key << 32)),
            key,
            tokens: 0,
            next: Mono(0),
            open: Vec::new(),
            news: Vec::new(),
            orders: VecDeque::new(),
            answered: BTreeSet::new(),
            failures: BTreeMap::new(),
            is_quiet: false,
            is_poisoner: false,
        }
    }

    /// Does so many transfers as soon as it can.
    pub(crate) fn hurry(&mut self, now: Mono, count: u32) {
        for _ in 0..count {
            let deed = self.transfer();
            self.orders.push_back(deed);
        }
        self.next = now;
    }

    /// Whether all is done and answered.
    pub(crate) fn is_done(&self) -> bool {
        self.orders.is_empty() && self.open.is_empty()
    }

    /// A purse: often the hot one.
    fn purse(&mut self) -> u64 {
        if self.random.bool() { PURSES[0] } else { PURSES[self.random.usize(..PURSES.len())] }
    }

    fn transfer(&mut self) -> Deed {
        let of = if self.random.u8(..4) == 0 { self.purse() } else { self.key };
        let (nth, back) = (self.random.u64(..8), self.random.u8(..4) == 0);
        let vault = VAULTS[self.random.usize(..VAULTS.len())];
        match self.random.u8(..10) {
            0..5 => {
                let (to, currency) = (self.purse(), self.random.u8(..2));
                let amount = if self.is_poisoner && self.random.u8(..12) == 0 {
                    POISON
                } else {
                    AMOUNTS[self.random.usize(..AMOUNTS.len())]
                };
                Deed::Pay { of, to, currency, amount, back }
            }
            5 | 6 => Deed::Hand { of, to: self.purse(), nth, back },
            7 => Deed::Hand { of, to: vault | VAULT, nth, back },
            _ => Deed::Fetch { vault, to: self.purse(), nth },
        }
    }

    fn deed(&mut self) -> Deed {
        let of = if self.random.u8(..3) == 0 { self.purse() } else { self.key };
        let currency = if self.random.u8(..3) == 0 { 1 } else { GOLD };
        let amount = AMOUNTS[self.random.usize(..AMOUNTS.len())];
        let amount = if self.is_poisoner { amount * 10 } else { amount };
        match self.random.u8(..20) {
            0..3 => Deed::Earn { of, currency, amount },
            3 => Deed::Spend { of, currency, amount },
            4..8 => Deed::Look { of, currency },
            8 | 9 => Deed::Forge { of },
            10 => Deed::Melt { of, nth: self.random.u64(..8) },
            _ => self.transfer(),
        }
    }

    fn ask(&mut self, client: &mut Client, deed: Deed) {
        self.tokens += 1;
        let token = self.key << 32 | self.tokens;
        let purse = ActorRef::<PurseContract>::new;
        let answer = match deed {
            Deed::Earn { of, currency, amount } => {
                open(client.actor(purse(of)).earn(token, currency, amount), Said::Balance)
            }
            Deed::Spend { of, currency, amount } => {
                open(client.actor(purse(of)).spend(token, currency, amount), Said::Balance)
            }
            Deed::Pay { of, to, currency, amount, back } => {
                open(client.actor(purse(of)).pay(token, to, currency, amount, back), Said::Balance)
            }
            Deed::Look { of, currency } => open(client.actor(purse(of)).look(currency), Said::Balance),
            Deed::Forge { of } => open(client.actor(purse(of)).forge(token), Said::Item),
            Deed::Hand { of, to, nth, back } => {
                open(client.actor(purse(of)).hand(token, to, nth, back), Said::Item)
            }
            Deed::Melt { of, nth } => open(client.actor(purse(of)).melt(token, nth), Said::Item),
            Deed::Fetch { vault, to, nth } => {
                let vault = ActorRef::<VaultContract>::new(vault);
                open(client.actor(vault).fetch(token, to, nth), Said::Item)
            }
        };
        self.news.push(News::Asked(token, deed));
        self.open.push(Open { token, deed, answer });
    }

    fn hear(&mut self, client: &mut Client) {
        for mut open in std::mem::take(&mut self.open) {
            let Some(result) = (open.answer)(client) else {
                self.open.push(open);
                continue;
            };
            let name = open.deed.name();
            match &result {
                Ok(_) => drop(self.answered.insert(name)),
                Err(error) => *self.failures.entry(format!("{name} {error}")).or_default() += 1,
            }
            self.news.push(News::Answered(open.token, result));
        }
    }
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open: Vec<_> = self.open.iter().map(|open| open.deed).collect();
        f.debug_struct("Payer")
            .field("open", &open)
            .field("answered", &self.answered)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}

fn open<O: Operation>(pending: Pending<O>, said: impl Fn(O::Reply) -> Said + 'static) -> Answer
where
    Pending<O>: 'static,
{
    Box::new(move |client| Some(client.reply(&pending)?.map(&said)))
}

impl Player for Payer {
    fn on_event(&mut self, _: Mono, event: &Event, client: &mut Client) {
        if let Some(purse::Paid { token }) = event.push::<purse::Paid>() {
            self.news.push(News::Told(token));
        }
        if matches!(event, Event::Answered { .. }) {
            self.hear(client);
        }
    }

    fn think(&mut self, now: Mono, client: &mut Client) {
        self.next = now + Duration::from_millis(self.random.u64(5..150));
        if *client.state() != ConnectionState::Connected {
            return;
        }
        if !self.orders.is_empty() {
            for deed in std::mem::take(&mut self.orders) {
                self.ask(client, deed);
            }
        } else if !self.is_quiet && self.open.len() < OPEN_MAX {
            let deed = self.deed();
            self.ask(client, deed);
        }
    }

    fn next_thought(&self) -> Option<Mono> {
        Some(self.next)
    }
}
