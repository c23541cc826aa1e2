//! A client that asks for everything, and remembers what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use lightmoon_client::{Client, ConnectionState, Event, Pending};
use lightmoon_contract::{ActorRef, CallError, Mono, NetId, Operation};
use lightmoon_sim::Player;
use lightmoon_sim::checker::ledger::Promise;

use super::game::{ClerkContract, MAX_LOSS, PatronContract, VAULTS, VaultContract, patron};

/// What an auditor has to know of a client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum News {
    /// It asks for something.
    Asked(u64, Promise),
    /// It was told that something was done.
    Told(Mono, u64),
    /// It was told that nothing was done.
    Refused(u64),
    /// It was told that the entity made for this token has this id.
    Named(NetId, u64),
}

/// What an answer says.
enum Said {
    Done,
    /// Perhaps, perhaps not.
    Open,
    Named(NetId),
}

type Answer = Box<dyn FnMut(&mut Client) -> Option<Result<Said, CallError>>>;

/// A request under way.
struct Open {
    token: u64,
    name: &'static str,
    answer: Answer,
}

/// The client.
pub(crate) struct Asker {
    random: fastrand::Rng,
    number: u64,
    tokens: u64,
    next: Mono,
    open: Vec<Open>,
    pub(crate) news: Vec<News>,
    /// Operations that were answered well, by name.
    pub(crate) answered: BTreeSet<&'static str>,
    /// Errors that it was answered, with how many there were.
    pub(crate) failures: BTreeMap<String, u32>,
    /// It asks for nothing more.
    pub(crate) is_quiet: bool,
}

/// Names of all operations that it asks for.
pub(crate) const NAMES: [&str; 9] =
    ["take", "note", "give", "count", "put", "merge", "mark", "add", "add_lazily"];

/// Requests under way at once.
const OPEN_MAX: usize = 6;

impl Asker {
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed ^ (number << 32)),
            number,
            tokens: 0,
            next: Mono(0),
            open: Vec::new(),
            news: Vec::new(),
            answered: BTreeSet::new(),
            failures: BTreeMap::new(),
            is_quiet: false,
        }
    }

    fn ask(&mut self, client: &mut Client) {
        self.tokens += 1;
        let token = (self.number + 1) << 32 | self.tokens;
        let name = NAMES[self.random.usize(..NAMES.len())];
        let vault = VAULTS[self.random.usize(..VAULTS.len())];
        let (zone, clerk) = (ActorRef::<VaultContract>::new(vault), ActorRef::<ClerkContract>::new(0));
        let behind = Promise::Behind(MAX_LOSS);
        let done = |_| Said::Done;
        let (promise, answer) = match name {
            "take" => (Promise::Sync, open(client.me::<PatronContract>().take(token), done)),
            "note" => (behind, open(client.me::<PatronContract>().note(token), done)),
            "give" => (
                Promise::Sync,
                open(client.me::<PatronContract>().give(token, vault), |is_given| {
                    if is_given { Said::Done } else { Said::Open }
                }),
            ),
            "put" => (Promise::Sync, open(client.actor(zone).put(token), done)),
            "merge" => (Promise::Sync, open(client.actor(zone).merge(token), done)),
            "mark" => (behind, open(client.actor(zone).mark(token), Said::Named)),
            "add" => (Promise::Sync, open(client.actor(clerk).add(token), |_| Said::Done)),
            "add_lazily" => (behind, open(client.actor(clerk).add_lazily(token), |_| Said::Done)),
            _ => (behind, open(client.me::<PatronContract>().count(), |_| Said::Open)),
        };
        self.news.push(News::Asked(token, promise));
        self.open.push(Open { token, name, answer });
    }

    fn hear(&mut self, now: Mono, client: &mut Client) {
        for mut open in std::mem::take(&mut self.open) {
            let token = open.token;
            let Some(result) = (open.answer)(client) else {
                self.open.push(open);
                continue;
            };
            match &result {
                Ok(_) => drop(self.answered.insert(open.name)),
                Err(error) => *self.failures.entry(format!("{} {error}", open.name)).or_default() += 1,
            }
            match result {
                Ok(Said::Done) => self.news.push(News::Told(now, token)),
                Ok(Said::Named(net)) => {
                    self.news.extend([News::Named(net, token), News::Told(now, token)]);
                }
                Err(CallError::StoreUnavailable) if open.name != "give" => {
                    self.news.push(News::Refused(token));
                }
                Ok(Said::Open) | Err(_) => {}
            }
        }
    }
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open: Vec<_> = self.open.iter().map(|open| open.name).collect();
        f.debug_struct("Asker")
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

impl Player for Asker {
    fn on_event(&mut self, now: Mono, event: &Event, client: &mut Client) {
        if let Some(patron::Took { token }) = event.push::<patron::Took>() {
            self.news.push(News::Told(now, token));
        }
        if matches!(event, Event::Answered { .. }) {
            self.hear(now, client);
        }
    }

    fn think(&mut self, now: Mono, client: &mut Client) {
        self.next = now + Duration::from_millis(self.random.u64(5..120));
        if *client.state() == ConnectionState::Connected && !self.is_quiet && self.open.len() < OPEN_MAX {
            self.ask(client);
        }
    }

    fn next_thought(&self) -> Option<Mono> {
        Some(self.next)
    }
}
