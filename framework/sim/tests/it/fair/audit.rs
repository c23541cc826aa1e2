//! What of the game is in the store, and whether it is fair.

use std::collections::BTreeMap;

use lightmoon_contract::{ActorId, Contract, Limits, Mono, Operation, OperationNumber, codec};
use lightmoon_durable::{Letter, record};
use lightmoon_sim::checker::items::Places;
use lightmoon_sim::checker::ledger::{Found, Moment};
use lightmoon_sim::checker::{Bank, StoredActor, stored};
use lightmoon_sim::{SimStore, Violation};

use super::game::{
    BookContract, CURRENCIES, Done, Heard, Holding, POISON, Pair, PurseContract, Thing, VAULT, VaultContract,
    Way, purse, vault,
};
use super::watch::Watch;

/// What there is, from the store alone.
#[derive(Default)]
pub(crate) struct Audit {
    bank: Bank,
    places: Places,
    found: Found,
    /// Messages of each pair, by sender and receiver: sent, and taken.
    sent: BTreeMap<(u64, u64), u64>,
    taken: BTreeMap<(u64, u64), u64>,
    /// Those that were not the next one when they were taken.
    disorder: BTreeMap<(u64, u64), u64>,
    /// Those that are in flight, by their numbers in the pair.
    under_way: BTreeMap<(u64, u64), Vec<u64>>,
    /// Coins of each purse.
    pub(crate) coins: BTreeMap<u64, [u64; 2]>,
    /// Letters in outboxes, also those that were taken.
    pub(crate) letters: usize,
    /// Of them, dead ones.
    pub(crate) dead: usize,
    pub(crate) items: usize,
    /// Messages sent so far.
    pub(crate) messages: u64,
}

/// The name of an actor as a place.
fn place(actor: ActorId) -> u64 {
    if actor.kind == VaultContract::KIND { actor.key | VAULT } else { actor.key }
}

fn name(place: u64) -> String {
    let kind = if place & VAULT == 0 { "purse" } else { "vault" };
    format!("{kind} {}", place & !VAULT)
}

fn wrong(actor: ActorId, what: &str) -> Violation {
    Violation::new("audit", format!("{}: {what}", name(place(actor))))
}

fn read<T: codec::Data>(actor: ActorId, what: &str, bytes: &[u8]) -> Result<T, Violation> {
    codec::decode(bytes, Limits::NODE).map_err(|_| wrong(actor, &format!("{what} cannot be read")))
}

/// Everything that must be true of a store at any moment.
pub(crate) fn audit(now: Mono, store: &mut SimStore, watch: &mut Watch) -> Result<Audit, Violation> {
    let actors = store.actors()?;
    stored::check_marks(&actors)?;
    let mut audit = Audit::default();
    for stored in actors.values() {
        audit.letters += stored.outbox.len();
        audit.in_log(stored, watch)?;
        if stored.actor.kind == VaultContract::KIND {
            audit.in_vault(stored);
        } else if let Some(state) = &stored.state {
            if stored.actor.kind == PurseContract::KIND {
                audit.in_purse(stored.actor, state)?;
            } else if stored.actor.kind == BookContract::KIND {
                let record = open(stored.actor, "heard", state)?;
                let heard: Heard = read(stored.actor, "the book", &record)?;
                heard.tokens.iter().try_for_each(|token| watch.ledger.told(now, *token))?;
            }
        }
    }
    for (from, number, letter) in stored::in_flight(&actors) {
        audit.in_flight(from, number, letter)?;
    }
    audit.bank.check()?;
    watch.items.check(&audit.places)?;
    audit.items = audit.places.count();
    let moment = Moment { at: now, sound_since: None, flush: std::time::Duration::ZERO, in_order: false };
    watch.ledger.check(moment, &audit.found)?;
    if !watch.is_poisoned {
        audit.check_pairs()?;
    }
    audit.dead =
        actors.values().flat_map(|stored| stored.outbox.values()).filter(|letter| letter.is_dead).count();
    audit.messages = audit.sent.values().sum();
    Ok(audit)
}

/// Only the money, which also dead letters hold.
pub(crate) fn money(store: &mut SimStore) -> Result<BTreeMap<u64, [u64; 2]>, Violation> {
    let actors = store.actors()?;
    let mut audit = Audit::default();
    for stored in actors.values().filter(|stored| stored.actor.kind == PurseContract::KIND) {
        stored.state.as_ref().map_or(Ok(()), |state| audit.in_purse(stored.actor, state))?;
    }
    for (from, number, letter) in stored::in_flight(&actors) {
        audit.in_flight(from, number, letter)?;
    }
    audit.bank.check()?;
    Ok(audit.coins)
}

fn open(actor: ActorId, kind: &str, state: &bytes::Bytes) -> Result<bytes::Bytes, Violation> {
    let record = record::open_as(kind, state).map_err(|error| wrong(actor, &error.to_string()))?;
    Ok(record.body)
}

impl Audit {
    fn in_purse(&mut self, actor: ActorId, state: &bytes::Bytes) -> Result<(), Violation> {
        let Holding { coins, earned, spent, items, done, pairs } =
            read(actor, "the purse", &open(actor, "holding", state)?)?;
        let name = name(actor.key);
        for (at, currency) in CURRENCIES.into_iter().enumerate() {
            self.bank.minted(currency, earned[at]);
            self.bank.destroyed(currency, spent[at]);
            self.bank.holds(currency, name.as_str(), coins[at]);
        }
        self.coins.insert(actor.key, coins);
        items.into_iter().for_each(|item| self.places.holds(item, name.as_str()));
        done.into_iter().for_each(|token| self.found.holds(token));
        pairs.into_iter().for_each(|pair| self.pair(actor, pair));
        Ok(())
    }

    fn in_vault(&mut self, stored: &StoredActor) {
        let name = name(place(stored.actor));
        for entity in stored.entities(0).values() {
            if let Some(Thing { item }) = entity.get() {
                self.places.holds(item, name.as_str());
            }
            if let Some(Done { tokens }) = entity.get() {
                tokens.into_iter().for_each(|token| self.found.holds(token));
            }
            entity.get::<Pair>().into_iter().for_each(|pair| self.pair(stored.actor, pair));
        }
    }

    fn pair(&mut self, actor: ActorId, pair: Pair) {
        let (me, Pair { other, sent, taken, wrong: disorder }) = (place(actor), pair);
        self.sent.insert((me, other), sent);
        self.taken.insert((other, me), taken);
        self.disorder.insert((other, me), disorder);
    }

    /// What stands in the log is what was done, and messages of each pair stand there in their order.
    fn in_log(&mut self, stored: &StoredActor, watch: &mut Watch) -> Result<(), Violation> {
        let actor = stored.actor;
        let mut last: BTreeMap<u64, u64> = BTreeMap::new();
        for (seq, _, entry) in &stored.log {
            let number = OperationNumber(entry.operation);
            if let Some((Way { from, order, .. }, is_poison)) = way(actor, number, &entry.arguments)? {
                if is_poison {
                    continue;
                }
                let before = last.insert(from, order).unwrap_or(0);
                if order <= before {
                    let what = format!(
                        "{}: commit {seq} takes message {order} of {} after {before}",
                        name(place(actor)),
                        name(from)
                    );
                    return Err(Violation::new("fifo", what));
                }
                continue;
            }
            let is_purse = actor.kind == PurseContract::KIND;
            if is_purse && number == purse::Look::SPEC.number {
                continue;
            }
            let with_balance = [purse::Earn::SPEC.number, purse::Spend::SPEC.number, purse::Pay::SPEC.number];
            let token = token(actor, number, &entry.arguments)?;
            let was_done = if is_purse && with_balance.contains(&number) {
                read::<Option<u64>>(actor, "a reply", &entry.reply)?.is_some()
            } else {
                read::<u64>(actor, "a reply", &entry.reply)? != 0
            };
            if was_done {
                self.found.logs(token);
            }
            if is_purse && number == purse::Forge::SPEC.number {
                watch.items.minted(token);
            }
            if is_purse && number == purse::Melt::SPEC.number && was_done {
                watch.items.destroyed(read(actor, "a reply", &entry.reply)?);
            }
        }
        Ok(())
    }

    fn in_flight(&mut self, from: ActorId, number: u64, letter: &Letter) -> Result<(), Violation> {
        let posted = &letter.posted;
        let on_the_way = format!("{} to {}, letter {number}", name(place(from)), name(place(posted.to)));
        let order = if posted.to.kind == VaultContract::KIND {
            let vault::Stow { way, item } = read(from, "a letter", &posted.arguments)?;
            self.places.holds(item, on_the_way);
            way.order
        } else if posted.operation == purse::Gold::SPEC.number {
            let purse::Gold { way, amount } = read(from, "a letter", &posted.arguments)?;
            self.bank.in_flight(CURRENCIES[0], on_the_way, amount);
            way.order
        } else if posted.operation == purse::Silver::SPEC.number {
            let purse::Silver { way, amount } = read(from, "a letter", &posted.arguments)?;
            self.bank.in_flight(CURRENCIES[1], on_the_way, amount);
            way.order
        } else {
            let purse::Item { way, item } = read(from, "a letter", &posted.arguments)?;
            self.places.holds(item, on_the_way);
            way.order
        };
        self.under_way.entry((place(from), place(posted.to))).or_default().push(order);
        Ok(())
    }

    /// Of each pair what was sent is what was taken, and then what is in flight.
    fn check_pairs(&self) -> Result<(), Violation> {
        for pair in self.sent.keys().chain(self.taken.keys()) {
            let (from, to) = pair;
            let sent = self.sent.get(pair).copied().unwrap_or(0);
            let taken = self.taken.get(pair).copied().unwrap_or(0);
            let disorder = self.disorder.get(pair).copied().unwrap_or(0);
            if disorder > 0 {
                let what = format!("{disorder} messages of {} were not the next one", name(*from));
                return Err(Violation::new("fifo", format!("{}: {what}", name(*to))));
            }
            let under_way = self.under_way.get(pair).map_or(&[][..], |orders| orders);
            if !(taken + 1..=sent).eq(under_way.iter().copied()) {
                let what = format!(
                    "{} sent {sent} messages to {}, which took {taken}; in flight are {under_way:?}",
                    name(*from),
                    name(*to)
                );
                return Err(Violation::new("fifo", what));
            }
        }
        Ok(())
    }
}

/// From where a logged operation came, if it was a message, and whether it was poison, which may be sent again later.
fn way(actor: ActorId, number: OperationNumber, arguments: &[u8]) -> Result<Option<(Way, bool)>, Violation> {
    let what = "a log entry";
    Ok(if actor.kind == VaultContract::KIND {
        let is_stow = number == vault::Stow::SPEC.number;
        is_stow
            .then(|| read::<vault::Stow>(actor, what, arguments))
            .transpose()?
            .map(|stow| (stow.way, false))
    } else if number == purse::Gold::SPEC.number {
        let purse::Gold { way, amount } = read(actor, what, arguments)?;
        Some((way, amount == POISON))
    } else if number == purse::Item::SPEC.number {
        Some((read::<purse::Item>(actor, what, arguments)?.way, false))
    } else {
        None
    })
}

fn token(actor: ActorId, number: OperationNumber, arguments: &[u8]) -> Result<u64, Violation> {
    let what = "a log entry";
    if actor.kind == VaultContract::KIND {
        return Ok(read::<vault::Fetch>(actor, what, arguments)?.token);
    }
    Ok(match number {
        _ if number == purse::Earn::SPEC.number => read::<purse::Earn>(actor, what, arguments)?.token,
        _ if number == purse::Spend::SPEC.number => read::<purse::Spend>(actor, what, arguments)?.token,
        _ if number == purse::Pay::SPEC.number => read::<purse::Pay>(actor, what, arguments)?.token,
        _ if number == purse::Forge::SPEC.number => read::<purse::Forge>(actor, what, arguments)?.token,
        _ if number == purse::Hand::SPEC.number => read::<purse::Hand>(actor, what, arguments)?.token,
        _ if number == purse::Melt::SPEC.number => read::<purse::Melt>(actor, what, arguments)?.token,
        other => return Err(wrong(actor, &format!("operation {other} is logged and should not be"))),
    })
}
