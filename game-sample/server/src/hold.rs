//! The hold: what a pilot has, as entities and resources of the pilot's own world.
//!
//! *Responsible for*: stacks of ore, the memory of crystals that makes a repeated request harmless, goods in and out.
//! *Not responsible for*: which crystals can be mined ([`crate::crystal`]), coins by themselves ([`crate::purse`]), trading
//! ([`crate::trade`]); writing anything to a store: the types below say that they are kept, the framework keeps them.
//!
//! Invariants:
//! - I1: there is at most one [`Ore`] for each colour, and none that is empty.
//! - I2: the amounts of all ore are the sum over all crystals that were stowed, each once, and over all goods in and out.
//! - I3: a crystal is forgotten only when its remains are gone from its sector, so that nobody gives its ore again.

use bevy_ecs::prelude::*;
use game_sample_contracts::{Goods, Hold, Mined, OreStack};
use lightmoon::contract::{NetId, data};

use crate::purse::{self, Purse};

/// Crystals remembered. A pilot mines 2 a second and 4 at once, remains stay for 20 s, and a crash may bring back those of
/// the 10 s before: 64 are as many as can be asked for once more.
pub const REMEMBERED_MAX: usize = 64;

/// A stack of ore.
#[data(persist = "ore")]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ore {
    /// Its colour, a multiple of 60 degrees.
    pub hue: u16,
    /// How much.
    pub amount: u64,
}

/// The crystals that were mined last, and how many there were ever.
#[data(persist = "finds")]
#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub struct Finds {
    /// Oldest first, at most [`REMEMBERED_MAX`].
    last: Vec<Mined>,
    /// All that were ever stowed.
    crystals: u64,
}

/// What was answered when this crystal was mined; `None`: it never was, or long ago.
#[must_use]
pub fn recall(world: &World, crystal: NetId) -> Option<Mined> {
    world.resource::<Finds>().last.iter().find(|mined| mined.crystal == crystal).copied()
}

/// Puts the ore and the coins of a crystal into the hold.
pub fn stow(world: &mut World, crystal: NetId, hue: u16, ore: u32) -> Mined {
    add_ore(world, OreStack { hue, amount: ore.into() });
    let total = world.query::<&Ore>().iter(world).map(|stack| stack.amount).sum();
    let mined = Mined { crystal, ore, hue, total, coins: purse::find(world) };
    let mut finds = world.resource_mut::<Finds>();
    finds.crystals += 1;
    // Room for all at once: a pilot that mines takes the memory that it will take in the end.
    let missing = REMEMBERED_MAX.saturating_sub(finds.last.len());
    finds.last.reserve_exact(missing);
    if finds.last.len() >= REMEMBERED_MAX {
        finds.last.remove(0);
    }
    finds.last.push(mined);
    mined
}

/// Takes goods out of the hold, all of them or none; whether they were there. Each colour stands in them once.
#[must_use]
pub fn take(world: &mut World, goods: &Goods) -> bool {
    let mut stacks = world.query::<(Entity, &mut Ore)>();
    let mut has = |wanted: &OreStack| {
        stacks.iter(world).any(|(_, stack)| stack.hue == wanted.hue && stack.amount >= wanted.amount)
    };
    if goods.coins > purse::coins(world) || !goods.ore.iter().all(&mut has) {
        return false;
    }
    world.resource_mut::<Purse>().coins -= goods.coins;
    for OreStack { hue, amount } in &goods.ore {
        let stack = stacks.iter_mut(world).find(|(_, stack)| stack.hue == *hue);
        let Some((entity, mut stack)) = stack else { continue };
        stack.amount -= *amount;
        if stack.amount == 0 {
            world.despawn(entity);
        }
    }
    true
}

/// Puts goods into the hold.
///
/// # Panics
/// More than 64 bits hold: then something was made from nothing, and is left where it is.
pub fn put(world: &mut World, goods: &Goods) {
    let mut purse = world.resource_mut::<Purse>();
    purse.coins = purse.coins.checked_add(goods.coins).expect("all coins that were minted fit 64 bits");
    goods.ore.iter().for_each(|stack| add_ore(world, *stack));
}

fn add_ore(world: &mut World, OreStack { hue, amount }: OreStack) {
    let mut stacks = world.query::<&mut Ore>();
    match stacks.iter_mut(world).find(|stack| stack.hue == hue) {
        Some(mut stack) => {
            stack.amount = stack.amount.checked_add(amount).expect("all ore that was mined fits 64 bits");
        }
        None => drop(world.spawn(Ore { hue, amount })),
    }
}

/// What is in the hold.
#[must_use]
pub fn list(world: &mut World) -> Hold {
    let mut stacks: Vec<OreStack> = world
        .query::<&Ore>()
        .iter(world)
        .map(|Ore { hue, amount }| OreStack { hue: *hue, amount: *amount })
        .collect();
    stacks.sort_unstable_by_key(|stack| stack.hue);
    let total = stacks.iter().map(|stack| stack.amount).sum();
    Hold { stacks, total, crystals: world.resource::<Finds>().crystals, coins: purse::coins(world) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> World {
        let mut world = World::new();
        world.init_resource::<Finds>();
        world.init_resource::<Purse>();
        world
    }

    fn goods(coins: u64, ore: &[(u16, u64)]) -> Goods {
        Goods {
            coins,
            ore: ore.iter().map(|(hue, amount)| OreStack { hue: *hue, amount: *amount }).collect(),
        }
    }

    #[test]
    fn ore_of_one_colour_is_one_stack_and_the_sums_agree() {
        let mut world = empty();
        for (number, hue, ore) in [(1, 60, 3), (2, 0, 1), (3, 60, 4)] {
            stow(&mut world, NetId(number), hue, ore);
        }
        let hold = list(&mut world);
        let stacks = [OreStack { hue: 0, amount: 1 }, OreStack { hue: 60, amount: 7 }];
        assert_eq!(hold, Hold { stacks: stacks.to_vec(), total: 8, crystals: 3, coins: 3 });
    }

    #[test]
    fn goods_are_taken_whole_or_not_at_all_and_come_back_as_they_were() {
        let mut world = empty();
        for (number, hue, ore) in [(1, 60, 3), (2, 0, 1)] {
            stow(&mut world, NetId(number), hue, ore);
        }
        let before = list(&mut world);
        for too_much in [goods(3, &[]), goods(0, &[(60, 4)]), goods(2, &[(0, 1), (120, 1)])] {
            assert!(!take(&mut world, &too_much));
            assert_eq!(list(&mut world), before);
        }
        let taken = goods(2, &[(0, 1), (60, 1)]);
        assert!(take(&mut world, &taken));
        let left = list(&mut world);
        assert_eq!((left.coins, left.stacks), (0, vec![OreStack { hue: 60, amount: 2 }]), "no empty stack");
        put(&mut world, &taken);
        assert_eq!(list(&mut world), before);
    }

    #[test]
    fn a_crystal_is_recalled_with_the_very_answer_that_was_given() {
        let mut world = empty();
        let first = stow(&mut world, NetId(7), 120, 5);
        stow(&mut world, NetId(8), 120, 2);
        assert_eq!(recall(&world, NetId(7)), Some(first));
        assert_eq!((first.total, recall(&world, NetId(9))), (5, None));
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let mut world = empty();
        for number in 0..=u64::try_from(REMEMBERED_MAX).unwrap() {
            stow(&mut world, NetId(number + 1), 0, 1);
        }
        assert_eq!(world.resource::<Finds>().last.len(), REMEMBERED_MAX);
        assert!(recall(&world, NetId(1)).is_none() && recall(&world, NetId(2)).is_some());
        assert_eq!(list(&mut world).crystals, u64::try_from(REMEMBERED_MAX).unwrap() + 1);
    }
}
