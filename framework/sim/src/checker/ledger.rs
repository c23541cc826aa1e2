//! Promises: nothing acknowledged as `sync` is lost, nothing happens twice, what is `behind` is lost within its bound only.
//!
//! *Responsible for*: comparing what clients were told with what is in the store. *Not responsible for*: reading the store
//! (`stored`); the game says which effects it found there.
//!
//! Each operation that a client asks for carries a token that no other has, and leaves it in the state that it changes. What
//! an actor is told of by another, and keeps, counts as told to a client.
//!
//! Invariants of what is watched:
//! - I1: an effect whose acknowledgement somebody saw is there after any crash, exactly once, and stays.
//! - I2: an operation that is logged stands in the log exactly if its effect is in the state.
//! - I3: what was refused, and what nobody asked for, is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lightmoon_contract::Mono;

use super::Violation;

/// What an operation promises once it is acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    /// The effect is there.
    Sync,
    /// The effect is there, unless it is younger than this at a crash.
    Behind(Duration),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Asked for, or its outcome is not known.
    Open,
    /// Somebody was told of it, first then.
    Told(Mono),
    /// It was answered that nothing was done.
    Refused,
}

#[derive(Debug)]
struct Effect {
    promise: Promise,
    state: State,
    /// It was in the store: it stays there.
    was_stored: bool,
    /// It was asked for before a crash, so that an acknowledgement that was on its way tells of a node that is gone.
    is_excused: bool,
}

/// What an auditor found in the store: how often each token stands in states, and in logs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Found {
    /// In states of actors and worlds.
    pub held: BTreeMap<u64, u32>,
    /// In operation logs.
    pub logged: BTreeMap<u64, u32>,
}

impl Found {
    /// A token stands in a state.
    pub fn holds(&mut self, token: u64) {
        *self.held.entry(token).or_default() += 1;
    }

    /// A token stands in a log.
    pub fn logs(&mut self, token: u64) {
        *self.logged.entry(token).or_default() += 1;
    }
}

/// The moment at which an auditor looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// When the node was gone.
    pub at: Mono,
    /// Since when nothing disturbed node and store; `None`: something did. Effects are held to their bound only if it was
    /// before the bound began.
    pub sound_since: Option<Mono>,
    /// How long a flush may take beyond the bound.
    pub flush: Duration,
    /// The node ended in order, with a sound store: everything is there.
    pub in_order: bool,
}

/// The checker.
#[derive(Debug, Default)]
pub struct Ledger {
    effects: BTreeMap<u64, Effect>,
    /// Acknowledgements so far.
    pub told: u64,
    /// Effects that were compared with the store because their promise bound.
    pub compared: u64,
}

impl Ledger {
    /// A client asks for an operation.
    pub fn asked(&mut self, token: u64, promise: Promise) {
        self.effects
            .insert(token, Effect { promise, state: State::Open, was_stored: false, is_excused: false });
    }

    /// A client, or an actor, was told that the operation had its effect.
    ///
    /// # Errors
    /// Nobody asked for it, or it was refused.
    pub fn told(&mut self, now: Mono, token: u64) -> Result<(), Violation> {
        let Some(effect) = self.effects.get_mut(&token) else {
            return Err(wrong(token, "was told of and never asked for"));
        };
        match effect.state {
            State::Open if effect.is_excused => {}
            State::Open => effect.state = State::Told(now),
            State::Told(_) => return Ok(()),
            State::Refused => return Err(wrong(token, "was told of after it was refused")),
        }
        self.told += 1;
        Ok(())
    }

    /// A client was told that nothing was done.
    ///
    /// # Errors
    /// Somebody was told that it was.
    pub fn refused(&mut self, token: u64) -> Result<(), Violation> {
        let Some(effect) = self.effects.get_mut(&token) else { return Ok(()) };
        if matches!(effect.state, State::Told(_)) {
            return Err(wrong(token, "was refused after somebody was told of it"));
        }
        effect.state = State::Refused;
        Ok(())
    }

    /// Compares with what is in the store when no node runs.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn check(&mut self, moment: Moment, found: &Found) -> Result<(), Violation> {
        let tokens: BTreeSet<u64> = found.held.keys().chain(found.logged.keys()).copied().collect();
        if let Some(token) = tokens.iter().find(|token| !self.effects.contains_key(token)) {
            return Err(wrong(*token, "is stored and nobody asked for it"));
        }
        for (token, effect) in &mut self.effects {
            let held = found.held.get(token).copied().unwrap_or(0);
            let logged = found.logged.get(token).copied().unwrap_or(0);
            self.compared += u64::from(effect.binds(moment));
            effect.check(moment, held, logged).map_err(|what| wrong(*token, &what))?;
            effect.was_stored |= held > 0;
            effect.forgive();
        }
        Ok(())
    }

    /// What was acknowledged as `behind` and is not known to be stored may be lost: a node that another one replaced goes on
    /// to acknowledge until it notices.
    pub fn forgive(&mut self) {
        self.effects.values_mut().for_each(Effect::forgive);
    }
}

impl Effect {
    /// It is lost, if it can be: nobody can be held to it later.
    fn forgive(&mut self) {
        if matches!(self.promise, Promise::Behind(_)) && !self.was_stored {
            self.is_excused = true;
            if matches!(self.state, State::Told(_)) {
                self.state = State::Open;
            }
        }
    }

    /// Whether it has to be there.
    fn binds(&self, moment: Moment) -> bool {
        match (self.state, self.promise) {
            (State::Open | State::Refused, _) => self.was_stored,
            (State::Told(_), Promise::Sync) => true,
            (State::Told(at), Promise::Behind(max_loss)) => {
                let bound = max_loss + moment.flush;
                let is_old = moment.at.since(at) > bound;
                let is_sound = moment.sound_since.is_some_and(|since| moment.at.since(since) > bound);
                self.was_stored || moment.in_order || (is_old && is_sound)
            }
        }
    }

    fn check(&self, moment: Moment, held: u32, logged: u32) -> Result<(), String> {
        if held > 1 || logged > 1 {
            return Err(format!("happened twice: {held} times in states, {logged} times in logs"));
        }
        if self.promise == Promise::Sync && held != logged {
            return Err(format!("stands {held} times in states and {logged} times in logs"));
        }
        if self.state == State::Refused && held > 0 {
            return Err("was refused and has its effect".to_owned());
        }
        if held == 0 && self.binds(moment) {
            let (state, promise) = (self.state, self.promise);
            let was = if self.was_stored { "was stored and" } else { "" };
            return Err(format!("{was} is lost at {} ms: {promise:?}, {state:?}", moment.at.as_millis()));
        }
        Ok(())
    }
}

fn wrong(token: u64, what: &str) -> Violation {
    Violation::new("ledger", format!("the effect of token {token:#x} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRASH: Moment = Moment {
        at: Mono::from_millis(10_000),
        sound_since: Some(Mono::from_millis(0)),
        flush: Duration::from_secs(1),
        in_order: false,
    };
    const BEHIND: Promise = Promise::Behind(Duration::from_secs(2));

    fn found(held: &[u64], logged: &[u64]) -> Found {
        let mut found = Found::default();
        held.iter().for_each(|token| found.holds(*token));
        logged.iter().for_each(|token| found.logs(*token));
        found
    }

    fn ledger(promise: Promise, told_ms: Option<u64>) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.asked(1, promise);
        if let Some(at) = told_ms {
            ledger.told(Mono::from_millis(at), 1).unwrap();
        }
        ledger
    }

    #[test]
    fn a_lost_or_doubled_sync_effect_is_found() {
        ledger(Promise::Sync, Some(9_999)).check(CRASH, &found(&[], &[])).unwrap_err();
        ledger(Promise::Sync, Some(9_999)).check(CRASH, &found(&[1], &[])).unwrap_err();
        ledger(Promise::Sync, None).check(CRASH, &found(&[1, 1], &[1])).unwrap_err();
        ledger(Promise::Sync, None).check(CRASH, &found(&[2], &[2])).unwrap_err();
        ledger(Promise::Sync, None).check(CRASH, &found(&[], &[])).unwrap();
        ledger(Promise::Sync, Some(9_999)).check(CRASH, &found(&[1], &[1])).unwrap();
    }

    #[test]
    fn a_behind_effect_may_be_lost_within_its_bound_only() {
        ledger(BEHIND, Some(7_500)).check(CRASH, &found(&[], &[])).unwrap();
        ledger(BEHIND, Some(6_500)).check(CRASH, &found(&[], &[])).unwrap_err();
        let disturbed = Moment { sound_since: Some(Mono::from_millis(8_000)), ..CRASH };
        ledger(BEHIND, Some(6_500)).check(disturbed, &found(&[], &[])).unwrap();
        let in_order = Moment { in_order: true, ..CRASH };
        ledger(BEHIND, Some(7_500)).check(in_order, &found(&[], &[])).unwrap_err();
    }

    #[test]
    fn an_answer_that_was_on_its_way_at_a_crash_binds_sync_effects_only() {
        for (promise, binds) in [(BEHIND, false), (Promise::Sync, true)] {
            let mut ledger = ledger(promise, None);
            ledger.check(CRASH, &found(&[], &[])).unwrap();
            ledger.told(Mono::from_millis(10_020), 1).unwrap();
            let next = Moment { at: Mono::from_millis(20_000), ..CRASH };
            assert_eq!(ledger.check(next, &found(&[], &[])).is_err(), binds);
        }
    }

    #[test]
    fn what_was_stored_stays_and_what_was_refused_never_comes() {
        let mut stays = ledger(BEHIND, None);
        stays.check(CRASH, &found(&[1], &[])).unwrap();
        stays.check(CRASH, &found(&[], &[])).unwrap_err();
        let mut refused = ledger(Promise::Sync, None);
        refused.refused(1).unwrap();
        refused.check(CRASH, &found(&[], &[])).unwrap();
        refused.check(CRASH, &found(&[1], &[1])).unwrap_err();
    }
}
