//! The hold: what a pilot has mined, as entities of the pilot's own world.
//!
//! *Responsible for*: stacks of ore, the memory of crystals that makes a repeated request harmless, their sums.
//! *Not responsible for*: which crystals can be mined ([`crate::crystal`]); writing anything to a store: the types below say
//! that they are kept, the framework keeps them.
//!
//! Invariants:
//! - I1: there is one [`Ore`] for each colour.
//! - I2: the amounts of all ore are the sum over all crystals that were stowed, each once.
//! - I3: a crystal is forgotten only when its remains are gone from its sector, so that nobody gives its ore again.

use bevy_ecs::prelude::*;
use game_sample_contracts::{Hold, Mined, OreStack};
use lightmoon::contract::{NetId, Persist, data};

/// Crystals remembered. A pilot mines 2 a second and 4 at once, remains stay for 20 s, and a crash may bring back those of
/// the 10 s before: 64 are as many as can be asked for once more.
pub const REMEMBERED_MAX: usize = 64;

/// A stack of ore.
#[data]
#[derive(Component, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ore {
    /// Its colour, a multiple of 60 degrees.
    pub hue: u16,
    /// How much.
    pub amount: u64,
}

impl Persist for Ore {
    const NAME: &'static str = "ore";
}

/// The crystals that were mined last, and how many there were ever.
#[data]
#[derive(Resource, Clone, PartialEq, Eq, Debug, Default)]
pub struct Finds {
    /// Oldest first, at most [`REMEMBERED_MAX`].
    last: Vec<Mined>,
    /// All that were ever stowed.
    crystals: u64,
}

impl Persist for Finds {
    const NAME: &'static str = "finds";
}

/// What was answered when this crystal was mined; `None`: it never was, or long ago.
#[must_use]
pub fn recall(world: &World, crystal: NetId) -> Option<Mined> {
    world.resource::<Finds>().last.iter().find(|mined| mined.crystal == crystal).copied()
}

/// Puts the ore of a crystal into the hold.
pub fn stow(world: &mut World, crystal: NetId, hue: u16, ore: u32) -> Mined {
    let mut stacks = world.query::<&mut Ore>();
    match stacks.iter_mut(world).find(|stack| stack.hue == hue) {
        Some(mut stack) => stack.amount += u64::from(ore),
        None => drop(world.spawn(Ore { hue, amount: ore.into() })),
    }
    let total = stacks.iter(world).map(|stack| stack.amount).sum();
    let mined = Mined { crystal, ore, hue, total };
    let mut finds = world.resource_mut::<Finds>();
    finds.crystals += 1;
    if finds.last.len() >= REMEMBERED_MAX {
        finds.last.remove(0);
    }
    finds.last.push(mined);
    mined
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
    Hold { stacks, total, crystals: world.resource::<Finds>().crystals }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> World {
        let mut world = World::new();
        world.init_resource::<Finds>();
        world
    }

    #[test]
    fn ore_of_one_colour_is_one_stack_and_the_sums_agree() {
        let mut world = empty();
        for (number, hue, ore) in [(1, 60, 3), (2, 0, 1), (3, 60, 4)] {
            stow(&mut world, NetId(number), hue, ore);
        }
        let hold = list(&mut world);
        let stacks = [OreStack { hue: 0, amount: 1 }, OreStack { hue: 60, amount: 7 }];
        assert_eq!(hold, Hold { stacks: stacks.to_vec(), total: 8, crystals: 3 });
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
