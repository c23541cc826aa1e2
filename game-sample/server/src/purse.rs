//! The purse: a pilot's coins, and what became of all that ever were its own.
//!
//! *Responsible for*: minting coins, destroying them, counting both. *Not responsible for*: ore ([`crate::hold`]), what is traded
//! ([`crate::trade`]).
//!
//! Coins come into the world in two ways and leave it in one:
//!
//! ```text
//! a new pilot: GRANT ──┐                                   ┌──► the fee of a settled trade: FEE
//! a mined crystal: 1 ──┴──► purses, escrows, messages ─────┘
//! ```
//!
//! Invariants:
//! - I1: over all pilots, `minted` less `destroyed` is what purses, escrows and messages on their way hold together. An audit
//!   adds it up.
//! - I2: a pilot is granted its first coins once, also one that was stored before there were coins.

use bevy_ecs::prelude::*;
use lightmoon::contract::data;

/// Coins of a pilot that has never had any.
pub const GRANT: u64 = 100;
/// Coins in a crystal.
pub const PER_CRYSTAL: u64 = 1;
/// Coins that the offerer of a settled trade loses, if it has them.
pub const FEE: u64 = 1;

/// A pilot's coins.
#[data(persist = "purse")]
#[derive(Resource, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Purse {
    /// What is in it.
    pub coins: u64,
    /// Coins that came into the world here.
    pub minted: u64,
    /// Coins that left the world here.
    pub destroyed: u64,
    /// Whether [`GRANT`] was given.
    pub is_granted: bool,
}

impl Purse {
    fn mint(&mut self, coins: u64) {
        self.minted += coins;
        self.coins += coins;
    }
}

/// Gives a pilot its first coins, once.
pub fn grant(world: &mut World) {
    let mut purse = world.resource_mut::<Purse>();
    if !purse.is_granted {
        purse.is_granted = true;
        purse.mint(GRANT);
    }
}

/// The coins of a crystal; all coins after it.
pub fn find(world: &mut World) -> u64 {
    let mut purse = world.resource_mut::<Purse>();
    purse.mint(PER_CRYSTAL);
    purse.coins
}

/// Destroys the fee of a trade, if it is there.
pub fn pay_fee(world: &mut World) {
    let mut purse = world.resource_mut::<Purse>();
    if let Some(left) = purse.coins.checked_sub(FEE) {
        purse.coins = left;
        purse.destroyed += FEE;
    }
}

/// What is in the purse.
#[must_use]
pub fn coins(world: &World) -> u64 {
    world.resource::<Purse>().coins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_coins_are_given_once() {
        let mut world = World::new();
        world.insert_resource(Purse { coins: 3, minted: 3, ..Purse::default() });
        for _ in 0..2 {
            grant(&mut world);
            assert_eq!((coins(&world), world.resource::<Purse>().minted), (103, 103));
        }
    }

    #[test]
    fn a_fee_takes_what_is_there_and_never_more() {
        let mut world = World::new();
        world.insert_resource(Purse { coins: 1, minted: 1, ..Purse::default() });
        for _ in 0..2 {
            pay_fee(&mut world);
            assert_eq!((coins(&world), world.resource::<Purse>().destroyed), (0, 1));
        }
    }
}
