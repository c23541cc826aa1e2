//! Things: each that was minted and not destroyed is in exactly one place.
//!
//! *Responsible for*: comparing places of single ids with what was minted and destroyed. *Not responsible for*: reading places
//! (`stored`; the game says what is a thing in them), sums of what has no name (`bank`).
//!
//! Whoever mints says [`Items::minting`] before it asks, and [`Items::minted`] once it is told. Letters in flight and escrows
//! are places as all others.
//!
//! Invariants of what is looked at:
//! - I1: an id whose minting was acknowledged is in exactly one place, until its destruction was asked for.
//! - I2: an id whose minting was not acknowledged is in one place or in none; once it was seen it stays, as in I1.
//! - I3: an id whose destruction was acknowledged, or that nobody asked for, is nowhere.

use std::collections::BTreeMap;

use super::Violation;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Somebody asked for it.
    Asked,
    /// It exists.
    There,
    /// It exists, or is gone.
    Doubtful,
    /// It is gone.
    Gone,
}

/// Where the things are that one look found: places of each id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    found: BTreeMap<u64, Vec<String>>,
}

impl Places {
    /// A thing is in a place.
    pub fn holds(&mut self, id: u64, place: impl Into<String>) {
        self.found.entry(id).or_default().push(place.into());
    }

    /// How many things there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.found.len()
    }
}

/// The checker.
///
/// ```
/// use lightmoon_sim::checker::{Items, items::Places};
///
/// let mut items = Items::default();
/// items.minting(7);
/// items.minted(7);
/// let mut places = Places::default();
/// places.holds(7, "purse 1");
/// assert!(items.check(&places).is_ok());
///
/// places.holds(7, "vault 2");
/// let found = items.check(&places).unwrap_err();
/// assert!(found.what.contains("in 2 places: purse 1, vault 2"));
/// ```
#[derive(Debug, Default)]
pub struct Items {
    states: BTreeMap<u64, State>,
}

impl Items {
    /// Somebody asks for a thing of this id.
    pub fn minting(&mut self, id: u64) {
        self.states.entry(id).or_insert(State::Asked);
    }

    /// It was acknowledged that the thing exists.
    pub fn minted(&mut self, id: u64) {
        let state = self.states.entry(id).or_insert(State::There);
        if *state == State::Asked {
            *state = State::There;
        }
    }

    /// Somebody asks for the destruction of a thing: from now on it may be gone.
    pub fn destroying(&mut self, id: u64) {
        let state = self.states.entry(id).or_insert(State::Doubtful);
        if matches!(state, State::Asked | State::There) {
            *state = State::Doubtful;
        }
    }

    /// It was acknowledged that the thing is gone.
    pub fn destroyed(&mut self, id: u64) {
        self.states.insert(id, State::Gone);
    }

    /// Ids that exist for sure: minted or seen, and nobody asked for their destruction.
    #[must_use]
    pub fn count(&self) -> usize {
        self.states.values().filter(|state| **state == State::There).count()
    }

    /// Compares with what one look found.
    ///
    /// # Errors
    /// A thing is missing, in two places, or where none may be.
    pub fn check(&mut self, places: &Places) -> Result<(), Violation> {
        for (id, found) in &places.found {
            if found.len() > 1 {
                return Err(wrong(*id, &format!("is in {} places: {}", found.len(), found.join(", "))));
            }
            let place = found.join(", ");
            match self.states.get_mut(id) {
                None => return Err(wrong(*id, &format!("is in {place}, and nobody asked for it"))),
                Some(State::Gone) => {
                    return Err(wrong(*id, &format!("is in {place}, and its destruction was acknowledged")));
                }
                Some(state @ State::Asked) => *state = State::There,
                Some(State::There | State::Doubtful) => {}
            }
        }
        for (id, state) in &mut self.states {
            if places.found.contains_key(id) {
                continue;
            }
            match state {
                State::There => return Err(wrong(*id, "was minted, and is nowhere")),
                // What is gone once does not come back.
                State::Doubtful => *state = State::Gone,
                State::Asked | State::Gone => {}
            }
        }
        Ok(())
    }
}

fn wrong(id: u64, what: &str) -> Violation {
    Violation::new("items", format!("item {id:#x} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(found: &[(u64, &str)]) -> Places {
        let mut places = Places::default();
        found.iter().for_each(|(id, place)| places.holds(*id, *place));
        places
    }

    fn minted(ids: &[u64]) -> Items {
        let mut items = Items::default();
        for id in ids {
            items.minting(*id);
            items.minted(*id);
        }
        items
    }

    #[test]
    fn a_minted_thing_is_in_exactly_one_place() {
        let mut items = minted(&[1, 2]);
        items.check(&places(&[(1, "a"), (2, "b")])).unwrap();
        items.check(&places(&[(1, "b"), (2, "b")])).unwrap();
        assert_eq!(items.count(), 2);
        let lost = items.check(&places(&[(1, "a")])).unwrap_err();
        assert!(lost.what.contains("0x2") && lost.what.contains("nowhere"), "{lost}");
        let twice = items.check(&places(&[(1, "a"), (2, "b"), (1, "in flight a to b")])).unwrap_err();
        assert!(twice.what.contains("a, in flight a to b"), "{twice}");
    }

    #[test]
    fn what_was_asked_for_exists_once_or_not_at_all_and_stays_once_it_was_seen() {
        let mut items = minted(&[]);
        items.minting(1);
        items.check(&places(&[])).unwrap();
        items.check(&places(&[(1, "a"), (1, "b")])).unwrap_err();
        items.check(&places(&[(1, "a")])).unwrap();
        items.check(&places(&[])).unwrap_err();
    }

    #[test]
    fn what_nobody_asked_for_is_found() {
        minted(&[1]).check(&places(&[(1, "a"), (9, "b")])).unwrap_err();
    }

    #[test]
    fn what_was_destroyed_stays_gone() {
        let mut items = minted(&[1, 2]);
        items.destroying(1);
        items.check(&places(&[(1, "a"), (2, "a")])).unwrap();
        items.check(&places(&[(2, "a")])).unwrap();
        items.check(&places(&[(1, "a"), (2, "a")])).unwrap_err();
        items.destroyed(2);
        items.check(&places(&[])).unwrap();
        let back = items.check(&places(&[(2, "a")])).unwrap_err();
        assert!(back.what.contains("destruction"), "{back}");
    }
}
