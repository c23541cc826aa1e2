//! Progress: once everything is healed, every client is attached and hears of new ticks within a bound.
//!
//! *Responsible for*: the time after [`Liveness::heal`]. *Not responsible for*: the time of faults, when nothing is promised.

use std::collections::BTreeMap;
use std::time::Duration;

use lightmoon_contract::{ActorId, Mono, Tick};

use super::{ClientNumber, Violation};
use crate::truth::HeldView;

/// The newest that a client heard of: zone, attachment, tick.
type News = (ActorId, u32, Tick);

/// The checker.
#[derive(Debug)]
pub struct Liveness {
    healed: Option<Mono>,
    /// Time from healing until every client is at play.
    recovery: Duration,
    /// Longest silence of a client at play after that.
    silence: Duration,
    heard: BTreeMap<ClientNumber, (Option<News>, Mono)>,
}

impl Liveness {
    /// Allows `recovery` from healing to play, and `silence` between two ticks heard after that.
    #[must_use]
    pub const fn new(recovery: Duration, silence: Duration) -> Self {
        Self { healed: None, recovery, silence, heard: BTreeMap::new() }
    }

    /// All faults are over.
    pub fn heal(&mut self, now: Mono) {
        self.healed = Some(now);
        self.heard.clear();
    }

    /// Looks at what a client holds, `None` if it has no view.
    ///
    /// # Errors
    /// After the recovery, the client heard of no new tick for longer than the longest silence.
    pub fn check(
        &mut self,
        now: Mono,
        client: ClientNumber,
        held: Option<&HeldView>,
    ) -> Result<(), Violation> {
        let Some(healed) = self.healed else { return Ok(()) };
        let news = held.map(|held| (held.zone, held.generation, held.tick));
        let (last, at) = self.heard.entry(client).or_insert((None, healed));
        if news.is_some() && *last != news {
            (*last, *at) = (news, now);
        }
        let quiet = now.since(*at);
        if now.since(healed) < self.recovery || quiet <= self.silence {
            return Ok(());
        }
        let what =
            format!("{client} heard of no tick for {quiet:?}, {:?} after all healed", now.since(healed));
        Err(Violation::new("liveness", what))
    }
}
