//! Goods as they may be traded.
//!
//! *Responsible for*: bringing what a client claims into one form. *Not responsible for*: whether somebody has it
//! ([`crate::hold`]).

use std::collections::BTreeMap;

use game_sample_contracts::{Goods, OreStack};

use super::{AMOUNT_MAX, HUE_STEP, STACKS_MAX};

/// The same goods with each colour once, in order, and no empty stack. `None`: there is no such ore, or it is too much.
#[must_use]
pub fn tidy(goods: &Goods) -> Option<Goods> {
    if goods.coins > AMOUNT_MAX || goods.ore.len() > STACKS_MAX {
        return None;
    }
    let mut stacks: BTreeMap<u16, u64> = BTreeMap::new();
    for OreStack { hue, amount } in &goods.ore {
        if *hue >= 360 || hue % HUE_STEP != 0 {
            return None;
        }
        let stack = stacks.entry(*hue).or_default();
        *stack = stack.checked_add(*amount).filter(|sum| *sum <= AMOUNT_MAX)?;
    }
    let stacks = stacks.into_iter().filter(|(_, amount)| *amount > 0);
    Some(Goods { coins: goods.coins, ore: stacks.map(|(hue, amount)| OreStack { hue, amount }).collect() })
}

/// Whether there is nothing in it.
#[must_use]
pub fn is_nothing(goods: &Goods) -> bool {
    *goods == Goods::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goods(coins: u64, ore: &[(u16, u64)]) -> Goods {
        Goods {
            coins,
            ore: ore.iter().map(|(hue, amount)| OreStack { hue: *hue, amount: *amount }).collect(),
        }
    }

    #[test]
    fn goods_have_one_form() {
        let claimed = goods(3, &[(120, 2), (0, 0), (60, 1), (120, 5)]);
        assert_eq!(tidy(&claimed), Some(goods(3, &[(60, 1), (120, 7)])));
        assert_eq!(tidy(&Goods::default()), Some(Goods::default()));
        assert!(is_nothing(&tidy(&goods(0, &[(60, 0)])).unwrap()));
    }

    #[test]
    fn ore_that_there_is_not_and_sums_that_are_too_large_are_no_goods() {
        for bad in [
            goods(AMOUNT_MAX + 1, &[]),
            goods(u64::MAX, &[]),
            goods(0, &[(61, 1)]),
            goods(0, &[(360, 1)]),
            goods(0, &[(60, u64::MAX), (60, 1)]),
            goods(0, &[(60, AMOUNT_MAX), (60, 1)]),
            goods(0, &[(0, 1); STACKS_MAX + 1]),
        ] {
            assert_eq!(tidy(&bad), None, "{bad:?}");
        }
    }
}
