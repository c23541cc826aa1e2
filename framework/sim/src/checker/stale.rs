//! Fresh values: what a client holds is no older than what it could have heard, by the packets that reached it.
//!
//! *Responsible for*: how old a value may be, in the zone's ticks that the client heard of. *Not responsible for*: whether it was right
//! at its tick ([`super::value`]), a client that hears of no tick ([`super::liveness`]).
//!
//! Time goes on only with packets that arrive, so a pause or a cut excuses itself: each packet holds everything that the client
//! does not have as it is, except what its budget leaves out for a while.
//!
//! ```text
//! value held    A A A A A A
//! the zone's    A A A B B C        behind since the first B; unheard since the tick that A is said to be of
//! packets             │   └ the newest that arrived
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_contract::{Mono, NetId, Tick};
use lightmoon_zone::limits::{REFRESH_TIME, STARVE_TIME};

use super::{ClientNumber, Rules, Violation};
use crate::link::LinkOptions;
use crate::truth::{Entities, HeldView, History};

/// How old values may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// From the first change that a client has not heard of to the newest packet that reached it.
    pub behind: Duration,
    /// From the tick of a value to the newest packet, also while it rests.
    pub unheard: Duration,
}

/// What of a zone's tick and of a packet that overtakes another shows as age.
const ROOM: Duration = Duration::from_millis(150);

/// Whether an entity was for sure in a client's view as long as a lane may take to tell otherwise.
fn is_seen_all_along(net: NetId, now: Mono, held: &HeldView, history: &History, rules: &Rules) -> bool {
    let is_seen = |truth: &Entities| {
        let avatar = truth.get(&held.avatar);
        avatar.zip(truth.get(&net)).is_some_and(|(avatar, look)| rules.sight.must_see(avatar, look))
    };
    history.back_to(held.zone, now - rules.in_flight).all(is_seen)
}

/// How rarely so many packets in a row are passed over that a bound is not held.
const RARE: f64 = 1e-7;

/// Beyond it nothing is said of a network.
const TRIES_MAX: u32 = 30;

/// Time between two packets of most zones.
const TICK: Duration = Duration::from_millis(50);

impl Staleness {
    /// For zones whose views fit their packets.
    #[must_use]
    pub fn of(links: &LinkOptions) -> Self {
        let tries = tries(links);
        Self { behind: ROOM, unheard: REFRESH_TIME * tries + ROOM }
    }

    /// For zones whose views do not: what finds no room goes first after [`STARVE_TIME`], and each packet that is lost costs that
    /// again.
    #[must_use]
    pub fn of_crowds(links: &LinkOptions) -> Self {
        let tries = tries(links);
        Self { behind: STARVE_TIME * 2 * tries + ROOM, unheard: (REFRESH_TIME + STARVE_TIME) * tries + ROOM }
    }
}

/// Packets in a row of which one arrives for sure, before all that were sent after it: those that are overtaken are not taken.
fn tries(links: &LinkOptions) -> u32 {
    let ahead = |ticks: u32| links.jitter.saturating_sub(TICK * ticks).as_secs_f64();
    let jitter = links.jitter.as_secs_f64().max(f64::MIN_POSITIVE);
    // Of two delays drawn evenly the first is longer by so much.
    let overtaken: f64 = (1..8).map(|ticks| (ahead(ticks) / jitter).powi(2) / 2.0).sum();
    let passed_over = 1.0 - (1.0 - links.loss) * (1.0 - overtaken.min(0.8));
    (1..TRIES_MAX).find(|tries| passed_over.powi((*tries).cast_signed()) <= RARE).unwrap_or(TRIES_MAX)
}

/// The checker.
#[derive(Debug, Default)]
pub struct Stale {
    clients: BTreeMap<ClientNumber, Shown>,
    /// Values that were looked at.
    pub compared: u64,
}

/// What a client shows, since when.
#[derive(Debug, Default)]
struct Shown {
    generation: u32,
    /// The newest packet when an entity was shown first: those before it could say nothing of it.
    since: BTreeMap<NetId, Tick>,
}

impl Stale {
    /// Looks at what a client holds.
    ///
    /// # Errors
    /// A value is older than the packets that reached the client allow.
    pub fn check(
        &mut self,
        client: ClientNumber,
        held: &HeldView,
        history: &History,
        rules: &Rules,
    ) -> Result<(), Violation> {
        let shown = self.clients.entry(client).or_default();
        if shown.generation != held.generation {
            *shown = Shown { generation: held.generation, since: BTreeMap::new() };
        }
        shown.since.retain(|net, _| held.entities.contains_key(net));
        let newest = history.at(held.zone, held.heard).zip(history.noted_at(held.zone, held.heard));
        for (net, entity) in &held.entities {
            let since = *shown.since.entry(*net).or_insert(held.heard);
            let Some((truth, now)) = newest else { continue };
            // Gone: that is told by a lane, which may take its time.
            let Some(look) = truth.get(net) else { continue };
            for (number, (tick, fields)) in &entity.state {
                self.compared += 1;
                let from = (*tick).max(since);
                let age = |tick: Tick| now.since(history.noted_at(held.zone, tick).unwrap_or(now));
                let mut later = (from.0 + 1..=held.heard.0).map(Tick);
                let is_behind = look.state.get(number) != Some(fields);
                let first = later.find(|tick| {
                    let then = history.at(held.zone, *tick).and_then(|truth| truth.get(net));
                    is_behind && then.is_some_and(|then| then.state.get(number) != Some(fields))
                });
                let behind = first.map_or(Duration::ZERO, age);
                let (unheard, staleness) = (age(from), rules.staleness);
                let is_old = behind > staleness.behind || unheard > staleness.unheard;
                // Else a Leave may be on its way, after which nothing more is sent of it.
                if is_old && is_seen_all_along(*net, now, held, history, rules) {
                    let what = format!(
                        "{client} holds component {number} of {net} of zone {} as of tick {tick}; at {} it is {behind:?} behind and \
                         {unheard:?} unheard, of {staleness:?}",
                        held.zone, held.heard
                    );
                    return Err(Violation::new("stale", what));
                }
            }
        }
        Ok(())
    }

    /// Starts a client's times anew: its connection or node was disturbed.
    pub fn forget(&mut self, client: ClientNumber) {
        self.clients.remove(&client);
    }

    /// As [`Self::forget`], of all clients.
    pub fn forget_all(&mut self) {
        self.clients.clear();
    }
}
