//! What there is in all, and whether it adds up.
//!
//! *Responsible for*: sums of coins and ore over all pilots. *Not responsible for*: what they are sums of ([`super::books`]).

use std::collections::BTreeMap;

use game_sample_contracts::{Goods, OreStack};

/// Coins, and ore of each colour.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stock {
    /// Coins.
    pub coins: u128,
    /// Ore by its colour; no colour of which there is none.
    pub ore: BTreeMap<u16, u128>,
}

impl Stock {
    /// Adds goods.
    pub fn add(&mut self, goods: &Goods) {
        self.coins += u128::from(goods.coins);
        for OreStack { hue, amount } in &goods.ore {
            self.add_ore(*hue, *amount);
        }
    }

    /// Adds ore of a colour.
    pub fn add_ore(&mut self, hue: u16, amount: u64) {
        if amount > 0 {
            *self.ore.entry(hue).or_default() += u128::from(amount);
        }
    }

    /// All ore.
    #[must_use]
    pub fn total(&self) -> u128 {
        self.ore.values().sum()
    }

    fn absorb(&mut self, other: &Self) {
        self.coins += other.coins;
        for (hue, amount) in &other.ore {
            *self.ore.entry(*hue).or_default() += amount;
        }
    }
}

/// What there is in all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    /// Pilots.
    pub pilots: u64,
    /// Crystals in their logs, each once.
    pub crystals: u64,
    /// Trades that were settled.
    pub trades: u64,
    /// What came into the world: coins by the purses, ore by the logs.
    pub minted: Stock,
    /// What left it.
    pub destroyed: Stock,
    /// What is in holds.
    pub held: Stock,
    /// What is in open offers.
    pub escrowed: Stock,
    /// What is on its way from one pilot to another, or waits to be sent.
    pub in_flight: Stock,
}

impl Sums {
    /// Whether what came and did not leave is there.
    ///
    /// # Errors
    /// What does not add up.
    pub fn balance(&self) -> Result<(), String> {
        let mut there = self.destroyed.clone();
        for stock in [&self.held, &self.escrowed, &self.in_flight] {
            there.absorb(stock);
        }
        if there == self.minted {
            return Ok(());
        }
        let (minted, destroyed) = (&self.minted, &self.destroyed);
        let (held, escrowed, in_flight) = (&self.held, &self.escrowed, &self.in_flight);
        Err(format!(
            "goods were made or lost: minted {minted:?}, destroyed {destroyed:?}, held {held:?}, in escrow {escrowed:?}, on their way {in_flight:?}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(coins: u128, ore: u128) -> Stock {
        Stock { coins, ore: (ore > 0).then_some((60, ore)).into_iter().collect() }
    }

    #[test]
    fn what_came_is_somewhere_or_left_and_neither_more_nor_less() {
        let right = Sums {
            minted: stock(100, 7),
            destroyed: stock(1, 0),
            held: stock(90, 3),
            escrowed: stock(5, 0),
            in_flight: stock(4, 4),
            ..Sums::default()
        };
        assert_eq!(right.balance(), Ok(()));
        for wrong in [
            Sums { held: stock(91, 3), ..right.clone() },
            Sums { in_flight: stock(4, 3), ..right.clone() },
            Sums { minted: stock(100, 8), ..right },
        ] {
            assert!(wrong.balance().is_err(), "{wrong:?}");
        }
    }
}
