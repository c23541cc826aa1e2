//! What the words of durability cannot say.

use lightmoon_contract::contract;

#[contract]
trait PromiseToNobody {
    #[operation(durability = sync)]
    fn give();
}

#[contract]
trait PromiseOverALossyLane {
    #[operation(durability = sync, reliability = unreliable_latest)]
    fn give();
}

#[contract]
trait UnknownChoice {
    #[operation(durability = soon)]
    fn give();
}

#[contract]
trait LossOfNothing {
    #[operation(ack, durability = sync, max_loss_ms = 5000)]
    fn give();
}

#[contract]
trait LossOfEverything {
    #[operation(durability = none, max_loss_ms = 5000)]
    fn give();
}

#[contract]
trait LossTooShort {
    #[operation(max_loss_ms = 999)]
    fn give();
}

#[contract]
trait LossTooLong {
    #[operation(durability = behind, max_loss_ms = 60001)]
    fn give();
}

#[contract]
trait LogWithoutPromise {
    #[operation(ack, log)]
    fn give();
}

#[contract]
trait DurablePush {
    #[operation(push, durability = none)]
    fn told();
}

#[contract]
trait LossyPush {
    #[operation(push, max_loss_ms = 5000)]
    fn told();
}

#[contract]
trait LoggedPush {
    #[operation(push, log)]
    fn told();
}

#[contract]
trait WaitsLongerThanMayBeLost {
    #[operation(timeout_ms = 10001)]
    async fn give() -> u8;
}

#[contract]
trait WaitsLongerThanItsOwnLoss {
    #[operation(max_loss_ms = 2000, timeout_ms = 3000)]
    async fn give() -> u8;
}

#[contract]
trait WaitsLongerThanSyncAllows {
    #[operation(ack, durability = sync, timeout_ms = 20000)]
    async fn give();
}

fn main() {}
