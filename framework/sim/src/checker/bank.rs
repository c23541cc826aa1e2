//! Money: what was minted and not destroyed is somewhere, and nowhere twice.
//!
//! *Responsible for*: the sums of each currency over all places that hold it or are on the way between two of them.
//! *Not responsible for*: reading places (`stored`; the game says what is money in them), who may have how much.
//!
//! A look begins with an empty [`Bank`], puts in what it finds, and ends with [`Bank::check`]. What a transfer took from one
//! place and has not brought to the other yet is in flight: a letter in an outbox whose number is above the mark that its
//! receiver has of its sender, or an escrow.
//!
//! Invariants of what is looked at:
//! - I1: minted − destroyed = held + in flight, for each currency.
//! - I2: no balance is negative.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Violation;

/// Places that a violation names; the rest is counted.
const PLACES_NAMED_MAX: usize = 24;

/// What one look found of one currency.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Currency {
    minted: i128,
    destroyed: i128,
    held: i128,
    in_flight: i128,
    /// Places and their balances, in the order in which they were found.
    places: Vec<(String, i128)>,
}

/// The checker: one look at all money.
///
/// ```
/// use lightmoon_sim::checker::Bank;
///
/// let mut bank = Bank::default();
/// bank.minted("gold", 100);
/// bank.holds("gold", "purse 1", 70);
/// bank.in_flight("gold", "purse 1 to purse 2", 30);
/// assert!(bank.check().is_ok());
///
/// bank.holds("gold", "purse 2", 30);
/// let found = bank.check().unwrap_err();
/// assert!(found.what.contains("30 more than there may be"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bank {
    currencies: BTreeMap<String, Currency>,
}

impl Bank {
    /// So much was made of nothing.
    pub fn minted(&mut self, currency: &str, amount: u64) {
        self.of(currency).minted += i128::from(amount);
    }

    /// So much is gone for good.
    pub fn destroyed(&mut self, currency: &str, amount: u64) {
        self.of(currency).destroyed += i128::from(amount);
    }

    /// A place has this balance.
    pub fn holds(&mut self, currency: &str, place: impl Into<String>, balance: impl Into<i128>) {
        let (found, balance) = (self.of(currency), balance.into());
        found.held += balance;
        found.places.push((place.into(), balance));
    }

    /// So much is on its way.
    pub fn in_flight(&mut self, currency: &str, way: impl Into<String>, amount: u64) {
        let (found, amount) = (self.of(currency), i128::from(amount));
        found.in_flight += amount;
        found.places.push((format!("in flight {}", way.into()), amount));
    }

    /// How much of a currency is on its way.
    #[must_use]
    pub fn under_way(&self, currency: &str) -> i128 {
        self.currencies.get(currency).map_or(0, |found| found.in_flight)
    }

    /// Compares.
    ///
    /// # Errors
    /// A sum is wrong, or a balance is negative.
    pub fn check(&self) -> Result<(), Violation> {
        for (currency, found) in &self.currencies {
            if let Some((place, balance)) = found.places.iter().find(|(_, balance)| *balance < 0) {
                return Err(wrong(format!("{place} has {balance} {currency}")));
            }
            let (there, right) = (found.held + found.in_flight, found.minted - found.destroyed);
            let how = match there - right {
                0 => continue,
                more @ 1.. => format!("{more} more than there may be"),
                less => format!("{} less than there must be", -less),
            };
            let Currency { minted, destroyed, held, in_flight, .. } = found;
            return Err(wrong(format!(
                "{currency}: {how}: minted {minted} - destroyed {destroyed} = {right}, held {held} + in flight {in_flight} = \
                 {there}; {}",
                found.named()
            )));
        }
        Ok(())
    }

    fn of(&mut self, currency: &str) -> &mut Currency {
        self.currencies.entry(currency.to_owned()).or_default()
    }
}

impl Currency {
    fn named(&self) -> String {
        let mut named = String::new();
        for (place, balance) in self.places.iter().take(PLACES_NAMED_MAX) {
            let separator = if named.is_empty() { "" } else { ", " };
            let _infallible = write!(named, "{separator}{place}: {balance}");
        }
        match self.places.len().saturating_sub(PLACES_NAMED_MAX) {
            0 => named,
            more => named + &format!(", and {more} more"),
        }
    }
}

fn wrong(what: String) -> Violation {
    Violation::new("bank", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right() -> Bank {
        let mut bank = Bank::default();
        bank.minted("gold", 100);
        bank.minted("gold", 20);
        bank.destroyed("gold", 10);
        bank.holds("gold", "purse 1", 60);
        bank.holds("gold", "purse 2", 0);
        bank.in_flight("gold", "1 to 2", 50);
        bank.minted("silver", 7);
        bank.holds("silver", "purse 1", 7);
        bank
    }

    #[test]
    fn what_was_minted_and_not_destroyed_is_held_or_in_flight() {
        right().check().unwrap();
        assert_eq!((right().under_way("gold"), right().under_way("silver")), (50, 0));
        Bank::default().check().unwrap();
    }

    #[test]
    fn money_that_is_there_twice_or_lost_is_found_with_its_places() {
        let mut twice = right();
        twice.holds("gold", "purse 2 again", 50);
        let found = twice.check().unwrap_err();
        assert_eq!(found.checker, "bank");
        for named in ["50 more", "purse 1: 60", "in flight 1 to 2: 50", "purse 2 again: 50"] {
            assert!(found.what.contains(named), "{found}");
        }
        let mut lost = right();
        lost.minted("gold", 3);
        assert!(lost.check().unwrap_err().what.contains("3 less"));
    }

    #[test]
    fn currencies_do_not_make_up_for_each_other() {
        let mut exchanged = right();
        exchanged.minted("gold", 5);
        exchanged.destroyed("silver", 5);
        exchanged.check().unwrap_err();
    }

    #[test]
    fn a_negative_balance_is_found_even_where_sums_are_right() {
        let mut bank = Bank::default();
        bank.holds("gold", "purse 1", -5);
        bank.holds("gold", "purse 2", 5);
        assert!(bank.check().unwrap_err().what.contains("purse 1 has -5 gold"));
    }

    #[test]
    fn a_violation_is_short_however_many_places_there_are() {
        let mut bank = Bank::default();
        (0..1_000).for_each(|number| bank.holds("gold", format!("purse {number}"), 1));
        let found = bank.check().unwrap_err();
        assert!(found.what.contains("and 976 more") && found.what.len() < 1_000, "{found}");
    }
}
