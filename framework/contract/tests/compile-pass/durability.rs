//! Every durability that goes together with the other words, and what is filled in for those not said.

#![deny(warnings)]

use lightmoon_contract::operation::Durability;
use lightmoon_contract::{Operation, contract};

/// A shop.
#[contract(number = 1)]
pub trait Shop {
    /// Nothing is said.
    #[operation]
    fn look();
    /// Not kept, over a lane that loses.
    #[operation(reliability = unreliable, durability = none)]
    fn wave();
    /// Kept later, over a lane that loses.
    #[operation(reliability = unreliable_latest, durability = behind)]
    fn stand(at: u8);
    /// Kept sooner than others.
    #[operation(max_loss_ms = 1000)]
    fn choose(item: u8);
    /// Kept before the answer.
    #[operation(client = any, durability = sync)]
    fn buy(item: u8) -> u64;
    /// Kept before the acknowledgement, with its caller and arguments.
    #[operation(ack, durability = sync, log)]
    fn give(item: u8);
    /// Waits as long as may be lost.
    #[operation]
    async fn haggle() -> u8;
    /// Waits no longer than may be lost.
    #[operation(max_loss_ms = 5000)]
    async fn knock() -> u8;
    /// Waits long, since more may be lost.
    #[operation(max_loss_ms = 60000, timeout_ms = 60000)]
    async fn sleep() -> u8;
    /// Waits long, since nothing is kept.
    #[operation(durability = none)]
    async fn dream() -> u8;
    /// Waits, and is kept before the answer.
    #[operation(durability = sync, timeout_ms = 10000)]
    async fn trade() -> u8;
    /// To clients.
    #[operation(push)]
    fn closes();
    /// Of the actor itself.
    #[operation(every_ms = 1000, durability = none)]
    fn beat();
}

fn of<O: Operation>() -> (Durability, u32, bool, u32) {
    (O::SPEC.durability, O::SPEC.max_loss_ms, O::SPEC.logged, O::SPEC.timeout_ms)
}

fn main() {
    assert_eq!(of::<shop::Look>(), (Durability::Behind, 10_000, false, 30_000));
    assert_eq!(of::<shop::Wave>(), (Durability::None, 10_000, false, 30_000));
    assert_eq!(of::<shop::Stand>(), (Durability::Behind, 10_000, false, 30_000));
    assert_eq!(of::<shop::Choose>(), (Durability::Behind, 1_000, false, 30_000));
    assert_eq!(of::<shop::Buy>(), (Durability::Sync, 10_000, false, 30_000));
    assert_eq!(of::<shop::Give>(), (Durability::Sync, 10_000, true, 30_000));
    assert_eq!(of::<shop::Haggle>(), (Durability::Behind, 10_000, false, 10_000));
    assert_eq!(of::<shop::Knock>(), (Durability::Behind, 5_000, false, 5_000));
    assert_eq!(of::<shop::Sleep>(), (Durability::Behind, 60_000, false, 60_000));
    assert_eq!(of::<shop::Dream>(), (Durability::None, 10_000, false, 30_000));
    assert_eq!(of::<shop::Trade>(), (Durability::Sync, 10_000, false, 10_000));
    assert_eq!(of::<shop::Closes>().0, Durability::None);
    assert_eq!(of::<shop::Beat>().0, Durability::None);
}
